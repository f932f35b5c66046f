"""Generators seeded from (seed, stage, item), so that no stage touches a global generator."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Item = int | str


def derive(seed: int, *items: Item) -> int:
    """Return a 63-bit seed that depends on `seed` and every item, and on nothing else."""
    text = "\x1f".join([str(seed), *(f"{type(item).__name__}:{item}" for item in items)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed: int, *items: Item) -> np.random.Generator:
    """Return a NumPy generator for one item of one stage."""
    import numpy as np  # the plan only derives seeds, and starts at every call of snakemake

    return np.random.default_rng(derive(seed, *items))
