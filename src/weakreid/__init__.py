"""Video person re-identification with weak labels and noisy tracklets.

For programs of one's own, a trained model in two lines:

    model = weakreid.load("results/demo")
    features = model.embed(pictures)
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weakreid.door import Model

__all__ = ["load"]


def load(path: Path | str, device: str = "auto", metrics: Path | str | None = None) -> "Model":
    """Return a trained model, to compute descriptors of pictures and tracklets with.

    Args:
        path: a training's `model.safetensors`, its folder (`results/NAME/runs/SPLIT-SEED`), or an
            experiment's (`results/NAME`) if it holds one training.
        device: `cpu`, `cuda`, or `auto`: a GPU where one is visible.
        metrics: the experiment's metrics.json, which says how tracklets are described and compared;
            None: the one of the results folder that `path` is in. `embed` needs none.

    Raises:
        weakreid.errors.ReidError: there is no such model or device.
    """
    # PyTorch takes seconds: not before it is needed
    from weakreid.door import Model

    return Model(path, device, metrics)
