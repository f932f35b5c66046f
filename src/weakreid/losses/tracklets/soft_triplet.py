"""The Mean Net's view of a batch's hardest pairs, to be learnt (TMC Eq. 5, after MMT)."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from weakreid.losses.precision import precise
from weakreid.losses.tracklets.triplet import HardPairs, pair_distances


def loss(features: Tensor, mean_features: Tensor, pairs: HardPairs) -> Tensor:
    """Return the binary cross-entropy of the Net's T with the Mean Net's, averaged over anchors.

    T = e^dn / (e^dp + e^dn) says how sure a network is that the positive is nearer than the
    negative. Both networks judge the same pairs, those that are hardest for the Net.

    Args:
        features: [N, d], the Net's.
        mean_features: [N, d], the Mean Net's; no gradient goes there.
        pairs: from `triplet.hard_pairs` of `features`.

    Returns:
        A scalar; 0, with a gradient of 0, where there is no anchor.
    """
    if not len(pairs.anchors):
        return precise(features)[:0].sum()
    positives, negatives = pair_distances(features, pairs)
    mean_positives, mean_negatives = pair_distances(mean_features.detach(), pairs)
    # T is the sigmoid of dn - dp
    target = (mean_negatives - mean_positives).sigmoid()
    return binary_cross_entropy_with_logits(negatives - positives, target)
