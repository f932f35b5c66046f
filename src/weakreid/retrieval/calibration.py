"""What a distance means: the probability that two tracklets show one person, and thresholds.

Both are read off the pairs of training tracklets that a label, or a pseudo-label, calls the same
person or different people. Beyond the papers: nobody says there which distance means who is who.

    threshold    the largest distance up to which so few pairs of different people lie: at a stated
                 false-match rate
    probability  logistic regression of "same" on the distance d and ln d, falling in both. It
                 holds among pairs of which as many are of one person as in training (`prior`)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from weakreid.artifacts.files import read_json
from weakreid.errors import ReidError
from weakreid.retrieval.distances import BLOCK_BYTES, Metric, pairwise

BINS = 4000
"""Of distances from 0 to the farthest that can be: what a threshold is exact to."""
KEYS = ("metric", "pairs", "cameras", "prior", "thresholds", "odds", "bounds")
"""Of a file of the stage `calibrate`, where distances mean something."""
_ODDS = ("intercept", "distance", "logarithm")
_LEAST = 1e-4
"""Distances below it count as it: the logarithm of 0 is none."""
_CUTS = tuple(step / 10 for step in range(11))

Whole = NDArray[np.int64]


class Side(NamedTuple):
    """Tracklets that pairs are made of."""

    features: NDArray[Any]  # [N, d]
    persons: NDArray[np.int64]  # [N]; below 0: unknown, in no pair
    cameras: NDArray[np.int64]  # [N]


def side_of(features: NDArray[Any], persons: ArrayLike, cameras: ArrayLike) -> Side:
    """Return tracklets by the ids of persons: 0 or less is nobody known."""
    ids = np.asarray(persons, np.int64)
    return Side(features, np.where(ids > 0, ids, -1), np.asarray(cameras, np.int64))


class Pairs(NamedTuple):
    """How many pairs of tracklets are how far apart: [BINS] each, from 0 to `farthest`."""

    same: Whole
    different: Whole
    farthest: float

    @property
    def prior(self) -> float:
        """The share of pairs that show one person."""
        return float(self.same.sum() / (self.same.sum() + self.different.sum()))

    @property
    def distances(self) -> NDArray[np.float64]:
        """The middles [BINS] of the bins."""
        return (np.arange(BINS) + 0.5) * self.farthest / BINS


def count_pairs(one: Side, other: Side | None, metric: Metric, cameras: bool = True) -> Pairs:
    """Count pairs of tracklets by their distance.

    Args:
        one: tracklets.
        other: those that each of them is paired with; None: each other, a pair once.
        metric: between features.
        cameras: pairs of different cameras alone, as retrieval asks for.
    """
    theirs = one if other is None else other
    found = np.zeros((2, BINS), np.int64)
    farthest = _farthest(one, theirs, metric)
    step = max(1, BLOCK_BYTES // (4 * max(1, len(theirs.features))))
    for start in range(0, len(one.features), step):
        part = slice(start, start + step)
        apart = pairwise(one.features[part], theirs.features, metric)
        place = np.clip(apart * (BINS / farthest), 0, BINS - 1).astype(np.int64)
        counted = (one.persons[part, None] >= 0) & (theirs.persons >= 0)
        if cameras:
            counted &= one.cameras[part, None] != theirs.cameras
        if other is None:
            counted &= np.arange(len(apart))[:, None] + start < np.arange(len(theirs.features))
        same = one.persons[part, None] == theirs.persons
        for kind, which in enumerate((counted & same, counted & ~same)):
            found[kind] += np.bincount(place[which], minlength=BINS)
    return Pairs(found[0], found[1], farthest)


def _farthest(one: Side, other: Side, metric: Metric) -> float:
    """Return a bound of the distances: features of clips may have any length."""
    if metric == "cosine":
        return 2.0
    longest = [np.linalg.norm(of.features, axis=1).max(initial=0.0) for of in (one, other)]
    return float(sum(longest)) or 1.0


@dataclass(frozen=True)
class Calibration:
    """What distances mean.

    Attributes:
        metric: between features.
        intercept, distance, logarithm: a, b and c of the log-odds a + b d + c ln d that a pair at
            distance d is of one person; b and c are 0 or less.
        bounds: least and greatest probability that so few pairs can tell.
        thresholds: by false-match rate, the largest distance; None: too few pairs to say.
        prior: share of pairs of one person for which the probabilities hold.
        pairs: how many it is made of: "same", "different".
        cameras: "different": of pairs of two cameras; "any": nobody was seen by two.
    """

    metric: Metric
    intercept: float
    distance: float
    logarithm: float
    bounds: tuple[float, float]
    thresholds: Mapping[float, float | None]
    prior: float
    pairs: Mapping[str, int]
    cameras: str

    def probability(self, distances: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that pairs so far apart are of one person."""
        asked = np.maximum(np.asarray(distances, float), _LEAST)
        odds = self.intercept + self.distance * asked + self.logarithm * np.log(asked)
        return np.clip(expit(odds), *self.bounds)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "metric": self.metric,
            "pairs": dict(self.pairs),
            "cameras": self.cameras,
            "prior": self.prior,
            "thresholds": {str(rate): value for rate, value in self.thresholds.items()},
            "odds": {name: getattr(self, name) for name in _ODDS},
            "bounds": list(self.bounds),
        }


