"""Maximum mean discrepancy: how far two sets of features are apart (ATTR Eqs. 5 and 6)."""

import torch
from torch import Tensor

from weakreid.losses.precision import unit, without_autocast


def mmd(source: Tensor, target: Tensor, alpha: float, normalise: bool) -> Tensor:
    """Return the mean kernel within each set less twice that between them, as Eq. 5 is printed.

    Each picture's kernel with itself counts, which makes it the biased estimate: never below 0, and
    0 for two equal sets.

    Args:
        source: [ns, d].
        target: [nt, d].
        alpha: of the Gaussian kernel exp(-|x - y|^2 / (2 alpha^2)) (Eq. 6).
        normalise: bring features to length 1 first. ATTR does not say so, but with its alpha of
            0.5 every kernel of two different features of hundreds of dimensions is 0 otherwise.

    Returns:
        A scalar, float32 (float64 where that is given), under autocast too.
    """
    kind = torch.float64 if source.dtype == torch.float64 else torch.float32
    with without_autocast(source):
        # float64: a squared distance by way of inner products loses digits
        first, second = source.double(), target.double()
        if normalise:
            first, second = unit(first), unit(second)
        within = _kernel(first, first, alpha).mean() + _kernel(second, second, alpha).mean()
        return (within - 2 * _kernel(first, second, alpha).mean()).to(kind)


def _kernel(first: Tensor, second: Tensor, alpha: float) -> Tensor:
    """Return Eq. 6 for every pair: [n, m] from [n, d] and [m, d]."""
    lengths = first.square().sum(1)[:, None] + second.square().sum(1)[None, :]
    squared = (lengths - 2 * first @ second.T).clamp(min=0)
    return torch.exp(-squared / (2 * alpha**2))
