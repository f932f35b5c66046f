"""Cluster contrast: a tracklet is drawn to the centre of its cluster, away from all others.

Not of the five papers: the loss of later work on clusters as labels (Dai et al., "Cluster Contrast
for Unsupervised Person Re-Identification", 2021).
"""

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.losses.tracklets.centres import similarities


def loss(features: Tensor, centres: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return -log(exp(x·c_y / τ) / Σ_k exp(x·c_k / τ)), averaged over tracklets.

    Args:
        features: [n, d], of any length; x has length 1.
        centres: [C, d], c, of length 1 each; no gradient goes there.
        labels: int64 [n], y, the clusters.
        temperature: τ, above 0.
    """
    return cross_entropy(similarities(features, centres, temperature), labels)
