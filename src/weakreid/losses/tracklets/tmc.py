"""The four losses of tracklet-based multi-level clustering together (TMC Eqs. 2 to 6)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.config.losses import TrackletLosses
from weakreid.losses.precision import precise
from weakreid.losses.tracklets import soft_identity, soft_triplet, triplet


def loss(
    features: Tensor,
    logits: Tensor,
    mean_features: Tensor,
    mean_logits: Tensor,
    labels: Tensor,
    options: TrackletLosses,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return (1 - λid) L_id + λid L_sid + (1 - λtri) L_tri + λtri L_stri (Eq. 6), and its terms.

    Args:
        features: [N, d], the Net's tracklet features.
        logits: [N, C], what its classifier makes of them.
        mean_features: [N, d], the Mean Net's, of the same images.
        mean_logits: [N, C], likewise.
        labels: int64 [N], the clusters: the hard pseudo labels.
        options: `soft_identity` is λid, `soft_triplet` is λtri; `margin` and `triplet` are of the
            hard triplets (`weakreid.losses.tracklets.triplet.loss`).

    Returns:
        A scalar, and the scalars "identity" (Eq. 2), "soft_identity" (Eq. 4), "triplet" (Eq. 3)
        and "soft_triplet" (Eq. 5).
    """
    pairs = triplet.hard_pairs(features, labels)
    terms = {
        "identity": cross_entropy(precise(logits), labels),
        "soft_identity": soft_identity.loss(logits, mean_logits),
        "triplet": triplet.loss(features, pairs, options),
        "soft_triplet": soft_triplet.loss(features, mean_features, pairs),
    }
    total = (
        (1 - options.soft_identity) * terms["identity"]
        + options.soft_identity * terms["soft_identity"]
        + (1 - options.soft_triplet) * terms["triplet"]
        + options.soft_triplet * terms["soft_triplet"]
    )
    return total, terms
