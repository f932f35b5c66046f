"""The validated config, and what the rules look up in it."""

import functools
import importlib
import json
import logging
import os
import re
import shutil
import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.logging import logger

try:
    from weakreid.artifacts import arguments, files
    from weakreid.artifacts.files import there
    from weakreid.config import faults as config_faults, whole as weakreid_config
    from weakreid.datasets import (
        changes as seen,
        location as place,
        lookup as whereabouts,
    )
    from weakreid.errors import ReidError
    from weakreid.plan import codedigest
    from weakreid.report import published
    from weakreid.seeding import derive
except ModuleNotFoundError as error:
    raise SystemExit(
        f"error: {sys.executable} has no module {error.name}; activate the environment of this "
        f"project (. .venv/bin/activate), or install it: pip install --editable {workflow.basedir}"
    )


def put_first_on_path(folder):
    """Let commands find the Python that runs this, whether its environment is activated or not.

    On a cluster each job reads this again and finds its own. A rule's conda environment or
    container still comes before it.
    """
    before = os.environ.get("PATH", os.defpath)
    if before.split(os.pathsep)[0] != str(folder):
        os.environ.update(PATH=f"{folder}{os.pathsep}{before}")
    if shutil.which("python") is None:
        raise SystemExit(
            f"error: there is no program `python` in {folder} or elsewhere on PATH; activate the "
            "environment of this project (. .venv/bin/activate)"
        )


put_first_on_path(Path(sys.executable).parent)


def one_line(record):
    """Reduce Snakemake's account of a ReidError, or of a target unknown, to one line."""
    text = str(record.msg)
    unknown = re.search(r"No rule to produce (.+) \(if you use input functions", text)
    if record.levelno >= logging.ERROR and "ReidError:" in text:
        first = text.split("ReidError:", 1)[1].strip().splitlines()[0]
        record.msg = f"error: {first}{where_from()}"
    elif record.levelno >= logging.ERROR and unknown:
        record.msg = f"error: {config_faults.shortened(no_such_target(unknown[1]))}"
    return True


def where_from():
    """Return, in another folder than the checkout, from which one relative paths are taken."""
    elsewhere = Path.cwd().resolve() != Path(workflow.basedir).resolve()
    return f" (relative paths are from {Path.cwd()})" if elsewhere else ""


def no_such_target(target):
    """Return what is wrong with a target that no rule makes."""
    folders = "datasets|tables|trackers|sources|attributes|tuning"
    place = re.match(rf"results/(?:({folders})/)?([^/]+)/", target)
    if place is None:
        wanted = "results/EXPERIMENT/metrics.json or results/tables/TABLE/table.md"
        return f"{target}: nothing makes this; ask for {wanted}"
    kind, name = place[1] or "experiments", place[2]
    kind = "transfers" if kind == "attributes" else kind
    names = getattr(CONFIG, kind)
    if kind == "transfers" and name in names and names[name].labels == "truth":
        made = "results/datasets/DATASET/attributes.parquet"
        return f"{target}: the truth is not learnt; ask for {made}, where it is known"
    if kind == "experiments" and name in CONFIG.same:
        same = CONFIG.same[name]
        return f"{target}: that is the experiment {same}; ask for results/{same}/metrics.json"
    of_dataset = re.match(r"results/tables/[^/]+/([^/]+)/", target)
    if name in names and of_dataset and of_dataset[1] not in CONFIG.datasets:
        close = config_faults.suggest(of_dataset[1], CONFIG.datasets)
        return f"{target}: datasets.{of_dataset[1]} does not exist{close}"
    if name in names:
        return f"{target}: nothing makes this file of {kind}.{name}; see README.md for the files"
    meant = config_faults.suggest(name, names)
    if "did you mean" not in meant and not workflow.config_settings.configfiles:
        meant += "; if a file of your own has it, name that with --configfile"
    return f"{target}: {kind}.{name} does not exist{meant}"


logger.addFilter(one_line)


