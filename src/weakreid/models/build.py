"""Networks from plain values, and back from a file of weights."""

import importlib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from weakreid.models import backbones
from weakreid.models.reid import ReidModel


def build_model(
    values: Mapping[str, Any],
    seed: int = 0,
    *,
    image: Mapping[str, Any] | None = None,
    frames: int | None = None,
) -> ReidModel:
    """Return a network as a method's `model` block describes it.

    Args:
        values: the block.
        seed: of initial weights.
        image: the method's `image` block; COSAM is made for one size.
        frames: T, of a clip; likewise.

    Raises:
        ReidError: its weights are not there, or a name in it is unknown.
    """
    backbone = backbones.build(
        values["backbone"], values["weights"], last_stride=values["last_stride"], seed=seed
    )
    cosam: dict[str, nn.Module] = {}
    if values.get("cosam") is not None:
        assert image is not None and frames is not None, "a method with COSAM has both"
        # where it is needed only: an edit of it retrains no network without it
        module = importlib.import_module("weakreid.models.cosam")
        options = {name: of for name, of in values["cosam"].items() if name != "after"}
        shapes = backbones.map_shapes(backbone, image["height"], image["width"])
        cosam = {
            stage: module.Cosam(*shapes[stage], frames, **options, seed=seed, after=stage)
            for stage in values["cosam"]["after"]
        }
    return ReidModel(
        backbone,
        embedding=values["embedding"],
        dimension=values["dimension"],
        frozen=values["frozen"],
        batch_norm=values["batch_norm"],
        seed=seed,
        cosam=cosam,
    )


def restore_model(
    values: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    image: Mapping[str, Any] | None = None,
    frames: int | None = None,
) -> ReidModel:
    """Return a trained network: the block it was built from, and its tensors."""
    model = build_model({**values, "weights": "none"}, image=image, frames=frames)
    model.load_state_dict(dict(tensors))
    return model
