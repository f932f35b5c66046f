"""Two-stream loss over bags: who is it, and which frames tell (WSDDN in WL)."""

from collections.abc import Mapping

from torch import Tensor

from weakreid.config.losses import Wsddn
from weakreid.losses.bags.pooling import checked_labels, frame_softmax
from weakreid.losses.precision import precise

HEADS = ("identity", "detection")
attention_logits = "identity"
EPSILON = 1e-6
"""What scores keep away from 0 and from 1."""


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: Wsddn) -> Tensor:
    """Return the binary cross-entropy of a bag's identities, summed over them.

    A frame's softmax over identities times the other stream's softmax over the bag's frames, summed
    over frames, is the score ŷ_c of identity c, clamped to stay inside (0, 1). A bag gives
    -Σ_c log(t_c (ŷ_c - 1/2) + 1/2) with t_c = 1 for an identity in the bag, else -1.

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
    # frame_softmax is 0 at padding, but 0 times what padding may hold need not be
    recognised = precise(logits["identity"]).masked_fill(~mask[:, :, None], 0.0).softmax(dim=2)
    detected = frame_softmax(logits["detection"], mask)
    scores = (recognised * detected).sum(1)
    scores = scores.clamp(EPSILON, 1 - EPSILON)
    sign = 2 * checked_labels(labels, scores) - 1
    return -(sign * (scores - 0.5) + 0.5).log().sum(1).mean()
