"""Rules from a trained network to figures: features, rankings, metrics, searches."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from weakreid.config import params
from weakreid.config.datasets import Tracked
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.attribute_rules import labels
from weakreid.plan.plan import Plan, Run
from weakreid.plan.rules import Job, Output, rule
from weakreid.plan.training_rules import learning, parts_of_network

EXPERIMENT, RUN = "{experiment}", "{run}"


def _of_run(name: str) -> str:
    return paths.of_run(EXPERIMENT, RUN, name)


def seeing(clips: bool, *what: str) -> Callable[[Plan], Iterable[str]]:
    """Return what lists the experiments whose network sees clips, or frames one by one.

    Args:
        clips: whether it sees clips.
        what: ways of learning; none: all.
    """
    return lambda plan: [
        name
        for name in (learning(*what)(plan) if what else plan.experiments)
        if (plan.experiments[name].method.clips is not None) == clips
    ]


def images_of(dataset: str, split: str) -> dict[str, str]:
    """Return all that a network is shown of a dataset, by the options of stages."""
    return {
        "tracklets": paths.tracklets(dataset, split),
        "frames": paths.frames(dataset),
        "images": paths.images(dataset),
    }


def shown_to(run: Run) -> dict[str, str]:
    """Return a run's network and all that it is shown, by the options of stages."""
    return {"model": run.path("model.safetensors"), **images_of(run.dataset, run.split)}


TRAINING = Output(_of_run("training_features.parquet"), "training")


def _learnt_from(run: Run) -> dict[str, str]:
    """Return the tracklets that a run's training had, where they are not the split's."""
    return {"tracks": run.tracks} if clustered(run) else {}


def clustered(run: Run) -> bool:
    """Return whether a run's training says which of its tracklets show one person."""
    return run.experiment.method.learns not in ("bags", "clips")


@rule(
    "features",
    only={"experiment": seeing(False)},
    features=Output(_of_run("features.parquet")),
    training=TRAINING,
)
def features(plan: Plan, experiment: str, run: str) -> Job:
    """Features of frames."""
    of = plan.run(experiment, run)
    return Job(inputs={**shown_to(of), **_learnt_from(of)})


@rule(
    "clip_features",
    only={"experiment": seeing(True)},
    features=Output(_of_run("features.parquet")),
    weights=Output(_of_run("weights.parquet"), "weights"),
    training=TRAINING,
)
def clip_features(plan: Plan, experiment: str, run: str) -> Job:
    """Features of clips, and what their frames count."""
    of = plan.run(experiment, run)
    method = of.experiment.method
    return Job(
        inputs={**shown_to(of), **_learnt_from(of)},
        params=params.clip_features_params(method),
        modules=parts_of_network(method),
    )


@rule("calibrate", calibration=Output(_of_run("calibration.json")))
def calibrate(plan: Plan, experiment: str, run: str) -> Job:
    """What distances mean, by the training tracklets."""
    of = plan.run(experiment, run)
    evaluation = of.experiment.method.evaluation
    seen = {"tracks": of.tracks, "clusters": of.path("clusters.parquet")}
    if not clustered(of):
        seen = {"tracklets": of.tracklets}
    if of.experiment.bags is not None:
        seen |= {"bags": of.bags, "frames": of.frames, "model": of.path("model.safetensors")}
    return Job(
        inputs={"features": of.path("training_features.parquet"), **seen},
        params=params.Calibrate(
            metric=evaluation.metric, false_match_rates=evaluation.false_match_rates
        ),
    )


# --- figures --------------------------------------------------------------------------------------


def _missing_role(plan: Plan, dataset: str, split: str, measured: bool) -> str | None:
    """Return why a tracker's dataset has nothing to search, or to measure, if so."""
    block = plan.config.datasets[dataset]
    if not isinstance(block, Tracked) or split == "dev":
        return None
    for role in ("query", "gallery"):
        of = [sequence for sequence in block.sequences if sequence.role == role]
        if measured and not any(sequence.truth for sequence in of):
            return f"of role {role} has truth" if of else f"has role: {role}"
        if not of:
            return f"has role: {role}"
    return None


