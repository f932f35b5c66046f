"""A memory of one centre per class: how features compare with it, and how it follows them."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from weakreid.losses.precision import precise, unit, without_autocast


def similarities(features: Tensor, centres: Tensor, temperature: float) -> Tensor:
    """Return logits [n, C]: cosines with the centres over the temperature.

    Args:
        features: [n, d], of any length.
        centres: [C, d], of length 1 each.
        temperature: above 0.
    """
    with without_autocast(features):
        return unit(precise(features)) @ centres.T / temperature


def moved(centres: Tensor, features: Tensor, labels: Tensor, momentum: float) -> Tensor:
    """Return the centres [C, d] after a batch: c ← unit(m c + (1 - m) f), of length 1 each.

    f is the mean of the class's features in the batch, of length 1 each; other classes stay.

    Args:
        centres: [C, d], of length 1 each.
        features: [n, d], of any length, without a gradient.
        labels: int64 [n].
        momentum: m.
    """
    own = unit(precise(features))
    sums = torch.zeros_like(centres).index_add(0, labels, own)
    counts = centres.new_zeros(len(centres)).index_add(0, labels, torch.ones_like(own[:, 0]))
    means = sums / counts.clamp(min=1)[:, None]
    found = normalize(momentum * centres + (1 - momentum) * means, dim=1)
    return torch.where(counts[:, None] > 0, found, centres)
