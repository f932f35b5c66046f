"""Multiple-instance loss over bags (WL Eqs. 2 and 3)."""

from collections.abc import Mapping

from torch import Tensor

from weakreid.config.losses import Mil
from weakreid.losses.bags.pooling import checked_labels, top_k_mean

HEADS = ("identity",)
attention_logits = "identity"


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: Mil) -> Tensor:
    """Return the cross-entropy of a bag's identities, averaged over bags.

    A bag's score for an identity is the mean of the k largest logits of its frames; the softmax of
    the scores is compared with the label vector divided by its sum.

    Args:
        logits: "identity": [B, F, C].
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        options: `k` frames of a bag vote for an identity.

    Raises:
        ReidError: a bag has no label.
    """
    pooled = top_k_mean(logits["identity"], mask, options.k)
    labels = checked_labels(labels, pooled)
    target = labels / labels.sum(1, keepdim=True)
    return -(target * pooled.log_softmax(dim=1)).sum(1).mean()