def clear_leftovers():
    """Remove what killed jobs left half-written, and say so."""
    roots = (Path("results"), arguments.PLACE)
    removed = [part for root in roots for part in files.remove_all_leftovers(root)]
    for block in (*CONFIG.datasets.values(), *CONFIG.sources.values()):
        if getattr(block, "archives", None):
            # heavy to load, and most have none
            unpack = importlib.import_module("weakreid.datasets.unpack")
            removed += unpack.remove_leftovers(Path(block.root))
    for part in removed[:3]:
        logger.info(f"{part}: left by a job that was killed; removed")
    if len(removed) > 3:
        logger.info(f"{len(removed)} such leftovers in all were removed")


def in_checkout(path):
    """Return the path of a file of the checkout, from the folder that the workflow runs in."""
    whole = Path(workflow.basedir) / path
    return path if Path(path).absolute() == whole.absolute() else str(whole)


# where jobs share no files with this machine, those that read this one run here
PUBLISHED = local(in_checkout("workflow/resources/published.csv"))


def check_published(tables, studies):
    """Refuse, before anything runs, a table that no paper of the published figures has."""
    figures = published.read(Path(PUBLISHED))
    for table in tables.values():
        if getattr(table, "paper", None) is not None:
            figures.rows(table.paper, table.table)
            study = studies[table.study]
            places = [place.published for place in study.datasets.values()]
            levels = [level.published for level in study.levels.values()]
            for name in filter(None, [study.beside, *places, *levels]):
                figures.check_dataset(table.paper, name)


def files_of_config():
    """Return the files that gave the config, later ones winning, and their names."""
    settings = workflow.config_settings
    own = workflow.configfiles[len(settings.configfiles) :]
    names = {Path(path): config_faults.OWN_FILE for path in own}
    for path in settings.configfiles:
        below = path.is_relative_to(Path.cwd())
        names[path] = str(path.relative_to(Path.cwd()) if below else path)
    return names


def parts_of_config():
    """Return what gave the config, later ones winning: a name, and what stands there."""
    parts = [(name, load_configfile(path)) for path, name in files_of_config().items()]
    return [*parts, ("--config", dict(workflow.config_settings.config))]


def refuse(lines):
    raise SystemExit("\n".join(f"error: {line}" for line in lines))


twice = [
    line
    for path, name in files_of_config().items()
    if path.suffix != ".json"
    for line in config_faults.repeated_keys(name, path.read_text(encoding="utf-8"))
]
if twice:
    refuse(twice)
try:
    CONFIG = weakreid_config.load(config)
    check_published(CONFIG.tables, CONFIG.studies)
except ReidError as error:
    refuse(config_faults.blamed(error, parts_of_config()))


def one_of(names):
    """Return a pattern of names, in which what several of them begin or end with is said once.

    There are more than a thousand experiments: one after the other they are a pattern of tens of
    kilobytes, which every rule's outputs would be compiled to.
    """
    ends, words = {}, {}
    for name in names:
        word, rest = re.fullmatch("(_?[^_]*)(.*)", name).groups()
        ends.setdefault(word, []).append(rest)
    for word, rests in ends.items():
        end = f"(?:{one_of(rests)})" if any(rests) else ""
        words.setdefault(end, []).append(word)
    return "|".join(f"(?:{'|'.join(found)}){rest}" for rest, found in words.items())


wildcard_constraints:
    dataset="|".join(CONFIG.datasets),
    bags="|".join(CONFIG.bags) or "none",
    tracker="|".join(CONFIG.trackers) or "none",
    noise="|".join(CONFIG.noise) or "none",
    extractor="|".join(CONFIG.extractors) or "none",
    isolation="|".join(CONFIG.isolation) or "none",
    source="|".join(CONFIG.sources) or "none",
    # those that are learnt; the truth is no transfer's
    transfer="|".join(n for n, t in CONFIG.transfers.items() if t.labels != "truth")
    or "none",
    experiment=one_of(CONFIG.experiments),
    table="|".join(CONFIG.tables) or "none",
    tuning="|".join(CONFIG.tuning) or "none",
    worker="[1-9][0-9]*",
    # of a table: nothing, or one dataset
    place=f"(/({'|'.join(CONFIG.datasets)}))?",
    split="official|dev|[0-9]",
    run="(official|dev|[0-9])-[0-9]+",


