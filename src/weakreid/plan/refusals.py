"""Which experiments are refused, and why, as far as the config alone tells."""

import sys
from collections import ChainMap
from typing import Any

from weakreid.config.datasets import Ilids, Mars, Prid, Tracked, Walkers
from weakreid.config.faults import known
from weakreid.config.load import Config
from weakreid.config.methods import (
    AnyMethod,
    BagMethod,
    ClipMethod,
    TrackletMethod,
    Transfer,
    TrueAttributes,
)
from weakreid.config.supervision import Bags
from weakreid.errors import ReidError
from weakreid.plan.experiments import Experiment, Made
from weakreid.plan.training_rules import SUPERVISIONS


def check(config: Config, made: Made, experiment: Experiment) -> None:
    """Refuse an experiment that nobody can train or measure.

    Args:
        config: with the blocks that studies made.
        made: all experiments.
        experiment: one of them, or one like it whose values are tried.

    Raises:
        ReidError: what is wrong, in a line that names the experiment.
    """
    method = experiment.method
    where = f"experiments.{experiment.name}"
    noise = experiment.noise
    if isinstance(method, BagMethod):
        _check_bags(config, experiment, method, where)
        noise = config.bags[str(experiment.bags)].noise
    elif isinstance(method, ClipMethod):
        _check_truth(config, experiment, where)
        _check_clips(config, experiment, method, where)
    elif method.learns in SUPERVISIONS or _asking_for_truth(config, experiment):
        _check_truth(config, experiment, where)
    simulated = noise is not None and config.noise[noise].rfm is not None
    if simulated and isinstance(config.datasets[experiment.dataset], Tracked):
        raise ReidError(
            f"{where}: noise.{noise} simulates a tracker's noise, but dataset "
            f"{experiment.dataset} is a tracker's output already; take a noise without rfm"
        )
    check_cache(method, where)
    _check_init(made, experiment)
    dataset = config.datasets[experiment.dataset]
    if not isinstance(dataset, Ilids | Prid):
        numbered = [split for split in experiment.splits if split not in ("official", "dev")]
        if numbered:
            raise ReidError(
                f"{where}.splits: dataset {experiment.dataset} has no split {numbered[0]}; "
                "take official or dev"
            )


def _check_init(made: Made, experiment: Experiment) -> None:
    """Refuse to start from an experiment that is not there, of another network, or from itself."""
    seen, at = [experiment.name], experiment
    names: ChainMap[str, Any] = ChainMap(made.experiments, made.same)
    while at.init is not None:
        known(f"experiments.{at.name}.init", at.init, names)
        name = made.same.get(at.init, at.init)
        own, other = (of.method.model.backbone for of in (at, made.experiments[name]))
        if own != other:
            raise ReidError(
                f"experiments.{at.name}.init: {at.init} has the backbone {other}, not {own}; start "
                "from one with the same network"
            )
        if name in seen:
            circle = seen[seen.index(name) :]
            # told alike by each experiment in it, and so once
            first = circle.index(min(circle))
            circle = [*circle[first:], *circle[: first + 1]]
            raise ReidError(
                f"experiments.{circle[0]}.init: {' -> '.join(circle)} is a circle; leave init out "
                "of one of them"
            )
        seen.append(name)
        at = made.experiments[name]
    start = made.experiments[seen[1]].method if len(seen) > 1 else None
    told = isinstance(start, ClipMethod) and start.visibility is not None
    method = experiment.method
    if isinstance(method, ClipMethod) and method.visibility == "kept" and not told:
        raise ReidError(
            f"experiments.{experiment.name}: aggregation.visibility: kept takes what the "
            "experiment of init learnt of frames; start from one with visibility: learnt"
        )


def _asking_for_truth(config: Config, experiment: Experiment) -> list[str]:
    """Return the keys by which the truth stands in for isolation or association."""
    method, isolation = experiment.method, experiment.isolation
    told = isinstance(method, TrackletMethod) and method.association.truth is not None
    keys = ["association.truth"] if told else []
    if isolation is not None and config.isolation[isolation].truth:
        keys.append(f"isolation.{isolation}.truth")
    return keys


