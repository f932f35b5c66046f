"""The validated config, and what the rules look up in it."""

import importlib
import json
import logging
import re
from pathlib import Path

from snakemake.logging import logger

from weakreid import codedigest, config as weakreid_config
from weakreid.errors import ReidError


def one_line(record):
    """Reduce Snakemake's account of a ReidError, or of a target unknown, to one line."""
    text = str(record.msg)
    unknown = re.search(r"No rule to produce (.+) \(if you use input functions", text)
    if record.levelno >= logging.ERROR and "ReidError:" in text:
        record.msg = "error: " + text.split("ReidError:", 1)[1].strip().splitlines()[0]
    elif record.levelno >= logging.ERROR and unknown:
        record.msg = f"error: {no_such_target(unknown[1])}"
    return True


def no_such_target(target):
    """Return what is wrong with a target that no rule makes."""
    place = re.match(r"results/(?:(datasets|tables)/)?([^/]+)/", target)
    if place is None:
        wanted = "results/EXPERIMENT/metrics.json or results/tables/TABLE/table.md"
        return f"{target}: nothing makes this; ask for {wanted}"
    kind, name = place[1] or "experiments", place[2]
    names = getattr(CONFIG, kind)
    if name in names:
        return f"{target}: nothing makes this file of {kind}.{name}; see README.md for the files"
    return (
        f"{target}: {kind}.{name} does not exist{weakreid_config.suggest(name, names)}"
    )


logger.addFilter(one_line)

try:
    CONFIG = weakreid_config.load(config)
except ReidError as error:
    raise SystemExit(f"error: {error}")


wildcard_constraints:
    dataset="|".join(CONFIG.datasets),
    bags="|".join(CONFIG.bags),
    experiment="|".join(CONFIG.experiments),
    table="|".join(CONFIG.tables) or "none",
    split="official|dev|[0-9]",
    run="(official|dev|[0-9])-[0-9]+",


def values(block, **more):
    """Return a block of the config, as the JSON that a stage is given."""
    plain = block if isinstance(block, dict) else block.model_dump(mode="json")
    return json.dumps({**plain, **more}, sort_keys=True)


def code(*modules):
    """Return the digest of a stage's own code: editing it reruns the stage, a comment does not.

    The config counts by its values, which the rules carry; what a stage says while it works
    is no part of its result.
    """
    names = [f"weakreid.{module}" for module in modules]
    silent = frozenset({"weakreid.config", "weakreid.console"})
    return codedigest.digest(*names, exclude=silent)


# --- datasets ---


def is_generated(dataset):
    return CONFIG.datasets[dataset].source == "walkers"


def data_in_place(wildcards):
    """Refuse, before anything runs, a dataset that is neither in place nor fetched."""
    block = CONFIG.datasets[wildcards.dataset]
    reader = importlib.import_module(f"weakreid.datasets.{block.source}")
    missing = [
        name for name in reader.REQUIRED if not (Path(block.root) / name).exists()
    ]
    made = Path(f"results/datasets/{wildcards.dataset}/tracklets.parquet")
    if missing and not block.archives and not made.exists():
        key = f"datasets.{wildcards.dataset}"
        raise ReidError(
            f"dataset {wildcards.dataset}: {Path(block.root) / missing[0]} is not there; "
            f"{reader.HOW_TO_GET} ({block.root}), or set {key}.root to the folder that holds it, "
            f"or {key}.archives to fetch it; the experiment wl_walkers runs without it"
        )
    return []


def fetch_values(wildcards):
    block = CONFIG.datasets[wildcards.dataset]
    return values(block.model_dump(mode="json", include={"source", "root", "archives"}))


def fetch_code(wildcards):
    return code("stages.fetch", f"datasets.{CONFIG.datasets[wildcards.dataset].source}")


def walkers_values(wildcards):
    block = CONFIG.datasets[wildcards.dataset]
    return values(block.model_dump(mode="json", exclude={"source", "on_bad_frame"}))


def reader_of(dataset):
    """Return the reader of a dataset: the generated one has MARS's layout."""
    return "mars" if is_generated(dataset) else CONFIG.datasets[dataset].source


