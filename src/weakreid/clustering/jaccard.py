"""k-reciprocal Jaccard distances between all items, sparse and exact.

J(i, j) = 1 - S / (2 - S), S = sum_m min(V_im, V_jm), with V of `reciprocal`; d is the squared
Euclidean distance of unit vectors, as it is (re-ranking divides it by each item's largest). Two
items whose rows of V do not meet have J = 1, and are not stored: memory grows with N x k.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from weakreid.clustering.neighbours import (
    Array,
    default_threads,
    nearest,
    unit_rows,
)
from weakreid.clustering.reciprocal import encode, expanded_sets, pair_distances
from weakreid.errors import ReidError

_ROWS = 128  # rows given to a worker at a time


def jaccard_distances(
    features: Array, k1: int = 30, k2: int = 6, threads: int | None = None
) -> Any:
    """Return the Jaccard distances of the k-reciprocal encodings of all items.

    Args:
        features: [N, d] floats; they are scaled to length 1 here.
        k1: neighbours of the reciprocal sets.
        k2: neighbours, the item itself among them, over which V is averaged.
        threads: workers; None for as many as there are cores. The result is the same, bit for
            bit, whatever it is.

    Returns:
        csr_array [N, N] of float64, symmetric, indices sorted: exactly the pairs i != j with
        J < 1. Items with equal encodings are stored with an explicit 0.

    Raises:
        ReidError: k1 or k2 out of range, or a row that is zero or not finite; it is named.
    """
    if k1 < 1 or k2 < 1:
        raise ReidError(f"clustering: k1 {k1}, k2 {k2}; both start at 1")
    items = unit_rows(features)
    near = nearest(items, max(k1 + 1, k2), threads).near
    sets = expanded_sets(near, k1)
    encoded = encode(sets, pair_distances(items, sets, threads), near[:, :k2])
    del items, sets, near
    return _mirrored(*_upper(encoded, threads or default_threads()))


def _upper(encoded: Any, threads: int) -> tuple[Array, Array, Array]:
    """Return indptr [N + 1], columns and J of the pairs i < j with J < 1, by rows."""
    count = encoded.shape[0]
    totals = encoded.sum(axis=1)
    columns = encoded.tocsc()
    columns.sort_indices()
    # where each entry of `encoded` stands in `columns`; behind it are the later rows of its column
    order = sparse.csr_array(
        (np.arange(encoded.nnz), encoded.indices, encoded.indptr), encoded.shape
    ).tocsc()
    after = np.empty(encoded.nnz, np.int64)
    after[order.data] = np.arange(1, encoded.nnz + 1)
    del order
    left = columns.indptr[encoded.indices + 1] - after

    def work(first: int) -> tuple[list[int], Array, Array]:
        lengths, found, distances = [], [], []
        for row in range(first, min(first + _ROWS, count)):
            own = slice(encoded.indptr[row], encoded.indptr[row + 1])
            shared = _shared(encoded.data[own], after[own], left[own], columns, row + 1)
            others = np.flatnonzero(shared)
            shared = shared[others]
            others += row + 1
            lengths.append(len(others))
            found.append(others.astype(np.int32))
            distances.append(1 - shared / (totals[row] + totals[others] - shared))
        return lengths, np.concatenate(found), np.concatenate(distances)

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(work, range(0, count, _ROWS)))
    lengths = [part[0] for part in parts]
    indptr = np.concatenate([[0], np.cumsum(list(itertools.chain.from_iterable(lengths)))])
    return (
        indptr,
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _shared(values: Array, starts: Array, lengths: Array, columns: Any, first: int) -> Array:
    """Return sum_m min(V_im, V_jm) for j = first, first + 1, ..., up to the last that has any.

    `values` are the row's entries, and starts, lengths say where in `columns` those of the same
    columns begin that belong to j >= first, and how many they are.
    """
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1])
    places += np.repeat(starts - ends + lengths, lengths)
    least = np.minimum(np.repeat(values, lengths), columns.data[places])
    return np.bincount(columns.indices[places] - first, least)


def _mirrored(indptr: Array, columns: Array, values: Array) -> Any:
    """Return the symmetric matrix of an upper triangle, explicit zeros kept."""
    count = len(indptr) - 1
    upper = sparse.csr_array((values, columns, indptr), (count, count))
    lower = upper.T.tocsr()  # row j: its columns i < j, ascending
    bounds = indptr + lower.indptr
    kind: Any = np.int32 if bounds[-1] <= np.iinfo(np.int32).max else np.int64
    indices, data = np.empty(bounds[-1], kind), np.empty(bounds[-1])
    for row in range(count):
        first, last = bounds[row], bounds[row + 1]
        middle = first + lower.indptr[row + 1] - lower.indptr[row]
        for part, low, high in ((lower, first, middle), (upper, middle, last)):
            own = slice(part.indptr[row], part.indptr[row + 1])
            indices[low:high] = part.indices[own]
            data[low:high] = part.data[own]
    whole = sparse.csr_array((data, indices, bounds.astype(kind)), (count, count))
    whole.has_sorted_indices = True
    return whole


def stored_above(distances: Any) -> NDArray[np.float64]:
    """Return the stored distances of the pairs i < j, by rows."""
    rows = np.repeat(np.arange(distances.shape[0]), np.diff(distances.indptr))
    found: NDArray[np.float64] = distances.data[distances.indices > rows]
    return found
