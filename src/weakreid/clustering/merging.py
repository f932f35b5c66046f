"""Bottom-up merging (BUC): the nearest clusters are joined, so many of them at a time.

Two clusters are as far apart as their nearest members, and a penalty for each member. The authors'
program goes through all pairs of items i < j of different clusters in the order of

    weight = distance(i, j) + penalty (|cluster of i| + |cluster of j|),

equal weights by i, then j, sizes as they were before the first merge. A pair joins what its two
clusters have become by then; where that is one cluster already, the pair is passed over; so on
until enough were joined. That is Kruskal's algorithm, stopped early: what it joins are the first
edges of the minimum spanning tree of the clusters.

Here the tree's edges are found by Boruvka's algorithm, which needs no list of pairs. The lightest
pair that leaves a part (a cluster, or clusters joined by edges found before) is an edge of the
tree. As soon as there are `merges` edges, the heaviest of the first `merges` is a border: more
edges can only lower it, and nothing beyond it is of use. An item whose lightest pair leaves its
part still is not searched again, nor is one whose pair was beyond the border: parts only grow, so
that an item's lightest pair out of its part only gets heavier. When a round finds no new edge
within the border, none is missing, and the first `merges` edges are those of the dense computation.

Memory grows with N times a tile, not with N x N. Distances come from products of tiles, as in
`neighbours`; their rounding is bounded, and whatever it leaves undecided is measured in float64
from the differences: the same clusters whatever the threads and tiles. Where nearly all distances
are equal (a network that collapsed) nearly everything is measured, which is about a hundred times
slower.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits

from weakreid.clustering.neighbours import TILE, floating, squared_distances, squared_lengths
from weakreid.cores import default_threads
from weakreid.errors import ReidError

Array = NDArray[Any]


def merged(
    features: Array,
    clusters: ArrayLike,
    merges: int,
    *,
    penalty: float,
    squared: bool = False,
    threads: int | None = None,
    tile: int = TILE,
) -> NDArray[np.int32]:
    """Return the clusters after so many merges.

    Args:
        features: [N, d] floats, as they are.
        clusters: [N], each item's cluster, by any number.
        merges: each leaves one cluster less.
        penalty: of a member, in units of distance.
        squared: whether a distance is the squared Euclidean one.
        threads: workers, each with a tile of its own; None for as many as there are cores.
        tile: items on the side of a tile.

    Returns:
        [N], numbered from 0 by first appearance.

    Raises:
        ReidError: there are too few clusters for so many merges, or the features are no matrix of
            finite floats.
    """
    _, cluster, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if not 0 <= merges < len(sizes):
        raise ReidError(f"{merges} merges of {len(sizes)} clusters; at least one cluster must stay")
    items = _Items.of(features, sizes[cluster], penalty, squared)
    count = len(cluster)
    # of every item: the lightest pair that leaves its part
    other, weight = np.arange(count), np.full(count, -np.inf)
    stale = np.ones(count, bool)
    edges = np.empty((0, 2), np.int64)
    weights = np.empty(0)
    part: NDArray[np.integer[Any]] = cluster
    border = np.inf
    while True:
        rows = np.flatnonzero(stale)
        other[rows], weight[rows] = items.lightest(rows, part, threads or default_threads(), tile)
        leaving = np.flatnonzero((part[other] != part) & (weight <= border) & (weight < np.inf))
        pairs = np.sort(np.stack([leaving, other[leaving]], axis=1), axis=1)
        order = np.lexsort((pairs[:, 1], pairs[:, 0], weight[leaving], part[leaving]))
        _, firsts = np.unique(part[leaving][order], return_index=True)
        # two parts may have the same lightest pair
        new, places = np.unique(pairs[order[firsts]], axis=0, return_index=True)
        if not len(new):
            break
        edges = np.concatenate([edges, new])
        weights = np.concatenate([weights, weight[leaving[order[firsts[places]]]]])
        order = np.lexsort((edges[:, 1], edges[:, 0], weights))
        edges, weights = edges[order], weights[order]
        if len(edges) >= merges:
            border = weights[merges - 1] if merges else -np.inf
        part = _joined(cluster, edges)
        stale = (part[other] == part) & (weight <= border)
    return _by_appearance(_joined(cluster, edges[:merges]))


@dataclass(frozen=True)
class _Items:
    """What pairs are weighed by.

    Attributes:
        items: [N, d] the features.
        squares: [N] their squared lengths.
        sizes: [N] members of each item's cluster.
        penalty: of a member.
        squared: whether a distance is the squared one.
        error: that a squared distance from a product may have, at most.
        slack: that sums of float64 may be off, at most.
    """

    items: Array
    squares: NDArray[np.float64]
    sizes: NDArray[np.int64]
    penalty: float
    squared: bool
    error: float
    slack: float

    @classmethod
    def of(cls, features: Array, sizes: NDArray[np.int64], penalty: float, squared: bool) -> Any:
        items = floating(features)
        squares = squared_lengths(items)
        largest = float(squares.max())
        # of a product as in `neighbours.nearest`; the differences of float64 err a little, too
        epsilon = float(np.finfo(items.dtype).eps) + 4 * float(np.finfo(np.float64).eps)
        error = 1.01 * epsilon * (items.shape[1] + 8) * largest
        slack = 1e-14 * (1 + 4 * largest + 2 * penalty * int(sizes.max()))
        return cls(items, squares, sizes, penalty, squared, error, slack)

    def lightest(
        self, rows: NDArray[np.int64], part: NDArray[np.integer[Any]], threads: int, tile: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return of each item `rows` the other end of its lightest pair, and the pair's weight.

        Pairs within a part do not count; an item without another has itself and infinity.
        """
        other, weight = rows.copy(), np.full(len(rows), np.inf)

        def work(first: int) -> None:
            block = slice(first, first + tile)
            other[block], weight[block] = self._lightest(rows[block], part, tile)

        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(0, len(rows), tile)))
        return other, weight

    def _lightest(
        self, rows: NDArray[np.int64], part: NDArray[np.integer[Any]], tile: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        own, lines = self.items[rows], np.arange(len(rows))
        border = np.full(len(rows), np.inf)  # the lightest pair is not heavier
        found = []
        for first in range(0, len(part), tile):
            columns = slice(first, first + tile)
            rough = (own @ self.items[columns].T).astype(np.float64)
            rough *= -2
            rough += self.squares[rows, None]
            rough += self.squares[columns]
            penalties = self.penalty * (self.sizes[rows, None] + self.sizes[columns])
            least = self._distances(rough - self.error) + penalties - self.slack
            least[part[rows, None] == part[columns]] = np.inf
            best = least.argmin(axis=1)
            most = self._distances(rough[lines, best] + self.error)
            most += penalties[lines, best] + self.slack
            most[np.isinf(least[lines, best])] = np.inf
            np.minimum(border, most, out=border)
            line, column = np.nonzero((least <= border[:, None]) & (least < np.inf))
            found.append((line, first + column, least[line, column]))
        line, column, least = (np.concatenate(parts) for parts in zip(*found, strict=True))
        stay = least <= border[line]
        line, column = line[stay], column[stay]
        exact = self._distances(squared_distances(self.items, rows[line], column, 1))
        exact += self.penalty * (self.sizes[rows[line]] + self.sizes[column])
        order = np.lexsort((column, exact, line))
        line, places = np.unique(line[order], return_index=True)
        other, weight = rows.copy(), np.full(len(rows), np.inf)
        other[line], weight[line] = column[order[places]], exact[order[places]]
        return other, weight

    def _distances(self, squares: Array) -> Array:
        return np.maximum(squares, 0) if self.squared else np.sqrt(np.maximum(squares, 0))


def _joined(cluster: NDArray[np.integer[Any]], edges: Array) -> NDArray[np.int32]:
    """Return the parts [N] that edges between items make of their clusters."""
    count = int(cluster.max()) + 1
    ends = cluster[edges]
    graph = sparse.coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (count, count))
    found: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return found[cluster]


def _by_appearance(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number labels by first appearance."""
    _, firsts, places = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(firsts)).astype(np.int32)[places]
