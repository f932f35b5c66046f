"""Online soft mining with class-aware attention (Wang et al., 2018; ATTN-CL).

A contrastive loss over all pairs of a batch: near positives and near negatives count most, and a
pair counts as little as the one of its two clips that looks less like its own class.
"""

import torch
from torch import Tensor

from weakreid.config.losses import OsmTerm
from weakreid.losses.clips.views import Clips
from weakreid.losses.precision import precise, unit, without_autocast


def loss(clips: Clips, options: OsmTerm) -> Tensor:
    """Return (1 - l) ½ Σ⁺ w d² / Σ⁺ w + l ½ Σ⁻ w (α - d)₊² / Σ⁻ w over the ordered pairs.

    d are distances of features of length 1; w = s · min(a_i, a_j), with s = exp(-d²/σ²) of
    positives and (α - d)₊ of negatives; a_i is the softmax of x_i · v over unit class vectors v,
    at its own class. Weights are not detached. A batch without positive pairs, or without negative
    pairs within α, has 0 for that term.

    Args:
        clips: of which `features`, of any length, `persons`, and `classes` or `centers` are looked
            at.
        options: `sigma` is σ; `alpha` is α, the margin of negatives; `balance` is l. `vectors` says
            what v are: "classifier": its weights; "centers": the center loss's centers (ATTN-CL's
            "CL centers"), which learn from that loss alone; "moving_centers": this loss moves them
            too (the authors' program).
    """
    features, labels = clips.features, clips.persons
    of_classes = clips.classes if options.vectors == "classifier" else clips.centers
    assert of_classes is not None, "the config refuses centers without the center loss"
    if options.vectors == "centers":
        of_classes = of_classes.detach()
    with without_autocast(features):
        units = unit(precise(features))
        attention = (units @ unit(precise(of_classes)).T).softmax(1)
    own = attention.gather(1, labels[:, None]).squeeze(1)
    # differences: |x|² + |y|² - 2xy of near duplicates is noise, and its root has a huge gradient
    distances = (units[:, None] - units[None, :]).square().sum(2).clamp(min=1e-12).sqrt()
    same = labels[:, None] == labels[None, :]
    pairs = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    trust = torch.minimum(own[:, None], own[None, :])
    inside = (options.alpha - distances).clamp(min=0)
    squares = distances.square()
    near = (-squares / options.sigma**2).exp()
    positive = _mean(squares, near * trust, same & pairs)
    negative = _mean(inside.square(), inside * trust, ~same)
    return 0.5 * ((1 - options.balance) * positive + options.balance * negative)


def _mean(values: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
    """Return the weighted mean of the chosen pairs; 0 where all weights are 0."""
    weights = weights * chosen
    total = weights.sum()
    return (weights * values).sum() / total.masked_fill(total == 0, 1.0)
