"""Nearest neighbours of every item among all, exact, in memory that grows with N x k.

Squared distances of a block of items to all come from one matrix product, |a|^2 + |b|^2 - 2 a.b,
whose rounding depends on the BLAS, its threads and the block. It is used as a bound only: with e
the largest error that the product can have, everything within 2 e of the k-th distance is kept,
and what lies within 2 e of one another is measured again in float64 from the differences. So
the neighbours are those of exact arithmetic (to float64), equal distances by index, the same bytes
whatever the threads and blocks. Nearly equal items are paid for: where all N are within rounding
of each other, all pairs are measured twice, a hundred times slower.
"""

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weakreid.errors import ReidError

Array = NDArray[Any]
BLOCK_BYTES = 24 << 20
_PAIRS = 64  # differences worked on at once: they stay in the processor's cache
_CANDIDATES = 1 << 20  # candidates sorted at once, which bounds the memory where many are equal


class Neighbours(NamedTuple):
    """The nearest of every item.

    Attributes:
        near: [N, keep] int32, the item itself first, then the others by distance and index.
        largest: [N] float64, the largest squared distance to any item, as the product has it; 0
            where that is within its rounding.
    """

    near: NDArray[np.int32]
    largest: NDArray[np.float64]


def default_threads() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def unit_rows(features: Array) -> Array:
    """Return the rows of [N, d] scaled to length 1, of the same type (float32 at least).

    Raises:
        ReidError: no matrix of floats, or a row is zero or not finite; it is named.
    """
    features = _floating(features)
    squares = _squares(features)
    zero = np.flatnonzero(squares == 0)
    if zero.size:
        raise ReidError(f"features: row {zero[0]} is zero and has no direction; leave it out")
    return features * (1 / np.sqrt(squares)).astype(features.dtype)[:, None]


