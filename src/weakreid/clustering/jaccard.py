"""k-reciprocal Jaccard distances between all items, sparse and exact.

J(i, j) = 1 - S / (2 - S), S = sum_m min(V_im, V_jm), with V of `reciprocal`; d is the squared
Euclidean distance of unit vectors, as it is (re-ranking divides it by each item's largest). Two
items whose rows of V do not meet have J = 1, and are not stored: memory grows with N x k.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from weakreid.clustering.neighbours import Array, nearest, unit_rows
from weakreid.clustering.reciprocal import encode, expanded_sets, pair_distances
from weakreid.cores import default_threads

_ROWS = 128  # rows whose minima are added up at once, at most
_MINIMA = 1_000_000  # about 40 MB in each worker


@dataclass(frozen=True)
class Kept:
    """Which pairs are kept: all that DBSCAN and TMC's eps can look at, and those equal to them.

    Attributes:
        within: the largest distance.
        smallest: of the distances above 0, so many of the smallest; None: all.
    """

    within: float = 1.0
    smallest: int | None = None


EVERY_PAIR = Kept()


def jaccard_distances(
    features: Array, k1: int, k2: int, threads: int | None = None, kept: Kept = EVERY_PAIR
) -> Any:
    """Return the Jaccard distances of the k-reciprocal encodings of all items.

    Args:
        features: [N, d] floats; they are scaled to length 1 here.
        k1: neighbours of the reciprocal sets, from 1.
        k2: neighbours, the item itself among them, over which V is averaged, from 1.
        threads: workers; None for as many as there are cores. The result is the same, bit for
            bit, whatever it is.
        kept: which pairs are wanted.

    Returns:
        csr_array [N, N] of float64, indices sorted: the pairs i < j with J < 1 that are kept.
        Items with equal encodings are stored with an explicit 0.

    Raises:
        ReidError: a row is zero or not finite; it is named.
    """
    items = unit_rows(features)
    near = nearest(items, max(k1 + 1, k2), threads).near
    sets = expanded_sets(near, k1)
    encoded = encode(sets, pair_distances(items, sets, threads), near[:, :k2])
    del items, sets, near
    return _upper(encoded, _Border(kept), threads or default_threads())


class _Border:
    """Takes in distances block by block, in any order, and drops those that are too far.

    It holds at most about twice as many as are kept.
    """

    def __init__(self, kept: Kept) -> None:
        self.within, self.smallest = kept.within, kept.smallest
        self._blocks: dict[int, Any] = {}
        self._most = None if self.smallest is None else 2 * self.smallest
        self._lock = threading.Lock()

    def add(self, first: int, block: Any) -> None:
        """Take in the distances of some rows, of which `first` is the first."""
        block = _nearer(block, self.within)
        with self._lock:
            self._blocks[first] = block
            if self._most is not None and sum(of.nnz for of in self._blocks.values()) > self._most:
                # equal ones may be many
                self._most = max(self._most, 2 * self._lower())

    def _lower(self) -> int:
        """Bring the border down to the last that is kept; return how many are."""
        data = np.concatenate([block.data for block in self._blocks.values()])
        data = data[data > 0]
        if self.smallest is not None and len(data) > self.smallest:
            data.partition(self.smallest - 1)
            self.within = min(self.within, float(data[self.smallest - 1]))
            for first, block in self._blocks.items():
                self._blocks[first] = _nearer(block, self.within)
        return sum(block.nnz for block in self._blocks.values())

    def rows(self) -> Any:
        """Return the distances of all rows."""
        self._lower()
        return sparse.vstack([self._blocks.pop(first) for first in sorted(self._blocks)], "csr")


def _nearer(block: Any, within: float) -> Any:
    """Return the rows of `block` without the distances above `within`."""
    near = block.data <= within
    if near.all():
        return block
    indptr = np.concatenate([[0], np.cumsum(near)])[block.indptr]
    return sparse.csr_array((block.data[near], block.indices[near], indptr), block.shape)


def _upper(encoded: Any, border: _Border, threads: int) -> Any:
    """Return J of i < j where it is below 1 and kept, [N, N], sorted.

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

    def work(rows: slice) -> None:
        starts = encoded.indptr[rows.start : rows.stop + 1]
        height = len(starts) - 1
        own = slice(starts[0], starts[-1])
        ends = np.concatenate([[0], np.cumsum(behind[own])])
        total = int(ends[-1])
        places = np.arange(total)
        places += np.repeat(after[own] - ends[:-1], behind[own])
        least = np.minimum(np.repeat(encoded.data[own], behind[own]), columns.data[places])
        # a product adds them up by row and column: of ones with a matrix of one entry a row
        every = np.arange(total + 1, dtype=np.int32)
        bounds = ends[starts - starts[0]].astype(np.int32)
        adder = sparse.csr_array((np.ones(total), every[:-1], bounds), (height, total))
        entries = sparse.csr_array((least, columns.indices[places], every), (total, count))
        shared = (adder @ entries).T.tocsr().T.tocsr()  # turned over twice, it is sorted
        both = np.repeat(totals[rows], np.diff(shared.indptr))
        both += totals[shared.indices]
        # equal rows share all that they have: exactly 0, and an entry like any other
        shared.data = 1 - shared.data / (both - shared.data)
        border.add(rows.start, shared)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, _blocks(np.add.reduceat(behind, encoded.indptr[:-1]))))
    return border.rows()


def _blocks(minima: Array) -> Iterator[slice]:
    """Yield rows of at most `_MINIMA` minima in all, or one row, and at most `_ROWS`."""
    first, held = 0, 0
    for row, of_row in enumerate(minima):
        if row > first and (held + of_row > _MINIMA or row - first == _ROWS):
            yield slice(first, row)
            first, held = row, 0
        held += of_row
    yield slice(first, len(minima))
