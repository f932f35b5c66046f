"""Losses of labels that hold within a camera (UGA, from memory of the paper).

A class competes with the classes of its own camera alone. One of another camera may be the same
person: nothing says that it is not.
"""

import torch
from torch import Tensor

from weakreid.losses.precision import precise


def log_shares(logits: Tensor, inside: Tensor) -> Tensor:
    """Return the log-probability [n, C] of each class among those of its camera.

    Args:
        logits: [n, C].
        inside: bool [K, C], which classes are of which camera: of one each.
    """
    scores = precise(logits)
    totals = scores[:, None].masked_fill(~inside, -torch.inf).logsumexp(2)
    return scores - totals.index_select(1, inside.int().argmax(0))


def loss(logits: Tensor, targets: Tensor, inside: Tensor) -> Tensor:
    """Return -Σ_c t_c log p_c, averaged over tracklets; p_c is c's probability within its camera.

    Stage 1: t is 1 at a tracklet's own class. Stage 2: its own class and those that are joined with
    it share t evenly, each seen among the classes of its own camera.

    Args:
        logits: [n, C].
        targets: [n, C], t; each row sums to 1.
        inside: bool [K, C], which classes are of which camera: of one each.
    """
    return -(targets * log_shares(logits, inside)).sum(1).mean()


def accuracy(logits: Tensor, labels: Tensor, inside: Tensor) -> Tensor:
    """Return how many tracklets score highest at their own class within its camera, in per cent.

    Args:
        logits: [n, C].
        labels: int64 [n].
        inside: bool [K, C], which classes are of which camera: of one each.
    """
    own = inside[inside[:, labels].int().argmax(0)]
    found = logits.masked_fill(~own, -torch.inf).argmax(1)
    return 100 * (found == labels).float().mean()