def _learnt(plan: Plan, run: Run, searches: bool = False) -> str:
    """Return what a run gives without any truth, as targets to ask for."""
    block = plan.config.datasets[run.dataset]
    assert isinstance(block, Tracked)
    names = ["model.safetensors"]
    if run.experiment.method.learns == "tracklets":
        names.insert(0, "identities.png")
    if searches and {"query", "gallery"} <= {sequence.role for sequence in block.sequences}:
        names.insert(0, "search.png")
    return " or ".join(run.path(name) for name in names)


def coarse_set(plan: Plan, run: Run) -> str:
    """Return a run's coarse test set.

    Raises:
        ReidError: nobody knows who is who in a tracker's output.
    """
    if missing := _missing_role(plan, run.dataset, run.split, measured=True):
        raise ReidError(
            f"datasets.{run.dataset}: no sequence {missing}, so nothing can be measured; add it "
            f"(docs/tracker_output.md), or ask for {_learnt(plan, run, searches=True)}"
        )
    return paths.coarse(run.dataset, run.split)


@rule(
    "evaluate",
    metrics=Output(_of_run("metrics.json"), "metrics"),
    rankings=Output(_of_run("rankings.parquet"), "rankings"),
)
def evaluate(plan: Plan, experiment: str, run: str) -> Job:
    """Rankings and figures of a run."""
    of = plan.run(experiment, run)
    method = of.experiment.method
    unit = "frames" if method.clips is None else "clips"
    return Job(
        inputs={
            "features": of.path("features.parquet"),
            "tracklets": of.tracklets,
            "coarse": coarse_set(plan, of),
            "calibration": of.path("calibration.json"),
        },
        params=params.Evaluate(**dict(method.evaluation), unit=unit),
    )


@rule(
    "collect",
    metrics=Output(paths.metrics(EXPERIMENT), "out", "metrics, as JSON", "metrics"),
    page=Output(paths.of_experiment(EXPERIMENT, "metrics.html"), "", "metrics", "metrics"),
    timing=Output(paths.of_experiment(EXPERIMENT, "timing.json"), "timing-out"),
)
def collect(plan: Plan, experiment: str) -> Job:
    """The figures of an experiment over its runs."""
    of = plan.named(experiment)
    every = [Run(of, run) for run in of.runs]
    # else a model that learnt from bags would pass for one that learns from tracklets now
    clusters = [run.path("clusters.parquet") for run in every if of.method.learns == "tracklets"]
    seen = ("bags", "noise", "isolation", "transfer", "init")
    return Job(
        inputs={
            "metrics": [run.path("metrics.json") for run in every],
            "timing": [run.path("timing.json") for run in every],
        },
        also=clusters,
        params=params.Collect(
            experiment=experiment,
            runs=of.runs,
            dataset=of.dataset,
            method=of.method_name,
            **{name: getattr(of, name) for name in seen},
            config=resolved(plan, experiment),
        ),
    )


def resolved(plan: Plan, experiment: str) -> dict[str, object]:
    """Return all values that an experiment's figures depend on, but for places of data."""
    config, of = plan.config, plan.named(experiment)
    elsewhere = {"root", "archives"}
    found: dict[str, object] = {
        "seed": config.seed,
        # the same data gives the same figures wherever it lies
        "dataset": config.datasets[of.dataset].model_dump(mode="json", exclude=elsewhere),
        "coarse": config.coarse.model_dump(mode="json"),
        "method": of.method.model_dump(mode="json"),
    }
    noise = of.noise
    if of.bags is not None:
        found["bags"] = config.bags[of.bags].model_dump(mode="json")
        noise = config.bags[of.bags].noise
    if noise is not None:
        found["noise"] = config.noise[noise].model_dump(mode="json")
    if of.isolation is not None:
        isolation = config.isolation[of.isolation]
        found["isolation"] = isolation.model_dump(mode="json")
        found["extractor"] = config.extractors[isolation.extractor].model_dump(mode="json")
    if of.transfer is not None:
        transfer = config.transfers[of.transfer]
        found["transfer"] = transfer.model_dump(mode="json")
        if (name := getattr(transfer, "source", None)) is not None:
            source = config.attribute_sources[name]
            found["source"] = source.model_dump(mode="json", exclude=elsewhere)
    if "dev" in of.splits:
        found["validation_fraction"] = config.validation_fraction
    return found


