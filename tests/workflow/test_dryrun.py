"""Dry runs in forks: what comes back of one, what does not, and what is not read twice."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from snakemake.exceptions import MissingRuleException
from tests.workflow import dryrun
from tests.workflow.dryrun import dry_run, in_a_fork, planned

from weakreid.config.whole import whole

forking = pytest.mark.skipif(not dryrun.FORKS, reason="dry runs do not fork on this system")


class UnsendableError(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


def raising(error: BaseException) -> Any:
    raise error


# --- a process of its own -------------------------------------------------------------------------


@forking
def test_what_a_fork_returns_comes_back_and_what_it_changes_does_not() -> None:
    kept = [1]

    def work() -> tuple[int, list[int]]:
        kept.append(2)
        return os.getpid(), kept

    process, changed = in_a_fork(work)
    assert process != os.getpid()
    assert (kept, changed) == ([1], [1, 2])


@forking
def test_what_a_fork_says_is_captured(capfd) -> None:
    in_a_fork(lambda: print("said") or print("complained", file=sys.stderr))
    assert capfd.readouterr() == ("said\n", "complained\n")


@forking
@pytest.mark.parametrize(
    ("raised", "caught"),
    [
        (KeyError("a"), KeyError("a")),
        (SystemExit("error: no"), SystemExit("error: no")),
        (UnsendableError("a", "b"), RuntimeError("UnsendableError: a and b")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_fork_raises_is_raised_here(raised: BaseException, caught: BaseException) -> None:
    with pytest.raises(type(caught)) as found:
        in_a_fork(lambda: raising(raised))
    assert found.value.args == caught.args
    (note,) = found.value.__notes__
    assert "in raising" in note
    assert type(raised).__name__ in note


@forking
def test_a_fork_that_says_nothing(monkeypatch) -> None:
    with pytest.raises(RuntimeError, match="a fork ended with status 3"):
        in_a_fork(lambda: os._exit(3))
    monkeypatch.setattr(dryrun, "PATIENCE", 0.1)
    with pytest.raises(RuntimeError, match=r"no answer of a fork after 0\.1 s"):
        in_a_fork(lambda: os.read(os.pipe()[0], 1))


# --- what dry runs have in common -----------------------------------------------------------------

TARGET = "results/tables/tiny/table.md"


@pytest.mark.slow
def test_it_is_the_dry_run_that_would_be_here(checkout, monkeypatch) -> None:
    monkeypatch.chdir(checkout.folder)
    assert dry_run([TARGET], {"seed": 3}) == planned({TARGET}, {"seed": 3}, ("tiny.yaml",))
    with pytest.raises(MissingRuleException, match="no/such/file"):
        dry_run(["no/such/file"])


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_what_has_changed_is_read_again(empty, monkeypatch) -> None:
    monkeypatch.chdir(empty.folder)
    first = dry_run([TARGET])
    assert dry_run([TARGET]) == first

    edit(empty.folder / "tiny.yaml", "epochs: 2", "epochs: 7")
    second = dry_run([TARGET])
    (was,), (now,) = first["train"], second["train"]
    assert '"epochs": 2' in was["shellcmd"]
    assert was["shellcmd"].replace('"epochs": 2', '"epochs": 7') == now["shellcmd"]
    assert {**second, "train": [], "collect": []} == {**first, "train": [], "collect": []}

    rules = empty.folder / "workflow" / "rules" / "training.smk"
    edit(rules, "weakreid.stages.train ", "weakreid.stages.train --more ")
    (later,) = dry_run([TARGET])["train"]
    assert "stages.train --more " in later["shellcmd"]


@pytest.mark.slow
def test_another_load_is_asked_itself(checkout, monkeypatch) -> None:
    monkeypatch.chdir(checkout.folder)
    before = dry_run([TARGET])
    load = whole.load
    with monkeypatch.context() as patch:
        patch.setattr(whole, "load", lambda raw: load({**raw, "seed": 9}))
        (changed,) = dry_run([TARGET])["bags"]
    assert '"seed": 9' in changed["shellcmd"]
    assert dry_run([TARGET]) == before