def reader_values(wildcards):
    """Return how a dataset is read, without where it is and how it gets there."""
    block = CONFIG.datasets[wildcards.dataset]
    options = {"on_bad_frame": block.on_bad_frame}
    if not is_generated(wildcards.dataset):
        options["official"] = block.official
    if getattr(block, "split_seed", None) is not None:
        options["seed"] = block.split_seed
    return values({"source": reader_of(wildcards.dataset), "options": options})


def reader_code(wildcards):
    return code("stages.dataset", f"datasets.{reader_of(wildcards.dataset)}")


def split_values(wildcards):
    if wildcards.split != "dev":
        return values({"split": wildcards.split})
    fraction = CONFIG.validation_fraction
    return values(
        {"split": "dev", "seed": CONFIG.seed, "validation_fraction": fraction}
    )


# --- experiments ---


def method_of(wildcards):
    return weakreid_config.method_of(CONFIG, wildcards.experiment)


def experiment_of(wildcards):
    return CONFIG.experiments[wildcards.experiment]


def split_of(wildcards):
    """Return the split of a run, whose name is SPLIT-SEED."""
    return wildcards.run.rpartition("-")[0]


def seed_of(wildcards):
    return int(wildcards.run.rpartition("-")[2])


def runs_of(experiment):
    """Return the names of an experiment's runs."""
    chosen = CONFIG.experiments[experiment]
    return [f"{split}-{seed}" for split in chosen.splits for seed in chosen.seeds]


def dataset_folder(wildcards):
    return f"results/datasets/{experiment_of(wildcards).dataset}"


def split_folder(wildcards):
    return f"{dataset_folder(wildcards)}/{split_of(wildcards)}"


def training_values(wildcards):
    """Return what a training depends on: the method without its evaluation, and the seed."""
    chosen = method_of(wildcards).model_dump(mode="json", exclude={"evaluation"})
    return values(chosen, seed=seed_of(wildcards))


def training_code(wildcards):
    """Return the digest of a training's code, with the losses that it uses and no others."""
    method = method_of(wildcards)
    losses = [f"losses.{method.loss.name}"]
    if method.cpal.weight > 0:
        losses.append("losses.cpal")
    return code("stages.train", *losses)


def collect_values(wildcards):
    """Return what metrics.json says of an experiment beside its figures."""
    experiment = experiment_of(wildcards)
    dataset = CONFIG.datasets[experiment.dataset]
    resolved = {
        "seed": CONFIG.seed,
        # without places: the same data gives the same figures wherever it lies
        "dataset": dataset.model_dump(mode="json", exclude={"root", "archives"}),
        "bags": CONFIG.bags[experiment.bags].model_dump(mode="json"),
        "coarse": CONFIG.coarse.model_dump(mode="json"),
        "method": method_of(wildcards).model_dump(mode="json"),
    }
    if "dev" in experiment.splits:
        resolved["validation_fraction"] = CONFIG.validation_fraction
    named = experiment.model_dump(mode="json", include={"dataset", "bags", "method"})
    about = {"experiment": wildcards.experiment, **named}
    return values(about, runs=runs_of(wildcards.experiment), config=resolved)


def of_runs(pattern):
    """Return an input function: a run's file, of every run of the experiment."""
    return lambda wildcards: expand(
        pattern, run=runs_of(wildcards.experiment), allow_missing=True
    )


# --- tables ---


def table_inputs(wildcards):
    rows = CONFIG.tables[wildcards.table].rows
    return expand("results/{experiment}/metrics.json", experiment=rows.values())


def table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    rows = [{"label": label, "experiment": name} for label, name in table.rows.items()]
    return values({"title": table.title, "rows": rows})


def examples_of(experiment):
    """Return the figures of an experiment."""
    run = runs_of(experiment)[0]
    return [
        f"results/{experiment}/learning_curve.svg",
        f"results/{experiment}/runs/{run}/matches_fine.png",
        f"results/{experiment}/runs/{run}/matches_coarse.png",
    ]
