"""Rules of attributes: learnt on a source, recognised on a dataset, voted for its people (ATTR)."""

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from weakreid.artifacts.files import there
from weakreid.config import params
from weakreid.config.datasets import MarsAttributesSource, RapSource, WalkersSource
from weakreid.config.methods import Transfer
from weakreid.datasets import lookup
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.frozen_rules import maps_of_transfer
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job, Output, Reading, rule

SOURCE, TRANSFER, WILD, RUN = "{source}", "{transfer}", "{dataset}", "{run}"


def _of_kind(*kinds: str) -> Callable[[Plan], Iterable[str]]:
    return lambda plan: [
        name for name, block in plan.config.attribute_sources.items() if block.kind in kinds
    ]


def _of_transfer(name: str) -> str:
    return paths.of_transfer(TRANSFER, WILD, RUN, name)


def transfer_of(plan: Plan, name: str) -> Transfer:
    """Return a transfer that is learnt."""
    block = plan.config.transfers[name]
    assert isinstance(block, Transfer)
    return block


def labels(plan: Plan, transfer: str, dataset: str, run: str) -> str:
    """Return the attributes of a dataset's people: transferred for a run, or the truth.

    Raises:
        ReidError: nobody knows the truth.
    """
    if isinstance(plan.config.transfers[transfer], Transfer):
        return paths.of_transfer(transfer, dataset, run, "labels.parquet")
    if not plan.knows_attributes(dataset):
        raise ReidError(
            f"nobody knows the true attributes of dataset {dataset}; take a transfer that is "
            f"learnt instead of {transfer}, or name a source that knows them "
            f"(datasets.{dataset}.attributes)"
        )
    return paths.true_attributes(dataset)


def shown_votes(plan: Plan, dataset: str, run: str) -> list[str]:
    """Return the votes whose attributes are shown beside a dataset's images, if any."""
    chosen = plan.config.shown_attributes.get(dataset)
    return [] if chosen is None else [paths.of_transfer(chosen, dataset, run, "votes.parquet")]


def shown_threshold(plan: Plan, dataset: str) -> float | None:
    """Return the threshold of the attributes that are shown, if any."""
    chosen = plan.config.shown_attributes.get(dataset)
    return None if chosen is None else transfer_of(plan, chosen).threshold


# --- sources --------------------------------------------------------------------------------------


@rule(
    "fetch",
    only={"source": _of_kind("rap", "mars_attributes")},
    source=Output(paths.of_source(SOURCE, "fetched.json"), kind="local"),
)
def fetch_source(plan: Plan, source: str) -> Job:
    """A source in place is noted; else it is fetched and unpacked."""
    block = plan.config.attribute_sources[source]
    assert isinstance(block, RapSource | MarsAttributesSource)
    key, root = f"attribute_sources.{source}", Path(block.root)
    path = root / block.annotation
    made = paths.of_source(source, "annotation.parquet")
    if not there(Path(made)) and not block.archives and not there(path):
        advice = lookup.advice(root, [block.annotation], f"{key}.root")
        reader = importlib.import_module(f"weakreid.datasets.{block.kind}")
        raise ReidError(
            f"source {source}: {path} is not there{advice}; {reader.HOW_TO_GET} ({block.root}), or "
            f"set {key}.root to the folder that holds it, or {key}.archives to fetch it; the "
            "source studio is generated"
        )
    return Job(
        params=params.Fetch(
            kind=block.kind,
            root=block.root,
            archives=block.archives,
            required=[block.annotation],
            optional=[block.pictures] if isinstance(block, RapSource) else [],
        ),
        modules=[f"datasets.{block.kind}"],
        told={"dataset": source, "lock": "data.lock.json"},
        reading=Reading(key, block.root, made, "annotation") if there(Path(made)) else None,
    )


@rule(
    "generate",
    only={"source": _of_kind("walkers")},
    source=Output(paths.of_source(SOURCE, "generated.json")),
    root=Output(paths.of_source(SOURCE, "generated"), "root", kind="folder"),
)
def generate_source(plan: Plan, source: str) -> Job:
    """People with known attributes are drawn."""
    return Job(params=params.Generate(**dict(plan.config.attribute_sources[source])))


def _place(plan: Plan, source: str) -> tuple[str, list[str]]:
    """Return what says where a source lies, and its folder where it was generated."""
    if isinstance(plan.config.attribute_sources[source], WalkersSource):
        return paths.of_source(source, "generated.json"), [paths.of_source(source, "generated")]
    return paths.of_source(source, "fetched.json"), []


@rule("annotation", annotation=Output(paths.of_source(SOURCE, "annotation.parquet")))
def annotation(plan: Plan, source: str) -> Job:
    """Which attributes an annotator ticked."""
    block = plan.config.attribute_sources[source]
    place, folder = _place(plan, source)
    given = params.ReadAnnotation(
        kind=block.kind,
        annotation=getattr(block, "annotation", ""),
        partition=getattr(block, "partition", 0),
    )
    reader = "annotated" if isinstance(block, WalkersSource) else block.kind
    return Job(
        inputs={"source_file": place},
        also=folder,
        params=given,
        modules=[f"datasets.{reader}"],
        here=frozenset() if folder else frozenset({place}),
    )


