"""Binary cross-entropy over attributes, plain and weighted (ATTR Eqs. 7 and 8).

n pictures, L attributes. A label is 1, 0, or -1 where unsure; what is unsure never counts.

Eq. 7 is of one picture whose L attributes are all known; here L counts those that are, and a
picture of which nothing is known is left out. Losses are float32 under autocast too; 0, with a
gradient of 0, where no label is known.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from weakreid.losses.precision import precise


def bce(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over pictures of a picture's cross-entropy, the mean over its attributes.

    Args:
        logits: [n, L], log-odds: p of the paper is their sigmoid.
        labels: [n, L] of 1, 0 and -1.

    Returns:
        A scalar.
    """
    logits = precise(logits)
    # -log(p) and -log(1 - p)
    return _mean(softplus(-logits), softplus(logits), labels)


def weighted_bce(logits: Tensor, labels: Tensor, ratios: Tensor, sigma: float) -> Tensor:
    """Return `bce` with a positive counted e^((1 - w) / σ²), a negative e^(w / σ²) (Eq. 8).

    Args:
        logits: [n, L].
        labels: [n, L].
        ratios: [L], w, the share of the known training labels that is 1.
        sigma: σ.

    Returns:
        A scalar.
    """
    logits = precise(logits)
    ratios = ratios.to(logits)
    positive = torch.exp((1 - ratios) / sigma**2) * softplus(-logits)
    negative = torch.exp(ratios / sigma**2) * softplus(logits)
    return _mean(positive, negative, labels)


def _mean(positive: Tensor, negative: Tensor, labels: Tensor) -> Tensor:
    known = labels >= 0
    of_entry = torch.where(labels == 1, positive, negative).masked_fill(~known, 0.0)
    counts = known.sum(1)
    of_picture = of_entry.sum(1) / counts.clamp(min=1)
    return of_picture.sum() / (counts > 0).sum().clamp(min=1)