def values(block, **more):
    """Return a block of the config, as the JSON that a stage is given."""
    plain = block if isinstance(block, dict) else block.model_dump(mode="json")
    (text,) = arguments.shortened([json.dumps({**plain, **more}, sort_keys=True)])
    return text


def each(option, paths):
    """Return an option before each of several paths, as the stages' command lines take them."""
    paths = [paths] if isinstance(paths, str) else paths
    return arguments.shortened([f"--{option}={path}" for path in paths])


@functools.cache
def code(*modules):
    """Return the digest of a stage's own code: editing it reruns the stage, a comment does not.

    The config counts by its values, which the rules carry; what a stage says while it works, and
    what it notes of the files that it read, is no part of its result.
    """
    names = [f"weakreid.{module}" for module in modules]
    silent = codedigest.ASIDE | {"weakreid.console", "weakreid.datasets.changes"}
    return codedigest.digest(*names, exclude=silent)


# --- datasets ---


def datasets_from(source):
    """Return a pattern of the datasets of a source."""
    found = [n for n, block in CONFIG.datasets.items() if block.source == source]
    return "|".join(found) or "none"


def is_generated(dataset):
    return CONFIG.datasets[dataset].source == "walkers"


def data_in_place(wildcards):
    """Refuse, before anything runs, a dataset that is neither in place nor fetched."""
    block = CONFIG.datasets[wildcards.dataset]
    key, root = f"datasets.{wildcards.dataset}", Path(block.root)
    folder = f"results/datasets/{wildcards.dataset}"
    if block.source == "mot":
        if there(made := f"{folder}/cropped.json"):
            say_if_changed(key, root, made, "crops", inputs=True)
        return tracked_files(wildcards.dataset)
    reader = importlib.import_module(f"weakreid.datasets.{block.source}")
    made = f"{folder}/tracklets.parquet"
    if there(made):
        say_if_changed(key, root, made, "dataset")
    elif not block.archives and (missing := whereabouts.lacking(root, reader.REQUIRED)):
        advice = whereabouts.advice(root, reader.REQUIRED, f"{key}.root")
        raise ReidError(
            f"dataset {wildcards.dataset}: {root / missing[0]} is not there{advice}; "
            f"{reader.HOW_TO_GET} ({root}), or set {key}.root to the folder that holds it, "
            f"or {key}.archives to fetch it; the experiment wl_walkers runs without it, and a table "
            "for one dataset is results/tables/TABLE/DATASET/table.md"
        )
    return []


@functools.cache
def say_if_changed(key, root, made, rule, inputs=False):
    """Warn of data that changed since it was read; whether to read it again is for people to say.

    Where the files are the rule's inputs, Snakemake runs it again for newer ones: the others are
    said.
    """
    chosen, folder = workflow.dag_settings, Path(made).parent
    forced = chosen.forceall or {rule, made} & set(map(str, chosen.forcerun))
    if forced or not workflow.is_main_process:
        return
    # another root in the config reads it again anyway
    source = folder / "fetched.json"
    if there(source) and place.find(source).resolve() != root.resolve():
        return
    found = seen.changes(folder / "read" / f"{rule}.json", root)
    if inputs:
        found = seen.older(found, root, Path(made))
    if found:
        more = f" and {len(found) - 1} more places" if len(found) > 1 else ""
        logger.warning(
            f"warning: {key}: {root / found[0]}{more} changed since it was read, and what was made "
            f"of it is as before; to read it again: snakemake --forcerun {made} -- TARGET"
        )


def present(key, root, names):
    """Return the paths of files below a root, or refuse, before anything runs, one that is not there."""
    for name in names:
        if not there(Path(root) / name):
            raise ReidError(
                f"{key}: {Path(root) / name} is not there; put it there, or correct {key}"
            )
    return [local(str(Path(root) / name)) for name in names]


def tracked_files(dataset):
    """Return the files of a tracker's output, its videos, and what is known of them."""
    block = CONFIG.datasets[dataset]
    names = [block.names] if block.names else []
    for of in block.sequences:
        names += [name for name in (of.boxes, of.video, of.frames, of.truth) if name]
    return present(f"datasets.{dataset}", block.root, dict.fromkeys(names))


def crops_values(wildcards):
    block = CONFIG.datasets[wildcards.dataset]
    return values(block.model_dump(mode="json", exclude={"source", "on_bad_frame"}))


