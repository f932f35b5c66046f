"""What the bag losses share: padding, pooling over frames, precision.

Shapes throughout `weakreid.losses`: B bags padded to F frames each, C identities, d features.
`mask` [B, F] is true where there is a frame; what stands elsewhere never counts, whatever it is.
Every bag holds at least one frame. All losses compute in float32 (or float64 where that is given),
under autocast too.
"""

import torch
from torch import Tensor

from weakreid.errors import ReidError
from weakreid.losses.precision import precise, without_autocast


def top_k_mean(logits: Tensor, mask: Tensor, k: int | None) -> Tensor:
    """Return the mean of the k largest logits of each identity in each bag (WL Eq. 2).

    A bag of fewer than k frames uses all it has.

    Args:
        logits: [B, F, C].
        mask: [B, F].
        k: at least 1; None: all of a bag.

    Returns:
        [B, C].

    Raises:
        ReidError: k is less than 1.
    """
    if k is not None and k < 1:
        raise ReidError(f"k is {k}; the mean of the k largest logits needs k of at least 1")
    k = logits.shape[1] if k is None else min(k, logits.shape[1])
    hidden = precise(logits).masked_fill(~mask[:, :, None], float("-inf"))
    largest = hidden.topk(k, dim=1).values
    counts = mask.sum(1).clamp(max=k)
    used = torch.arange(k, device=mask.device)[None, :] < counts[:, None]
    return largest.masked_fill(~used[:, :, None], 0.0).sum(1) / counts[:, None]


def tracklet_means(features: Tensor, tracklets: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return the mean feature of each tracklet of a bag (WL, section IV-F).

    Args:
        features: [B, F, d].
        tracklets: int64 [B, F], a frame's tracklet within its bag, from 0; -1 at padding.
        most: T, places for tracklets: more than any entry of `tracklets`.

    Returns:
        [B, T, d] and the mask [B, T] of the places that hold a tracklet.
    """
    shown = precise(features).masked_fill((tracklets < 0)[:, :, None], 0.0)
    member = torch.nn.functional.one_hot(tracklets + 1, most + 1)[:, :, 1:].to(shown.dtype)
    counts = member.sum(1)
    with without_autocast(features):
        means = member.transpose(1, 2) @ shown / counts.clamp(min=1)[:, :, None]
    return means, counts > 0


def frame_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Return the softmax over a bag's frames, for each identity (WL Eq. 4); 0 at padding.

    Args:
        logits: [B, F, C].
        mask: [B, F].
    """
    return precise(logits).masked_fill(~mask[:, :, None], float("-inf")).softmax(dim=1)


def checked_labels(labels: Tensor, like: Tensor) -> Tensor:
    """Return labels [B, C] in the type of `like`.

    Raises:
        ReidError: a bag has no label: no loss is defined for it.
    """
    labels = labels.to(like.dtype)
    bare = (labels.sum(1) == 0).nonzero()
    if len(bare):
        raise ReidError(
            f"bag {int(bare[0])} of a batch has no label and cannot be trained on; "
            f"leave bags without labels out of the training set"
        )
    return labels