def _check_truth(config: Config, experiment: Experiment, where: str) -> None:
    """Refuse a method that needs labels of tracklets which nobody has."""
    dataset = config.datasets[experiment.dataset]
    if isinstance(dataset, Tracked) and not all(
        sequence.truth for sequence in dataset.sequences if sequence.role == "train"
    ):
        who = f"the method {experiment.method_name}"
        instead = "take a method that learns from bags or tracklets"
        if keys := _asking_for_truth(config, experiment):
            who, instead = keys[0], f"leave {keys[0]} out"
        raise ReidError(
            f"{where}: {who} needs to know whom a tracklet shows, but sequences of dataset "
            f"{experiment.dataset} have no truth; add it, or {instead}"
        )


def _check_clips(config: Config, experiment: Experiment, method: ClipMethod, where: str) -> None:
    """Refuse attributes that a method cannot learn, or that nobody has."""
    dataset = config.datasets[experiment.dataset]
    if method.attributes is None:
        if experiment.transfer is not None:
            raise ReidError(
                f"{where}.transfer: the method {experiment.method_name} learns no attributes; "
                "leave transfer out, or set aggregation: {name: groups} in its overrides"
            )
        return
    if experiment.transfer is None:
        raise ReidError(
            f"config.yaml: '{where}.transfer' is missing; the method {experiment.method_name} "
            "learns attributes"
        )
    if method.visibility == "learnt" and not isinstance(dataset, Walkers):
        raise ReidError(
            f"{where}: aggregation.visibility: learnt needs to know what each frame shows, which "
            "only generated people tell; take a dataset of kind walkers, or visibility: kept and "
            "init"
        )
    transfer = config.transfers[experiment.transfer]
    if isinstance(transfer, TrueAttributes):
        told = isinstance(dataset, Mars) and dataset.attributes is not None
        if not isinstance(dataset, Walkers) and not told:
            raise ReidError(
                f"{where}: nobody knows the true attributes of dataset {experiment.dataset}; take "
                "a transfer that is learnt"
            )
    elif transfer.attributes is not None:
        for group, names in method.attributes.groups.items():
            if not set(names) & set(transfer.attributes):
                raise ReidError(
                    f"{where}: transfers.{experiment.transfer}.attributes has none of the group "
                    f"{group}; add one, or leave the group out of aggregation.groups"
                )


def check_cache(method: AnyMethod | Transfer, where: str) -> None:
    """Refuse kept outputs of frozen stages where frames change, or no stage is frozen."""
    if method.batch.cache_mb > 0 and method.image.resized is not None:
        raise ReidError(
            f"{where}: batch.cache_mb keeps what frozen stages make of whole frames; set "
            "image.resized: null, or cache_mb: 0"
        )
    if method.batch.cache_mb > 0 and (method.augment.pad > 0 or method.augment.erase > 0):
        raise ReidError(
            f"{where}: batch.cache_mb keeps what frozen stages make of unchanged frames and their "
            "mirror images; set augment.pad: 0 and augment.erase: 0, or cache_mb: 0"
        )
    if method.batch.cache_mb > 0 and "stem" not in method.model.frozen:
        raise ReidError(
            f"{where}: batch.cache_mb needs a frozen first stage; add stem to model.frozen, or "
            "set cache_mb: 0"
        )


