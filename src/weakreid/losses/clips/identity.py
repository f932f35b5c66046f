"""Who it is: softmax cross-entropy over identities, with smoothed labels (Szegedy et al., 2016)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.config.losses import IdentityTerm
from weakreid.losses.clips.views import Clips
from weakreid.losses.precision import precise


def loss(clips: Clips, options: IdentityTerm) -> Tensor:
    """Return the cross-entropy, averaged over the clips.

    Args:
        clips: of which `logits` and `persons` are looked at.
        options: `smoothing` is ε: the label's share is 1 - ε + ε/C, every other identity's ε/C.
    """
    return cross_entropy(precise(clips.logits), clips.persons, label_smoothing=options.smoothing)
