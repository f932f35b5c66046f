"""The center loss (Wen et al., 2016; in ATTN-CL's bag of tricks): persons' clips near one point."""

import torch
from torch import Tensor

from weakreid.config.losses import CenterTerm
from weakreid.losses.clips.views import Clips
from weakreid.losses.precision import precise


def loss(clips: Clips, options: CenterTerm) -> Tensor:
    """Return the mean over clips of |x - c|², the squared distance to the person's center.

    Without the ½ of Wen et al., as ATTN-CL's program has it.

    Args:
        clips: of which `features`, `persons` and `centers` are looked at.
        options: `rate` is for `move`, not used here.
    """
    assert clips.centers is not None, "made with the heads of a method that has this loss"
    return (precise(clips.features) - clips.centers[clips.persons]).square().sum(1).mean()


@torch.no_grad()
def move(centers: Tensor, gradient: Tensor, rate: float) -> None:
    """Move centers [C, d] against the gradient of the loss, which its weight does not scale.

    Plain gradient descent at a rate of its own (0.5 in ATTN-CL's program): an optimiser that adapts
    rates would move a center as far for one clip as for ten.
    """
    centers.sub_(rate * gradient)
