"""Triplet losses on the hardest pairs of a batch (TMC Eq. 3).

Shapes in the modules that learn from clusters: N tracklets, d features. Distances are Euclidean,
between features as the network gives them: MMT, whose training TMC simplifies, does not divide them
by their length either. All compute in float32 (or float64 where that is given), under autocast too.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from weakreid.config.losses import TrackletLosses
from weakreid.losses.precision import precise, without_autocast


class HardPairs(NamedTuple):
    """Each anchor's hardest pairs; only anchors that have both are among them.

    Attributes:
        anchors: int64 [A], places in the batch.
        positives: int64 [A], the farthest other tracklet of the anchor's cluster.
        negatives: int64 [A], the nearest tracklet of another cluster.
    """

    anchors: Tensor
    positives: Tensor
    negatives: Tensor


def hard_pairs(features: Tensor, labels: Tensor) -> HardPairs:
    """Return the hardest pairs of a batch, without a gradient.

    An anchor that is alone of its cluster in the batch, or without another cluster there, has none.

    Args:
        features: [N, d].
        labels: int64 [N], the clusters.
    """
    with torch.no_grad(), without_autocast(features):
        known = precise(features.detach())
        distances = torch.cdist(known, known, compute_mode="donot_use_mm_for_euclid_dist")
        same = labels[:, None] == labels[None, :]
        others = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        anchors = (others.any(1) & ~same.all(1)).nonzero().squeeze(1)
        farthest = distances.masked_fill(~others, -torch.inf).argmax(1)
        nearest = distances.masked_fill(same, torch.inf).argmin(1)
    return HardPairs(anchors, farthest[anchors], nearest[anchors])


def pair_distances(features: Tensor, pairs: HardPairs) -> tuple[Tensor, Tensor]:
    """Return the distances [A] of the anchors to their positives and to their negatives.

    Features that are the same have the distance 0, with a gradient of 0.
    """
    features = precise(features)
    anchors = features[pairs.anchors]
    positives = _distances(anchors, features[pairs.positives])
    return positives, _distances(anchors, features[pairs.negatives])


def _distances(first: Tensor, second: Tensor) -> Tensor:
    # the root's gradient is infinite at 0; the clamp's is 0 there
    return (first - second).square().sum(1).clamp(min=1e-24).sqrt()


def loss(features: Tensor, pairs: HardPairs, options: TrackletLosses) -> Tensor:
    """Return the mean over anchors of max(0, dp - dn + margin) (Eq. 3).

    Args:
        features: [N, d].
        pairs: from `hard_pairs`.
        options: `margin` is m, of the hinge; `triplet` is "hinge", or "softmax" for -log T with
            T = e^dn / (e^dp + e^dn), which has no margin.

    Returns:
        A scalar; 0, with a gradient of 0, where there is no anchor.
    """
    if not len(pairs.anchors):
        return precise(features)[:0].sum()
    positives, negatives = pair_distances(features, pairs)
    if options.triplet == "softmax":
        return softplus(positives - negatives).mean()
    return (positives - negatives + options.margin).clamp(min=0).mean()
