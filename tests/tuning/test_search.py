"""A search: repeatable, shared, and as if it had never been killed."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from weakreid.config.tuning import Prune
from weakreid.errors import ReidError
from weakreid.tuning.ranges import drawn, with_values
from weakreid.tuning.search import GivenUpError, Running, Search
from weakreid.tuning.trials import DIVERGED, GIVEN_UP, WHOLE, Found, best_of, gathered

RANGES = [
    {"key": "a.b", "low": 0.0, "high": 1.0, "log": False, "step": None, "whole": False},
    {"key": "k", "low": 1, "high": 9, "log": False, "step": 2, "whole": True},
    {"key": "lr", "low": 1e-4, "high": 1e-1, "log": True, "step": None, "whole": False},
    {"key": "how", "choices": ["mean", None, {"of": [1, 2]}]},
]


def search_in(folder: Path, **more: Any) -> Search:
    """Begin a search, or go on with it."""
    given = {"worker": 1, "seed": 3, "trials": 14, "prune": Prune(trials=4), **more}
    mark = given.pop("mark", "mark")
    return Search(folder / "journal.log", mark, draw=lambda trial: drawn(trial, RANGES), **given)


def figure_of(values: Mapping[str, Any], epochs: int) -> float:
    return 100 * (1 - abs(values["a.b"] - 0.3)) * epochs / 4


def run(search: Search, trial: Running, killed_after: int | None = None) -> None:
    """Train, as it were: a figure after each of four epochs."""
    try:
        for epochs in range(1, (killed_after or 4) + 1):
            trial.report(epochs, figure_of(trial.values, epochs))
    except GivenUpError:
        if killed_after is None:
            search.given_up(trial)
    else:
        if killed_after is None:
            search.done(trial, figure_of(trial.values, 4))


def whole(search: Search) -> list[Found]:
    for trial in search.running():
        run(search, trial)
    return search.found()


def told(trials: list[Found]) -> list[Any]:
    """Return what is told of trials: their numbers in the journal are not."""
    return [(t.outcome, t.values, t.curve, t.figure) for t in trials]


def test_the_same_input_gives_the_same_trials(tmp_path: Path) -> None:
    first, again = (whole(search_in(tmp_path / name)) for name in ("one", "two"))
    other = whole(search_in(tmp_path / "three", seed=4))
    assert first == again
    assert first[0].values != other[0].values
    assert len(first) == 14


def test_values_lie_in_their_ranges(tmp_path: Path) -> None:
    for trial in whole(search_in(tmp_path)):
        values = trial.values
        assert 0 <= values["a.b"] <= 1
        assert values["k"] in (1, 3, 5, 7, 9)
        assert isinstance(values["k"], int)
        assert 1e-4 <= values["lr"] <= 1e-1
        assert values["how"] in ("mean", None, {"of": [1, 2]})


def test_a_trial_below_the_median_is_given_up(tmp_path: Path) -> None:
    trials = whole(search_in(tmp_path))
    outcomes = [trial.outcome for trial in trials]
    assert outcomes[:4] == [WHOLE] * 4
    assert GIVEN_UP in outcomes
    assert all(len(trial.curve) == 4 for trial in trials if trial.outcome == WHOLE)
    every = whole(search_in(tmp_path / "every", prune=None))
    assert {trial.outcome for trial in every} == {WHOLE}


@pytest.mark.parametrize("killed", [(3,), (1, 7, 8), (13,)])
def test_killed_it_goes_on_as_if_it_was_not(killed: tuple[int, ...], tmp_path: Path) -> None:
    before = whole(search_in(tmp_path / "before"))
    search = search_in(tmp_path / "killed")
    for number in killed:
        for trial in search.running():
            if trial.number == number:
                # two of four epochs are done, and noted
                run(search, trial, killed_after=2)
                break
            run(search, trial)
        search = search_in(tmp_path / "killed")
        again = next(search.running())
        assert set(again.curve) <= {1, 2}
        run(search, again)
    after = whole(search)
    assert told(after) == told(before)
    assert told(gathered([plain(after)])) == told(gathered([plain(before)]))
    assert gathered([plain(after)]) == gathered([plain(before)])


def plain(trials: list[Found]) -> list[dict[str, Any]]:
    return [vars(trial) for trial in trials]


def test_another_worker_s_trial_is_left_alone(tmp_path: Path) -> None:
    first = search_in(tmp_path, trials=2)
    trials = first.running()
    mine = next(trials)
    second = search_in(tmp_path, trials=2, worker=2)
    others = second.running()
    theirs = next(others)
    assert mine.values != theirs.values
    # the first one is killed; the second has no third one to begin
    run(second, theirs)
    assert list(others) == []
    assert len(second.found()) == 1
    again = search_in(tmp_path, trials=2)
    (trial,) = taken(again)
    assert trial.values == mine.values
    assert [found.worker for found in again.found()] == [2, 1]


def taken(search: Search) -> list[Running]:
    found = []
    for trial in search.running():
        run(search, trial)
        found.append(trial)
    return found


RANGES_AS_TEXT = json.dumps(RANGES)
WORKER = """
import json, sys
from pathlib import Path
from weakreid.tuning.ranges import drawn
from weakreid.tuning.search import Search

