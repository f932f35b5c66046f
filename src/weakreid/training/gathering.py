"""What several processes make of their shares of a batch, put together."""

import torch
from lightning_fabric import Fabric
from torch import Tensor


def gather(fabric: Fabric, values: Tensor) -> Tensor:
    """Return [world * b, ...] of every process's [b, ...], in the order of their ranks."""
    if fabric.world_size == 1:
        return values
    parts = [torch.empty_like(values) for _ in range(fabric.world_size)]
    torch.distributed.all_gather(parts, values.contiguous())
    return torch.cat(parts)


def gather_features(fabric: Fabric, share: Tensor) -> Tensor:
    """Return all features [world * b, ...], this process's share with its gradient.

    The loss being the same everywhere, each process finds the gradient of its own share without
    asking the others. DDP then averages the networks' gradients over processes where their sum
    is meant: hence a gradient times the number of processes, on values as they are.
    """
    rank, world = fabric.global_rank, fabric.world_size
    if world == 1:
        return share
    whole = gather(fabric, share.detach())
    first = rank * len(share)
    own = share + (world - 1) * (share - share.detach())
    return torch.cat([whole[:first], own, whole[first + len(share) :]])
