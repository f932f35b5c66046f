"""Camera-centred features: what all pictures of a camera share is taken away.

Beyond the papers: networks that did not learn the cameras at hand tell cameras rather than people.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def centred(
    features: NDArray[np.floating[Any]], cameras: NDArray[np.integer[Any]]
) -> NDArray[np.floating[Any]]:
    """Return features minus the mean of their camera, of length 1 again.

    One that is as its camera's mean, such as the only one of a camera, says nothing without it: it
    stays as it was.

    Args:
        features: [N, d], of length 1 each.
        cameras: [N].

    Returns:
        [N, d], in the type of `features`.
    """
    wide = features.astype(np.float64)
    _, of_camera = np.unique(cameras, return_inverse=True)
    found = wide.copy()
    for camera in range(of_camera.max(initial=-1) + 1):
        own = of_camera == camera
        found[own] -= wide[own].mean(axis=0)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    # what rounding leaves of two equal numbers has no direction
    told = lengths > 1e-6
    found = np.where(told, found / np.where(told, lengths, 1), wide)
    return found.astype(features.dtype)