@rule(
    "source_images",
    images=Output(paths.of_source(SOURCE, "images.arrow"), "images"),
    pictures=Output(paths.of_source(SOURCE, "pictures.parquet")),
)
def source_images(plan: Plan, source: str) -> Job:
    """The images of a source are packed."""
    block = plan.config.attribute_sources[source]
    place, folder = _place(plan, source)
    if isinstance(block, MarsAttributesSource):
        raise ReidError(f"source {source}: it has no images")
    reading = None
    if isinstance(block, RapSource):
        key, images = f"attribute_sources.{source}", Path(block.root) / block.pictures
        made = paths.of_source(source, "pictures.parquet")
        if there(Path(made)):
            reading = Reading(key, block.root, made, "source_images")
        elif not block.archives and not there(images):
            reader = importlib.import_module(f"weakreid.datasets.{block.kind}")
            raise ReidError(
                f"source {source}: {images} is not there; {reader.HOW_TO_GET} ({block.root}), or "
                f"set {key}.root and {key}.pictures to where the images are; the source studio is "
                "generated"
            )
    return Job(
        # an annotation may stay the same where its images do not
        inputs={
            "source_file": place,
            "annotation": paths.of_source(source, "annotation.parquet"),
        },
        also=folder,
        params=params.PackImages(
            name=source,
            on_bad_frame=block.on_bad_frame,
            # the annotation of what is generated names files below its folder
            pictures=getattr(block, "pictures", "."),
        ),
        here=frozenset() if folder else frozenset({place}),
        reading=reading,
    )


@rule(
    "ratios_plot",
    figure=Output(
        paths.of_source(SOURCE, "ratios.svg"), "out", "how often each attribute is there", "ratios"
    ),
)
def ratios_plot(plan: Plan, source: str) -> Job:
    """How many images have each attribute."""
    return Job(
        inputs={"annotation": paths.of_source(source, "annotation.parquet")},
        params=params.Titled(title=f"{source}: how often attributes are there"),
    )


# --- transfer -------------------------------------------------------------------------------------


@rule(
    "transfer",
    model=Output(_of_transfer("model.safetensors"), "model"),
    history=Output(_of_transfer("history.parquet"), "history"),
    timing=Output(_of_transfer("timing.json"), "timing"),
)
def transfer(plan: Plan, transfer: str, dataset: str, run: str) -> Job:
    """A network learns attributes on a source and the look of a dataset."""
    block = transfer_of(plan, transfer)
    split, _, seed = run.rpartition("-")
    how = params.LearnTransfer(**dict(block), seed=int(seed))
    return Job(
        inputs={
            "pictures": paths.of_source(block.source, "pictures.parquet"),
            "source_images": paths.of_source(block.source, "images.arrow"),
            "tracklets": paths.tracklets(dataset, split),
            "frames": paths.frames(dataset),
            "images": paths.images(dataset),
            **maps_of_transfer(plan, block.source, dataset, split, how),
        },
        params=how,
        told={"checkpoint": paths.of_transfer(transfer, dataset, run, "checkpoint.pt")},
    )


@rule("attribute_votes", votes=Output(_of_transfer("votes.parquet")))
def attribute_votes(plan: Plan, transfer: str, dataset: str, run: str) -> Job:
    """What the network sees in each tracklet."""
    return Job(
        inputs={
            "model": paths.of_transfer(transfer, dataset, run, "model.safetensors"),
            "tracklets": paths.tracklets(dataset, run.rpartition("-")[0]),
            "frames": paths.frames(dataset),
            "images": paths.images(dataset),
        }
    )


@rule("attribute_labels", labels=Output(_of_transfer("labels.parquet")))
def attribute_labels(plan: Plan, transfer: str, dataset: str, run: str) -> Job:
    """A person's attributes (Eq. 10)."""
    return Job(
        inputs={"votes": paths.of_transfer(transfer, dataset, run, "votes.parquet")},
        params=params.LabelAttributes(threshold=transfer_of(plan, transfer).threshold),
    )


@rule(
    "label_quality",
    only={"dataset": lambda plan: filter(plan.knows_attributes, plan.config.datasets)},
    quality=Output(_of_transfer("quality.json")),
)
def label_quality(plan: Plan, transfer: str, dataset: str, run: str) -> Job:
    """How right transferred attributes are."""
    return Job(
        inputs={
            "labels": paths.of_transfer(transfer, dataset, run, "labels.parquet"),
            "truth": paths.true_attributes(dataset),
            "tracklets": paths.tracklets(dataset, run.rpartition("-")[0]),
            "pictures": paths.of_source(transfer_of(plan, transfer).source, "pictures.parquet"),
        }
    )


# --- truth ----------------------------------------------------------------------------------------


@rule(
    "annotation",
    only={"dataset": lambda plan: filter(plan.generated, plan.config.datasets)},
    annotation=Output(paths.of_dataset(WILD, "annotation.parquet")),
)
def true_annotation(plan: Plan, dataset: str) -> Job:
    """What generated people were made with."""
    return Job(
        inputs={"source_file": paths.of_dataset(dataset, "generated.json")},
        also=[paths.generated(dataset)],
        params=params.ReadAnnotation(kind="walkers"),
        modules=["datasets.annotated"],
    )


@rule(
    "true_attributes",
    only={"dataset": lambda plan: filter(plan.knows_attributes, plan.config.datasets)},
    labels=Output(paths.true_attributes(WILD)),
)
def true_attributes(plan: Plan, dataset: str) -> Job:
    """The true attributes of a dataset's people."""
    annotation = paths.of_dataset(dataset, "annotation.parquet")
    if not plan.generated(dataset):
        named = getattr(plan.config.datasets[dataset], "attributes", None)
        annotation = paths.of_source(str(named), "annotation.parquet")
    return Job(inputs={"annotation": annotation})
