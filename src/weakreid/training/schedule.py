"""The learning rate over the steps of a training."""

import math
from collections.abc import Sequence


def rate_factor(
    step: int,
    *,
    steps_per_epoch: int,
    epochs: int,
    name: str,
    milestones: Sequence[int],
    factor: float,
    warm_up: float,
    warm_up_from: float | None = None,
) -> float:
    """Return what the base learning rates are multiplied by at a step.

    Args:
        step: 0-based, over the whole training.
        steps_per_epoch: steps in an epoch.
        epochs: epochs in the training.
        name: `step` (times `factor` after each milestone) or `cosine` (down to 0).
        milestones: epochs after which the rate falls, for `step`.
        factor: of one fall, for `step`.
        warm_up: share of all steps over which the rate rises linearly.
        warm_up_from: the factor of the first step; None: near 0, one of as many equal steps as the
            rise has.
    """
    total = max(1, steps_per_epoch * epochs)
    rising = round(warm_up * total)
    if step < rising:
        if warm_up_from is None:
            return (step + 1) / (rising + 1)
        return warm_up_from + (1 - warm_up_from) * step / rising
    if name == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
    epoch = step // steps_per_epoch
    return factor ** sum(epoch >= milestone for milestone in milestones)
