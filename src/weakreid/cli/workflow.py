"""What the Snakefile asks of the package beside the plan: its Python, messages, leftovers."""

import logging
import os
import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from weakreid.artifacts import arguments, files
from weakreid.artifacts.files import there
from weakreid.config import faults
from weakreid.config.load import Config
from weakreid.config.sources import read_merged
from weakreid.datasets import changes, location
from weakreid.errors import ReidError
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of
from weakreid.plan.rules import Reading


def put_first_on_path(folder: Path) -> None:
    """Let commands find the Python that runs this, whether its environment is activated or not.

    On a cluster each job reads this again and finds its own. A rule's conda environment or
    container still comes before it.

    Raises:
        SystemExit: there is no `python`.
    """
    before = os.environ.get("PATH", os.defpath)
    if before.split(os.pathsep)[0] != str(folder):
        os.environ.update(PATH=f"{folder}{os.pathsep}{before}")
    if shutil.which("python") is None:
        raise SystemExit(
            f"error: there is no program `python` in {folder} or elsewhere on PATH; activate the "
            "environment of this project (. .venv/bin/activate)"
        )


def read_plan(
    config: Mapping[str, Any],
    paths: Sequence[str | Path],
    command_line: Mapping[str, Any],
    checkout: Path,
) -> Plan:
    """Return the plan of a config; every fault of it is a line that names the file.

    Args:
        config: all files and the command line merged.
        paths: the files that gave it, later ones winning.
        command_line: what --config gave.
        checkout: the folder of the Snakefile.

    Raises:
        SystemExit: the config has faults.
    """
    given = {_told(Path(path), checkout): Path(path) for path in paths}
    twice = [
        line
        for name, path in given.items()
        if path.suffix != ".json"
        for line in faults.repeated_keys(name, path.read_text(encoding="utf-8"))
    ]
    if twice:
        _refuse(twice)
    try:
        return plan_of(config)
    except ReidError as error:
        # Snakemake has read them already; here they are told apart
        parts = [(name, read_merged([path])) for name, path in given.items()]
        _refuse(faults.blamed(error, [*parts, ("--config", command_line)]))


def _told(path: Path, checkout: Path) -> str:
    """Return how messages call a file: from here, or from the checkout."""
    folders = [folder for folder in (Path.cwd(), checkout) if path.is_relative_to(folder)]
    return str(path.relative_to(folders[0]) if folders else path)


def _refuse(lines: Sequence[str]) -> NoReturn:
    raise SystemExit("\n".join(f"error: {line}" for line in lines))


def one_line(checkout: Path, no_such_target: Callable[[str], str]) -> Callable[..., bool]:
    """Return a filter of log records that makes one line of a ReidError or of an unknown target.

    Args:
        checkout: the folder of the Snakefile.
        no_such_target: what to say of a target that no rule makes.
    """
    elsewhere = Path.cwd().resolve() != checkout.resolve()
    where = f" (relative paths are from {Path.cwd()})" if elsewhere else ""

    def shorten(record: logging.LogRecord) -> bool:
        text = str(record.msg)
        unknown = re.search(r"No rule to produce (.+) \(if you use input functions", text)
        if record.levelno >= logging.ERROR and "ReidError:" in text:
            first = text.split("ReidError:", 1)[1].strip().splitlines()[0]
            record.msg = f"error: {first}{where}"
        elif record.levelno >= logging.ERROR and unknown:
            record.msg = f"error: {faults.shortened(no_such_target(unknown[1]))}"
        return True

    return shorten


def clear_leftovers(config: Config, tell: Callable[[str], None]) -> None:
    """Remove what killed jobs left half-written, and tell so."""
    roots = (Path("results"), arguments.PLACE)
    removed = [part for root in roots for part in files.remove_all_leftovers(root)]
    for block in (*config.datasets.values(), *config.attribute_sources.values()):
        if getattr(block, "archives", None):
            path = Path(block.root) / files.UNPACKING  # type: ignore[union-attr]
            removed += files.remove_leftovers(path, one_writer=False)
    for part in removed[:3]:
        tell(f"{part}: left by a job that was killed; removed")
    if len(removed) > 3:
        tell(f"{len(removed)} such leftovers in all were removed")


def changed_data(reading: Reading, forced: Collection[str]) -> str | None:
    """Return a warning of data that changed since it was read, None where it did not.

    Whether to read it again is for people to say. Where the files are the rule's inputs, Snakemake
    runs it again for newer ones: the others are told.

    Args:
        reading: what was read.
        forced: rules and files that are made anew anyway.
    """
    made, root = Path(reading.made), Path(reading.root)
    if not there(made) or {reading.rule, reading.made} & set(forced):
        return None
    # another root in the config reads it again anyway
    source = made.parent / "fetched.json"
    if there(source) and location.find(source).resolve() != root.resolve():
        return None
    found = changes.changes(made.parent / "read" / f"{reading.rule}.json", root)
    if reading.inputs:
        found = changes.older(found, root, made)
    if not found:
        return None
    more = f" and {len(found) - 1} more places" if len(found) > 1 else ""
    return (
        f"warning: {reading.key}: {root / found[0]}{more} changed since it was read, and what was "
        f"made of it is as before; to read it again: snakemake --forcerun {made} -- TARGET"
    )
