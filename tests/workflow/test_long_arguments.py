"""Commands stay short however much a rule passes to its stage, and the stage gets all of it."""

import shlex
from typing import Any

from tests.workflow.steps import TINY, command_of, jobs_of

from weakreid.artifacts import arguments
from weakreid.plan.graph import Step

LIMIT = 128 * 1024
"""Bytes that Linux takes as one argument; a whole command is one."""


def commands(found: dict[str, list[Step]]) -> list[list[str]]:
    """Return the words of every job's command, in order."""
    return sorted(command_of(step) for steps in found.values() for step in steps)


def test_every_rule_s_params_and_lists_may_be_long(tmp_path, monkeypatch) -> None:
    """All that is asked for is put into files; read back, the commands are what they were."""
    monkeypatch.chdir(tmp_path)
    found = jobs_of(TINY.targets)
    plain = commands(found)
    monkeypatch.setattr(arguments, "LONGEST", 0)
    short = commands(found)
    assert not [word for words in short for word in words if word.startswith("--params")]
    assert sorted(arguments.restored(words) for words in short) == plain


def test_many_sequences_and_many_rows(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"2024-05-{k // 96:02d}_{k // 4 % 24:02d}-{k % 4 * 15:02d}_cam8" for k in range(672)]
    files = {"boxes": "boxes.txt", "frames": "pictures", "camera": 8}
    film = {"kind": "mot", "root": "film", "sequences": [{"name": n, **files} for n in names]}
    rows = {f"row {k}": "wl_tiny" for k in range(3000)}
    table = {"kind": "results", "title": "Long", "rows": rows}
    change: dict[str, Any] = {"datasets": {"site": film}, "tables": {"long": table}}
    targets = ["results/datasets/site/cropped.json", "results/tables/long/table.md"]
    found = jobs_of(targets, change)
    words = commands(found)
    assert all(len(shlex.join(command).encode()) < LIMIT for command in words)
    (crops,), (rows_of,) = found["crops"], found["table"]
    whole = " ".join(arguments.restored(command_of(crops)))
    assert all(f'"name": "{name}"' in whole for name in names)
    whole = " ".join(arguments.restored(command_of(rows_of)))
    assert all(f'"label": "{label}"' in whole for label in rows)
    # the same once more: nothing would rerun for it
    assert commands(jobs_of(targets, change)) == words
