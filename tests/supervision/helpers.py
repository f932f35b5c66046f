"""Bags with the config's values, but for those that a test sets."""

from typing import Any

import pandas as pd

from weakreid.config.supervision import Bags, Coarse
from weakreid.supervision import bags

LATER = {"noisy_parts", "planted", "noise", "videos"}
"""Keys of bags that make no difference to `training_bags`."""


def training_bags(tracklets: pd.DataFrame, frames: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    """Make training bags of seed 0."""
    chosen = {name: value for name, value in Bags() if name not in LATER}
    return bags.training_bags(tracklets, frames, **{"seed": 0, **chosen, **changes})


def coarse_bags(tracklets: pd.DataFrame, frames: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    """Make the coarse test set of seed 0."""
    return bags.coarse_bags(tracklets, frames, **{"seed": 0, **dict(Coarse()), **changes})
