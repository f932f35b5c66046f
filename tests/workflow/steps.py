"""The stages' calls in the tiny workflow, as the plan has them: no option is listed by hand.

A step's name is its stage; a table's is `table KIND FILE`.
"""

import contextlib
import dataclasses
import functools
import importlib
import inspect
import io
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import configs
from tests.workflow.conftest import TINY, draw_film

from weakreid import console
from weakreid.artifacts.arguments import restored
from weakreid.plan.graph import Step, steps_to
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of
from weakreid.plan.rules import listed

MACHINE = {"device": "cpu", "devices": "1", "threads": "1", "code": "code"}
"""What a rule's command says besides, by the option."""

ALSO = (
    "results/datasets/walkers_tiny/official/isolated/tiny-tiny_preview.md",
    "results/datasets/walkers_tiny/official/isolated/tiny-tiny_switches.svg",
)


def tiny_plan(change: Mapping[str, Any] | None = None) -> Plan:
    """Return the plan of the tiny experiments with a change laid over."""
    return plan_of(configs.merged(configs.with_tiny(), change or {}))


@contextlib.contextmanager
def where_the_film_is() -> Any:
    """Be in a folder that has the tracker's files, which jobs look for."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        draw_film(Path("film"))
        yield


def jobs_of(
    targets: Iterable[str], change: Mapping[str, Any] | None = None
) -> dict[str, list[Step]]:
    """Return the steps behind targets by their rules, were nothing there yet."""
    found: dict[str, list[Step]] = {}
    with where_the_film_is():
        for step in steps_to(tiny_plan(change), targets):
            found.setdefault(step.rule.name, []).append(step)
    return found


def name_of(step: Step) -> str:
    if step.rule.stage != "table":
        return step.rule.stage
    return f"table {step.job.told['kind']} {Path(step.outputs[0]).name}"


@functools.cache
def steps() -> dict[str, Step]:
    """Return a step of every stage that the tiny workflow runs, one that reads most."""
    found: dict[str, Step] = {}
    for of_rule in jobs_of([*TINY.targets, *ALSO]).values():
        for step in of_rule:
            known = found.setdefault(name_of(step), step)
            if options_of(step) > options_of(known):
                found[name_of(step)] = step
    return found


def options_of(step: Step) -> int:
    """Return by how many options a step reads something."""
    return sum(bool(listed(paths)) for paths in step.job.inputs.values())


def options() -> list[tuple[str, str]]:
    """Return (step, option) of every file of this project that a step reads and does not copy."""
    return [
        (name, option)
        for name, step in steps().items()
        for option, paths in step.job.inputs.items()
        if listed(paths)
        and (place := place_of(name, option)).suffix
        # the generator's own notes, and pictures that a table shows as they are
        and "generated" not in place.parts
        and place.suffix not in (".png", ".svg")
    ]


def place_of(name: str, option: str) -> Path:
    """Return the file that a step gets by an option, the first of several."""
    job = steps()[name].job
    path = Path(listed(job.inputs[option])[0])
    return path / job.within[option] if option in job.within else path


def arguments_of(
    name: str, folder: Path, inputs: Mapping[str, Any] | None = None, params: str | None = None
) -> list[str]:
    """Return the arguments of a step's stage that writes to a folder.

    Args:
        name: of the step.
        folder: for everything that it writes.
        inputs: paths in the place of its own, by the option.
        params: in the place of its own.
    """
    step = steps()[name]
    told = {
        key: str(folder / Path(value).name) if str(value).startswith("results/") else value
        for key, value in step.job.told.items()
    }
    given = {**step.job.inputs, **{k: _as_text(v) for k, v in (inputs or {}).items()}}
    within = {key: path for key, path in step.job.within.items() if key not in (inputs or {})}
    job = dataclasses.replace(step.job, told=told, within=within)
    outputs = {
        key: str(folder / Path(output.path.format(**step.wildcards)).name)
        for key, output in step.rule.outputs.items()
    }
    found = restored(step.rule.call(job, given, outputs))
    if params is not None:
        found = [a for a in found if not a.startswith("--params=")] + [f"--params={params}"]
    takes = inspect.signature(main_of(name)).parameters
    return [*found, *(f"--{key}={value}" for key, value in MACHINE.items() if key in takes)]


def params_of(name: str) -> dict[str, Any]:
    """Return the params that a step gets, as plain values."""
    params = steps()[name].job.params
    assert params is not None
    return params.model_dump(mode="json")


def _as_text(paths: Any) -> Any:
    return [str(path) for path in paths] if isinstance(paths, list) else str(paths)


def main_of(name: str) -> Any:
    return importlib.import_module(f"weakreid.stages.{name.split()[0]}").main


def call(name: str, folder: Path, **more: Any) -> None:
    """Call a step's stage in this process; what it raises comes out."""
    program = console.program_of(main_of(name))
    program(arguments_of(name, folder, **more), standalone_mode=False)


def run(name: str, folder: Path, **more: Any) -> tuple[int, list[str]]:
    """Run a step's stage; return its exit status and what it said, line by line."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), pytest.raises(SystemExit) as left:
        console.exit_on_error(lambda: call(name, folder, **more))
    return int(str(left.value.code)), said.getvalue().splitlines()


def command_of(step: Step) -> list[str]:
    """Return a job's arguments where it runs."""
    outputs = {
        key: output.path.format(**step.wildcards) for key, output in step.rule.outputs.items()
    }
    return step.rule.call(step.job, step.job.inputs, outputs)
