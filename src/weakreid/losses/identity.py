"""Who it is: softmax cross-entropy over identities, with smoothed labels (Szegedy et al., 2016)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.losses.pooling import precise


def loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy, averaged over the rows.

    Args:
        logits: [n, C].
        labels: int64 [n], in 0..C-1.
        smoothing: ε: the label's share is 1 - ε + ε/C, every other identity's ε/C.
    """
    return cross_entropy(precise(logits), labels, label_smoothing=smoothing)