def tracker_files(kind):
    """Return an input function: the files of one kind of a tracker, a sequence each."""

    def paths(wildcards):
        block = CONFIG.trackers[wildcards.tracker]
        names = [getattr(block, kind).format(sequence=name) for name in block.sequences]
        return present(f"trackers.{wildcards.tracker}", block.root, names)

    return paths


def tracker_values(wildcards):
    block = CONFIG.trackers[wildcards.tracker]
    sequences = [
        {
            "name": name,
            "static": name in block.static,
            **{
                kind: str(Path(block.root) / getattr(block, kind).format(sequence=name))
                for kind in ("truth", "output")
            },
        }
        for name in block.sequences
    ]
    per_sequence = {"root", "sequences", "truth", "output", "static"}
    more = block.model_dump(mode="json", exclude=per_sequence)
    return values({"title": wildcards.tracker, "sequences": sequences, **more})


def fetch_values(wildcards):
    block = CONFIG.datasets[wildcards.dataset]
    return values(block.model_dump(mode="json", include={"source", "root", "archives"}))


def fetch_code(wildcards):
    return code("stages.fetch", f"datasets.{CONFIG.datasets[wildcards.dataset].source}")


def walkers_values(wildcards):
    block = CONFIG.datasets[wildcards.dataset]
    return values(block.model_dump(mode="json", exclude={"source", "on_bad_frame"}))


def source_of(wildcards):
    """Return what says where a dataset lies: fetched, generated, or cut out of videos."""
    made = {"walkers": "generated", "mot": "cropped"}
    kind = made.get(CONFIG.datasets[wildcards.dataset].source, "fetched")
    path = f"results/datasets/{wildcards.dataset}/{kind}.json"
    return local(path) if kind == "fetched" else path


def files_of(wildcards):
    """Return the folder of a dataset that was generated or cut out of videos, none of another."""
    made = {"walkers": "generated", "mot": "crops"}
    kind = made.get(CONFIG.datasets[wildcards.dataset].source)
    return f"results/datasets/{wildcards.dataset}/{kind}" if kind else []


def reader_of(dataset):
    """Return the reader of a dataset: the generated one has MARS's layout."""
    return "mars" if is_generated(dataset) else CONFIG.datasets[dataset].source


def reader_values(wildcards):
    """Return how a dataset is read, without where it is and how it gets there."""
    block = CONFIG.datasets[wildcards.dataset]
    options = {"on_bad_frame": block.on_bad_frame}
    if hasattr(block, "official"):
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


# --- tracklets ---


def noise_values(wildcards):
    block = CONFIG.noise[wildcards.noise]
    distribution = "fitted" if block.observed is None else "observed"
    rates = block.model_dump(mode="json", include={"rfm", "rsw"})
    return values(rates, distribution=distribution, seed=CONFIG.seed)


def observed_of(wildcards):
    """Return the distribution that a simulation follows, none where it is fitted."""
    tracker = CONFIG.noise[wildcards.noise].observed
    return [] if tracker is None else f"results/trackers/{tracker}/distribution.parquet"


def features_to_isolate(wildcards):
    """Return the features of frames that an isolation clusters."""
    extractor = CONFIG.isolation[wildcards.isolation].extractor
    folder = f"results/datasets/{wildcards.dataset}/{wildcards.split}"
    return f"{folder}/frame_features/{extractor}.parquet"


def isolation_values(wildcards):
    block = CONFIG.isolation[wildcards.isolation]
    return values(block.model_dump(mode="json", exclude={"extractor"}))


def rates_of_dataset(wildcards):
    """Return the measured noise of the tracker whose output a dataset is, if one has its name."""
    known = wildcards.dataset in CONFIG.trackers
    tracked = CONFIG.datasets[wildcards.dataset].source == "mot"
    return (
        f"results/trackers/{wildcards.dataset}/rates.json" if known and tracked else []
    )


def preview_values(wildcards):
    title = f"{wildcards.dataset}, {wildcards.noise}, {wildcards.isolation}"
    return values({"title": title}, seed=CONFIG.seed, tracklets=5)


