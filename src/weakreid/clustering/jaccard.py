"""k-reciprocal Jaccard distances between all items, sparse and exact.

J(i, j) = 1 - S / (2 - S), S = sum_m min(V_im, V_jm), with V of `reciprocal`; d is the squared
Euclidean distance of unit vectors, as it is (re-ranking divides it by each item's largest). Two
items whose rows of V do not meet have J = 1, and are not stored: memory grows with N x k.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy import sparse

from weakreid.clustering.neighbours import Array, nearest, unit_rows
from weakreid.clustering.reciprocal import encode, expanded_sets, pair_distances
from weakreid.cores import default_threads

_ROWS = 128  # rows whose minima are added up at once


def jaccard_distances(features: Array, k1: int, k2: int, threads: int | None = None) -> Any:
    """Return the Jaccard distances of the k-reciprocal encodings of all items.

    Args:
        features: [N, d] floats; they are scaled to length 1 here.
        k1: neighbours of the reciprocal sets, from 1.
        k2: neighbours, the item itself among them, over which V is averaged, from 1.
        threads: workers; None for as many as there are cores. The result is the same, bit for
            bit, whatever it is.

    Returns:
        csr_array [N, N] of float64, symmetric, indices sorted: exactly the pairs i != j with
        J < 1. Items with equal encodings are stored with an explicit 0.

    Raises:
        ReidError: a row is zero or not finite; it is named.
    """
    items = unit_rows(features)
    near = nearest(items, max(k1 + 1, k2), threads).near
    sets = expanded_sets(near, k1)
    encoded = encode(sets, pair_distances(items, sets, threads), near[:, :k2])
    del items, sets, near
    return _distances(encoded, threads or default_threads())


def _distances(encoded: Any, threads: int) -> Any:
    """Return J of the pairs i != j with J < 1, [N, N], sorted."""
    count = encoded.shape[0]
    firsts = range(0, count, _ROWS)
    parts = _upper(encoded, firsts, threads)
    later = np.concatenate([np.diff(part.indptr) for part in parts])
    earlier = np.zeros(count, np.int64)
    for part in parts:
        earlier += np.bincount(part.indices, minlength=count)
    indptr = np.concatenate([[0], np.cumsum(earlier + later)])
    kind: Any = np.int32 if indptr[-1] <= np.iinfo(np.int32).max else np.int64
    indices, data = np.empty(indptr[-1], kind), np.empty(indptr[-1])
    ends = indptr[:-1].copy()  # where the next entry of each row goes

    def put(starts: Array, part: Any, shift: int) -> None:
        lengths = np.diff(part.indptr)
        places = np.arange(part.nnz) + np.repeat(starts - part.indptr[:-1], lengths)
        indices[places] = part.indices + shift
        data[places] = part.data
        starts += lengths

    for first, part in zip(firsts, parts, strict=True):
        put(ends, part.T.tocsr(), first)
    for first, part in zip(firsts, parts, strict=True):
        put(ends[first : first + _ROWS], part, 0)
    found = sparse.csr_array((data, indices, indptr.astype(kind)), (count, count))
    found.has_sorted_indices = True
    return found


def _upper(encoded: Any, firsts: range, threads: int) -> list[Any]:
    """Return J of i < j where it is below 1, in blocks [_ROWS, N] of rows, sorted.

    S_ij = sum_m min(V_im, V_jm) is gathered from the columns m of row i; in each, the rows j > i
    stand behind i.
    """
    count = encoded.shape[0]
    totals = encoded.sum(axis=1)
    columns = encoded.tocsc()
    columns.sort_indices()
    # where in `columns` each entry of `encoded` stands, and behind it how many others
    order = sparse.csr_array(
        (np.arange(encoded.nnz), encoded.indices, encoded.indptr), encoded.shape
    ).tocsc()
    after = np.empty(encoded.nnz, np.int64)
    after[order.data] = np.arange(1, encoded.nnz + 1)
    del order
    behind = columns.indptr[encoded.indices + 1] - after

    def work(first: int) -> Any:
        starts = encoded.indptr[first : first + _ROWS + 1]
        rows = len(starts) - 1
        own = slice(starts[0], starts[-1])
        ends = np.concatenate([[0], np.cumsum(behind[own])])
        total = int(ends[-1])
        places = np.arange(total)
        places += np.repeat(after[own] - ends[:-1], behind[own])
        least = np.minimum(np.repeat(encoded.data[own], behind[own]), columns.data[places])
        # a product adds them up by row and column: of ones with a matrix of one entry a row
        every = np.arange(total + 1, dtype=np.int32)
        bounds = ends[starts - starts[0]].astype(np.int32)
        adder = sparse.csr_array((np.ones(total), every[:-1], bounds), (rows, total))
        entries = sparse.csr_array((least, columns.indices[places], every), (total, count))
        shared = (adder @ entries).T.tocsr().T.tocsr()  # turned over twice, it is sorted
        both = np.repeat(totals[first : first + rows], np.diff(shared.indptr))
        both += totals[shared.indices]
        # equal rows share all that they have: exactly 0, and an entry like any other
        shared.data = 1 - shared.data / (both - shared.data)
        return shared

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, firsts))
