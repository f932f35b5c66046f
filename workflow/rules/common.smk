"""The validated config, and what the rules look up in it."""

import importlib
import json
import logging
import re
from pathlib import Path

from snakemake.logging import logger

from weakreid import codedigest, config as weakreid_config, config_faults
from weakreid.errors import ReidError
from weakreid.report import published


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
    if kind == "experiments" and name in CONFIG.same:
        same = CONFIG.same[name]
        return f"{target}: that is the experiment {same}; ask for results/{same}/metrics.json"
    of_dataset = re.match(r"results/tables/[^/]+/([^/]+)/", target)
    if name in names and of_dataset and of_dataset[1] not in CONFIG.datasets:
        close = config_faults.suggest(of_dataset[1], CONFIG.datasets)
        return f"{target}: datasets.{of_dataset[1]} does not exist{close}"
    if name in names:
        return f"{target}: nothing makes this file of {kind}.{name}; see README.md for the files"
    return f"{target}: {kind}.{name} does not exist{config_faults.suggest(name, names)}"


logger.addFilter(one_line)

PUBLISHED = "workflow/resources/published.csv"


def check_published(tables, studies):
    """Refuse, before anything runs, a table that no paper of the published figures has."""
    figures = published.read(Path(workflow.basedir) / PUBLISHED)
    for table in tables.values():
        if table.kind in ("study", "counts"):
            figures.rows(table.paper, table.table)
            study = studies[table.study]
            places = [place.published for place in study.datasets.values()]
            for name in filter(None, [study.beside, *places]):
                figures.check_dataset(table.paper, name)


try:
    CONFIG = weakreid_config.load(config)
    check_published(CONFIG.tables, CONFIG.studies)
except ReidError as error:
    raise SystemExit(f"error: {error}")


wildcard_constraints:
    dataset="|".join(CONFIG.datasets),
    bags="|".join(CONFIG.bags),
    experiment="|".join(CONFIG.experiments),
    table="|".join(CONFIG.tables) or "none",
    # of a table: nothing, or one dataset
    place=f"(/({'|'.join(CONFIG.datasets)}))?",
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
            f"or {key}.archives to fetch it; the experiment wl_walkers runs without it, and a table "
            "for one dataset is results/tables/TABLE/DATASET/table.md"
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
    """Return an experiment's method, or refuse an experiment that cannot be."""
    if wildcards.experiment in CONFIG.refused:
        raise ReidError(CONFIG.refused[wildcards.experiment])
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


def tables_of(kind):
    """Return a pattern of the tables of one kind."""
    return "|".join(n for n, t in CONFIG.tables.items() if t.kind == kind) or "none"


def tables_with_axis():
    """Return a pattern of the studies' tables that are also a plot."""
    plotted = [n for n, t in CONFIG.tables.items() if getattr(t, "axis", None)]
    return "|".join(plotted) or "none"


def table_inputs(wildcards):
    rows = CONFIG.tables[wildcards.table].rows
    names = [CONFIG.same.get(name, name) for name in rows.values()]
    return expand("results/{experiment}/metrics.json", experiment=names)


def table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    rows = [{"label": label, "experiment": name} for label, name in table.rows.items()]
    return values({"title": table.title, "rows": rows})


def datasets_of(wildcards):
    """Return the datasets that a study's table shows."""
    one = wildcards.place.lstrip("/")
    return [one] if one else CONFIG.tables[wildcards.table].datasets


def base_of(wildcards, dataset, row=""):
    """Return the name and the block of an experiment of a table's study."""
    study = CONFIG.tables[wildcards.table].study
    name = weakreid_config.experiment_of_row(CONFIG, study, dataset, row)
    return name, CONFIG.experiments[name]


def published_beside(wildcards):
    """Return the datasets of a study's table, each with the published one it stands beside."""
    study = CONFIG.studies[CONFIG.tables[wildcards.table].study]
    found = []
    for name in datasets_of(wildcards):
        own = study.datasets[name].published if name in study.datasets else None
        beside = own or study.beside
        found.append({"name": name, "published": beside, "own": own is not None})
    return found


