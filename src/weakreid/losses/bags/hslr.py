"""Logistic regression over bags with a hard selection of negative identities (HSLR in WL)."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import logsigmoid

from weakreid.config.losses import Hslr
from weakreid.losses.bags.pooling import checked_labels, top_k_mean

HEADS = ("identity",)
attention_logits = "identity"


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: Hslr) -> Tensor:
    """Return the loss of independent identities, the easy absent ones left out.

    With p the sigmoid of a bag's pooled logits and y its labels, a bag gives
    -[Σ y log p / Σ y + α · mean of (1 - y) log(1 - p) over the hardest ⌊mC⌋ identities], the
    hardest being those where that term costs most. An identity in the bag costs 0 there, so it is
    chosen only where fewer than ⌊mC⌋ are absent.

    Args:
        logits: "identity": [B, F, C].
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        options: `k` frames of a bag are pooled (`weakreid.losses.bags.pooling.top_k_mean`); `alpha`
            weighs the absent identities; `m` is the share of all identities that is selected, at
            least one.

    Returns:
        The mean over bags.

    Raises:
        ReidError: a bag has no label.
    """
    pooled = top_k_mean(logits["identity"], mask, options.k)
    labels = checked_labels(labels, pooled)
    present = -(labels * logsigmoid(pooled)).sum(1) / labels.sum(1)
    # log(1 - sigmoid(x)) is logsigmoid(-x)
    absent = -(1 - labels) * logsigmoid(-pooled)
    # the small addition undoes binary rounding: 0.29 of 100 is 29, though 0.29 * 100 is not
    selected = max(1, int(options.m * labels.shape[1] + 1e-9))
    hardest = absent.topk(selected, dim=1).values
    return (present + options.alpha * hardest.mean(1)).mean()
