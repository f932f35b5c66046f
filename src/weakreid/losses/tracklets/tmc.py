"""The four losses of tracklet-based multi-level clustering together (TMC Eqs. 2 to 6)."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from weakreid.losses.bags.pooling import precise
from weakreid.losses.tracklets import soft_identity as soft_identities
from weakreid.losses.tracklets import soft_triplet as soft_triplets
from weakreid.losses.tracklets import triplet as triplets


def loss(
    features: Tensor,
    logits: Tensor,
    mean_features: Tensor,
    mean_logits: Tensor,
    labels: Tensor,
    *,
    soft_identity: float = 0.5,
    soft_triplet: float = 0.8,
    margin: float = 0.5,
    triplet: str = "hinge",
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return (1 - λid) L_id + λid L_sid + (1 - λtri) L_tri + λtri L_stri (Eq. 6), and its terms.

    Args:
        features: [N, d], the Net's tracklet features.
        logits: [N, C], what its classifier makes of them.
        mean_features: [N, d], the Mean Net's, of the same images.
        mean_logits: [N, C], likewise.
        labels: int64 [N], the clusters: the hard pseudo labels.
        soft_identity: λid.
        soft_triplet: λtri.
        margin: m of the hard triplets.
        triplet: their kind (`weakreid.losses.tracklets.triplet.loss`).

    Returns:
        A scalar, and the scalars "identity" (Eq. 2), "soft_identity" (Eq. 4), "triplet" (Eq. 3)
        and "soft_triplet" (Eq. 5).
    """
    pairs = triplets.hard_pairs(features, labels)
    terms = {
        "identity": cross_entropy(precise(logits), labels),
        "soft_identity": soft_identities.loss(logits, mean_logits),
        "triplet": triplets.loss(features, pairs, margin, triplet),
        "soft_triplet": soft_triplets.loss(features, mean_features, pairs),
    }
    total = (
        (1 - soft_identity) * terms["identity"]
        + soft_identity * terms["soft_identity"]
        + (1 - soft_triplet) * terms["triplet"]
        + soft_triplet * terms["soft_triplet"]
    )
    return total, terms
