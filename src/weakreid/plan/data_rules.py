"""Rules of data: from a dataset's place, or from nothing, to tables and the image store."""

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from weakreid.artifacts.files import there
from weakreid.config import params
from weakreid.config.datasets import Tracked
from weakreid.datasets import lookup
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job, Output, Reading, rule

WILD, OF_SPLIT = "{dataset}", "{split}"


def _of_kind(*kinds: str, others: bool = False) -> Callable[[Plan], Iterable[str]]:
    def names(plan: Plan) -> Iterable[str]:
        return [n for n, block in plan.config.datasets.items() if (block.kind in kinds) != others]

    return names


def known_files(key: str, root: str, names: Iterable[str]) -> list[str]:
    """Return the paths of files below a root.

    Raises:
        ReidError: one is not there.
    """
    for name in names:
        if not there(Path(root) / name):
            raise ReidError(
                f"{key}: {Path(root) / name} is not there; put it there, or correct {key}"
            )
    return [str(Path(root) / name) for name in names]


@rule(
    "fetch",
    only={"dataset": _of_kind("walkers", "mot", others=True)},
    source=Output(paths.of_dataset(WILD, "fetched.json"), kind="local"),
)
def fetch(plan: Plan, dataset: str) -> Job:
    """Data in place is noted; else it is fetched and unpacked."""
    block = plan.config.datasets[dataset]
    assert not isinstance(block, Tracked)
    key, root = f"datasets.{dataset}", Path(block.root)  # type: ignore[union-attr]
    reader = importlib.import_module(f"weakreid.datasets.{block.kind}")
    made = paths.of_dataset(dataset, "tracklets.parquet")
    reading = Reading(key, str(root), made, "dataset")
    archives = block.archives  # type: ignore[union-attr]
    missing = [] if there(Path(made)) or archives else lookup.lacking(root, reader.REQUIRED)
    if missing:
        advice = lookup.advice(root, reader.REQUIRED, f"{key}.root")
        raise ReidError(
            f"dataset {dataset}: {root / missing[0]} is not there{advice}; {reader.HOW_TO_GET} "
            f"({root}), or set {key}.root to the folder that holds it, or {key}.archives to fetch "
            "it; the experiment wl_walkers runs without it, and a table for one dataset is "
            "results/tables/TABLE/DATASET/table.md"
        )
    given = params.Fetch(kind=block.kind, root=str(root), archives=archives)
    return Job(
        params=given,
        modules=[f"datasets.{block.kind}"],
        told={"dataset": dataset, "lock": "data.lock.json"},
        reading=reading if there(Path(made)) else None,
    )


@rule(
    "generate",
    only={"dataset": _of_kind("walkers")},
    source=Output(paths.of_dataset(WILD, "generated.json")),
    root=Output(paths.generated(WILD), option="root", kind="folder"),
)
def generate(plan: Plan, dataset: str) -> Job:
    """People are drawn."""
    return Job(params=params.Generate(**dict(plan.config.datasets[dataset])))


@rule(
    "crops",
    only={"dataset": _of_kind("mot")},
    source=Output(paths.of_dataset(WILD, "cropped.json")),
    root=Output(paths.of_dataset(WILD, "crops"), option="root", kind="folder"),
    picture=Output(paths.of_dataset(WILD, "crops.png"), "picture", "crops", "crops"),
)
def crops(plan: Plan, dataset: str) -> Job:
    """A tracker's boxes are cut out of its videos."""
    block = plan.config.datasets[dataset]
    assert isinstance(block, Tracked)
    key = f"datasets.{dataset}"
    names = [block.names] if block.names else []
    for of in block.sequences:
        names += [name for name in (of.boxes, of.video, of.frames, of.truth) if name]
    files = known_files(key, block.root, dict.fromkeys(names))
    made = paths.of_dataset(dataset, "cropped.json")
    reading = Reading(key, block.root, made, "crops", inputs=True) if there(Path(made)) else None
    return Job(
        params=params.Crops(**dict(block)),
        also=files,
        here=frozenset(files),
        told={"dataset": dataset},
        reading=reading,
    )


@rule(
    "dataset",
    tracklets=Output(paths.of_dataset(WILD, "tracklets.parquet")),
    frames=Output(paths.frames(WILD), option=""),
    partitions=Output(paths.of_dataset(WILD, "partitions.parquet"), option=""),
    images=Output(paths.images(WILD), option=""),
)
def dataset(plan: Plan, dataset: str) -> Job:
    """Data in its official layout is read and packed."""
    block = plan.config.datasets[dataset]
    # generated people have MARS's layout
    kind = "mars" if block.kind == "walkers" else block.kind
    note, folder = {
        "walkers": ("generated.json", ["generated"]),
        "mot": ("cropped.json", ["crops"]),
    }.get(block.kind, ("fetched.json", []))
    source = paths.of_dataset(dataset, note)
    return Job(
        inputs={"source": source},
        also=[paths.of_dataset(dataset, name) for name in folder],
        params=params.ReadDataset(
            kind=kind,
            on_bad_frame=block.on_bad_frame,
            official=getattr(block, "official", False),
            split_seed=getattr(block, "split_seed", None),
            persons=getattr(block, "persons", 178),
        ),
        modules=[f"datasets.{kind}"],
        told={"dataset": dataset},
        here=frozenset({source} if not folder else ()),
    )


@rule("split", tracklets=Output(paths.tracklets(WILD, OF_SPLIT)))
def split(plan: Plan, dataset: str, split: str) -> Job:
    """The identities are parted into those of training, query and gallery."""
    config = plan.config
    dev = None
    if split == "dev":
        dev = params.Development(seed=config.seed, validation_fraction=config.validation_fraction)
    return Job(
        inputs={
            "tracklets": paths.of_dataset(dataset, "tracklets.parquet"),
            "partitions": paths.of_dataset(dataset, "partitions.parquet"),
        },
        params=params.Split(split=split, dev=dev),
    )


@rule(
    "contact_sheet",
    only={"dataset": _of_kind("walkers")},
    figure=Output(
        paths.of_dataset(WILD, "contact_sheet.png"), "out", "contact sheet", "contact_sheet"
    ),
)
def contact_sheet(plan: Plan, dataset: str) -> Job:
    """Some generated people, to look at."""
    return Job(
        inputs={"source": paths.of_dataset(dataset, "generated.json")},
        also=[paths.generated(dataset)],
        params=params.ContactSheet(dataset=dataset),
    )
