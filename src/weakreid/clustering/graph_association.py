"""Classes of different cameras that are joined, and how often they were (UGA).

The nodes of the graph are classes, one per camera and identity; an edge is a pair of classes of two
cameras. Pairs are int64 [m, 2], the lower class first, in rising order, each once.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Pairs = NDArray[np.int64]


def mutual_nearest(centres: NDArray[np.float32], cameras: NDArray[np.int64]) -> Pairs:
    """Return the classes of two cameras that are each other's nearest, for every two cameras.

    Of equally near ones the lowest class is the nearest.

    Args:
        centres: [C, d], of length 1 each.
        cameras: [C], the camera of each class.
    """
    own = [np.flatnonzero(cameras == camera) for camera in np.unique(cameras)]
    found = [np.empty((0, 2), np.int64)]
    for first, second in combinations(own, 2):
        cosines = centres[first] @ centres[second].T
        there, back = cosines.argmax(1), cosines.argmax(0)
        mutual = back[there] == np.arange(len(first))
        found.append(np.column_stack([first[mutual], second[there[mutual]]]))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


@dataclass(frozen=True)
class Graph:
    """How often classes were joined.

    Attributes:
        pairs: that were joined at least once.
        counts: int64 [m], how often.
        rounds: of joining so far.
    """

    pairs: Pairs
    counts: NDArray[np.int64]
    rounds: int

    def standing(self, share: float) -> Pairs:
        """Return the pairs that were joined in at least this share of the rounds."""
        # a quotient is rounded as the share is that somebody wrote: 7 of 10 are 0.7
        return self.pairs[self.counts / max(1, self.rounds) >= share]


EMPTY = Graph(np.empty((0, 2), np.int64), np.empty(0, np.int64), 0)
"""Before the first round."""


def counted(graph: Graph, pairs: Pairs) -> Graph:
    """Return the graph after one more round, which joined `pairs`."""
    every = np.concatenate([graph.pairs, pairs])
    weights = np.concatenate([graph.counts, np.ones(len(pairs), np.int64)])
    found, places = np.unique(every, axis=0, return_inverse=True)
    counts = np.zeros(len(found), np.int64)
    np.add.at(counts, places.ravel(), weights)
    return Graph(found, counts, graph.rounds + 1)


def shares(pairs: Pairs, count: int) -> sparse.csr_array:
    """Return float32 [C, C]: a class and those joined with it share each row evenly.

    Args:
        pairs: that are joined.
        count: C, of classes.
    """
    own = np.arange(count)
    rows = np.concatenate([own, pairs[:, 0], pairs[:, 1]])
    columns = np.concatenate([own, pairs[:, 1], pairs[:, 0]])
    values = (1 / np.bincount(rows, minlength=count)).astype(np.float32)
    return sparse.csr_array((values[rows], (rows, columns)), shape=(count, count))


def components(pairs: Pairs, count: int) -> NDArray[np.int32]:
    """Return which of `count` classes hang together, directly or through others: int32 [C].

    Components are numbered by their lowest class.
    """
    ones = np.ones(len(pairs), bool)
    graph = sparse.coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, found = connected_components(graph, directed=False)
    _, firsts, numbers = np.unique(found, return_index=True, return_inverse=True)
    return firsts.argsort().argsort()[numbers].astype(np.int32)


def right(pairs: Pairs, persons: NDArray[np.int64]) -> float | None:
    """Return the share of pairs that are one person, in per cent, for measuring alone.

    Args:
        pairs: that are joined.
        persons: [C], whom each class shows; 0 is nobody who is known, and no pair with it counts.

    Returns:
        None where no pair counts.
    """
    of_pairs = persons[pairs]
    of_pairs = of_pairs[(of_pairs > 0).all(axis=1)]
    return 100 * float((of_pairs[:, 0] == of_pairs[:, 1]).mean()) if len(of_pairs) else None
