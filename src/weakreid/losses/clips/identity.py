"""Who it is: softmax cross-entropy over identities, with smoothed labels (Szegedy et al., 2016)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.losses.bags.pooling import precise
from weakreid.losses.clips.views import Clips


def loss(clips: Clips, *, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy, averaged over the clips.

    Args:
        clips: of which `logits` and `persons` are looked at.
        smoothing: ε: the label's share is 1 - ε + ε/C, every other identity's ε/C.
    """
    return cross_entropy(precise(clips.logits), clips.persons, label_smoothing=smoothing)
