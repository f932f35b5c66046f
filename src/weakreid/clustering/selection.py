"""Which unlabelled items learn next, and by which label: those nearest to a labelled one (EUG)."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreid.clustering.neighbours import squared_distances
from weakreid.errors import ReidError

_ROWS = 1024


def counts_of(unlabelled: int, share: float, steps: int) -> list[int]:
    """Return how many items each step selects: the whole part of p·s·N at step s, at most N.

    Args:
        unlabelled: N.
        share: p, as it is written: 0.1 is a tenth, and not what a float makes of it.
        steps: the first, s = 0, counted.
    """
    exact = Fraction(str(share))
    return [min(int(exact * step * unlabelled), unlabelled) for step in range(steps)]


def select(
    features: NDArray[Any], labels: NDArray[np.int32], count: int, threads: int | None = None
) -> NDArray[np.int32]:
    """Return what is learnt from: the labels, and pseudo-labels of the surest unlabelled items.

    The pseudo-label of an item is the label of the nearest labelled one by Euclidean distance, and
    the smaller that distance the surer it is. Distances are those of exact arithmetic (up to
    float64); of equals the first comes first, both among labelled and among unlabelled items.

    Args:
        features: [N, d] floats.
        labels: [N], -1 where there is none; at least one there is.
        count: items to select, at most as many as have no label.
        threads: whatever their number, the result is the same.

    Returns:
        [N], -1 for unlabelled items that are not selected.

    Raises:
        ReidError: a feature is not finite; its row is named.
    """
    spoilt = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(spoilt):
        raise ReidError(f"features: row {spoilt[0]} is not finite; check the model that made it")
    known, unknown = np.flatnonzero(labels >= 0), np.flatnonzero(labels < 0)
    nearest, squares = _nearest(features, unknown, known, threads)
    surest = np.argsort(squares, kind="stable")[:count]
    found = labels.copy()
    found[unknown[surest]] = labels[nearest[surest]]
    return found


def _nearest(
    features: NDArray[Any], rows: NDArray[np.intp], among: NDArray[np.intp], threads: int | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nearest `among` items of items `rows`, and its squared distance, both [rows].

    Distances of a matrix product say which may be the nearest: their error is far below 2 e, and
    whatever lies within it of the smallest is measured again from the differences.
    """
    squares = np.einsum("ij,ij->i", features, features, dtype=np.float64)
    error = 4 * np.finfo(np.float64).eps * (features.shape[1] + 8) * squares.max(initial=0.0)
    others = features[among].astype(np.float64).T
    nearest, smallest = [np.zeros(0, np.intp)], [np.zeros(0)]
    for first in range(0, len(rows), _ROWS):
        block = rows[first : first + _ROWS]
        rough = squares[block, None] + squares[among] - 2 * features[block].astype(float) @ others
        near, place = np.nonzero(rough <= rough.min(axis=1, keepdims=True) + 2 * error)
        exact = squared_distances(features, block[near], among[place], threads)
        order = np.lexsort((place, exact, near))
        _, firsts = np.unique(near[order], return_index=True)
        nearest.append(among[place[order[firsts]]])
        smallest.append(exact[order[firsts]])
    return np.concatenate(nearest), np.concatenate(smallest)