journal, worker, ranges = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
search = Search(
    journal, "mark", worker=worker, seed=3, trials=14, prune=None, draw=lambda t: drawn(t, ranges)
)
for trial in search.running():
    trial.report(1, trial.values["a.b"])
    search.done(trial, trial.values["a.b"])
print(json.dumps([vars(trial) for trial in search.found()]))
"""


def test_workers_share_a_budget(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                WORKER,
                tmp_path / "journal.log",
                str(worker),
                json.dumps(RANGES),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for worker in (1, 2)
    ]
    trials = gathered([json.loads(process.communicate()[0]) for process in processes])
    assert [trial.number for trial in trials] == list(range(1, 15))
    assert len({str(trial.values) for trial in trials}) == 14


def test_a_larger_budget_goes_on(tmp_path: Path) -> None:
    few = whole(search_in(tmp_path, trials=5))
    more = whole(search_in(tmp_path, trials=9))
    assert more[:5] == few
    assert more == whole(search_in(tmp_path / "at_once", trials=9))
    assert taken(search_in(tmp_path, trials=9)) == []


def test_what_depends_on_other_things_is_another_search(tmp_path: Path) -> None:
    whole(search_in(tmp_path, trials=3))
    assert len(taken(search_in(tmp_path, trials=3, mark="other"))) == 3


def test_a_training_that_diverged_counts_as_nothing(tmp_path: Path) -> None:
    search = search_in(tmp_path, trials=3)
    for trial in search.running():
        if trial.number == 2:
            trial.report(1, 99.0)
            search.diverged(trial)
        else:
            run(search, trial)
    found = search.found()
    assert [trial.outcome for trial in found] == [WHOLE, DIVERGED, WHOLE]
    assert found[1].figure == 0
    assert best_of(found) in (found[0], found[2])
    with pytest.raises(ReidError, match="no trial came to its last epoch"):
        best_of(found[1:2])


def test_of_the_same_figure_the_first_is_the_best() -> None:
    def trials() -> Iterator[Found]:
        for number, figure in enumerate([3.0, 7.0, 7.0, 9.0], start=1):
            yield Found(number, 1, GIVEN_UP if figure == 9 else WHOLE, {}, [(1, figure)], figure)

    assert best_of(trials()).number == 2


def test_values_are_put_into_a_copy_of_the_method() -> None:
    method = {"a": {"b": None, "c": 1}, "k": 2}
    assert with_values(method, {"a.b": 5, "k": 3}) == {"a": {"b": 5, "c": 1}, "k": 3}
    assert with_values(method, {"a": {"b": 1}, "a.b": 5}) == {"a": {"b": 5}, "k": 2}
    assert method == {"a": {"b": None, "c": 1}, "k": 2}
