"""Optimisers from plain values."""

from collections.abc import Mapping
from typing import Any

import torch

from weakreid.errors import ReidError
from weakreid.models.reid import ReidModel, parameter_groups


def build_optimiser(
    values: Mapping[str, Any], model: ReidModel, *heads: torch.nn.Module
) -> torch.optim.Optimizer:
    """Return the optimiser that a method's `optimiser` block describes.

    Raises:
        ReidError: its name is unknown, or nothing is left to learn.
    """
    groups = parameter_groups(
        model,
        heads,
        values["lr"],
        backbone_factor=values["backbone_factor"],
        head_factor=values["head_factor"],
        weight_decay=values["weight_decay"],
    )
    if values["name"] == "sgd":
        return torch.optim.SGD(groups, momentum=values["momentum"])
    if values["name"] == "adam":
        return torch.optim.Adam(groups)
    if values["name"] == "adamw":
        return torch.optim.AdamW(groups)
    raise ReidError(f"optimiser.name: '{values['name']}' is unknown; take sgd, adam or adamw")