@rule(
    "attribute_metrics",
    only={"transfer": lambda plan: plan.config.transfers},
    measured=Output(_of_run("by_attribute/{transfer}.json")),
)
def attribute_metrics(plan: Plan, experiment: str, run: str, transfer: str) -> Job:
    """Retrieval by the attributes of the query's person."""
    of = plan.run(experiment, run)
    return Job(
        inputs={
            "rankings": of.path("rankings.parquet"),
            "labels": labels(plan, transfer, of.dataset, run),
        },
        params=params.MeasureByAttribute(),
    )


# --- without labels -------------------------------------------------------------------------------


@rule(
    "identities",
    only={"experiment": learning("tracklets")},
    table=Output(_of_run("identities.csv"), "out", "who is who, as CSV", "identities"),
    sheet=Output(_of_run("identities.png"), "sheet", "who is who", "identities"),
)
def identities(plan: Plan, experiment: str, run: str) -> Job:
    """Who is who, as the clusters have it."""
    of = plan.run(experiment, run)
    return Job(
        inputs={
            "clusters": of.path("clusters.parquet"),
            "tracks": of.tracks,
            "frames": of.frames,
            "images": of.images,
            "features": of.path("training_features.parquet"),
            "calibration": of.path("calibration.json"),
        },
        params=params.Identities(
            experiment=experiment,
            tracked=plan.tracked(of.dataset),
            metric=of.experiment.method.evaluation.metric,
        ),
    )


@rule(
    "search",
    table=Output(_of_run("search.csv"), "out", "search, as CSV", "search"),
    picture=Output(_of_run("search.png"), "picture", "search", "search"),
)
def search(plan: Plan, experiment: str, run: str) -> Job:
    """Queries and the nearest tracklets of other cameras."""
    of = plan.run(experiment, run)
    if missing := _missing_role(plan, of.dataset, of.split, measured=False):
        raise ReidError(
            f"datasets.{of.dataset}: no sequence {missing}, so there is nothing to search; add one "
            f"(docs/tracker_output.md), or ask for {_learnt(plan, of)}"
        )
    return _searching(plan, of, of.dataset, of.split, of.path("features.parquet"))


def _searching(plan: Plan, run: Run, dataset: str, split: str, features: str) -> Job:
    """Return the job of a search with a run's network in the query and gallery of a dataset."""
    elsewhere = "" if dataset == run.dataset else f" on {dataset}"
    return Job(
        inputs={
            "features": features,
            **images_of(dataset, split),
            "calibration": run.path("calibration.json"),
        },
        params=params.Search(
            title=f"{run.experiment.name}{elsewhere}: queries and the nearest tracklets of other "
            "cameras",
            tracked=plan.tracked(dataset),
            metric=run.experiment.method.evaluation.metric,
        ),
    )


# --- a dataset that a network has not learnt from -------------------------------------------------

OTHER = "official"
"""The split of the other dataset."""


def _on(name: str) -> str:
    return _of_run(f"on/{{dataset}}/{name}")


@rule("features", only={"experiment": seeing(False)}, features=Output(_on("features.parquet")))
def features_on(plan: Plan, experiment: str, run: str, dataset: str) -> Job:
    """Features of another dataset's frames."""
    of = plan.run(experiment, run)
    model = {"model": of.path("model.safetensors")}
    return Job(inputs={**model, **images_of(dataset, OTHER)})


@rule(
    "clip_features",
    only={"experiment": seeing(True)},
    features=Output(_on("features.parquet")),
    weights=Output(_on("weights.parquet"), "weights"),
)
def clip_features_on(plan: Plan, experiment: str, run: str, dataset: str) -> Job:
    """Features of another dataset's clips, and what their frames count."""
    job = features_on(plan, experiment, run, dataset)
    method = plan.run(experiment, run).experiment.method
    return replace(
        job, params=params.clip_features_params(method), modules=parts_of_network(method)
    )


@rule(
    "search",
    table=Output(_on("search.csv"), "out", "search elsewhere, as CSV", "search"),
    picture=Output(_on("search.png"), "picture", "search elsewhere", "search"),
)
def search_on(plan: Plan, experiment: str, run: str, dataset: str) -> Job:
    """Queries of another dataset and its nearest tracklets of other cameras."""
    of = plan.run(experiment, run)
    if missing := _missing_role(plan, dataset, OTHER, measured=False):
        raise ReidError(
            f"datasets.{dataset}: no sequence {missing}, so there is nothing to search; add one "
            "(docs/tracker_output.md)"
        )
    features = of.path(f"on/{dataset}/features.parquet")
    return _searching(plan, of, dataset, OTHER, features)
