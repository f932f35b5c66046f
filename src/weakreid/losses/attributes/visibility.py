"""How much of a part of the body each frame shows: cross-entropy with its share (beyond ATTR)."""

from torch import Tensor
from torch.nn.functional import softplus

from weakreid.losses.precision import precise


def loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Return the mean of -s log p - (1 - s) log (1 - p), least where every p is its share s.

    Args:
        logits: [n, G, T], log-odds: p is their sigmoid.
        shares: [n, G, T], 0 to 1.
    """
    logits, shares = precise(logits), precise(shares)
    return (softplus(logits) - shares * logits).mean()
