"""How noisy a tracker's tracklets are: rFM and rSW against ground truth (TMC, Eqs. 7 and 8).

A tracklet is all boxes of one id of the tracker, whatever the gaps between them. Q_i is the set of
people whom tracklet i shows. rFM is the mean number of tracklets that show a person, rSW the mean
number of people whom a tracklet shows. What counts:

    a box that matches no true box    shows nobody. A tracklet that shows nobody is no tracklet of
                                      Eq. 8 (its |Q_i| would be 0) and is counted apart.
    a short run                       a person with fewer than `min_run` boxes in a tracklet is not
                                      in its Q_i: neither a switch nor a fragment. 1 counts every
                                      box. Counted "together", all boxes of the person in the
                                      tracklet are one run; counted by "runs", those of frames that
                                      follow one another, and each run is a fragment of the person.
    a person who comes back           with a new id of the tracker is one fragment more, whether
                                      the person had left the picture or not.
    a person whom no tracklet shows   counts 0 tracklets in Eq. 7, whose M is "the total number of
                                      ground-truth person IDs" ("count"), or is left out of M
                                      ("leave_out"). `rfm_seen` is always without them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from weakreid.errors import ReidError

MEASURES = ("persons_per_tracklet", "tracklets_per_person")


@dataclass(frozen=True)
class NoiseRates:
    """The noise of a sequence, or of several together (`pooled`).

    Attributes:
        sequence: its name; "" for several.
        boxes: of the tracker.
        matched: of them, that show somebody, short runs included.
        short_runs: runs that were too short to count.
        nobody: tracklets that show nobody.
        missed: people of the ground truth whom no tracklet shows.
        persons_per_tracklet: number of people (from 1): how many tracklets show so many.
        tracklets_per_person: number of tracklets, or of runs where these are counted (0 where
            missed people count): how many people are shown by so many.
    """

    sequence: str
    boxes: int
    matched: int
    short_runs: int
    nobody: int
    missed: int
    persons_per_tracklet: Mapping[int, int]
    tracklets_per_person: Mapping[int, int]

    @property
    def tracklets(self) -> int:
        """N of Eq. 8: tracklets that show somebody."""
        return sum(self.persons_per_tracklet.values())

    @property
    def persons(self) -> int:
        """M of Eq. 7."""
        return sum(self.tracklets_per_person.values())

    @property
    def rfm(self) -> float:
        """The mean number of tracklets that show a person (Eq. 7)."""
        return _mean(self.tracklets_per_person)

    @property
    def rfm_seen(self) -> float:
        """The same over the people whom a tracklet shows, whatever was done with the missed."""
        return _mean(
            {number: count for number, count in self.tracklets_per_person.items() if number}
        )

    @property
    def rsw(self) -> float:
        """The mean number of people whom a tracklet shows (Eq. 8)."""
        return _mean(self.persons_per_tracklet)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return {
            "sequence": self.sequence,
            "rfm": self.rfm,
            "rfm_seen": self.rfm_seen,
            "rsw": self.rsw,
            "tracklets": self.tracklets,
            "persons": self.persons,
            "boxes": self.boxes,
            "matched": self.matched,
            "short_runs": self.short_runs,
            "nobody": self.nobody,
            "missed": self.missed,
            **{name: {str(k): v for k, v in getattr(self, name).items()} for name in MEASURES},
        }


def noise_rates(
    tracklets: npt.ArrayLike,
    frames: npt.ArrayLike,
    persons: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    sequence: str,
    min_run: int,
    missed: str,
    counting: str,
) -> NoiseRates:
    """Measure the noise of one sequence.

    Args:
        tracklets: the tracker's id of every box, int [boxes].
        frames: the frame of every box, int [boxes].
        persons: the person whom the box shows, int [boxes]; 0 or less: nobody.
        truth: all people of the ground truth, in any order, each as often as it likes; int [any].
        sequence: its name.
        min_run: fewer boxes of a person in a tracklet do not count; 1: every box counts.
        missed: "count" people whom no tracklet shows as 0 tracklets (M of Eq. 7 is all people of
            the ground truth), or "leave_out".
        counting: "together" or "runs": what a run is.

    Raises:
        ReidError: nobody is shown, or somebody is who is not in `truth`.
    """
    where = f"sequence '{sequence}': " if sequence else ""
    boxes = pd.DataFrame(
        {
            "tracklet": np.asarray(tracklets),
            "frame": np.asarray(frames),
            "person": np.asarray(persons),
        }
    )
    shown = boxes[boxes["person"] > 0]
    everybody = np.unique(np.asarray(truth))
    unknown = sorted(set(shown["person"].tolist()) - set(everybody.tolist()))
    if unknown:
        raise ReidError(
            f"{where}box of person {unknown[0]}, who is not in the ground truth; match the boxes "
            f"with the truth that they are measured against"
        )
    runs = shown.groupby(["tracklet", "person", _run_of(shown, counting)]).size()
    held = runs[runs >= min_run].reset_index()
    if held.empty:
        raise ReidError(
            f"{where}no person has {min_run} boxes in a tracklet ({len(shown)} of {len(boxes)} "
            f"boxes match a true one); check that the output is of this sequence, or lower min_run"
        )
    per_tracklet = held.groupby("tracklet")["person"].nunique().to_numpy()
    per_person = held.groupby("person").size().to_numpy()
    lost = len(everybody) - len(per_person)
    if missed == "count":
        per_person = np.concatenate([np.zeros(lost, np.int64), per_person])
    return NoiseRates(
        sequence=sequence,
        boxes=len(boxes),
        matched=len(shown),
        short_runs=len(runs) - len(held),
        nobody=boxes["tracklet"].nunique() - len(per_tracklet),
        missed=lost,
        persons_per_tracklet=distribution(per_tracklet),
        tracklets_per_person=distribution(per_person),
    )


def _run_of(shown: pd.DataFrame, counting: str) -> pd.Series:
    """Return a number for the run of every box, the same within a run of a tracklet and person."""
    if counting == "together":
        return pd.Series(0, shown.index, name="run")
    ordered = shown[["tracklet", "person", "frame"]].sort_values(["tracklet", "person", "frame"])
    goes_on = (ordered.diff() == [0, 0, 1]).all(axis=1)
    return (~goes_on).cumsum().rename("run")


def pooled(rates: Sequence[NoiseRates]) -> NoiseRates:
    """Return the noise of several sequences together: all their tracklets and people as one.

    Raises:
        ReidError: there is none.
    """
    if not rates:
        raise ReidError("no sequence: there is nothing to pool; name one at least")

    def summed(name: str) -> dict[int, int]:
        numbers = sorted({number for own in rates for number in getattr(own, name)})
        return {n: sum(getattr(own, name).get(n, 0) for own in rates) for n in numbers}

    counts = {
        name: sum(getattr(own, name) for own in rates)
        for name in ("boxes", "matched", "short_runs", "nobody", "missed")
    }
    return NoiseRates(
        sequence="",
        **counts,
        persons_per_tracklet=summed("persons_per_tracklet"),
        tracklets_per_person=summed("tracklets_per_person"),
    )


def id_counts(rates: Sequence[NoiseRates]) -> pd.DataFrame:
    """Return the distributions of sequences, and of all together (sequence ""): "id_counts"."""
    rows = [
        (own.sequence, measure, number, count)
        for own in (*rates, pooled(rates))
        for measure in MEASURES
        for number, count in getattr(own, measure).items()
    ]
    return pd.DataFrame(rows, columns=["sequence", "measure", "number", "count"])


def distribution(values: npt.ArrayLike) -> dict[int, int]:
    """Return how often each value occurs, by value."""
    numbers, counts = np.unique(np.asarray(values, np.int64), return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _mean(numbers: Mapping[int, int]) -> float:
    return sum(number * count for number, count in numbers.items()) / sum(numbers.values())
