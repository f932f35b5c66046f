"""Rules of training: a network learns from bags, from tracklets, or from clips."""

from collections.abc import Callable, Iterable

from weakreid.config import params
from weakreid.config.methods import AnyMethod, BagMethod, ClipMethod
from weakreid.plan import paths
from weakreid.plan.attribute_rules import labels
from weakreid.plan.frozen_rules import maps_of_run
from weakreid.plan.plan import Plan, Run
from weakreid.plan.rules import Job, Output, rule

WEIGHTS = paths.model("{experiment}", "{run}")
OUTPUTS = {
    "model": Output(WEIGHTS, "model"),
    "history": Output(paths.of_run("{experiment}", "{run}", "history.parquet"), "history"),
    "timing": Output(paths.of_run("{experiment}", "{run}", "timing.json"), "timing"),
}

CLUSTERS = {
    "clusters": Output(paths.of_run("{experiment}", "{run}", "clusters.parquet"), "clusters")
}
TRUTH_OF_FRAMES = {"truth": "truth/frames.parquet"}
SUPERVISIONS = ("one_shot", "intra_camera")
"""Ways of learning that see labels of tracklets, of a kind of its own each."""


def learning(*what: str, generated: bool = False) -> Callable[[Plan], Iterable[str]]:
    """Return what lists the experiments whose method learns from bags, tracklets or clips.

    Args:
        what: some of these.
        generated: only those on generated people.
    """

    def names(plan: Plan) -> Iterable[str]:
        return [
            name
            for name, experiment in plan.experiments.items()
            if experiment.method.learns in what
            and (not generated or plan.generated(experiment.dataset))
        ]

    return names


def modules_of(method: AnyMethod) -> list[str]:
    """Return the modules that a training by a method imports by name, its stage besides."""
    if isinstance(method, ClipMethod):
        terms = [f"losses.clips.{name}" for name, term in method.losses if term]
        return [*terms, *parts_of_network(method)]
    clips = [] if method.clips is None else ["models.clips", *parts_of_network(method)]
    if not isinstance(method, BagMethod):
        return clips
    losses = [f"losses.bags.{method.loss.name}"]
    if method.cpal.weight > 0:
        losses.append("losses.bags.cpal")
    return [*losses, *clips]


def parts_of_network(method: AnyMethod) -> list[str]:
    """Return the modules of a network of clips that are imported by name."""
    cosam = [] if method.model.cosam is None else ["models.cosam"]
    return [f"models.aggregations.{method.aggregation.name}", *cosam]


def seen_by(plan: Plan, run: Run) -> dict[str, str | list[str]]:
    """Return what a training reads of its supervision, by the option of its stage.

    Of the three, `attributes` are labels of people, where the method learns them.
    """
    experiment = run.experiment
    if experiment.bags is not None:
        return {"bags": run.bags}
    if experiment.noise is not None:
        learns = experiment.method.learns
        if learns == "tracklets":
            # a tracker's output says who is seen at the same time
            known = [run.frames] if plan.tracked(run.dataset) else []
            return {"tracks": run.tracks, "together": known}
        if learns not in SUPERVISIONS:
            return {"tracks": run.tracks}
        labels_of = (learns, run.noise, experiment.isolation)
        shown = paths.tracklet_labels(run.dataset, run.split, *labels_of)
        return {"tracks": run.tracks, "labels": shown}
    if experiment.transfer is None:
        return {"attributes": []}
    return {"attributes": [labels(plan, experiment.transfer, run.dataset, run.name)]}


def truth_of_frames(run: Run, methods: Iterable[AnyMethod]) -> list[str]:
    """Return the folder that holds what generated frames show, where one of the methods learns it.

    Its file is `TRUTH_OF_FRAMES`.
    """
    learnt = any(isinstance(of, ClipMethod) and of.visibility == "learnt" for of in methods)
    return [paths.generated(run.dataset)] if learnt else []


def weights_to_start_from(plan: Plan, run: Run) -> list[str]:
    """Return the weights of `init`: of the other experiment's run of this name, or its first."""
    init = run.experiment.init
    if init is None:
        return []
    other = plan.named(init)
    return [paths.model(other.name, run.name if run.name in other.runs else other.runs[0])]


def training(plan: Plan, experiment: str, run: str, folder: str = "") -> Job:
    """Return a training's job.

    Args:
        plan: of the config.
        experiment: its name.
        run: SPLIT-SEED.
        folder: below the run, for the checkpoint.
    """
    of = plan.run(experiment, run)
    method = of.experiment.method
    of_clips = isinstance(method, ClipMethod)
    data: dict[str, str | list[str]] = (
        {"tracklets": of.tracklets, "frames": of.frames} if of_clips else {}
    )
    return Job(
        inputs={
            **data,
            **seen_by(plan, of),
            "truth": truth_of_frames(of, [method]),
            "images": of.images,
            "init": weights_to_start_from(plan, of),
            "maps": maps_of_run(plan, of),
        },
        params=params.training_params(method, of.seed),
        modules=modules_of(method),
        within=TRUTH_OF_FRAMES,
        # not an output: Snakemake would remove it before a killed training can go on from it
        told={"checkpoint": of.path(f"{folder}checkpoint.pt")},
    )


@rule("train_bags", only={"experiment": learning("bags")}, **OUTPUTS)
def train_bags(plan: Plan, experiment: str, run: str) -> Job:
    """A network learns from bags."""
    return training(plan, experiment, run)


@rule(
    "train_tracklets",
    only={"experiment": learning("tracklets")},
    **OUTPUTS,
    **CLUSTERS,
)
def train_tracklets(plan: Plan, experiment: str, run: str) -> Job:
    """A network learns from tracklets without labels."""
    return training(plan, experiment, run)


@rule("train_merging", only={"experiment": learning("merging")}, **OUTPUTS, **CLUSTERS)
def train_merging(plan: Plan, experiment: str, run: str) -> Job:
    """A network learns from tracklets that are merged bottom-up."""
    return training(plan, experiment, run)


@rule("train_one_shot", only={"experiment": learning("one_shot")}, **OUTPUTS, **CLUSTERS)
def train_one_shot(plan: Plan, experiment: str, run: str) -> Job:
    """A network learns from a labelled tracklet per identity and unlabelled ones."""
    return training(plan, experiment, run)


@rule("train_intra_camera", only={"experiment": learning("intra_camera")}, **OUTPUTS, **CLUSTERS)
def train_intra_camera(plan: Plan, experiment: str, run: str) -> Job:
    """A network learns from labels that hold within a camera."""
    return training(plan, experiment, run)


@rule("train_clips", only={"experiment": learning("clips")}, **OUTPUTS)
def train_clips(plan: Plan, experiment: str, run: str) -> Job:
    """A network learns from clips of labelled tracklets."""
    return training(plan, experiment, run)


@rule(
    "train_clips",
    only={"experiment": learning("clips", generated=True)},
    epochs=Output(paths.of_run("{experiment}", "{run}", "epochs"), "epochs", kind="folder"),
    **{
        name: Output(output.path.replace("{run}/", "{run}/again/"), output.option, kind="temporary")
        for name, output in OUTPUTS.items()
    },
)
def clip_epochs(plan: Plan, experiment: str, run: str) -> Job:
    """The same training once more: weights of epochs are large, and kept only for who asks."""
    return training(plan, experiment, run, "again/")