def frames_of_tracks(wildcards):
    """Return the frames of a tracker's dataset, whose files name its tracks; none of others."""
    tracked = CONFIG.datasets[wildcards.dataset].source == "mot"
    return f"results/datasets/{wildcards.dataset}/frames.parquet" if tracked else []


def noisy_tracks_of(wildcards):
    """Return the tracklets that bags are made of, none where they are the dataset's own."""
    noise = CONFIG.bags[wildcards.bags].noise
    folder = f"results/datasets/{wildcards.dataset}/{wildcards.split}"
    return [] if noise is None else f"{folder}/noise/{noise}.parquet"


def bags_with_videos(wanted):
    """Return a pattern of the bags that are videos with names, or of all others."""
    return "|".join(n for n, b in CONFIG.bags.items() if b.videos == wanted) or "none"


# --- attributes ---


def sources_from(*kinds):
    """Return a pattern of the sources of attributes of some kinds."""
    found = [n for n, block in CONFIG.sources.items() if block.source in kinds]
    return "|".join(found) or "none"


def has_true_attributes(dataset):
    """Return whether it is known what attributes a dataset's people have."""
    named = getattr(CONFIG.datasets[dataset], "attributes", None)
    return is_generated(dataset) or named is not None


def true_annotation(wildcards):
    """Return who has which attributes: as generated, or as the named source says."""
    if is_generated(wildcards.dataset):
        return f"results/datasets/{wildcards.dataset}/annotation.parquet"
    source = CONFIG.datasets[wildcards.dataset].attributes
    return f"results/sources/{source}/annotation.parquet"


def source_in_place(wildcards):
    """Refuse, before anything runs, a source of attributes that is neither in place nor fetched."""
    block, key = CONFIG.sources[wildcards.source], f"sources.{wildcards.source}"
    root, path = Path(block.root), Path(block.root) / block.annotation
    made = f"results/sources/{wildcards.source}/annotation.parquet"
    if there(made):
        say_if_changed(key, root, made, "annotation")
    elif not block.archives and not there(path):
        advice = whereabouts.advice(root, [block.annotation], f"{key}.root")
        reader = importlib.import_module(f"weakreid.datasets.{block.source}")
        raise ReidError(
            f"source {wildcards.source}: {path} is not there{advice}; {reader.HOW_TO_GET} "
            f"({block.root}), or set {key}.root to the folder that holds it, or {key}.archives "
            "to fetch it; the source studio is generated"
        )
    return []


def pictures_in_place(wildcards):
    """Refuse, before anything runs, pictures that are neither in place nor fetched."""
    block, key = CONFIG.sources[wildcards.source], f"sources.{wildcards.source}"
    if block.source == "walkers":
        return []
    if block.source == "mars_attributes":
        raise ReidError(f"source {wildcards.source}: it has no pictures")
    folder = Path(block.root) / block.pictures
    made = f"results/sources/{wildcards.source}/pictures.parquet"
    if there(made):
        say_if_changed(key, Path(block.root), made, "pictures")
    elif not block.archives and not there(folder):
        reader = importlib.import_module(f"weakreid.datasets.{block.source}")
        raise ReidError(
            f"source {wildcards.source}: {folder} is not there; {reader.HOW_TO_GET} "
            f"({block.root}), or set {key}.root and {key}.pictures to where the pictures are; the "
            "source studio is generated"
        )
    return []


def fetch_source_values(wildcards):
    block = CONFIG.sources[wildcards.source]
    named = block.model_dump(mode="json", include={"source", "root", "archives"})
    optional = [block.pictures] if hasattr(block, "pictures") else []
    return values(named, required=[block.annotation], optional=optional)


def place_of_source(wildcards):
    """Return what says where a source of attributes lies: fetched or generated."""
    folder = f"results/sources/{wildcards.source}"
    if CONFIG.sources[wildcards.source].source == "walkers":
        return f"{folder}/generated.json"
    return local(f"{folder}/fetched.json")


def files_of_source(wildcards):
    """Return the folder of a generated source of attributes, none of another."""
    generated = CONFIG.sources[wildcards.source].source == "walkers"
    return f"results/sources/{wildcards.source}/generated" if generated else []


