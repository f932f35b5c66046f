"""The Mean Net: the exponential moving average of a network that learns (TMC Eq. 1)."""

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def mean_of(network: Network) -> Network:
    """Return a Mean Net that starts as the network is: E(0)[θ] = θ.

    Its batch norms never move their running statistics by themselves: these are averaged like the
    parameters (`average`). In training mode they still normalise by the batch, as MMT's do, so that
    a batch norm that is new to the network means the same in both networks from the first step on.
    """
    mean = copy.deepcopy(network)
    mean.requires_grad_(False)
    for module in mean.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.0
    return mean


def momentum_at(step: int, momentum: float) -> float:
    """Return α of a step, counted from 0: small at first, so that the start is soon forgotten."""
    return min(1 - 1 / (step + 1), momentum)


@torch.no_grad()
def average(mean: nn.Module, network: nn.Module, alpha: float) -> None:
    """Move a Mean Net towards its network: αE + (1 - α)θ, parameters and buffers.

    Integers (a batch norm's count of batches) are taken over. What does not learn is left alone.

    Args:
        mean: from `mean_of`; changed in place.
        network: with a tensor for each of the mean's.
        alpha: α, from `momentum_at`.
    """
    averages: list[torch.Tensor] = []
    values: list[torch.Tensor] = []
    of_mean = dict(mean.named_parameters())
    for name, value in network.named_parameters():
        if value.requires_grad:
            averages.append(of_mean[name])
            values.append(value)
    buffers = dict(mean.named_buffers())
    for name, buffer in network.named_buffers():
        if buffer.is_floating_point():
            averages.append(buffers[name])
            values.append(buffer)
        else:
            buffers[name].copy_(buffer)
    torch._foreach_lerp_(averages, values, 1 - alpha)
