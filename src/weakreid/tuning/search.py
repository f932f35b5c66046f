"""A search of values that several processes make together, and that goes on after a kill.

All that they know of each other is Optuna's journal, a file: who tries which values, and the
figures of every trial so far. A trial that a killed worker left is failed when that worker comes
again, and its values wait at the head of the queue, with the figures that it had.
"""

import warnings
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from weakreid.config.tuning import Prune
from weakreid.seeding import derive
from weakreid.tuning.trials import DIVERGED, GIVEN_UP, WHOLE, Found

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
NOBODYS_SECONDS = 60
"""After which a trial that no worker has put its name to is nobody's."""
_WORKER, _VALUES, _DIVERGED = "worker", "values", "diverged"


class GivenUpError(Exception):
    """The figures of a trial lie below those of others."""


class Running:
    """A trial that is under way.

    Attributes:
        values: to try, by key.
        number: how many trials came to an end before, plus 1.
    """

    def __init__(self, trial: Trial, values: dict[str, Any], number: int, study: Any) -> None:
        self._trial, self.values, self.number = trial, values, number
        frozen = study.get_trials(deepcopy=False)[trial.number]
        self.curve: dict[int, float] = dict(frozen.intermediate_values)

    def report(self, epochs: int, figure: float) -> None:
        """Note a figure.

        Raises:
            GivenUpError: the trial should end here.
        """
        # what a killed worker noted stands already
        if epochs not in self.curve:
            self._trial.report(figure, epochs)
            self.curve[epochs] = figure
        if self._trial.should_prune():
            raise GivenUpError

    def figure_after(self, epochs: int) -> float | None:
        """Return what was noted after so many epochs, None if nothing was."""
        return self.curve.get(epochs)


class Search:
    """One worker's part in a search."""

    def __init__(
        self,
        journal: Path,
        mark: str,
        *,
        worker: int,
        seed: int,
        trials: int,
        prune: Prune | None,
        draw: Callable[[Trial], dict[str, Any]],
    ) -> None:
        """Open the search, or begin it, and take up what this worker left when it was killed.

        Args:
            journal: the file that all workers share.
            mark: stands for all that a figure depends on; trials of another one do not count.
            worker: its number; no two that run have the same.
            seed: of the values that are tried.
            trials: that come to an end, of all workers together.
            prune: when a trial is given up; None: all come to their end.
            draw: returns the values of a trial.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal.parent.mkdir(parents=True, exist_ok=True)
        pruner: BasePruner = NopPruner()
        if prune is not None:
            pruner = MedianPruner(prune.trials, prune.epochs)
        path = str(journal.absolute())
        self.study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(path, JournalFileOpenLock(path))),
            study_name=mark,
            direction="maximize",
            pruner=pruner,
            load_if_exists=True,
        )
        self.worker, self.seed, self.trials, self.draw = worker, seed, trials, draw
        self._take_up()

    def _take_up(self) -> None:
        """Fail this worker's trials that nobody runs any more, and let their values wait."""
        before = datetime.now() - timedelta(seconds=NOBODYS_SECONDS)
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            mine = trial.user_attrs.get(_WORKER)
            forgotten = mine is None and trial.datetime_start and trial.datetime_start < before
            if mine != self.worker and not forgotten:
                continue
            self.study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                self.study.add_trial(
                    create_trial(
                        state=TrialState.WAITING,
                        params=trial.params,
                        distributions=trial.distributions,
                        intermediate_values=trial.intermediate_values,
                    )
                )

    def running(self) -> Iterator[Running]:
        """Yield trials until there are enough; `done` or `given_up` ends each before the next."""
        while True:
            count = len(self.study.get_trials(deepcopy=False, states=FINISHED))
            if count >= self.trials:
                return
            # drawn anew for every trial: a search that was killed goes on as if it was not
            self.study.sampler = TPESampler(seed=derive(self.seed, self.worker, count) % 2**32)
            trial = self.study.ask()
            trial.set_user_attr(_WORKER, self.worker)
            if self._claims(trial.number) >= self.trials:
                # others have begun the last ones
                self.study.tell(trial, state=TrialState.FAIL)
                return
            with warnings.catch_warnings():
                # a step that does not end at `high` lowers it
                warnings.simplefilter("ignore", UserWarning)
                values = self.draw(trial)
            trial.set_user_attr(_VALUES, values)
            yield Running(trial, values, count + 1, self.study)

    def _claims(self, number: int) -> int:
        """Return how many trials before one count: they ended well, or somebody runs them."""
        states = (*FINISHED, TrialState.RUNNING)
        found = self.study.get_trials(deepcopy=False, states=states)
        return sum(trial.number < number for trial in found)

    def done(self, trial: Running, figure: float) -> None:
        """End a trial with its figure."""
        self.study.tell(trial._trial, figure)

    def diverged(self, trial: Running) -> None:
        """End a trial that could not be trained: nothing is worse."""
        trial._trial.set_user_attr(_DIVERGED, True)
        self.study.tell(trial._trial, 0.0)

    def given_up(self, trial: Running) -> None:
        """End a trial whose figures lie below those of others."""
        self.study.tell(trial._trial, state=TrialState.PRUNED)

    def found(self) -> list[Found]:
        """Return the trials that have come to an end so far, whoever ran them."""
        return [_found(trial) for trial in self.study.get_trials(deepcopy=False, states=FINISHED)]


def _found(trial: FrozenTrial) -> Found:
    curve = sorted(trial.intermediate_values.items())
    outcome = WHOLE if trial.state == TrialState.COMPLETE else GIVEN_UP
    if trial.user_attrs.get(_DIVERGED):
        outcome = DIVERGED
    figure = curve[-1][1] if trial.value is None else trial.value
    return Found(
        trial.number,
        trial.user_attrs[_WORKER],
        outcome,
        trial.user_attrs[_VALUES],
        curve,
        figure,
    )
