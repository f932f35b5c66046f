"""k-reciprocal re-ranking (Zhong et al., "Re-ranking Person Re-identification with k-reciprocal
Encoding", 2017).

Queries and gallery together are the items. d(i, j) is the squared Euclidean distance (the paper's
Mahalanobis distance, Eq. 1, with M = I), or the cosine distance, which for unit vectors is half of
it; each item's distances are divided by the largest of them, so that exp(-d) and the final mixture
mean the same at every scale of features.

The encoding V of an item, by those it is mutually near to, is that of `clustering.reciprocal`.
J(q, g) = 1 - S / (2 - S), S = sum_j min(V_qj, V_gj); final = (1 - weight) J + weight d.

Only the R* sets are stored: V is sparse, and no items x items matrix is ever held.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreid.clustering.neighbours import nearest, unit_rows
from weakreid.clustering.reciprocal import encode, expanded_sets, pair_distances
from weakreid.retrieval.distances import Array, Metric, pairwise


@dataclass(frozen=True)
class Reranking:
    """Parameters of k-reciprocal re-ranking, by default the paper's."""

    k1: int = 20  # neighbours of the reciprocal sets, from 1
    k2: int = 6  # neighbours, the item itself among them, over which V is averaged; from 1
    weight: float = 0.3  # share λ of the original distance in the result, from 0 to 1


def rerank(
    queries: Array,
    gallery: Array,
    metric: Metric,
    parameters: Reranking,
    threads: int | None = None,
) -> Array:
    """Return the re-ranked distances.

    Args:
        queries: [Q, d] descriptors.
        gallery: [G, d] descriptors.
        metric: "euclidean" (squared, whichever of the two names is given) or "cosine".
        parameters: k1, k2 and λ.
        threads: workers for the neighbours; None for as many as there are cores. The result does
            not depend on it.

    Returns:
        [Q, G] of the features' type, in 0..1.

    Raises:
        ReidError: features that `distances.pairwise` refuses.
    """
    items = np.concatenate([queries, gallery])
    items = items.astype(np.result_type(items, np.float32), copy=False)
    metric = "cosine" if metric == "cosine" else "sqeuclidean"
    # of unit vectors, half the squared Euclidean distance is the cosine distance
    base, factor = (unit_rows(items), 0.5) if metric == "cosine" else (items, 1.0)
    near, largest = nearest(base, max(parameters.k1 + 1, parameters.k2), threads)
    largest = np.where(largest == 0, 1, factor * largest)  # all items are equal: d stays 0
    sets = expanded_sets(near, parameters.k1)
    distances = factor * pair_distances(base, sets, threads)
    distances /= np.repeat(largest, np.diff(sets.indptr))
    encoded = encode(sets, distances, near[:, : parameters.k2])
    totals = encoded.sum(axis=1)
    final = pairwise(queries, gallery, metric)
    final /= largest[: len(queries), None].astype(final.dtype)
    final *= parameters.weight
    columns = encoded[len(queries) :].tocsc()
    for query in range(len(queries)):
        shared = _shared(encoded, query, columns)
        jaccard = 1 - shared / (totals[query] + totals[len(queries) :] - shared)
        final[query] += (1 - parameters.weight) * jaccard
    return final


def _shared(encoded: Any, query: int, columns: Any) -> NDArray[np.float64]:
    """Return sum_j min(V_qj, V_gj) for every gallery item, reading only the columns that q has."""
    own = slice(encoded.indptr[query], encoded.indptr[query + 1])
    wanted, values = encoded.indices[own], encoded.data[own]
    starts = columns.indptr[wanted]
    lengths = columns.indptr[wanted + 1] - starts
    # the positions starts[0], starts[0] + 1, ... of every column, one after another
    places = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    least = np.minimum(np.repeat(values, lengths), columns.data[places])
    return np.asarray(np.bincount(columns.indices[places], least, columns.shape[0]), np.float64)
