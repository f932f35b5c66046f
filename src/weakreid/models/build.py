"""Networks from plain values, and back from a file of weights."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from weakreid.models import backbones
from weakreid.models.reid import ReidModel


def build_model(values: Mapping[str, Any], seed: int = 0) -> ReidModel:
    """Return a network as a method's `model` block describes it.

    Raises:
        ReidError: its weights are not there, or a name in it is unknown.
    """
    backbone = backbones.build(
        values["backbone"], values["weights"], last_stride=values["last_stride"], seed=seed
    )
    return ReidModel(
        backbone,
        embedding=values["embedding"],
        dimension=values["dimension"],
        frozen=values["frozen"],
        batch_norm=values["batch_norm"],
        seed=seed,
    )


def restore_model(values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> ReidModel:
    """Return a trained network: the block it was built from, and its tensors."""
    model = build_model({**values, "weights": "none"})
    model.load_state_dict(dict(tensors))
    return model
