"""Commands stay short however much a rule passes to its stage, and the stage gets all of it."""

import shlex
from typing import Any

import pytest
from tests.workflow.conftest import (
    ATTRIBUTE_FIGURES,
    ATTRIBUTE_TABLES,
    FIGURES,
    METRICS,
    STUDY_TABLES,
    TABLE,
    TRACKED,
)
from tests.workflow.dryrun import Found, dry_run

from weakreid.artifacts import arguments

pytestmark = pytest.mark.slow

TARGETS = (METRICS, TABLE, *STUDY_TABLES, *ATTRIBUTE_TABLES, *ATTRIBUTE_FIGURES, *TRACKED, *FIGURES)
LIMIT = 128 * 1024
"""Bytes that Linux takes as one argument; a whole command is one."""


def commands(found: Found) -> list[list[str]]:
    """Return the words of every job's command, in order."""
    return sorted(shlex.split(job["shellcmd"]) for jobs in found.values() for job in jobs)


def test_every_rule_s_params_and_lists_may_be_long(checkout, monkeypatch) -> None:
    """All that is asked for is put into files; read back, the commands are what they were."""
    monkeypatch.chdir(checkout.folder)
    plain = commands(dry_run(TARGETS))
    monkeypatch.setattr(arguments, "LONGEST", 0)
    short = commands(dry_run(TARGETS))
    assert not [word for words in short for word in words if word.startswith("{")]
    assert sorted(arguments.restored(words) for words in short) == plain


def test_many_sequences_and_many_rows(checkout, monkeypatch) -> None:
    monkeypatch.chdir(checkout.folder)
    names = [f"2024-05-{k // 96:02d}_{k // 4 % 24:02d}-{k % 4 * 15:02d}_cam8" for k in range(672)]
    files = {"boxes": "boxes.txt", "frames": "pictures", "camera": 8}
    film = {"source": "mot", "root": "film", "sequences": [{"name": n, **files} for n in names]}
    rows = {f"row {k}": "wl_tiny" for k in range(3000)}
    table = {"kind": "experiments", "title": "Long", "rows": rows}
    change: dict[str, Any] = {"datasets": {"site": film}, "tables": {"long": table}}
    targets = ["results/datasets/site/cropped.json", "results/tables/long/table.md"]
    found = dry_run(targets, change)
    for jobs in found.values():
        assert all(len(job["shellcmd"].encode()) < LIMIT for job in jobs)
    (crops,), (rows_of,) = found["crops"], found["table"]
    whole = arguments.restored(shlex.split(crops["shellcmd"]))
    assert all(f'"name": "{name}"' in whole[whole.index("--params") + 1] for name in names)
    whole = arguments.restored(shlex.split(rows_of["shellcmd"]))
    assert whole.count(f"--metrics={METRICS}") == len(rows)
    # the same once more: nothing would rerun for it
    assert commands(dry_run(targets, change)) == commands(found)
