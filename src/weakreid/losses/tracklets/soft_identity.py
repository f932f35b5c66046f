"""The Mean Net's view of who is who, to be learnt (TMC Eq. 4)."""

from torch import Tensor

from weakreid.losses.precision import precise


def loss(logits: Tensor, mean_logits: Tensor) -> Tensor:
    """Return the cross-entropy of the Net's classes with the Mean Net's, averaged over tracklets.

    Args:
        logits: [N, C], the Net's.
        mean_logits: [N, C], the Mean Net's; no gradient goes there.
    """
    target = precise(mean_logits.detach()).softmax(dim=1)
    return -(target * precise(logits).log_softmax(dim=1)).sum(1).mean()
