"""The attention loss: frames with an erased patch should not be looked at (ATTN-CL, Eq. 1)."""

from torch import Tensor

from weakreid.config.losses import AttentionTerm
from weakreid.losses.clips.views import Clips
from weakreid.losses.precision import precise


def loss(clips: Clips, options: AttentionTerm) -> Tensor:
    """Return how much attention lies on erased frames.

    Args:
        clips: of which `erased` and `weights` or `scores` are looked at.
        options: `of` is "weights": the attention, which sums to 1 over a clip, averaged over all
            frames (Eq. 1); "scores": what the softmax made it of, summed over a clip's frames and
            averaged over clips (the authors' program).
    """
    if options.of == "weights":
        return (precise(clips.weights) * clips.erased).mean()
    assert clips.scores is not None, "the config refuses this loss without attention"
    return (precise(clips.scores) * clips.erased).sum(1).mean()
