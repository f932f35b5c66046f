"""Nearest neighbours of every item among all, exact, in memory that grows with N x k.

Squared distances come from matrix products, |a|^2 + |b|^2 - 2 a.b, tile by tile, each tile used for
both of its sides: half the work of the whole product. Their rounding depends on the BLAS and the
tile, so they are used as bounds only. With e the largest error they can have, whatever lies within
2 e of the k-th distance is kept, and what lies within 2 e of one another is measured again in
float64 from the differences. So the neighbours are those of exact arithmetic (up to float64), equal
distances by index: the same bytes whatever the threads and tiles.

The price is paid where distances are nearly equal. An item with too many neighbours that rounding
cannot tell apart is measured against everything, about a hundred times slower; with all features
the same (a network that collapsed) that is every item.
"""

import itertools
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from weakreid.console import progress
from weakreid.cores import default_threads
from weakreid.errors import ReidError

Array = NDArray[Any]
TILE = 512  # a tile of float32 products is 1 MiB
_PAIRS = 64  # differences worked on at once: they stay in the processor's cache
_MANY_TILES = 2000  # about 30 seconds: show how far it is
_CROWD = 64  # times as many candidates as neighbours wanted, and no more are kept


class Neighbours(NamedTuple):
    """The nearest of every item."""

    near: NDArray[np.int32]  # [N, keep], the item itself first, then by distance and index
    # [N], the largest squared distance to any item, rounded as the product of a tile is; 0 where
    # that is within its error
    largest: NDArray[np.float64]


def unit_rows(features: Array) -> Array:
    """Return the rows of [N, d] scaled to length 1, of the same type (float32 at least).

    Raises:
        ReidError: a row is zero or not finite; it is named.
    """
    features = floating(features)
    squares = squared_lengths(features)
    zero = np.flatnonzero(squares == 0)
    if zero.size:
        raise ReidError(
            f"features: row {zero[0]} is zero and has no direction; "
            "look at its pictures, and check the model that made it"
        )
    return features * (1 / np.sqrt(squares)).astype(features.dtype)[:, None]


def nearest(items: Array, keep: int, threads: int | None = None, tile: int = TILE) -> Neighbours:
    """Return the `keep` nearest of every item by Euclidean distance, itself counted and first.

    Args:
        items: [N, d] floats, as they are (see `unit_rows`).
        keep: neighbours wanted; N where that is less.
        threads: workers, each with a tile of its own; None for as many as there are cores.
        tile: items on the side of a tile of products. No neighbour depends on it or on `threads`.

    Raises:
        ReidError: a row is not finite; it is named.
    """
    items = floating(items)
    squares = squared_lengths(items)
    count, width = items.shape
    others = min(keep, count) - 1
    # |error of a.b| <= d u |a||b| for sums in any order; twice that, and a few roundings on top
    error = 1.01 * float(np.finfo(items.dtype).eps) * (width + 8) * float(squares.max())
    found = _Candidates(count, others, items.dtype)
    blocks = [slice(first, min(first + tile, count)) for first in range(0, count, tile)]
    rounded = squares.astype(items.dtype)

    def work(pair: tuple[slice, slice]) -> None:
        rows, columns = pair
        values = items[rows] @ items[columns].T
        values *= -2
        values += rounded[rows, None]
        values += rounded[columns]
        if rows == columns:
            found.add(rows, columns, values, 2 * error, own=True)
        else:
            found.add(rows, columns, values, 2 * error)
            found.add(columns, rows, np.ascontiguousarray(values.T), 2 * error)

    # the diagonal first: it gives every item a first border
    pairs = [(block, block) for block in blocks] + list(itertools.combinations(blocks, 2))
    workers = threads or default_threads()
    near = np.empty((count, others + 1), np.int32)
    near[:, 0] = np.arange(count)
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        done: Iterator[None] = pool.map(work, pairs)
        if len(pairs) > _MANY_TILES:
            done = progress(done, total=len(pairs), label="neighbours", unit="tiles")
        deque(done, maxlen=0)
        if others:
            graph = found.within(2 * error)

            def settle(rows: slice) -> None:
                near[rows, 1:] = _settle(graph, found.crowded, rows, others, items, error)

            list(pool.map(settle, blocks))
    largest = found.largest
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


