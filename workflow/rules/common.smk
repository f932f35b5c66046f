"""The plan of the config, as rules look it up. What a rule needs, makes and is given is decided in
src/weakreid/plan; its wildcards, resources and command stand in the rule files."""

import sys
from functools import cache, partial
from pathlib import Path

from snakemake.logging import logger

try:
    from weakreid.cli import workflow as cli
    from weakreid.plan import report_page, targets
    from weakreid.plan.read import RULES
except ModuleNotFoundError as error:
    raise SystemExit(
        f"error: {sys.executable} has no module {error.name}; activate the environment of this "
        f"project (. .venv/bin/activate), or install it: pip install --editable {workflow.basedir}"
    )

cli.put_first_on_path(Path(sys.executable).parent)

# It has the packages that weakreid needs, but not weakreid. Snakemake takes PYTHONPATH away from
# jobs in an environment of conda's, so commands say it themselves.
ENVIRONMENT = "../../envs/weakreid.yaml"
source = str((checkout / "src").resolve())
shell.prefix(
    "set -euo pipefail; export PYTHONPATH={source:q}${{PYTHONPATH:+:$PYTHONPATH}}; "
)


# --- the config -----------------------------------------------------------------------------------


# those of the command line, which Snakemake names first, win
own_files = list(map(Path, workflow.config_settings.configfiles))
files = [path for path in map(Path, workflow.configfiles) if path not in own_files]
PLAN = cli.read_plan(
    config, [*files, *own_files], dict(workflow.config_settings.config), checkout
)
own_file = bool(own_files)
no_such_target = lambda target: targets.no_such_target(PLAN, target, own_file)
logger.addFilter(cli.one_line(checkout, no_such_target))


wildcard_constraints:
    **targets.SHAPES,


# --- what rules look up ---------------------------------------------------------------------------


@cache
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
    flags = {"folder": directory, "local": local, "temporary": temp, "file": str}
    found = {}
    for key, output in RULES[name].outputs.items():
        path = targets.constrained(PLAN, RULES[name], output.path)
        mark = partial(shown, output) if output.shown else flags[output.kind]
        found[key] = mark(path)
    return found


def shown(output, path):
    """Mark an output for the page that --report writes."""
    labels = partial(report_page.labels, PLAN, output.shown)
    category, of = report_page.place(PLAN, output.path)
    caption = f"../report/{output.caption}.rst"
    return report(
        path, caption=caption, category=category, subcategory=of, labels=labels
    )


def given(name):
    """Return the params of a rule: its stage's arguments, and the digest of the code that it runs.

    Snakemake keeps no param that is made of inputs and outputs, as `call` is: `told` and `code` are
    those whose change reruns a job.
    """
    of = RULES[name]

    def call(wildcards, input, output):
        found = job(name, wildcards)
        inputs = {option: getattr(input, option) for option in found.inputs}
        return of.call(found, inputs, {key: output[key] for key in of.outputs})

    return {
        "stage": of.stage,
        "call": call,
        "told": lambda wildcards: of.told(job(name, wildcards)),
        "code": lambda wildcards: of.code(job(name, wildcards)),
    }


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
