"""Which attributes are seen: binary cross-entropy by group of attributes (ATTR, section 3.1)."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from weakreid.attributes import UNSURE
from weakreid.losses.pooling import precise


def loss(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the groups' losses.

    A group's is the mean over all its attributes and clips whose label is known; 0 where none is.

    Args:
        logits: per group [n, A], before the sigmoid; at least one group.
        labels: per group int [n, A] of 1, 0, or -1 where unknown.
    """
    return torch.stack([_of_group(logits[group], labels[group]) for group in logits]).sum()


def _of_group(logits: Tensor, labels: Tensor) -> Tensor:
    logits = precise(logits)
    known = labels != UNSURE
    target = labels.clamp(min=0).to(logits.dtype)
    each = binary_cross_entropy_with_logits(logits, target, reduction="none")
    return each.masked_fill(~known, 0.0).sum() / known.sum().clamp(min=1)