def cells_of(wildcards):
    """Return (row, dataset, experiment or None) of a study's table, in order."""
    rows = CONFIG.tables[wildcards.table].rows
    return [
        (label, dataset, base_of(wildcards, dataset, row)[0] if row else None)
        for label, row in rows.items()
        for dataset in datasets_of(wildcards)
    ]


def study_table_inputs(wildcards):
    """Return metrics.json of every experiment of a study's table that can be."""
    names = [name for _, _, name in cells_of(wildcards)]
    possible = [name for name in names if name and name not in CONFIG.refused]
    return expand(
        "results/{experiment}/metrics.json", experiment=dict.fromkeys(possible)
    )


def study_table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    paths = study_table_inputs(wildcards)
    cells = {label: {} for label in table.rows}
    for label, dataset, name in cells_of(wildcards):
        if name is None:
            cell = {}
        elif name in CONFIG.refused:
            cell = {"why": CONFIG.refused[name].removeprefix(f"experiments.{name}: ")}
        else:
            cell = {"metrics": paths.index(f"results/{name}/metrics.json")}
        cells[label][dataset] = cell
    return values(
        table.model_dump(mode="json", exclude={"kind", "study", "datasets", "rows"}),
        datasets=published_beside(wildcards),
        rows=[{"label": label, "cells": found} for label, found in cells.items()],
    )


def split_tables(pattern):
    """Return an input function: a file of each dataset of a study's table, on its first split."""

    def paths(wildcards):
        found = []
        for dataset in datasets_of(wildcards):
            _, experiment = base_of(wildcards, dataset)
            split, bags = experiment.splits[0], experiment.bags
            found += expand(pattern, dataset=dataset, split=split, bags=bags)
        return found

    return paths


def counts_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    named = table.model_dump(mode="json", include={"title", "paper", "table"})
    return values(named, datasets=published_beside(wildcards))


def cost_values(wildcards):
    named = []
    for dataset in datasets_of(wildcards):
        bags = CONFIG.bags[base_of(wildcards, dataset)[1].bags]
        named.append({"name": dataset, "tracklet_parts": bags.tracklet_parts})
    return values({"title": CONFIG.tables[wildcards.table].title, "datasets": named})


def audits_of(wildcards):
    """Return the audited experiment of each dataset of an audit's table."""
    row = CONFIG.tables[wildcards.table].row
    return {
        dataset: base_of(wildcards, dataset, row)[0]
        for dataset in datasets_of(wildcards)
    }


def audit_table_inputs(wildcards):
    return [
        f"results/{experiment}/runs/{run}/audit.json"
        for experiment in audits_of(wildcards).values()
        for run in runs_of(experiment)
    ]


def audit_table_values(wildcards):
    named = [
        {"name": dataset, "runs": runs_of(experiment)}
        for dataset, experiment in audits_of(wildcards).items()
    ]
    return values({"title": CONFIG.tables[wildcards.table].title, "datasets": named})


def matches_of_table(protocol):
    """Return an input function: the matching examples of the first run of a study's own method."""

    def path(wildcards):
        experiment, _ = base_of(wildcards, datasets_of(wildcards)[0])
        run = runs_of(experiment)[0]
        return f"results/{experiment}/runs/{run}/matches_{protocol}.png"

    return path


def each(option, paths):
    """Return an option before each of several paths, as the stages' command lines take them."""
    return [f"--{option}={path}" for path in paths]


def examples_of(experiment):
    """Return the figures of an experiment."""
    run = runs_of(experiment)[0]
    return [
        f"results/{experiment}/learning_curve.svg",
        f"results/{experiment}/runs/{run}/matches_fine.png",
        f"results/{experiment}/runs/{run}/matches_coarse.png",
    ]
