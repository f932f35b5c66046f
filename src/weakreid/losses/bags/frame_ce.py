"""Full supervision: every frame knows its identity (the baseline of WL, Table III)."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.config.losses import FrameCe
from weakreid.errors import ReidError
from weakreid.losses.bags.pooling import checked_labels
from weakreid.losses.precision import precise

HEADS = ("identity",)
attention_logits = "identity"


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: FrameCe) -> Tensor:
    """Return the softmax cross-entropy of every frame, averaged over all frames of the batch.

    Args:
        logits: "identity": [B, F, C].
        mask: [B, F].
        labels: [B, C] of 0 and 1, one identity per bag: a bag is a tracklet here.
        options: `smoothing` is the share of the target that is spread evenly over all identities.

    Raises:
        ReidError: a bag has no label or several.
    """
    scores = precise(logits["identity"])
    counts = checked_labels(labels, scores).sum(1)
    several = (counts != 1).nonzero()
    if len(several):
        raise ReidError(
            f"frame_ce: bag {int(several[0])} of a batch has {int(counts[several[0]])} identities, "
            f"but each frame needs exactly one; make bags with tracklets_per_bag [1, 1]"
        )
    target = labels.to(scores.dtype).argmax(1)[:, None].expand(mask.shape)
    return cross_entropy(scores[mask], target[mask], label_smoothing=options.smoothing)
