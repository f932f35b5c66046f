"""Networks from blocks of the config, and back from a file of weights."""

import importlib
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from weakreid.config.network import Image, Model, ModelOfClips
from weakreid.models import backbones
from weakreid.models.reid import ReidModel

Network = TypeVar("Network", bound=nn.Module)


def build_model(
    model: Model, seed: int = 0, *, image: Image | None = None, frames: int | None = None
) -> ReidModel:
    """Return a network as a method's `model` block describes it.

    Args:
        model: the block.
        seed: of initial weights.
        image: the method's `image` block; COSAM is made for one size.
        frames: T, of a clip; likewise.

    Raises:
        ReidError: its weights are not there, or a stage that it freezes is unknown.
    """
    backbone = backbones.build(model.backbone, model.weights, model.last_stride, seed)
    cosam: dict[str, nn.Module] = {}
    if isinstance(model, ModelOfClips) and model.cosam is not None:
        assert image is not None and frames is not None, "a method with COSAM has both"
        # where it is needed only: an edit of it retrains no network without it
        module = importlib.import_module("weakreid.models.cosam")
        shapes = backbones.map_shapes(backbone, image.height, image.width)
        cosam = {
            stage: module.Cosam(*shapes[stage], frames, model.cosam, seed=seed, after=stage)
            for stage in model.cosam.after
        }
    return ReidModel(backbone, model, seed, cosam)


def restore_model(model: Model, tensors: Mapping[str, Tensor]) -> ReidModel:
    """Return a trained network of frames: the block it was built from, and its tensors."""
    network = build_model(without_weights(model))
    network.load_state_dict(dict(tensors))
    return network


def without_weights(model: Model) -> Model:
    """Return a `model` block that looks for no weights: they come from elsewhere."""
    return model.model_copy(update={"weights": "none"})


def on_device(network: Network, device: torch.device) -> Network:
    """Return a network on a device, its images channels-last."""
    network = network.to(device)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
