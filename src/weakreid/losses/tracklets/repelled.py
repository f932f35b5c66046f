"""The repelled loss and its lookup table, a feature per cluster (BUC, Eqs. 1 and 2)."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from weakreid.losses.precision import precise, unit, without_autocast


def loss(features: Tensor, labels: Tensor, table: Tensor, temperature: float) -> Tensor:
    """Return the mean of -log of p(c | v) = exp(V_c . v / τ) / sum over j of exp(V_j . v / τ).

    A tracklet is drawn to its own cluster's row and repelled from all others; the table has no
    gradient.

    Args:
        features: [N, d], v of length 1 each.
        labels: int64 [N], c, the clusters.
        table: [C, d], V.
        temperature: τ.
    """
    with without_autocast(features):
        logits = linear(precise(features), table.detach()) / temperature
    return cross_entropy(logits, labels)


@torch.no_grad()
def move(table: Tensor, features: Tensor, labels: Tensor, momentum: float) -> None:
    """Move the rows of the clusters that a batch showed: V_c <- momentum V_c + (1 - momentum) v.

    Each is of length 1 afterwards. Several tracklets of a cluster move its row one after the other.

    Args:
        table: [C, d], changed in place.
        features: [N, d], v of length 1 each.
        labels: int64 [N], the clusters.
        momentum: share of a row that stays.
    """
    for feature, label in zip(precise(features), labels.tolist(), strict=True):
        table[label] = unit(momentum * table[label] + (1 - momentum) * feature, dim=0)