def read_calibration(path: Path) -> Calibration | None:
    """Return what the stage `calibrate` wrote; None where there is nothing to learn it from.

    Raises:
        ReidError: the file is missing or another one.
    """
    if "why" in read_json(path):
        return None
    plain = read_json(path, KEYS)
    try:
        low, high = map(float, plain["bounds"])
        if not np.isfinite([low, high, *(float(plain["odds"][name]) for name in _ODDS)]).all():
            raise ValueError("a number is not finite")
        return Calibration(
            metric=plain["metric"],
            **{name: float(plain["odds"][name]) for name in _ODDS},
            bounds=(low, high),
            thresholds={float(rate): value for rate, value in plain["thresholds"].items()},
            prior=plain["prior"],
            pairs=plain["pairs"],
            cameras=plain["cameras"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReidError(f"{path}: no calibration ({error!r}); delete it and run again") from error


class NoPairsError(ReidError):
    """The tracklets say nothing about distances; the message says why."""


def calibrate(tracklets: Side, metric: Metric, rates: Sequence[float]) -> Calibration:
    """Learn what distances mean from tracklets whose persons are known, or believed to be.

    Pairs are of different cameras, as in retrieval; of any where nobody was seen by two.

    Args:
        tracklets: of training.
        metric: between features.
        rates: false-match rates, whose thresholds are asked for.

    Raises:
        NoPairsError: no two tracklets are of one person, or all are.
    """
    pairs = count_pairs(tracklets, None, metric)
    cameras = "different"
    if not pairs.same.sum() or not pairs.different.sum():
        pairs, cameras = count_pairs(tracklets, None, metric, cameras=False), "any"
    same, different = int(pairs.same.sum()), int(pairs.different.sum())
    if not same or not different:
        raise NoPairsError(
            f"of the {len(tracklets.persons)} training tracklets "
            f"{'no two are' if not same else 'all are'} taken for one person"
        )
    return Calibration(
        metric=metric,
        **_log_odds(pairs),
        # nobody is certain: a pair more of either kind could lie anywhere
        bounds=(1 / (different + 2), 1 - 1 / (same + 2)),
        thresholds={rate: threshold_at(pairs, rate) for rate in rates},
        prior=pairs.prior,
        pairs={"same": same, "different": different},
        cameras=cameras,
    )


def _log_odds(pairs: Pairs) -> dict[str, float]:
    """Return what the log-odds of one person are made of, by name.

    Of d and ln d one is left out whose share would grow with the distance.
    """
    # slow to import
    from sklearn.linear_model import LogisticRegression

    kinds = pairs.same, pairs.different
    # the regression holds coefficients down: features twice as long must give the same odds
    unit = pairs.farthest / 2
    at = np.concatenate([pairs.distances[counts > 0] for counts in kinds]) / unit
    truth = np.repeat([1, 0], [np.count_nonzero(counts) for counts in kinds])
    weights = np.concatenate([counts[counts > 0] for counts in kinds])
    shapes = {"distance": at, "logarithm": np.log(np.maximum(at, _LEAST))}
    left = list(shapes)
    while True:
        columns = np.stack([shapes[name] for name in left], axis=1)
        fit = LogisticRegression(max_iter=1000).fit(columns, truth, sample_weight=weights)
        growing = [name for name, value in zip(left, fit.coef_[0], strict=True) if value > 0]
        if not growing:
            break
        left.remove(growing[0])
        if not left:
            # distances tell nothing
            prior = pairs.prior
            return {"intercept": math.log(prior / (1 - prior)), "distance": 0.0, "logarithm": 0.0}
    found = dict.fromkeys(shapes, 0.0) | dict(zip(left, fit.coef_[0].tolist(), strict=True))
    intercept = float(fit.intercept_[0]) - found["logarithm"] * math.log(unit)
    return {**found, "intercept": intercept, "distance": found["distance"] / unit}


def threshold_at(pairs: Pairs, rate: float) -> float | None:
    """Return the largest distance up to which at most so many pairs of different people lie.

    None where a single pair would be more than that, or the nearest are more already.

    Args:
        pairs: of `count_pairs`.
        rate: share of all pairs of different people.
    """
    total = int(pairs.different.sum())
    if total * rate < 1:
        return None
    inside = int(np.count_nonzero(np.cumsum(pairs.different) <= total * rate))
    return inside * pairs.farthest / BINS if inside else None


def with_probability(found: pd.DataFrame, calibration: Calibration | None) -> pd.DataFrame:
    """Return a table with a column "probability" of its column "distance"; NaN: nobody knows."""
    likely = np.nan if calibration is None else calibration.probability(found["distance"])
    return found.assign(probability=likely)


def nearest_of_its_own(
    features: NDArray[Any], labels: ArrayLike, metric: Metric
) -> NDArray[np.float64]:
    """Return how far each tracklet is from the nearest other one of its label: [N], NaN if none.

    Args:
        features: [N, d].
        labels: [N]; below 0: alone.
        metric: between features.
    """
    labels = np.asarray(labels, np.int64)
    found = np.full(len(labels), np.nan)
    for label in np.unique(labels[labels >= 0]):
        own = np.flatnonzero(labels == label)
        if len(own) > 1:
            apart = pairwise(features[own], features[own], metric).astype(np.float64)
            np.fill_diagonal(apart, np.inf)
            found[own] = apart.min(axis=1)
    return found


def check(calibration: Calibration, pairs: Pairs) -> dict[str, Any]:
    """Hold a calibration against pairs of people whom it has not seen.

    Returns:
        `thresholds`: by false-match rate asked, the distance, and the shares found up to it, of
        pairs of different people (`false_match_rate`) and of one person (`match_rate`).
        `reliability`: ten classes of the probability, each with what is said, what is found (the
        share of one person) and the number of pairs. `prior`: the share of pairs of one person.
    """
    ends = pairs.distances + pairs.farthest / BINS / 2

    def found(distance: float | None, counts: Whole) -> float | None:
        if distance is None:
            return None
        # a rounded end of a bin still ends it
        inside = ends <= distance * (1 + 1e-9)
        return float(counts[inside].sum() / max(1, counts.sum()))

    said = calibration.probability(pairs.distances)
    group = np.digitize(said, _CUTS[1:-1])
    every = pairs.same + pairs.different

    def of_group(weights: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(group, weights.astype(float), len(_CUTS) - 1).astype(float)

    counts = of_group(every)
    shares = np.maximum(counts, 1)
    return {
        "prior": pairs.prior,
        "thresholds": {
            str(rate): {
                "distance": distance,
                "false_match_rate": found(distance, pairs.different),
                "match_rate": found(distance, pairs.same),
            }
            for rate, distance in calibration.thresholds.items()
        },
        "reliability": [
            {"said": float(mean), "found": float(share), "pairs": int(count)}
            for mean, share, count in zip(
                of_group(said * every) / shares, of_group(pairs.same) / shares, counts, strict=True
            )
            if count
        ],
    }
