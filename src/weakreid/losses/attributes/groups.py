"""Which attributes are seen: binary cross-entropy by group of attributes (ATTR, section 3.1)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from weakreid.losses.attributes.bce import bce


def loss(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the groups' losses.

    A group's is that of `bce`: the mean over clips of the mean over its attributes.

    Args:
        logits: per group [n, A], before the sigmoid; at least one group.
        labels: per group int [n, A] of 1, 0, or -1 where unknown.
    """
    return torch.stack([bce(logits[group], labels[group]) for group in logits]).sum()
