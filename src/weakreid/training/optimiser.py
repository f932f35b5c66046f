"""Optimisers from the config's block."""

import torch

from weakreid.config.training import Optimiser
from weakreid.models.reid import ReidModel, parameter_groups


def build_optimiser(
    optimiser: Optimiser, network: ReidModel, *heads: torch.nn.Module
) -> torch.optim.Optimizer:
    """Return the optimiser that a method's block describes.

    Raises:
        ReidError: nothing is left to learn.
    """
    groups = parameter_groups(network, heads, optimiser)
    if optimiser.name == "sgd":
        return torch.optim.SGD(groups, momentum=optimiser.momentum)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[optimiser.name](groups)
