"""Numbers in losses: float32 at least, under autocast too; rows of length 1."""

import torch
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """Return half-precision values as float32, others as they are."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def without_autocast(values: Tensor) -> torch.autocast:
    """Return a context in which matrix products keep the precision of their arguments."""
    return torch.autocast(values.device.type, enabled=False)


def unit(features: Tensor, dim: int = 1) -> Tensor:
    """Return features of length 1 along an axis; those of length 0 stay, with a finite gradient."""
    lengths = features.norm(dim=dim, keepdim=True)
    # the gradient grows as one over the length: below this there is no direction to learn
    return features / torch.where(lengths > 1e-6, lengths, 1.0)
