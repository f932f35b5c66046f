"""Rules of what a method may see: bags, noisy tracklets, isolation."""

from collections.abc import Callable, Iterable

from weakreid.config import params
from weakreid.config.datasets import Tracker
from weakreid.config.supervision import Noise
from weakreid.plan import paths
from weakreid.plan.data_rules import known_files
from weakreid.plan.experiments import FIRST
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job, Output, rule
from weakreid.seeding import derive

WILD, OF_SPLIT, BAGS, NOISE, ISOLATION = "{dataset}", "{split}", "{bags}", "{noise}", "{isolation}"


def _isolated(ending: str) -> str:
    return paths.isolated(WILD, OF_SPLIT, NOISE, ISOLATION, ending)


def _bags_with_videos(wanted: bool) -> Callable[[Plan], Iterable[str]]:
    return lambda plan: [n for n, block in plan.config.bags.items() if block.videos == wanted]


# --- bags -----------------------------------------------------------------------------------------


@rule(
    "bags",
    only={"bags": _bags_with_videos(False)},
    bags=Output(paths.bags(WILD, OF_SPLIT, BAGS)),
)
def bags(plan: Plan, dataset: str, split: str, bags: str) -> Job:
    """Training bags with labels of the whole bag."""
    block = plan.config.bags[bags]
    tracks = [] if block.noise is None else [paths.noisy(dataset, split, block.noise)]
    return Job(
        inputs={
            "tracklets": paths.tracklets(dataset, split),
            "frames": paths.frames(dataset),
            "tracks": tracks,
        },
        params=params.MakeBags(**dict(block), seed=plan.config.seed),
    )


@rule(
    "named_bags",
    only={
        "bags": _bags_with_videos(True),
        "dataset": lambda plan: filter(plan.tracked, plan.config.datasets),
    },
    bags=Output(paths.bags(WILD, OF_SPLIT, BAGS)),
)
def named_bags(plan: Plan, dataset: str, split: str, bags: str) -> Job:
    """Bags of videos, with the names of who is in them."""
    most = plan.config.bags[bags].max_frames
    return Job(
        inputs={
            "tracklets": paths.tracklets(dataset, split),
            "frames": paths.frames(dataset),
            "videos": paths.of_dataset(dataset, "crops"),
        },
        within={"videos": "videos.csv"},
        params=params.NameBags(seed=plan.config.seed, max_frames=most),
    )


@rule("coarse_bags", bags=Output(paths.coarse(WILD, OF_SPLIT)))
def coarse_bags(plan: Plan, dataset: str, split: str) -> Job:
    """The coarse test set."""
    return Job(
        inputs={"tracklets": paths.tracklets(dataset, split), "frames": paths.frames(dataset)},
        params=params.MakeCoarse(**dict(plan.config.coarse), seed=plan.config.seed),
    )


# --- noise ----------------------------------------------------------------------------------------


def _files_of_tracker(key: str, block: Tracker, kind: str) -> list[str]:
    names = [getattr(block, kind).format(sequence=name) for name in block.sequences]
    return known_files(key, block.root, names)


@rule(
    "noise_rates",
    rates=Output(paths.of_tracker("{tracker}", "rates.json"), "rates"),
    distribution=Output(paths.of_tracker("{tracker}", "distribution.parquet"), "distribution"),
    markdown=Output(
        paths.of_tracker("{tracker}", "rates.md"),
        "markdown",
        "noise of the tracklets, as Markdown",
        "rates",
    ),
    page=Output(paths.of_tracker("{tracker}", "rates.html"), "", "noise of the tracklets", "rates"),
    figure=Output(
        paths.of_tracker("{tracker}", "rates.svg"),
        "figure",
        "noise of the tracklets: plot",
        "rates",
    ),
)
def noise_rates(plan: Plan, tracker: str) -> Job:
    """A tracker's noise is measured on ground truth."""
    block = plan.config.trackers[tracker]
    truth, output = (
        _files_of_tracker(f"trackers.{tracker}", block, k) for k in ("truth", "output")
    )
    sequences = [
        params.MeasuredSequence(name=name, static=name in block.static, truth=t, output=o)
        for name, t, o in zip(block.sequences, truth, output, strict=True)
    ]
    elsewhere = {"root", "sequences", "truth", "output", "static"}
    chosen = {name: value for name, value in block if name not in elsewhere}
    return Job(
        also=[*truth, *output],
        here=frozenset([*truth, *output]),
        params=params.MeasureNoise(title=tracker, sequences=sequences, **chosen),
    )