def nearest(
    items: Array, keep: int, threads: int | None = None, block_bytes: int = BLOCK_BYTES
) -> Neighbours:
    """Return the `keep` nearest of every item by Euclidean distance, itself counted and first.

    Args:
        items: [N, d] floats, as they are (see `unit_rows`).
        keep: neighbours wanted; N where that is less.
        threads: workers beside the product, whose threads are the BLAS's own. No result depends
            on it.
        block_bytes: size of a block of products; about three of them are held.

    Raises:
        ReidError: no matrix of floats, or a row is not finite; it is named.
    """
    items = _floating(items)
    squares = _squares(items)
    count, width = items.shape
    keep = min(keep, count)
    # |error of a.b| <= u d |a||b| for sums in any order, and a few roundings on top
    norm = float(squares.max())
    error = 1.01 * float(np.finfo(items.dtype).eps) * (width + 8) * norm
    near = np.empty((count, keep), np.int32)
    largest = np.empty(count)
    step = max(1, min(count, block_bytes // (count * items.itemsize)))
    offset = squares.astype(items.dtype)
    buffer: Array = np.empty((step, count), items.dtype)
    workers = threads or default_threads()

    def choose(first: int, low: int, high: int) -> None:
        values = buffer[low:high]
        start = first + low
        values += offset
        lines = np.arange(len(values))
        largest[start : start + len(values)] = values.max(axis=1)
        values[lines, start + lines] = np.inf
        near[start : start + len(values), 0] = start + lines
        if keep > 1:
            chosen = _choose(values, start, keep - 1, items, squares, error)
            near[start : start + len(values), 1:] = chosen

    with ThreadPoolExecutor(workers) as pool:
        for first in range(0, count, step):
            rows = min(step, count - first)
            np.matmul(items[first : first + rows] * -2, items.T, out=buffer[:rows])
            edges = np.linspace(0, rows, min(workers, rows) + 1).astype(int)
            list(pool.map(choose, itertools.repeat(first), edges[:-1], edges[1:]))
    largest += squares
    largest[largest <= error] = 0
    return Neighbours(near, largest)


def squared_distances(
    items: Array,
    rows: NDArray[np.integer[Any]],
    columns: NDArray[np.integer[Any]],
    threads: int | None = None,
) -> NDArray[np.float64]:
    """Return |items[rows] - items[columns]|^2 in float64, [P]; equal items have exactly 0.

    Each is summed by itself: the result depends neither on the threads nor on the other pairs,
    and a pair has the same distance in both orders.
    """
    found = np.empty(len(rows))
    workers = max(1, min(threads or default_threads(), len(rows) // _PAIRS))

    def measure(low: int, high: int) -> None:
        left: Array = np.empty((_PAIRS, items.shape[1]), items.dtype)
        right = np.empty_like(left)
        apart = np.empty(left.shape)
        for start in range(low, high, _PAIRS):
            size = min(_PAIRS, high - start)
            part = slice(start, start + size)
            a, b, c = left[:size], right[:size], apart[:size]
            np.take(items, rows[part], axis=0, out=a, mode="clip")
            np.take(items, columns[part], axis=0, out=b, mode="clip")
            np.subtract(a, b, out=c, dtype=np.float64)
            found[part] = np.einsum("ij,ij->i", c, c)

    edges = np.linspace(0, len(rows), workers + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(measure, edges[:-1], edges[1:]))
    return found


def _choose(
    values: Array, start: int, keep: int, items: Array, squares: Array, error: float
) -> NDArray[np.int32]:
    """Return the `keep` columns with the smallest distances of each row, nearest first.

    `values` [n, N] are those of items start:start+n without the row's own square, inf at itself.
    """
    border = np.partition(values, keep - 1, axis=1)[:, keep - 1]
    within = values <= np.nextafter(border + 2 * error, np.inf, dtype=values.dtype)[:, None]
    found = np.empty((len(values), keep), np.int32)
    for low, high in _runs(np.count_nonzero(within, axis=1)):
        rows, columns = np.nonzero(within[low:high])
        rows += low
        rough = values[rows, columns].astype(np.float64) + squares[start + rows]
        order = np.lexsort((rough, rows))  # stable: columns ascend among equals
        rows, columns, rough = rows[order], columns[order], rough[order]
        close = (np.diff(rough) <= 2 * error) & (rows[1:] == rows[:-1])
        tangled = np.flatnonzero(np.append(close, False) | np.append(False, close))
        rough[tangled] = squared_distances(items, start + rows[tangled], columns[tangled], 1)
        columns = columns[np.lexsort((columns, rough, rows))]
        firsts = np.searchsorted(rows, np.arange(low, high))
        found[low:high] = columns[firsts[:, None] + np.arange(keep)]
    return found


def _runs(counts: NDArray[np.integer[Any]]) -> Iterator[tuple[int, int]]:
    """Cut rows into runs of at most _CANDIDATES candidates, or of one row."""
    low, total = 0, 0
    for row, count in enumerate(counts.tolist()):
        if total + count > _CANDIDATES and row > low:
            yield low, row
            low, total = row, 0
        total += count
    yield low, len(counts)


def _floating(features: Array) -> Array:
    features = np.asarray(features)
    if features.ndim != 2 or features.dtype.kind != "f" or not features.size:
        raise ReidError(
            f"features: {features.dtype} of shape {features.shape}; give floats of shape [N, d]"
        )
    return np.ascontiguousarray(features, np.result_type(features, np.float32))


def _squares(items: Array) -> NDArray[np.float64]:
    """Return |items|^2 in float64, [N]."""
    squares = np.empty(len(items))
    for start in range(0, len(items), _PAIRS):
        block = items[start : start + _PAIRS].astype(np.float64, copy=False)
        squares[start : start + _PAIRS] = np.einsum("ij,ij->i", block, block)
    broken = np.flatnonzero(~(squares <= np.finfo(items.dtype).max / 8))
    if broken.size:
        raise ReidError(
            f"features: row {broken[0]} is not finite (or overflows when squared); "
            "check the model that made it"
        )
    return squares
