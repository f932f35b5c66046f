"""Rules of what people look at of one experiment: curves, examples, weights, masks, the audit."""

from weakreid.config import params
from weakreid.config.methods import BagMethod, ClipMethod
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.attribute_rules import shown_threshold, shown_votes
from weakreid.plan.evaluation_rules import seeing, shown_to
from weakreid.plan.plan import Plan, Run
from weakreid.plan.rules import Job, Output, rule
from weakreid.plan.training_rules import learning, parts_of_network, seen_by, weights_to_start_from

EXPERIMENT, RUN = "{experiment}", "{run}"


def _of_run(name: str) -> str:
    return paths.of_run(EXPERIMENT, RUN, name)


# --- curves and examples --------------------------------------------------------------------------


@rule(
    "learning_curve",
    figure=Output(
        paths.of_experiment(EXPERIMENT, "learning_curve.svg"),
        "out",
        "learning curve",
        "learning_curve",
    ),
)
def learning_curve(plan: Plan, experiment: str) -> Job:
    """Losses over the epochs."""
    of = plan.named(experiment)
    base = of.method.loss.name if isinstance(of.method, BagMethod) else None
    return Job(
        inputs={"history": [Run(of, run).path("history.parquet") for run in of.runs]},
        params=params.Curve(experiment=experiment, runs=of.runs, base=base),
    )


@rule(
    "cluster_curve",
    only={"experiment": learning("tracklets", "merging", "one_shot", "intra_camera")},
    figure=Output(
        paths.of_experiment(EXPERIMENT, "clusters.svg"),
        "out",
        "clusters over the epochs",
        "clusters",
    ),
)
def cluster_curve(plan: Plan, experiment: str) -> Job:
    """Clusters over the epochs."""
    of = plan.named(experiment)
    return Job(
        inputs={"history": [Run(of, run).path("history.parquet") for run in of.runs]},
        params=params.Curve(experiment=experiment, runs=of.runs),
    )


@rule(
    "calibration_curve",
    figure=Output(
        paths.of_experiment(EXPERIMENT, "calibration.svg"),
        "out",
        "what distances mean",
        "calibration",
    ),
)
def calibration_curve(plan: Plan, experiment: str) -> Job:
    """Probabilities and false-match rates, as said and as found."""
    of = plan.named(experiment)
    return Job(
        inputs={"metrics": [Run(of, run).path("metrics.json") for run in of.runs]},
        params=params.Curve(experiment=experiment, runs=of.runs),
    )


@rule(
    "matches",
    fine=Output(
        _of_run("matches_fine.png"), "fine-out", "matching examples: tracklets", "matches_fine"
    ),
    coarse=Output(
        _of_run("matches_coarse.png"), "coarse-out", "matching examples: videos", "matches_coarse"
    ),
)
def matches(plan: Plan, experiment: str, run: str) -> Job:
    """Queries and what was found."""
    of = plan.run(experiment, run)
    return Job(
        inputs={
            "rankings": of.path("rankings.parquet"),
            "tracklets": of.tracklets,
            "frames": of.frames,
            "coarse": paths.coarse(of.dataset, of.split),
            "images": of.images,
            "votes": shown_votes(plan, of.dataset, run),
        },
        params=params.Matches(
            experiment=experiment,
            seed=plan.config.seed,
            threshold=shown_threshold(plan, of.dataset),
        ),
    )


# --- what frames of clips count -------------------------------------------------------------------


@rule(
    "temporal_weights",
    only={"experiment": seeing(True, "bags", "tracklets", "clips")},
    picture=Output(_of_run("temporal_weights.png"), "out", "temporal weights", "temporal_weights"),
)
def temporal_weights(plan: Plan, experiment: str, run: str) -> Job:
    """What frames count in their clips (ATTR, Fig. 6)."""
    of = plan.run(experiment, run)
    return Job(
        inputs={
            "weights": of.path("weights.parquet"),
            "tracklets": of.tracklets,
            "frames": of.frames,
            "images": of.images,
        },
        params=params.TemporalWeights(title=f"{experiment}: temporal weights of frames"),
    )


@rule(
    "visibility",
    only={"experiment": learning("clips", generated=True)},
    figure=Output(_of_run("visibility.svg"), "plot", "weights and what is visible", "visibility"),
    measured=Output(_of_run("visibility.json")),
)
def visibility(plan: Plan, experiment: str, run: str) -> Job:
    """Do frames count more that show more?"""
    of = plan.run(experiment, run)
    return Job(
        inputs={
            "weights": of.path("weights.parquet"),
            "frames": of.frames,
            "truth": paths.generated(of.dataset),
        },
        within={"truth": "truth/frames.parquet"},
        params=params.ShowVisibility(title=f"{experiment}: do frames count more that show more?"),
    )


# --- where networks of clips look -----------------------------------------------------------------


