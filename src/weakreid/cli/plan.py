"""`weakreid plan`: the experiments of the config, and what one of them is made of."""

import fnmatch
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from snakemake_logger_plugin_weakreid.commandline import (
    CallError,
    check_configfile,
    check_yaml,
)
from weakreid.artifacts.files import there
from weakreid.cli.workflow import read_plan
from weakreid.config.faults import suggest_or_file
from weakreid.config.sources import default_files, read_merged
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.evaluation_rules import clustered
from weakreid.plan.experiments import Experiment
from weakreid.plan.graph import steps_to
from weakreid.plan.plan import Plan, Run
from weakreid.plan.provenance import DEFAULT, values_of

CHECKOUT = Path(__file__).resolve().parents[3]


def plan(
    name: Annotated[
        str, typer.Argument(help="of an experiment, or a pattern such as 'wl_walkers*'")
    ] = "*",
    configfile: Annotated[
        list[Path] | None, typer.Option(help="more keys, as for snakemake; later files win")
    ] = None,
) -> None:
    """List the experiments, or show one: its method, its artifacts, and what would run."""
    try:
        for line in told(planned(configfile or []), name, own_file=bool(configfile)):
            typer.echo(line)
    except BrokenPipeError:
        # who reads has seen enough; typer ends quietly
        raise
    except (ReidError, CallError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except SystemExit as refused:
        typer.echo(refused, err=True)
        raise typer.Exit(1) from None


def planned(configfiles: Sequence[Path]) -> Plan:
    """Return the plan of the folder that this runs in: of its config.yaml, or else the checkout's.

    Raises:
        CallError: a file is not there, or is no YAML.
        SystemExit: the config has faults; a line each.
    """
    *papers, own = default_files(CHECKOUT)
    here = Path("config.yaml")
    if here.exists():
        check_yaml(here)
        own = here
    for path in configfiles:
        check_configfile(path)
    files = [*papers, own, *configfiles]
    return read_plan(read_merged(files), files, {}, CHECKOUT)


def told(plan: Plan, name: str, own_file: bool = False) -> Iterator[str]:
    """Yield the lines on one experiment, or on all whose names fit a pattern.

    Args:
        plan: of the config.
        name: an experiment, or a pattern.
        own_file: whether --configfile was given.

    Raises:
        ReidError: there is none.
    """
    if name in plan.experiments or name in plan.same:
        yield from _one(plan, name)
        return
    names = fnmatch.filter([*plan.experiments, *plan.same], name)
    if not names and Path(name).is_file():
        raise ReidError(f"{name} is a file, no experiment; say --configfile before each file")
    if not names:
        meant = suggest_or_file(name, plan.experiments, own_file)
        raise ReidError(f"experiments.{name} does not exist{meant}")
    width = max(map(len, names))
    for found in names:
        if found in plan.same:
            yield f"{found:{width}}  is {plan.same[found]}"
        elif found in plan.refused:
            yield f"{found:{width}}  refused: {_reason(plan, found)}"
        else:
            yield f"{found:{width}}  {_in_short(plan.experiments[found])}"


def _reason(plan: Plan, name: str) -> str:
    return plan.refused[name].removeprefix(f"experiments.{name}: ")


def _seen(experiment: Experiment) -> str:
    blocks = ("bags", "noise", "isolation", "transfer", "init")
    found = [(block, getattr(experiment, block)) for block in blocks]
    return ", ".join(f"{block} {value}" for block, value in found if value is not None)


def _in_short(experiment: Experiment) -> str:
    runs = len(experiment.runs)
    seen = _seen(experiment)
    parts = [experiment.dataset, f"method {experiment.method_name}", seen]
    return ", ".join(filter(None, [*parts, f"{runs} run{'s' * (runs > 1)}"]))


def _one(plan: Plan, asked: str) -> Iterator[str]:
    name = plan.same.get(asked, asked)
    experiment = plan.experiments[name]
    if asked != name:
        yield f"{asked} is the experiment {name}."
    yield f"{name}: {_in_short(experiment)}"
    if experiment.row is not None:
        row = experiment.row
        of_row = f"row {row.row}" if row.row else "its own method"
        at = f", noise level {row.level}" if row.level else ""
        yield f"  study {row.study}, dataset {row.dataset}, {of_row}{at}"
    if name in plan.refused:
        yield f"  refused: {_reason(plan, name)}"
    yield ""
    yield "method, and where each value comes from:"
    values = [(f"{key}: {json.dumps(v)}", where) for key, v, where in values_of(plan, experiment)]
    width = min(60, max(len(text) for text, _ in values))
    for text, where in values:
        yield f"  {text:{width}}  {'' if where == DEFAULT else where}".rstrip()
    if name in plan.refused:
        return
    yield ""
    yield "artifacts (+ is there, - is not):"
    for path in _artifacts(plan, experiment):
        yield f"  {'+' if there(Path(path)) else '-'} {path}"
    yield ""
    yield from _would_run(plan, name)


def _artifacts(plan: Plan, experiment: Experiment) -> Iterator[str]:
    """Yield the files that are asked for most; of a tracker's output those that need no truth."""
    seen = plan.tracked(experiment.dataset)
    yield paths.metrics(experiment.name)
    yield paths.of_experiment(experiment.name, "learning_curve.svg")
    for run in experiment.runs:
        yield Run(experiment, run).path("model.safetensors")
        yield Run(experiment, run).path("metrics.json")
        if seen:
            yield Run(experiment, run).path("search.png")
        if seen and clustered(Run(experiment, run)):
            yield Run(experiment, run).path("identities.png")


def _would_run(plan: Plan, name: str) -> Iterator[str]:
    """Tell what asking for an experiment's figures would run; a change of inputs shows in -n."""
    target = paths.metrics(name)
    try:
        steps = steps_to(plan, [target])
    except ReidError as error:
        yield f"cannot run: {error}"
        return
    missing = set[str]()
    jobs = Counter[str]()
    for step in steps:
        lacks = any(not there(Path(path)) for path in step.outputs)
        if lacks or missing & set(step.job.paths()):
            missing |= set(step.outputs)
            jobs[step.rule.name] += 1
    if not jobs:
        yield f"all of it is there; what changed since: snakemake -n {target}"
        return
    yield f"snakemake {target} would run:"
    for rule, count in jobs.items():
        yield f"  {rule}" + (f" ({count} jobs)" if count > 1 else "")
