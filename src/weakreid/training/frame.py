"""What every way of learning sets up in the same way, from a method's resolved values."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric

from weakreid.artifacts.image_store import ImageStore
from weakreid.errors import ReidError
from weakreid.models.backbones import share_batch_norms
from weakreid.models.build import build_model
from weakreid.models.reid import ReidModel
from weakreid.training.frozen import FrozenMaps, frozen_maps
from weakreid.training.images import Pictures
from weakreid.training.loop import History, Hooks, Task, Watch, fit
from weakreid.training.schedule import rate_factor
from weakreid.training.start import start_from

Network = TypeVar("Network", bound=torch.nn.Module)


def build_network(method: Mapping[str, Any], fabric: Fabric, init: Path | None = None) -> Any:
    """Return the network that a method describes, as `fabric` can train it: of frames, or of clips.

    It is a `ReidModel`, or where the method has `clips` a `weakreid.models.clips.ClipFeatures`,
    whose features are of clips.

    Args:
        method: resolved.
        fabric: devices and precision.
        init: weights of another training to start from.

    Raises:
        ReidError: see `build_model` and `start_from`.
    """
    model, seed = model_of(method, init), method["seed"]
    if method.get("clips") is None:
        network = build_model(model, seed)
        if init is not None:
            start_from(init, network)
        return prepared(network, fabric)
    # where it is needed only: an edit of it retrains no network of frames
    module = importlib.import_module("weakreid.models.clips")
    clips = module.build_clip_network({**method, "model": model}, seed, module.ClipFeatures)
    if init is not None:
        start_from(init, clips.network, aggregation=clips.aggregation)
    return prepared(clips, fabric)


def model_of(method: Mapping[str, Any], init: Path | None) -> dict[str, Any]:
    """Return a method's `model` block; with `init` no other weights are looked for."""
    return dict(method["model"]) if init is None else {**method["model"], "weights": "none"}


def prepared(network: Network, fabric: Fabric) -> Network:
    """Return a network as `fabric` can train it: batch norms that share, images channels-last."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        network = share_batch_norms(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def maps_within(
    method: Mapping[str, Any],
    network: ReidModel,
    store: ImageStore,
    rows: np.ndarray,
    *,
    fabric: Fabric,
    threads: int,
) -> FrozenMaps | None:
    """Return `frozen_maps` of frames as a method has them; None where `batch.cache_mb` is 0.

    Raises:
        ReidError: see `frozen_maps`, or `image.resized` is set.
    """
    if method["batch"]["cache_mb"] <= 0:
        return None
    if method["image"].get("resized") is not None:
        raise ReidError(
            "batch.cache_mb keeps what frozen stages make of unchanged frames, but image.resized "
            "cuts every frame at a random place; set one of them to 0 or null"
        )
    return frozen_maps(
        network,
        store,
        rows,
        fabric=fabric,
        height=method["image"]["height"],
        width=method["image"]["width"],
        threads=threads,
        memory_mb=method["batch"]["cache_mb"],
    )


def pictures_of(
    method: Mapping[str, Any],
    network: ReidModel,
    store: ImageStore,
    maps: FrozenMaps | None,
    threads: int,
) -> Pictures:
    """Return the pictures of a store as a method's `image` and `augment` blocks have them."""
    image = method["image"]
    resized = image.get("resized")
    return Pictures(
        store,
        image["height"],
        image["width"],
        network.backbone.mean,
        method["augment"],
        threads,
        maps,
        None if resized is None else tuple(resized),
    )


def learn(
    task: Task[Any],
    method: Mapping[str, Any],
    *,
    fabric: Fabric,
    parts: Mapping[str, torch.nn.Module],
    optimiser: torch.optim.Optimizer,
    checkpoint_path: Path,
    mark: str,
    hooks: Hooks | None = None,
    watch: Watch | None = None,
) -> History:
    """Train as a method's `schedule`, `seed` and `optimiser.clip` say.

    All else is as `weakreid.training.loop.fit` takes it, and so is what comes back.
    """
    schedule = method["schedule"]

    def factor(step: int) -> float:
        return rate_factor(
            step,
            steps_per_epoch=task.steps_per_epoch,
            epochs=schedule["epochs"],
            name=schedule["name"],
            milestones=schedule["milestones"],
            factor=schedule["factor"],
            warm_up=schedule["warm_up"],
            warm_up_from=schedule["warm_up_from"],
        )

    return fit(
        task,
        hooks=hooks,
        watch=watch,
        fabric=fabric,
        parts=parts,
        optimiser=optimiser,
        factor=factor,
        epochs=schedule["epochs"],
        seed=method["seed"],
        clip=method["optimiser"]["clip"],
        checkpoint_path=checkpoint_path,
        mark=mark,
    )


def about(
    method: Mapping[str, Any], fabric: Fabric, heads: list[str], persons: list[int]
) -> dict[str, Any]:
    """Return what a file of weights says of them: `heads` among them tell `persons` apart."""
    said = {
        "model": method["model"],
        "image": method["image"],
        "precision": method["precision"],
        "heads": heads,
        "persons": persons,
        "device": fabric.device.type,
    }
    if method.get("clips") is not None:
        of_clips = ("clips", "aggregation", "neck")
        said |= {name: method.get(name) for name in of_clips}
    return said
