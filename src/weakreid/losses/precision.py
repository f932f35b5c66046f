"""Precision of losses: float32 at least, under autocast too."""

import torch
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """Return half-precision values as float32, others as they are."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def without_autocast(values: Tensor) -> torch.autocast:
    """Return a context in which matrix products keep the precision of their arguments."""
    return torch.autocast(values.device.type, enabled=False)
