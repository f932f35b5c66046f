"""Batch-hard triplets: an anchor, the farthest of its person, the nearest of another.

COSAM, section 5.1 (Euclidean distances); ATTN-CL's bag of tricks (cosines).
"""

import torch
from torch import Tensor

from weakreid.config.losses import TripletTerm
from weakreid.losses.clips.views import Clips
from weakreid.losses.precision import precise, unit, without_autocast


def loss(clips: Clips, options: TripletTerm) -> Tensor:
    """Return the mean over anchors of max(0, d(hardest positive) - d(hardest negative) + margin).

    An anchor alone of its person is its own positive, at distance 0. With cosines, d is minus the
    cosine, so that the margin is one of cosines. A batch of one person has no triplet: 0, with a
    gradient of 0.

    Args:
        clips: of which `features` and `persons` are looked at; under "cosine" a feature of length 0
            has the cosine 0 to all.
        options: `margin` of the hinge; `metric`; `ties`: how partners that are equally hard divide
            the gradient: "share": evenly (COSAM's program); "first": the first of the batch has
            all (ATTN-CL's program).
    """
    features = precise(clips.features)
    same = clips.persons[:, None] == clips.persons[None, :]
    if bool(same.all()):
        return 0.0 * features.sum()
    with without_autocast(features):
        if options.metric == "cosine":
            features = unit(features)
            far = -(features @ features.T)
        else:
            far = _distances(features)
    positive = _hardest(far.masked_fill(~same, -torch.inf), options.ties)
    negative = -_hardest((-far).masked_fill(same, -torch.inf), options.ties)
    return (positive - negative + options.margin).clamp(min=0).mean()


def _distances(features: Tensor) -> Tensor:
    """Return Euclidean distances [N, N]; those of equal features have a gradient of 0."""
    # differences, not |x|² + |y|² - 2xy: near duplicates would lose all their digits
    squares = (features[:, None] - features[None, :]).square().sum(2)
    # the root's gradient is infinite at 0; the clamp's is 0 there
    return squares.clamp(min=1e-12).sqrt()


def _hardest(values: Tensor, ties: str) -> Tensor:
    """Return each row's largest value [N]."""
    if ties == "share":
        return values.amax(1)
    return values.gather(1, values.argmax(1, keepdim=True)).squeeze(1)