def annotation_values(wildcards):
    """Return how an annotation is read, without where it lies."""
    block = CONFIG.sources[wildcards.source]
    if block.source == "walkers":
        return values({"source": "walkers"})
    return values(
        block.model_dump(mode="json", include={"source", "annotation", "partition"})
    )


def annotation_reader(wildcards):
    source = CONFIG.sources[wildcards.source].source
    return "datasets.annotated" if source == "walkers" else f"datasets.{source}"


def pictures_values(wildcards):
    block = CONFIG.sources[wildcards.source]
    about = {"name": wildcards.source, "on_bad_frame": block.on_bad_frame}
    # the annotation of what is generated names files below its folder
    return values(about, pictures=getattr(block, "pictures", "."))


def source_folder(wildcards):
    return f"results/sources/{CONFIG.transfers[wildcards.transfer].source}"


def split_of_dataset(wildcards):
    return f"results/datasets/{wildcards.dataset}/{split_of(wildcards)}"


def transfer_values(wildcards):
    """Return what learning a transfer depends on: not the source's place, nor the threshold."""
    block = CONFIG.transfers[wildcards.transfer]
    chosen = block.model_dump(mode="json", exclude={"labels", "source", "threshold"})
    return values(chosen, seed=seed_of(wildcards))


def labels_path(transfer, dataset, run):
    """Return the attributes of a dataset's persons: transferred for a run, or the truth."""
    if CONFIG.transfers[transfer].labels == "truth":
        if not has_true_attributes(dataset):
            raise ReidError(
                f"nobody knows the true attributes of dataset {dataset}; take a transfer that is "
                f"learnt instead of {transfer}, or name a source that knows them "
                f"(datasets.{dataset}.attributes)"
            )
        return f"results/datasets/{dataset}/attributes.parquet"
    return f"results/attributes/{transfer}/{dataset}/{run}/labels.parquet"


def look_of(wildcards):
    """Return what a dataset's tracklets look like to the transfer that `looks` names, if any."""
    dataset = experiment_of(wildcards).dataset
    if dataset not in CONFIG.looks:
        return []
    folder = f"results/attributes/{CONFIG.looks[dataset]}/{dataset}/{wildcards.run}"
    return f"{folder}/votes.parquet"


def frames_to_look_at(wildcards):
    return f"{dataset_folder(wildcards)}/frames.parquet" if look_of(wildcards) else []


def threshold_of_look(wildcards):
    """Return the value that what a page says of looks depends on, none without `looks`."""
    dataset = experiment_of(wildcards).dataset
    if dataset not in CONFIG.looks:
        return {}
    return {"threshold": CONFIG.transfers[CONFIG.looks[dataset]].threshold}


def labels_of(wildcards):
    """Return the attributes that an experiment learns from, none where it does without."""
    experiment = experiment_of(wildcards)
    if experiment.transfer is None:
        return []
    return labels_path(experiment.transfer, experiment.dataset, wildcards.run)


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


@functools.cache
def learning(*what):
    """Return the experiments whose method learns from bags, tracklets or clips."""
    return [
        name
        for name, experiment in CONFIG.experiments.items()
        if CONFIG.methods[experiment.method].learns in what
    ]


def experiments_learning(*what):
    """Return a pattern of those experiments."""
    return one_of(learning(*what)) or "none"


def experiments_seeing(clips, *what):
    """Return a pattern of those whose network sees clips, or frames one by one."""
    methods = {n: weakreid_config.method_of(CONFIG, n) for n in learning(*what)}
    found = [n for n, m in methods.items() if (m.clips is not None) == clips]
    return one_of(found) or "none"


def experiments_on_generated(what):
    """Return a pattern of those of them whose dataset is generated."""
    found = [
        name
        for name in learning(what)
        if is_generated(CONFIG.experiments[name].dataset)
    ]
    return one_of(found) or "none"


def tracks_of(wildcards):
    """Return the tracklets that an experiment learns from, isolated or not."""
    experiment = experiment_of(wildcards)
    return tracks_path(experiment, split_of(wildcards))


def tracks_path(experiment, split):
    folder = f"results/datasets/{experiment.dataset}/{split}"
    if experiment.isolation is None:
        return f"{folder}/noise/{experiment.noise}.parquet"
    return f"{folder}/isolated/{experiment.noise}-{experiment.isolation}.parquet"


