"""Logistic regression over bags with a hard selection of negative identities (HSLR in WL)."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import logsigmoid

from weakreid.errors import ReidError
from weakreid.losses.bags.pooling import checked_labels, top_k_mean

HEADS = ("identity",)
attention_logits = "identity"


def loss(
    logits: Mapping[str, Tensor],
    mask: Tensor,
    labels: Tensor,
    k: int = 5,
    alpha: float = 1.0,
    m: float = 0.1,
) -> Tensor:
    """Return the loss of independent identities, the easy absent ones left out.

    With p the sigmoid of a bag's pooled logits and y its labels, a bag gives
    -[Σ y log p / Σ y + α · mean of (1 - y) log(1 - p) over the hardest ⌊mC⌋ identities], the
    hardest being those where that term costs most. An identity in the bag costs 0 there, so it is
    chosen only where fewer than ⌊mC⌋ are absent.

    Args:
        logits: "identity": [B, F, C].
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        k: frames of a bag that are pooled (`weakreid.losses.bags.pooling.top_k_mean`).
        alpha: weight of the absent identities.
        m: share of all identities that is selected, in (0, 1]; at least one identity is.

    Returns:
        The mean over bags.

    Raises:
        ReidError: a bag has no label, or k or m is out of range.
    """
    if not 0 < m <= 1:
        raise ReidError(f"hslr: m is {m}; the share of identities selected must be in (0, 1]")
    pooled = top_k_mean(logits["identity"], mask, k)
    labels = checked_labels(labels, pooled)
    present = -(labels * logsigmoid(pooled)).sum(1) / labels.sum(1)
    # log(1 - sigmoid(x)) is logsigmoid(-x)
    absent = -(1 - labels) * logsigmoid(-pooled)
    # the small addition undoes binary rounding: 0.29 of 100 is 29, though 0.29 * 100 is not
    selected = max(1, int(m * labels.shape[1] + 1e-9))
    hardest = absent.topk(selected, dim=1).values
    return (present + alpha * hardest.mean(1)).mean()
