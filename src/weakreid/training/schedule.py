"""The learning rate over the steps of a training."""

import math

from weakreid.config.training import Schedule


def rate_factor(step: int, schedule: Schedule, steps_per_epoch: int) -> float:
    """Return what the base learning rates are multiplied by at a step.

    Args:
        step: 0-based, over the whole training.
        schedule: `step` (times `factor` after each milestone) or `cosine` (down to 0), after a
            linear rise over the share `warm_up` of all steps: from `warm_up_from` on, or, where
            that is None, from near 0, by one of as many equal steps as the rise has.
        steps_per_epoch: steps in an epoch.
    """
    total = max(1, steps_per_epoch * schedule.epochs)
    rising = round(schedule.warm_up * total)
    if step < rising:
        if schedule.warm_up_from is None:
            return (step + 1) / (rising + 1)
        return schedule.warm_up_from + (1 - schedule.warm_up_from) * step / rising
    if schedule.name == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
    epoch = step // steps_per_epoch
    return schedule.factor ** sum(epoch >= milestone for milestone in schedule.milestones)
