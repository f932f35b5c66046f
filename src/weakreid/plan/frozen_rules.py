"""Rules of what frozen stages make of images: once for all trainings that have the same ones."""

import functools
import hashlib
from collections.abc import Mapping

from weakreid.config import params
from weakreid.config.methods import Transfer
from weakreid.plan import paths
from weakreid.plan.experiments import Experiment
from weakreid.plan.plan import Plan, Run
from weakreid.plan.rules import Job, Output, rule

FRONT = "{front}"


def _digest(made: params.MakeFrozenMaps) -> str:
    return hashlib.sha256(made.as_json().encode()).hexdigest()[:12]


def _front_of(plan: Plan, of: Experiment, seed: int) -> params.MakeFrozenMaps | None:
    """Return the frozen stages of a training that a file may hold, None if it keeps none."""
    # weights of another experiment are nobody else's
    if of.init is not None or not plan.config.share_frozen or not of.method.batch.cache_mb:
        return None
    return params.frozen_maps_params(params.training_params(of.method, seed))


@functools.lru_cache(maxsize=4)
def fronts(plan: Plan) -> Mapping[str, params.MakeFrozenMaps]:
    """Return the frozen stages of all trainings, by their digests."""
    found = [
        _front_of(plan, experiment, seed)
        for experiment in plan.experiments.values()
        for seed in experiment.seeds
    ]
    seeds = {seed for experiment in plan.experiments.values() for seed in experiment.seeds}
    found += [
        params.frozen_maps_params(params.LearnTransfer(**dict(block), seed=seed))
        for block in plan.config.transfers.values()
        if isinstance(block, Transfer)
        for seed in seeds
    ]
    return {_digest(made): made for made in found if made is not None}


def maps_of_run(plan: Plan, run: Run) -> list[str]:
    """Return the file of what frozen stages make of a run's training frames, if it has one."""
    made = _front_of(plan, run.experiment, run.seed)
    return [] if made is None else [paths.frozen_maps(run.dataset, run.split, _digest(made))]


def maps_of_transfer(
    plan: Plan, source: str, dataset: str, split: str, how: params.LearnTransfer
) -> dict[str, list[str]]:
    """Return the files of what frozen stages make of a source and of a dataset, if any."""
    made = params.frozen_maps_params(how) if plan.config.share_frozen else None
    if made is None:
        return {"maps": [], "source_maps": []}
    front = _digest(made)
    return {
        # without MMD no frame of the dataset is looked at
        "maps": [paths.frozen_maps(dataset, split, front)] if how.mmd > 0 else [],
        "source_maps": [paths.frozen_maps_of_source(source, front)],
    }


@rule("frozen_maps", maps=Output(paths.frozen_maps("{dataset}", "{split}", FRONT)))
def frozen_maps(plan: Plan, dataset: str, split: str, front: str) -> Job:
    """Frozen stages see a split's training frames."""
    return Job(
        inputs={
            "images": paths.images(dataset),
            "frames": paths.frames(dataset),
            "tracklets": paths.tracklets(dataset, split),
        },
        params=fronts(plan)[front],
    )


@rule("frozen_maps", maps=Output(paths.frozen_maps_of_source("{source}", FRONT)))
def frozen_maps_of_source(plan: Plan, source: str, front: str) -> Job:
    """Frozen stages see an attribute source's images."""
    return Job(
        inputs={"images": paths.of_source(source, "images.arrow")}, params=fronts(plan)[front]
    )