class _Candidates:
    """What may be among the nearest of every item, as tile after tile is looked at."""

    def __init__(self, count: int, others: int, kind: np.dtype[Any]) -> None:
        # the smallest values of each item so far; the largest of them is its border
        self.best: Array = np.full((count, others), np.inf, kind)
        self.largest = np.zeros(count)  # values so far
        self.counts = np.zeros(count, np.int64)  # candidates so far
        # items with too many of them, which are not kept: they are measured against everything
        self.crowded = np.zeros(count, np.bool_)
        # items, candidates and values of each tile
        self.parts: list[tuple[NDArray[np.int32], NDArray[np.int32], Array]] = []
        # held while the others change; the workers share them
        self.lock = threading.Lock()

    def add(
        self, rows: slice, columns: slice, values: Array, slack: float, own: bool = False
    ) -> None:
        """Take in the squared distances `values` of items `rows` to items `columns`."""
        top = values.max(axis=1)
        if own:
            np.fill_diagonal(values, np.inf)
        others = self.best.shape[1]
        if not others:
            with self.lock:
                np.maximum(self.largest[rows], top, out=self.largest[rows])
            return
        smallest = values
        if values.shape[1] > others:
            smallest = np.partition(values, others - 1, axis=1)[:, :others]
        with self.lock:
            np.maximum(self.largest[rows], top, out=self.largest[rows])
            both = np.concatenate([self.best[rows], smallest], axis=1)
            both.partition(others - 1, axis=1)
            self.best[rows] = both[:, :others]
            border = both[:, others - 1]
        keep = values <= _above(border, slack)[:, None]
        if own:
            np.fill_diagonal(keep, False)
        counts = np.count_nonzero(keep, axis=1)
        with self.lock:
            self.counts[rows] += counts
            many = self.counts[rows] > _CROWD * others
            self.crowded[rows] |= many
        if many.any():
            keep[many] = False
        places = np.flatnonzero(keep)
        lines, offsets = np.divmod(places, values.shape[1])
        part = (
            (lines + rows.start).astype(np.int32),
            (offsets + columns.start).astype(np.int32),
            values.ravel()[places],
        )
        with self.lock:
            self.parts.append(part)

    def within(self, slack: float) -> Any:
        """Return the candidates within `slack` of the last borders, sparse [N, N], sorted."""
        border = _above(self.best.max(axis=1), slack)
        border[self.crowded] = -np.inf
        parts = []
        while self.parts:
            lines, columns, values = self.parts.pop()
            stay = values <= border[lines]
            parts.append((lines[stay], columns[stay], values[stay]))
        lines, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        graph = sparse.csr_array((values, (lines, columns)), (len(border), len(border)))
        graph.sort_indices()
        return graph


def _above(border: Array, slack: float) -> Array:
    """Return border + slack, rounded up."""
    return np.nextafter(border + slack, np.inf, dtype=border.dtype)


def _settle(
    graph: Any, crowded: NDArray[np.bool_], rows: slice, others: int, items: Array, error: float
) -> NDArray[np.int32]:
    """Return the nearest of items `rows` among their candidates, [rows, others]."""
    found = np.empty((rows.stop - rows.start, others), np.int32)
    bounds = graph.indptr[rows.start : rows.stop + 1]
    part = slice(bounds[0], bounds[-1])
    columns, rough = graph.indices[part], graph.data[part].astype(np.float64)
    lines = np.repeat(np.arange(len(found)), np.diff(bounds))
    order = np.lexsort((rough, lines))
    columns, rough = columns[order], rough[order]  # the lines stay as they are
    # Whatever lies within the error of a neighbour in this order is measured. What does not is
    # farther from all others than both may err, and keeps its place among the measured ones.
    close = (np.diff(rough) <= 2 * error) & (lines[1:] == lines[:-1])
    tangled = np.flatnonzero(np.append(close, False) | np.append(False, close))
    rough[tangled] = squared_distances(items, rows.start + lines[tangled], columns[tangled], 1)
    columns = columns[np.lexsort((columns, rough, lines))]
    plain = ~crowded[rows]
    firsts = bounds[:-1][plain] - bounds[0]
    found[plain] = columns[firsts[:, None] + np.arange(others)]
    everyone = np.arange(len(items))
    for line in np.flatnonzero(~plain):
        item = rows.start + line
        distances = squared_distances(items, np.full(len(items), item), everyone, 1)
        distances[item] = np.inf
        found[line] = np.argsort(distances, kind="stable")[:others]
    return found


def floating(features: Array) -> Array:
    """Return features as rows that lie one after another, float32 at least."""
    features = np.asarray(features)
    return np.ascontiguousarray(features, np.result_type(features, np.float32))


def squared_lengths(items: Array) -> NDArray[np.float64]:
    """Return |items|^2 in float64, [N].

    Raises:
        ReidError: a row is not finite; it is named.
    """
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
