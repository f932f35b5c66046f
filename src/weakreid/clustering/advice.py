"""What to set where association finds nothing to learn from: tried on the tracklets at hand."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weakreid.clustering.association import associate, without
from weakreid.clustering.jaccard import jaccard_distances

_TRIED = 40
"""Values of eps that are tried on some distances, at most."""
_FEW = 2000
"""Tracklets whose distances are computed anew, with other neighbours: of more it takes minutes."""

_SAME = 1e-4
"""Differences of features of length 1 that say nothing."""
_NOTHING = (
    "no setting of association tells these {} apart, their features are (nearly) the same: look at "
    "their pictures, and check model.weights"
)


class Fit(NamedTuple):
    """Neighbours and samples that a number of tracklets can carry."""

    k1: int
    k2: int
    min_samples: int


def fit(count: int, k1: int, k2: int, min_samples: int) -> Fit:
    """Return the settings as they are, or lowered where so few tracklets make them void.

    With k2 of `count` or more every encoding is the mean of all, and all distances are 0 whatever
    the tracklets show. Of fewer than twice `min_samples` tracklets there are never two clusters.
    Settings that may find clusters are not touched.
    """
    if k2 >= count:
        k1, k2 = min(k1, max(1, (count - 1) // 2)), 1
    return Fit(k1, k2, min_samples if count >= 2 * min_samples else max(1, count // 2))


def advise(
    features: NDArray[np.floating[Any]],
    distances: Any,
    *,
    k1: int,
    k2: int,
    min_samples: int,
    threads: int | None = None,
    apart: NDArray[np.int64] | None = None,
) -> str:
    """Return what to set so that these tracklets come to two clusters or more.

    All that is advised was tried. Preferred is what joins tracklets, then `min_samples` as it is,
    then the neighbours as they are, unless k1 takes in everybody: distances tell little then.

    Args:
        features: [N, d], as for `jaccard_distances`.
        distances: what that made of them with k1 and k2.
        k1, k2, min_samples: as they are.
        threads: see `jaccard_distances`.
        apart: pairs that are never in one cluster (`association.associate`).
    """
    count = len(features)
    if count < 2:
        return "there is nothing to join it with; give more tracklets"
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    if np.abs(units - units[0]).max() < _SAME:
        # neighbours are then those of the lowest numbers, and clusters mean nothing
        return _NOTHING.format(count)
    held = {(k1, k2): without(distances, apart)}
    others = list(_others(count, k1, k2)) if count <= _FEW else []
    own = [(k1, k2)]
    order = [*others, *own] if k1 >= count - 1 else [*own, *others]
    lower = list(range(min(min_samples, count) - 1, 0, -1))
    for samples, joined in (([min_samples], 1), (lower, 1), ([*lower, min_samples], 0)):
        for ks in order:
            if ks not in held:
                held[ks] = without(jaccard_distances(features, *ks, threads), apart)
            for least in samples:
                found = _best_eps(held[ks], least, joined, apart)
                if found is None:
                    continue
                eps, labels = found
                sets = [] if ks == (k1, k2) else [f"k1: {ks[0]}", f"k2: {ks[1]}"]
                sets += [] if least == min_samples else [f"min_samples: {least}"]
                return f"set association: {{{', '.join([*sets, f'eps: {eps}'])}}} ({_say(labels)})"
    return _NOTHING.format(count)


def _others(count: int, k1: int, k2: int) -> Iterator[tuple[int, int]]:
    """Yield other numbers of neighbours: fewer down to 1, then more."""
    fewer = min(k1, count)
    while fewer > 1:
        fewer //= 2
        yield fewer, min(k2, max(1, fewer // 2))
    while 2 * k1 < count:
        k1 *= 2
        yield k1, k2


def _best_eps(
    distances: Any, min_samples: int, joined: int, apart: NDArray[np.int64] | None
) -> tuple[str, NDArray[Any]] | None:
    """Return the eps, as it is written, with the most clusters of several tracklets, and labels.

    Of equals it is the smallest: it joins least. None where no eps gives two clusters, `joined` of
    them or more of several tracklets.
    """
    values = np.unique(np.append(distances.data, [0.0, 1.0]))
    # from one value up to the next, DBSCAN finds the same
    places = np.arange(len(values) - 1)
    if len(places) > _TRIED:
        places = np.unique(np.linspace(0, len(places) - 1, _TRIED).round().astype(int))
    best, found = joined - 1, None
    for place in places:
        eps = _between(float(values[place]), float(values[place + 1]))
        if eps is None:
            continue
        labels = associate(distances, float(eps), min_samples, apart)
        sizes = np.bincount(labels[labels >= 0])
        several = int((sizes > 1).sum())
        if len(sizes) > 1 and several > best:
            best, found = several, (eps, labels)
    return found


def _between(low: float, high: float) -> str | None:
    """Return the shortest number above 0 from `low` up to `high`, without it; near the middle."""
    for digits in range(1, 13):
        text = f"{(low + high) / 2:.{digits}f}"
        if low <= float(text) < high and float(text) > 0:
            return text
    return None


def _say(labels: NDArray[Any]) -> str:
    clusters, alone = int(labels.max()) + 1, int((labels < 0).sum())
    return f"{clusters} clusters" + (f", {alone} of {len(labels)} in none" if alone else "")