def _check_bags(config: Config, experiment: Experiment, method: BagMethod, where: str) -> None:
    """Refuse bags that a method cannot learn from."""
    bags = config.bags[str(experiment.bags)]
    dataset = config.datasets[experiment.dataset]
    if bags.videos and not (isinstance(dataset, Tracked) and dataset.names):
        raise ReidError(
            f"{where}: bags.{experiment.bags} takes a video's names, but dataset "
            f"{experiment.dataset} has none; set its names, or leave out videos"
        )
    if method.loss.name == "frame_ce" and bags.tracklets_per_bag != (1, 1):
        raise ReidError(
            f"{where}: the loss frame_ce needs a label for every tracklet, but bags."
            f"{experiment.bags} holds several; take bags with tracklets_per_bag: [1, 1]"
        )
    if method.loss.name == "frame_ce" and bags.noise is not None and not bags.majority:
        raise ReidError(
            f"{where}: the loss frame_ce needs one label for every tracklet, but those of bags."
            f"{experiment.bags} show several people; set majority: true there"
        )
    if method.loss.name == "frame_ce" and (bags.missing or bags.planted):
        raise ReidError(
            f"{where}: the loss frame_ce takes a bag's label for every frame of it, but in bags."
            f"{experiment.bags} labels are wrong; leave out missing and planted"
        )
    if method.loss.name == "frame_ce" and method.cpal.weight > 0:
        raise ReidError(
            f"{where}: CPAL needs several persons in a bag, frame_ce allows one; "
            "set cpal.weight: 0 in its overrides"
        )
    k: int | None = getattr(method.loss, "k", None)
    if k is not None:
        most, of_what = _largest_bag(bags, method)
        if k > most:
            raise ReidError(
                f"{where}: loss.k = {k} is larger than the {most} {of_what}; lower k "
                "or let a bag hold more"
            )
    if method.instances == "tracklets" and _largest_bag(bags, method)[0] == 1:
        raise ReidError(
            f"{where}: instances: tracklets needs several tracklets in a bag, bags."
            f"{experiment.bags} holds one; raise tracklets_per_bag or noisy_parts, or set "
            "instances: frames"
        )
    if method.cpal.weight > 0 and method.batch.pairs == 0:
        raise ReidError(f"{where}: CPAL needs batch.pairs of at least 1; raise it or turn CPAL off")
    if 2 * method.batch.pairs > method.batch.bags:
        raise ReidError(
            f"{where}: batch.pairs = {method.batch.pairs} pairs need {2 * method.batch.pairs} "
            f"bags, a batch has {method.batch.bags}; raise batch.bags or lower batch.pairs"
        )
    if isinstance(dataset, Walkers) and dataset.frames is not None:
        shortest = dataset.frames[0]
        if bags.tracklet_parts > shortest:
            raise ReidError(
                f"{where}: bags.{experiment.bags} cuts a tracklet in {bags.tracklet_parts} parts, "
                f"dataset {experiment.dataset} has tracklets of {shortest} frames; lower "
                "tracklet_parts or raise datasets."
                f"{experiment.dataset}.frames"
            )


def check_shown(config: Config, dataset: str, transfer: str) -> None:
    """Refuse to show attributes of a dataset that is not there, or that nobody learnt.

    Args:
        config: with the transfers that studies made.
        dataset, transfer: of an entry of `shown_attributes`.

    Raises:
        ReidError: what is wrong.
    """
    where = "shown_attributes"
    known(where, dataset, config.datasets)
    known(f"{where}.{dataset}", transfer, config.transfers)
    if isinstance(config.transfers[transfer], TrueAttributes):
        raise ReidError(
            f"{where}.{dataset}: {transfer} is the truth; take a transfer that is learnt"
        )


def _sampled(method: BagMethod) -> tuple[int, str]:
    """Return how many frames a training sees of a bag at most, in words too."""
    return method.batch.frames, "frames sampled from a bag (batch.frames)"


def _largest_bag(bags: Bags, method: BagMethod) -> tuple[int, str]:
    """Return how many instances a bag can show at most, and what bounds it."""
    if bags.videos:
        # as many as the video shows
        return (sys.maxsize, "") if method.instances == "tracklets" else _sampled(method)
    tracklets = bags.tracklets_per_bag[1] + (bags.missing.tracklets[1] if bags.missing else 0)
    if method.instances == "tracklets":
        return bags.noisy_parts or tracklets, "tracklets that a bag can have"
    most, of_what = _sampled(method)
    if bags.max_frames is not None:
        kept = bags.tracklets_per_bag[1] * bags.max_frames
        if bags.missing:
            kept += bags.missing.tracklets[1] * bags.missing.frames[1]
        if kept < most:
            return kept, "frames that a bag can have (tracklets_per_bag, max_frames)"
    return most, of_what