@rule(
    "noise",
    tracks=Output(paths.noisy(WILD, OF_SPLIT, NOISE)),
    summary=Output(paths.noisy(WILD, OF_SPLIT, NOISE, "json"), "summary"),
)
def noise(plan: Plan, dataset: str, split: str, noise: str) -> Job:
    """Training tracklets at a noise level."""
    block: Noise = plan.config.noise[noise]
    number = plan.made.simulation[noise]
    observed = (
        [] if block.observed is None else [paths.of_tracker(block.observed, "distribution.parquet")]
    )
    return Job(
        inputs={
            "tracklets": paths.tracklets(dataset, split),
            "frames": paths.frames(dataset),
            "observed": observed,
        },
        params=params.SimulateNoise(
            rfm=block.rfm,
            rsw=block.rsw,
            distribution="observed" if observed else "fitted",
            seed=plan.config.seed if number == FIRST else derive(plan.config.seed, "noise", number),
        ),
    )


# --- labels of tracklets --------------------------------------------------------------------------

SUPERVISION = "{supervision}"


def _labels(isolation: str | None) -> Output:
    return Output(paths.tracklet_labels(WILD, OF_SPLIT, SUPERVISION, NOISE, isolation))


@rule("tracklet_labels", labels=_labels(None))
def tracklet_labels(plan: Plan, dataset: str, split: str, supervision: str, noise: str) -> Job:
    """Labels of tracklets that a method may see."""
    return _labelled(paths.noisy(dataset, split, noise), supervision)


@rule("tracklet_labels", labels=_labels(ISOLATION))
def isolated_labels(
    plan: Plan, dataset: str, split: str, supervision: str, noise: str, isolation: str
) -> Job:
    """The same of isolated tracklets."""
    return _labelled(paths.isolated(dataset, split, noise, isolation), supervision)


def _labelled(tracks: str, supervision: str) -> Job:
    return Job(
        inputs={"tracks": tracks},
        params=params.LabelTracklets.model_validate({"supervision": supervision}),
    )


# --- isolation ------------------------------------------------------------------------------------


@rule(
    "frame_features",
    features=Output(paths.frame_features(WILD, OF_SPLIT, "{extractor}")),
)
def frame_features(plan: Plan, dataset: str, split: str, extractor: str) -> Job:
    """ImageNet features of training frames."""
    return Job(
        inputs={
            "tracklets": paths.tracklets(dataset, split),
            "frames": paths.frames(dataset),
            "images": paths.images(dataset),
        },
        params=params.FrameFeatures(**dict(plan.config.extractors[extractor])),
    )


def _features_of(plan: Plan, dataset: str, split: str, isolation: str) -> str:
    return paths.frame_features(dataset, split, plan.config.isolation[isolation].extractor)


@rule(
    "isolation",
    tracks=Output(_isolated(".parquet")),
    report=Output(_isolated(".json"), "report"),
)
def isolation(plan: Plan, dataset: str, split: str, noise: str, isolation: str) -> Job:
    """Tracklets are cut into cleaner ones."""
    return Job(
        inputs={
            "tracks": paths.noisy(dataset, split, noise),
            "features": _features_of(plan, dataset, split, isolation),
        },
        params=params.Isolate(**dict(plan.config.isolation[isolation])),
    )


@rule(
    "isolation_figures",
    switches=Output(
        _isolated("_switches.svg"), "figure3", "isolation: similarity of frames", "isolation"
    ),
    clusters=Output(
        _isolated("_clusters.svg"), "figure4", "isolation: parts of tracklets", "isolation"
    ),
)
def isolation_figures(plan: Plan, dataset: str, split: str, noise: str, isolation: str) -> Job:
    """Isolation at work on tracklets with a switch of identity (TMC, Fig. 3 and 4)."""
    title = f"{dataset}: tracklets with a switch of identity (noise {noise}, isolation {isolation})"
    return Job(
        inputs={
            "tracks": paths.noisy(dataset, split, noise),
            "isolated": paths.isolated(dataset, split, noise, isolation),
            "features": _features_of(plan, dataset, split, isolation),
        },
        params=params.ShowIsolation(title=title, seed=plan.config.seed, tracklets=2),
    )


@rule(
    "isolation_preview",
    markdown=Output(
        _isolated("_preview.md"), "markdown", "isolation: preview, as Markdown", "isolation_preview"
    ),
    page=Output(_isolated("_preview.html"), "", "isolation: preview", "isolation_preview"),
    picture=Output(
        _isolated("_preview.png"),
        "picture",
        "isolation: preview, tracklets that are cut most",
        "isolation_preview",
    ),
)
def isolation_preview(plan: Plan, dataset: str, split: str, noise: str, isolation: str) -> Job:
    """What isolation would do, before anything is learnt."""
    tracked = plan.tracked(dataset)
    measured = tracked and dataset in plan.config.trackers
    return Job(
        inputs={
            "tracks": paths.noisy(dataset, split, noise),
            "isolated": paths.isolated(dataset, split, noise, isolation),
            "images": paths.images(dataset),
            # a tracker's files name its tracks
            "frames": [paths.frames(dataset)] if tracked else [],
            "rates": [paths.of_tracker(dataset, "rates.json")] if measured else [],
        },
        params=params.ShowIsolation(
            title=f"{dataset}, {noise}, {isolation}", seed=plan.config.seed, tracklets=5
        ),
    )
