"""k-reciprocal re-ranking (Zhong et al., "Re-ranking Person Re-identification with k-reciprocal
Encoding", 2017).

Queries and gallery together are the items. d(i, j) is the squared Euclidean distance (the paper's
Mahalanobis distance, Eq. 1, with M = I), or the cosine distance, which for unit vectors is half of
it; each item's distances are divided by the largest of them, so that exp(-d) and the final mixture
mean the same at every scale of features.

- N(i, k): item i and its k nearest others, equal distances by index.
- R(i, k) = {j in N(i, k): i in N(j, k)}.
- R*(i) = R(i, k1) with every R(j, k1/2), j in R(i, k1), that lies in it by more than two thirds:
  |R(j, k1/2) & R(i, k1)| > 2/3 |R(j, k1/2)|; k1/2 is rounded to the nearest, halves to even.
- V_ij = exp(-d_ij) on R*(i), 0 elsewhere, rows scaled to sum to 1, then averaged over the first k2
  of N(i, .), the item itself among them.
- J(q, g) = 1 - S / (2 - S), S = sum_j min(V_qj, V_gj); final = (1 - weight) J + weight d.

Only the R* sets are stored: V is sparse, and no items x items matrix is ever held.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from weakreid.errors import ReidError
from weakreid.retrieval.distances import BLOCK_BYTES, Array, Metric, pairwise, unit_rows


@dataclass(frozen=True)
class Reranking:
    """Parameters of k-reciprocal re-ranking.

    Attributes:
        k1: neighbours of the reciprocal sets.
        k2: neighbours, the item itself among them, over which V is averaged.
        weight: share λ of the original distance in the result.
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3


def rerank(
    queries: Array,
    gallery: Array,
    metric: Metric = "euclidean",
    parameters: Reranking | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Array:
    """Return the re-ranked distances.

    Args:
        queries: [Q, d] descriptors.
        gallery: [G, d] descriptors.
        metric: "euclidean" (squared, whichever of the two names is given) or "cosine".
        parameters: k1, k2 and λ; None for the paper's.
        block_bytes: bound on the working memory of the distances.

    Returns:
        [Q, G] of the features' type, in 0..1.

    Raises:
        ReidError: parameters out of range, or features that `distances.pairwise` refuses.
    """
    chosen = parameters or Reranking()
    if chosen.k1 < 1 or chosen.k2 < 1 or not 0 <= chosen.weight <= 1:
        raise ReidError(f"re-ranking: {chosen}; k1 and k2 start at 1, weight lies in 0..1")
    if queries.shape[1:] != gallery.shape[1:]:
        raise ReidError(f"features: shape {queries.shape} against {gallery.shape}")
    items = np.concatenate([queries, gallery])
    items = items.astype(np.result_type(items, np.float32), copy=False)
    squared: Metric = "cosine" if metric == "cosine" else "sqeuclidean"
    neighbours, largest = _neighbours(
        items, squared, max(chosen.k1 + 1, chosen.k2), max(1, block_bytes)
    )
    sets = _expanded(neighbours, chosen.k1)
    encoded = _encode(sets, items, squared, largest, max(1, block_bytes))
    encoded = _average(encoded, neighbours[:, : chosen.k2])
    final = pairwise(queries, gallery, squared, block_bytes)
    final /= largest[: len(queries), None]
    final *= chosen.weight
    columns = encoded[len(queries) :].tocsc()
    for query in range(len(queries)):
        shared = _shared(encoded, query, columns)
        final[query] += (1 - chosen.weight) * (1 - shared / (2 - shared))
    return final


def _neighbours(
    items: Array, metric: Metric, keep: int, block_bytes: int
) -> tuple[NDArray[np.int64], Array]:
    """Return each item's nearest ([N, keep], itself first) and its largest distance [N]."""
    count = len(items)
    keep = min(keep, count)
    nearest = np.empty((count, keep), np.int64)
    largest = np.empty(count, items.dtype)
    step = max(1, block_bytes // (2 * count * items.itemsize))
    for start in range(0, count, step):
        block = pairwise(items[start : start + step], items, metric, block_bytes)
        lines = np.arange(len(block))
        block[lines, start + lines] = 0
        largest[start : start + step] = block.max(axis=1)
        block[lines, start + lines] = -1  # before its own duplicates
        border = np.partition(block, keep - 1, axis=1)[:, keep - 1]
        for line, row in enumerate(block):
            within = np.flatnonzero(row <= border[line])
            order = np.argsort(row[within], kind="stable")[:keep]
            nearest[start + line] = within[order]
    largest[largest == 0] = 1  # all items are equal: the distances stay 0
    return nearest, largest


def _reciprocal(neighbours: NDArray[np.int64], k: int) -> Any:
    """Return R(., k) as a sparse [N, N] matrix of ones."""
    near = neighbours[:, : k + 1]
    count = len(near)
    ones = np.ones(near.size, np.int32)
    forward = sparse.csr_array((ones, (np.repeat(np.arange(count), near.shape[1]), near.ravel())))
    forward.resize((count, count))
    return forward.multiply(forward.T).tocsr()


def _expanded(neighbours: NDArray[np.int64], k1: int) -> Any:
    """Return R* as a sparse [N, N] matrix of non-zeros."""
    whole = _reciprocal(neighbours, k1)
    half = _reciprocal(neighbours, round(k1 / 2))
    overlap = whole.multiply(whole @ half.T).tocoo()
    fits = 3 * overlap.data > 2 * half.sum(axis=1)[overlap.col]
    taken = sparse.csr_array(
        (np.ones(int(fits.sum()), np.int32), (overlap.row[fits], overlap.col[fits])), whole.shape
    )
    return (whole + taken @ half).tocsr()


def _encode(sets: Any, items: Array, metric: Metric, largest: Array, block_bytes: int) -> Any:
    """Return V before averaging, sparse [N, N] of float64, rows summing to 1."""
    pairs = sets.tocoo()
    rows, columns = pairs.row, pairs.col
    # of unit vectors, half the squared Euclidean distance is the cosine distance
    base, factor = (unit_rows(items), 0.5) if metric == "cosine" else (items, 1.0)
    weights = np.empty(len(rows))
    step = max(1, block_bytes // max(1, 3 * items.shape[1] * items.itemsize))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        apart = base[rows[part]] - base[columns[part]]
        squares = np.einsum("ij,ij->i", apart, apart)
        weights[part] = np.exp(-factor * squares / largest[rows[part]])
    sums = np.bincount(rows, weights, len(items))
    return sparse.csr_array((weights / sums[rows], (rows, columns)), sets.shape)


def _average(encoded: Any, nearest: NDArray[np.int64]) -> Any:
    """Return V averaged over each item's nearest [N, k2]."""
    count, width = nearest.shape
    if width == 1:
        return encoded
    rows = np.repeat(np.arange(count), width)
    share = np.full(rows.size, 1 / width)
    return (sparse.csr_array((share, (rows, nearest.ravel())), (count, count)) @ encoded).tocsr()


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
