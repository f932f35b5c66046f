"""Logistic regression over bags with a soft selection of negative identities (SSLR in WL)."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import logsigmoid

from weakreid.config.losses import Sslr
from weakreid.losses.bags.pooling import checked_labels, top_k_mean

HEADS = ("identity",)
attention_logits = "identity"


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: Sslr) -> Tensor:
    """Return the loss of independent identities, the easy absent ones weighted down.

    With p the sigmoid of a bag's pooled logits and y its labels, a bag gives
    -[Σ y log p / Σ y + α · Σ (1 - y) p^γ log(1 - p) / Σ (1 - y)]; where every identity is in the
    bag, the second term is 0.

    Args:
        logits: "identity": [B, F, C].
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        options: `k` frames of a bag are pooled (`weakreid.losses.bags.pooling.top_k_mean`); `alpha`
            weighs the absent identities; the larger `gamma`, the less those count that are rightly
            held absent.

    Returns:
        The mean over bags.

    Raises:
        ReidError: a bag has no label.
    """
    pooled = top_k_mean(logits["identity"], mask, options.k)
    labels = checked_labels(labels, pooled)
    log_p, log_not_p = logsigmoid(pooled), logsigmoid(-pooled)
    present = -(labels * log_p).sum(1) / labels.sum(1)
    absent = -((1 - labels) * (options.gamma * log_p).exp() * log_not_p).sum(1)
    others = (1 - labels).sum(1).clamp(min=1)
    return (present + options.alpha * absent / others).mean()
