"""Binary cross-entropy over attributes, plain and weighted (ATTR Eqs. 7 and 8).

n pictures, L attributes. A label is 1, 0, or -1 where unsure; what is unsure never counts.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from weakreid.losses.bags.pooling import precise


def bce(logits: Tensor, labels: Tensor, ratios: Tensor | None = None, sigma: float = 1.0) -> Tensor:
    """Return the mean over pictures of a picture's cross-entropy, the mean over its attributes.

    Eq. 7 is of one picture whose L attributes are all known; here L counts those that are, and a
    picture of which nothing is known is left out.

    Args:
        logits: [n, L], log-odds: p of the paper is their sigmoid.
        labels: [n, L] of 1, 0 and -1.
        ratios: [L], w of Eq. 8, the share of the known training labels that is 1; with them a
            positive counts e^((1 - w) / sigma^2), a negative e^(w / sigma^2). None: Eq. 7.
        sigma: of Eq. 8.

    Returns:
        A scalar, float32 under autocast too; 0, with a gradient of 0, where no label is known.
    """
    logits = precise(logits)
    # -log(p) and -log(1 - p)
    positive, negative = softplus(-logits), softplus(logits)
    if ratios is not None:
        ratios = ratios.to(logits)
        positive = torch.exp((1 - ratios) / sigma**2) * positive
        negative = torch.exp(ratios / sigma**2) * negative
    known = labels >= 0
    of_entry = torch.where(labels == 1, positive, negative).masked_fill(~known, 0.0)
    counts = known.sum(1)
    of_picture = of_entry.sum(1) / counts.clamp(min=1)
    return of_picture.sum() / (counts > 0).sum().clamp(min=1)
