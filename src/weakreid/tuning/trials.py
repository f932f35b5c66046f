"""Trials of a search that came to their end, and the best of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weakreid.errors import ReidError

OUTCOMES = WHOLE, GIVEN_UP, DIVERGED = "whole", "given up", "diverged"


@dataclass(frozen=True)
class Found:
    """A trial that came to its end.

    Attributes:
        number: of the journal; those of trials that were killed are missing.
        worker: whose it was.
        outcome: one of `OUTCOMES`.
        values: by key.
        curve: epochs and the figure after them.
        figure: the last one; of a training that diverged, 0.
    """

    number: int
    worker: int
    outcome: str
    values: dict[str, Any]
    curve: list[tuple[int, float]]
    figure: float


def gathered(of_workers: Iterable[Iterable[Mapping[str, Any]]]) -> list[Found]:
    """Return the trials that workers told of, each once, numbered from 1 as they were begun.

    Args:
        of_workers: what each worker found (`Search.found`), as plain values.
    """
    each = {(of["number"], of["worker"]): of for trials in of_workers for of in trials}
    return [
        Found(**{**each[key], "number": number, "curve": [(e, f) for e, f in each[key]["curve"]]})
        for number, key in enumerate(sorted(each), start=1)
    ]


def best_of(trials: Iterable[Found]) -> Found:
    """Return the trial with the best figure among those that came to their last epoch.

    Raises:
        ReidError: none did.
    """
    whole = [trial for trial in trials if trial.outcome == WHOLE]
    if not whole:
        raise ReidError(
            "no trial came to its last epoch, every training diverged; lower the range of "
            "optimiser.lr, or set optimiser.clip"
        )
    return max(whole, key=lambda trial: (trial.figure, -trial.number))