def runs_of(experiment):
    """Return the names of an experiment's runs."""
    chosen = CONFIG.experiments[experiment]
    return [f"{split}-{seed}" for split in chosen.splits for seed in chosen.seeds]


def dataset_folder(wildcards):
    return f"results/datasets/{experiment_of(wildcards).dataset}"


def split_folder(wildcards):
    return f"{dataset_folder(wildcards)}/{split_of(wildcards)}"


def init_of(wildcards):
    """Return the weights that a training starts from, none where it has its method's own.

    Of the other experiment's run of the same name, or of its first one.
    """
    init = experiment_of(wildcards).init
    if init is None:
        return []
    init = CONFIG.same.get(init, init)
    if init in CONFIG.refused:
        raise ReidError(CONFIG.refused[init])
    runs = runs_of(init)
    run = wildcards.run if wildcards.run in runs else runs[0]
    return f"results/{init}/runs/{run}/model.safetensors"


def training_values(wildcards):
    """Return what a training depends on: the method without what is for later, and the seed."""
    later = {
        "evaluation": True,
        "clips": {"test", "normalise"},
        "neck": {"retrieves"},
    }
    chosen = method_of(wildcards).model_dump(mode="json", exclude=later)
    return values(chosen, seed=seed_of(wildcards))


def training_code(wildcards):
    """Return the digest of a training's code, with the losses that it uses and no others."""
    return code(*training_modules(method_of(wildcards)))


def training_modules(method):
    """Return the stage that a method learns by, and what that imports by name."""
    if method.learns == "clips":
        losses = [f"losses.clips.{name}" for name, term in method.losses if term]
        return ["stages.train_clips", *losses, *parts_of_network(method)]
    seen = [] if method.clips is None else ["models.clips", *parts_of_network(method)]
    if method.learns != "bags":
        return [f"stages.train_{method.learns}", *seen]
    losses = [f"losses.bags.{method.loss.name}"]
    if method.cpal.weight > 0:
        losses.append("losses.bags.cpal")
    return ["stages.train", *losses, *seen]


def parts_of_network(method):
    """Return the modules of a network of clips that are imported by name."""
    cosam = [] if method.model.cosam is None else ["models.cosam"]
    return [f"models.aggregations.{method.aggregation.name}", *cosam]


def clip_features_values(wildcards):
    """Return how clips are described, as far as a training does not decide it."""
    method = method_of(wildcards)
    neck = getattr(method, "neck", None)
    after = neck is not None and neck.retrieves == "after"
    return values(
        method.clips.model_dump(mode="json", include={"test", "normalise"}),
        after_neck=after,
    )


def clip_features_code(wildcards):
    return code("stages.clip_features", *parts_of_network(method_of(wildcards)))


def collect_values(wildcards):
    """Return what metrics.json says of an experiment beside its figures."""
    experiment = experiment_of(wildcards)
    dataset = CONFIG.datasets[experiment.dataset]
    resolved = {
        "seed": CONFIG.seed,
        # without places: the same data gives the same figures wherever it lies
        "dataset": dataset.model_dump(mode="json", exclude={"root", "archives"}),
        **supervision_values(experiment),
        "coarse": CONFIG.coarse.model_dump(mode="json"),
        "method": method_of(wildcards).model_dump(mode="json"),
    }
    if "dev" in experiment.splits:
        resolved["validation_fraction"] = CONFIG.validation_fraction
    names = {
        "dataset",
        "bags",
        "noise",
        "isolation",
        "transfer",
        "method",
        "init",
    }
    named = experiment.model_dump(mode="json", include=names, exclude_none=True)
    about = {"experiment": wildcards.experiment, **named}
    return values(about, runs=runs_of(wildcards.experiment), config=resolved)


