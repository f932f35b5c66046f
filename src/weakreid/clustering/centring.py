"""Camera-centred features: what all pictures of a camera share is taken away.

Beyond the papers: networks that did not learn the cameras at hand tell cameras rather than people.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 10
"""Tracklets, fewer of which have no mean of their own: it would be of one or two people, and two
tracklets of one person would come out as opposites."""


def centred(
    features: NDArray[np.floating[Any]],
    cameras: NDArray[np.integer[Any]],
    tracklets: NDArray[np.integer[Any]] | None = None,
) -> NDArray[np.floating[Any]]:
    """Return features minus the mean of their camera, of length 1 again.

    Where a camera has fewer than `FEW` tracklets, the mean of all cameras is taken away; where all
    together have fewer, nothing is. One that is as the mean says nothing without it: it stays.

    Args:
        features: [N, d], of length 1 each.
        cameras: [N].
        tracklets: [N], of which tracklet each is; None: each is a tracklet.

    Returns:
        [N, d], in the type of `features`.
    """
    wide = features.astype(np.float64)
    _, of_camera = np.unique(cameras, return_inverse=True)
    names = np.arange(len(wide)) if tracklets is None else tracklets
    if len(np.unique(names)) < FEW:
        return features
    found = wide - wide.mean(axis=0)
    for camera in range(of_camera.max() + 1):
        own = of_camera == camera
        if len(np.unique(names[own])) >= FEW:
            found[own] = wide[own] - wide[own].mean(axis=0)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    # what rounding leaves of two equal numbers has no direction
    told = lengths > 1e-6
    found = np.where(told, found / np.where(told, lengths, 1), wide)
    return found.astype(features.dtype)
