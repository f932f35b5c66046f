"""Co-person attention loss (WL Eqs. 4 to 7)."""

import torch
from torch import Tensor

from weakreid.losses.bags.pooling import frame_softmax
from weakreid.losses.precision import precise, unit, without_autocast


def loss(features: Tensor, logits: Tensor, mask: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Return the hinge loss over every pair of bags that share an identity.

    For identity j, a bag's high feature is the mean of its frames weighted by attention (Eqs. 4
    and 5), its low feature the mean weighted by one minus attention. In a pair, the two high
    features must be closer to each other than one bag's high to the other's low, by the margin.
    Eq. 6 calls s a similarity, with which the printed hinge would push the other way; s is taken as
    the cosine distance, as the text around it describes, so a term is
    max(0, cos(high_m, low_n) - cos(high_m, high_n) + margin). Eq. 7 averages over the pairs of an
    identity, then over identities: here over those with a pair in the batch.

    Args:
        features: [B, F, d].
        logits: [B, F, C], whose softmax over frames is the attention.
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        margin: δ.

    Returns:
        A scalar. A bag of one frame has no low feature and is left out; a batch without a pair
        gives 0, with a gradient of 0.
    """
    frames = mask.sum(1)
    takes_part = labels.bool() & (frames > 1)[:, None]
    shared = (takes_part.sum(0) > 1).nonzero().squeeze(1)
    features = precise(features)
    if not len(shared):
        # summed over nothing: zero, but joined to both inputs, and finite whatever they hold
        return features[:0].sum() + precise(logits)[:0].sum()
    takes_part = takes_part[:, shared]
    with without_autocast(features):
        features = features.masked_fill(~mask[:, :, None], 0.0)
        attention = frame_softmax(logits[:, :, shared], mask)
        high = torch.einsum("bfj,bfd->jbd", attention, features)
        # Σ(1 - a)x = Σx - Σax; the clamp spares bags of one frame, which take no part, 0 / 0
        others = (frames - 1).clamp(min=1)[None, :, None]
        low = (features.sum(1)[None] - high) / others
        high = unit(high, dim=2)
        low = unit(low, dim=2)
        high_high = high @ high.transpose(1, 2)
        high_low = high @ low.transpose(1, 2)
        hinge = (high_low - high_high + margin).clamp(min=0)
        # [j, m, n] and [j, n, m] are the two halves of one pair's Eq. 6
        pair = takes_part.T[:, :, None] & takes_part.T[:, None, :]
        pair &= ~torch.eye(len(mask), dtype=torch.bool, device=mask.device)
        per_identity = (hinge * pair).sum((1, 2)) / pair.sum((1, 2))
        return per_identity.mean()