def supervision_values(experiment):
    """Return the blocks of what an experiment's method sees, by their kind."""
    found = {}
    if experiment.bags is not None:
        bags = CONFIG.bags[experiment.bags]
        found["bags"] = bags.model_dump(mode="json")
        if bags.noise is not None:
            found["noise"] = CONFIG.noise[bags.noise].model_dump(mode="json")
    if experiment.noise is not None:
        found["noise"] = CONFIG.noise[experiment.noise].model_dump(mode="json")
    if experiment.isolation is not None:
        isolation = CONFIG.isolation[experiment.isolation]
        extractor = CONFIG.extractors[isolation.extractor]
        found["isolation"] = isolation.model_dump(mode="json")
        found["extractor"] = extractor.model_dump(mode="json")
    if experiment.transfer is not None:
        transfer = CONFIG.transfers[experiment.transfer]
        found["transfer"] = transfer.model_dump(mode="json")
        if transfer.labels != "truth":
            source = CONFIG.sources[transfer.source]
            found["source"] = source.model_dump(
                mode="json", exclude={"root", "archives"}
            )
    return found


def evaluation_values(wildcards):
    """Return how a run is measured; the unit is said where it is not the frame."""
    method = method_of(wildcards)
    unit = {"unit": "clips"} if method.clips is not None else {}
    return values(method.evaluation, **unit)


def of_runs(name):
    """Return an input function: a file of every run of the experiment.

    Of its name, not of another rule's output: that one lies elsewhere already where a profile sets
    a storage, and Snakemake expands no such path.
    """
    return lambda wildcards: [
        f"results/{wildcards.experiment}/runs/{run}/{name}"
        for run in runs_of(wildcards.experiment)
    ]


def clusters_of_runs(wildcards):
    """Return the clusters of every run of an experiment that learns from tracklets."""
    if method_of(wildcards).learns != "tracklets":
        return []
    return of_runs("clusters.parquet")(wildcards)


# --- without labels ---


def tracked(experiment):
    """Return whether an experiment's pictures are crops of a tracker's boxes."""
    return CONFIG.datasets[CONFIG.experiments[experiment].dataset].source == "mot"


def identities_values(wildcards):
    name = wildcards.experiment
    about = {"experiment": name, "tracked": tracked(name)}
    return values({**about, "rows": 10, "pictures": 10})


def search_values(wildcards):
    name = wildcards.experiment
    about = {
        "title": f"{name}: queries and the nearest tracklets of other cameras",
        "tracked": tracked(name),
        "metric": method_of(wildcards).evaluation.metric,
    }
    return values({**about, "items": 10, "picture": {"queries": 12, "items": 4}})


def searched(wildcards):
    """Return a split's tracklets, or refuse, before anything runs, one without query or gallery."""
    name = experiment_of(wildcards).dataset
    if tracked(wildcards.experiment) and split_of(wildcards) != "dev":
        for split in ("query", "gallery"):
            if not any(s.split == split for s in CONFIG.datasets[name].sequences):
                raise ReidError(
                    f"datasets.{name}: no sequence has split: {split}, so there is nothing to "
                    f"search; add one (docs/tracker_output.md), or ask for {learnt(wildcards)}"
                )
    return f"{split_folder(wildcards)}/tracklets.parquet"


def coarse_of(wildcards):
    """Return the coarse test set, or refuse, before anything runs, one that nobody knows."""
    name = experiment_of(wildcards).dataset
    if tracked(wildcards.experiment) and split_of(wildcards) != "dev":
        for split in ("query", "gallery"):
            of = [s for s in CONFIG.datasets[name].sequences if s.split == split]
            if not any(s.truth for s in of):
                why = f"of split {split} has truth" if of else f"has split: {split}"
                raise ReidError(
                    f"datasets.{name}: no sequence {why}, so nothing can be measured; add it "
                    f"(docs/tracker_output.md), or ask for {learnt(wildcards, searches=True)}"
                )
    return f"{split_folder(wildcards)}/coarse.parquet"


def learnt(wildcards, searches=False):
    """Return what a run gives without any truth, as targets to ask for."""
    block = CONFIG.datasets[experiment_of(wildcards).dataset]
    names = ["model.safetensors"]
    if method_of(wildcards).learns == "tracklets":
        names.insert(0, "identities.png")
    if searches and {"query", "gallery"} <= {s.split for s in block.sequences}:
        names.insert(0, "search.png")
    folder = f"results/{wildcards.experiment}/runs/{wildcards.run}"
    return " or ".join(f"{folder}/{name}" for name in names)
