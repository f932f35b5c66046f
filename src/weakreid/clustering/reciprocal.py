"""k-reciprocal encoding (Zhong et al., "Re-ranking Person Re-identification with k-reciprocal
Encoding", 2017): every item as a sparse row of weights over the items it is mutually near to.

- N(i, k): item i and its k nearest others, equal distances by index.
- R(i, k) = {j in N(i, k): i in N(j, k)}.
- R*(i) = R(i, k1) with every R(j, k1/2), j in R(i, k1), that lies in it by more than two thirds:
  |R(j, k1/2) & R(i, k1)| > 2/3 |R(j, k1/2)|; k1/2 is rounded to the nearest, halves to even.
- V_ij = exp(-d_ij) on R*(i), 0 elsewhere, rows scaled to sum to 1, then averaged over the first k2
  of N(i, .), the item itself among them.

Weights are whole multiples of a tiny unit (about 1e-14), stored as float64: sums and differences of
them are exact in whatever order they are taken, so that equal rows compare as equal.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from weakreid.clustering.neighbours import Array, squared_distances


def expanded_sets(near: NDArray[np.int32], k1: int) -> Any:
    """Return R* as a sparse [N, N] matrix of non-zeros, from N(., k1) in `near` [N, >= k1 + 1]."""
    whole = _reciprocal(near, k1)
    half = _reciprocal(near, round(k1 / 2))
    overlap = whole.multiply(whole @ half.T).tocoo()
    fits = 3 * overlap.data > 2 * half.sum(axis=1)[overlap.col]
    taken = sparse.csr_array(
        (np.ones(int(fits.sum()), np.int32), (overlap.row[fits], overlap.col[fits])), whole.shape
    )
    sets = (whole + taken @ half).tocsr()
    sets.sort_indices()
    return sets


def pair_distances(items: Array, sets: Any, threads: int | None = None) -> NDArray[np.float64]:
    """Return the squared distances of the pairs of `sets` [N, N], in its order, in float64."""
    count = len(items)
    rows = np.repeat(np.arange(count), np.diff(sets.indptr))
    low, high = np.minimum(rows, sets.indices), np.maximum(rows, sets.indices)
    once, places = np.unique(low * count + high, return_inverse=True)  # most come in both orders
    return squared_distances(items, *np.divmod(once, count), threads)[places]


def encode(sets: Any, distances: NDArray[np.float64], near: NDArray[np.int32]) -> Any:
    """Return k2 V, sparse [N, N] of float64, in units of 1 / `unit(k2)`.

    Args:
        sets: R*, see `expanded_sets`, with sorted indices.
        distances: d of the pairs of `sets`, in its order.
        near: [N, k2], the items over which V is averaged.
    """
    count, k2 = near.shape
    rows = np.repeat(np.arange(count), np.diff(sets.indptr))
    weights = np.exp(-distances)
    weights *= unit(k2) / np.bincount(rows, weights, count)[rows]
    np.rint(weights, out=weights)
    encoded = sparse.csr_array((weights, sets.indices, sets.indptr), sets.shape)
    ones = np.ones(near.size)
    starts = np.arange(0, near.size + 1, k2, dtype=np.int32)
    encoded = (sparse.csr_array((ones, near.ravel(), starts), sets.shape) @ encoded).tocsr()
    encoded.sort_indices()
    return encoded


def unit(k2: int) -> float:
    """Return what a weight of 1 is stored as: the largest power of 2 with exact sums of 2 rows."""
    return float(2 ** (50 - (k2 - 1).bit_length()))


def _reciprocal(near: NDArray[np.int32], k: int) -> Any:
    """Return R(., k) as a sparse [N, N] matrix of ones."""
    forward = np.sort(near[:, : k + 1], axis=1)
    count, width = forward.shape
    ones = np.ones(forward.size, np.int32)
    starts = np.arange(0, forward.size + 1, width, dtype=np.int32)
    graph = sparse.csr_array((ones, forward.ravel(), starts), (count, count))
    return graph.multiply(graph.T.tocsr()).tocsr()
