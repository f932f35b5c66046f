"""Two-stream loss over bags: who is it, and which frames tell (WSDDN in WL)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from weakreid.config.losses import Wsddn
from weakreid.losses.bags.pooling import checked_labels
from weakreid.losses.precision import precise

HEADS = ("identity", "detection")
attention_logits = "identity"


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: Wsddn) -> Tensor:
    """Return the binary cross-entropy of a bag's identities, summed over them.

    A frame's softmax over identities times the other stream's softmax over the bag's frames, summed
    over frames, is the score ŷ_c of identity c. A bag gives -Σ_c log(t_c (ŷ_c - 1/2) + 1/2) with
    t_c = 1 for an identity in the bag, else -1. WL clamps ŷ_c to (0, 1), which leaves no gradient
    where the network is sure and wrong; here log ŷ_c and log(1 - ŷ_c) are sums of exponentials of
    logarithms and need no clamp.

    Args:
        logits: "identity" and "detection": [B, F, C].
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        options: there are none.

    Returns:
        The mean over bags.

    Raises:
        ReidError: a bag has no label.
    """
    shown = mask[:, :, None]
    # 0 times what padding may hold need not be 0
    identity = precise(logits["identity"]).masked_fill(~shown, 0.0)
    detection = precise(logits["detection"]).masked_fill(~shown, float("-inf"))
    detected = detection.log_softmax(dim=1)
    present = (detected + identity.log_softmax(dim=2)).logsumexp(dim=1)
    # frames' detections add up to 1: 1 - ŷ_c is the sum of those of the other identities
    absent = (detected + _log_of_others(identity)).logsumexp(dim=1)
    chosen = checked_labels(labels, present) > 0
    return -torch.where(chosen, present, absent).sum(1).mean()


def _log_of_others(identity: Tensor) -> Tensor:
    """Return log(1 - p) [B, F, C] of each identity's softmax p over the last axis."""
    logs = identity.log_softmax(dim=2)
    top = torch.zeros_like(logs, dtype=torch.bool).scatter(2, logs.argmax(2, keepdim=True), True)
    # of the most probable one 1 - p would lose its digits; no other is above a half
    without_top = logs.masked_fill(top, torch.finfo(logs.dtype).min).logsumexp(2, keepdim=True)
    rest = torch.log1p(-logs.masked_fill(top, float("-inf")).exp())
    return torch.where(top, without_top, rest)