def _clip_method(run: Run) -> ClipMethod:
    assert isinstance(run.experiment.method, ClipMethod)
    return run.experiment.method


@rule("masks", picture=Output(_of_run("masks.png"), "out", "masks over frames", "masks"))
def masks(plan: Plan, experiment: str, run: str) -> Job:
    """COSAM's masks over frames."""
    of = plan.run(experiment, run)
    method = of.experiment.method
    if method.clips is None or method.model.cosam is None:
        raise ReidError(
            f"{of.path('masks.png')}: {experiment} has no COSAM, so no masks; ask for an "
            "experiment whose method has model.cosam, such as cosam_walkers"
        )
    return Job(
        inputs=shown_to(of),
        params=params.Masks(
            title=f"{experiment}, run {run}: where COSAM looks",
            seed=plan.config.seed,
            test=method.clips.test,
        ),
        modules=parts_of_network(method),
    )


def _shares(plan: Plan, run: Run, model: str) -> Job:
    method = _clip_method(run)
    return Job(
        inputs={
            **shown_to(run),
            "model": model,
            "root": paths.generated(run.dataset),
            "init": weights_to_start_from(plan, run),
        },
        params=params.MaskShares(
            seed=plan.config.seed, training_seed=run.seed, test=method.clips.test
        ),
        modules=parts_of_network(method),
    )


@rule(
    "mask_shares",
    only={"experiment": learning("clips", generated=True)},
    measured=Output(_of_run("mask_shares.json")),
)
def mask_shares(plan: Plan, experiment: str, run: str) -> Job:
    """How much of the masks lies on the person."""
    of = plan.run(experiment, run)
    return _shares(plan, of, of.path("model.safetensors"))


@rule(
    "mask_shares",
    only={"experiment": learning("clips", generated=True)},
    measured=Output(_of_run("mask_epochs.json")),
)
def mask_epochs(plan: Plan, experiment: str, run: str) -> Job:
    """The same after each epoch."""
    of = plan.run(experiment, run)
    return _shares(plan, of, of.path("epochs"))


@rule(
    "mask_curve",
    only={"experiment": learning("clips", generated=True)},
    figure=Output(_of_run("mask_curve.svg"), "out", "masks over the epochs", "mask_curve"),
)
def mask_curve(plan: Plan, experiment: str, run: str) -> Job:
    """Masks over the epochs."""
    of = plan.run(experiment, run)
    return Job(
        inputs={"shares": of.path("mask_epochs.json")},
        params=params.Titled(title=f"{experiment}, run {run}: do the masks lie on the person?"),
    )


@rule(
    "erased_attention",
    only={"experiment": learning("clips")},
    measured=Output(_of_run("erased_attention.json")),
)
def erased_attention(plan: Plan, experiment: str, run: str) -> Job:
    """Attention on frames with an erased patch."""
    of = plan.run(experiment, run)
    method = _clip_method(of)
    if method.aggregation.name != "attention" or method.augment.erase == 0:
        raise ReidError(
            f"{of.path('erased_attention.json')}: {experiment} attends to no frames, or its "
            "training erases none; ask for one with aggregation: {name: attention} and "
            "augment.erase, such as attn_cl_walkers"
        )
    return Job(
        inputs=shown_to(of),
        params=params.ErasedAttention(
            seed=plan.config.seed,
            test=method.clips.test,
            erase=method.augment.erase,
            erase_aspect=method.augment.erase_aspect,
        ),
        modules=parts_of_network(method),
    )


# --- the label audit ------------------------------------------------------------------------------


@rule(
    "audit",
    only={"experiment": seeing(False, "bags")},
    table=Output(_of_run("audit.parquet")),
    markdown=Output(_of_run("audit.md"), "markdown", "labels to check first, as Markdown", "audit"),
    page=Output(_of_run("audit.html"), "", "labels to check first", "audit"),
    picture=Output(_of_run("audit.png"), "picture", "labels to check first: pictures", "audit"),
)
def audit(plan: Plan, experiment: str, run: str) -> Job:
    """Which labels look wrong."""
    of = plan.run(experiment, run)
    votes = shown_votes(plan, of.dataset, run)
    return Job(
        inputs={
            "model": of.path("model.safetensors"),
            **seen_by(plan, of),
            "images": of.images,
            "votes": votes,
            "frames": [of.frames] if votes else [],
        },
        params=params.AuditLabels(
            **dict(plan.config.audit),
            experiment=experiment,
            threshold=shown_threshold(plan, of.dataset),
        ),
    )


@rule(
    "audit_score",
    only={"experiment": seeing(False, "bags")},
    score=Output(_of_run("audit.json")),
)
def audit_score(plan: Plan, experiment: str, run: str) -> Job:
    """How well planted errors are found."""
    of = plan.run(experiment, run)
    return Job(
        inputs={"audit": of.path("audit.parquet"), **seen_by(plan, of)},
        params=params.ScoreAudit(experiment=experiment, run=run),
    )
