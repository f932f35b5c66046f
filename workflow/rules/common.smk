"""The plan of the config, as rules look it up. What a rule needs, makes and is given is decided in
src/weakreid/plan; its wildcards, resources and command stand in the rule files."""

import functools
import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.logging import logger

try:
    from weakreid.cli import workflow as cli
    from weakreid.config import faults
    from weakreid.errors import ReidError
    from weakreid.plan import targets
    from weakreid.plan.read import RULES, plan_of
    from weakreid.plan.rules import pattern
except ModuleNotFoundError as error:
    raise SystemExit(
        f"error: {sys.executable} has no module {error.name}; activate the environment of this "
        f"project (. .venv/bin/activate), or install it: pip install --editable {workflow.basedir}"
    )

cli.put_first_on_path(Path(sys.executable).parent)

ENVIRONMENT = "../../envs/cpu.yaml"
# in an environment of conda too, which has the packages that this one needs, but not this one
python = f"PYTHONPATH={Path(workflow.basedir, 'src').resolve()} python"


# --- the config -----------------------------------------------------------------------------------


def names_of_files():
    """Return the files that gave the config, later ones winning, and how messages call them."""
    given = workflow.config_settings.configfiles
    names = {}
    for path in map(Path, workflow.configfiles):
        below = path.is_relative_to(Path.cwd())
        names[path] = str(path.relative_to(Path.cwd()) if below else path)
        if path.name == faults.OWN_FILE and path not in given:
            names[path] = faults.OWN_FILE
    return names


def parts_of_config():
    """Return what gave the config, later ones winning: a name, and what stands there."""
    parts = [(name, load_configfile(path)) for path, name in names_of_files().items()]
    return [*parts, ("--config", dict(workflow.config_settings.config))]


def refuse(lines):
    raise SystemExit("\n".join(f"error: {line}" for line in lines))


twice = [
    line
    for path, name in names_of_files().items()
    if path.suffix != ".json"
    for line in faults.repeated_keys(name, path.read_text(encoding="utf-8"))
]
if twice:
    refuse(twice)
try:
    PLAN = plan_of(config)
except ReidError as error:
    refuse(faults.blamed(error, parts_of_config()))

own_file = bool(workflow.config_settings.configfiles)
no_such_target = lambda target: targets.no_such_target(PLAN, target, own_file)
logger.addFilter(cli.one_line(Path(workflow.basedir), no_such_target))


wildcard_constraints:
    **targets.SHAPES,
    **{name: pattern(values) for name, values in targets.values_of(PLAN).items()},


# --- what rules look up ---------------------------------------------------------------------------


@functools.cache
def job_of(name, values):
    job = RULES[name].needs(PLAN, **dict(values))
    if job.reading is not None and workflow.is_main_process:
        chosen = workflow.dag_settings
        forced = RULES if chosen.forceall else set(map(str, chosen.forcerun))
        if warning := cli.changed_data(job.reading, forced):
            logger.warning(warning)
    return job


def job(name, wildcards):
    """Return what a rule's job needs, or refuse it before anything runs."""
    return job_of(name, tuple(sorted(wildcards.items())))


def needs(name):
    """Return an input function: the inputs of a rule by the options of its stage."""

    def inputs(wildcards):
        found = job(name, wildcards)
        # where jobs share no files with this machine, those that read this one run here
        flagged = lambda path: local(path) if path in found.here else path
        named = {**found.inputs, "also": found.also}
        return {
            option: (
                flagged(paths) if isinstance(paths, str) else list(map(flagged, paths))
            )
            for option, paths in named.items()
        }

    return inputs


def makes(name):
    """Return the outputs of a rule, those of the report's page marked for it."""
    flags = {"folder": directory, "local": local, "temporary": temp}
    return {
        key: (
            shown(output.path, output.shown, output.caption)
            if output.shown
            else flags.get(output.kind, str)(output.path)
        )
        for key, output in RULES[name].outputs.items()
    }


def given(name):
    """Return the params of a rule: its stage's arguments, and the digest of the code that it runs."""
    rule = RULES[name]

    def call(wildcards, input, output):
        found = job(name, wildcards)
        inputs = {option: getattr(input, option) for option in found.inputs}
        return rule.call(found, inputs, {key: output[key] for key in rule.outputs})

    return {"call": call, "code": lambda wildcards: rule.code(job(name, wildcards))}


def only(name):
    """Return the patterns of a rule's wildcards, where it has not all values that there are."""
    return {key: pattern(values(PLAN)) for key, values in RULES[name].only.items()}


def log_of(name):
    return RULES[name].log


def benchmark_of(name):
    return RULES[name].benchmark


def asks(mb, minutes, goes_on=False):
    """Return memory and time of a job; one that is submitted again asks for more.

    One that goes on from where it was needs no more time.
    """
    return {
        "mem_mb": lambda wildcards, attempt: mb * attempt,
        "runtime": lambda wildcards, attempt: minutes * (1 if goes_on else attempt),
    }
