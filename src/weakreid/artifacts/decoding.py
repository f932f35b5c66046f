"""Frames of an image store as a network looks at them when nothing is augmented."""

from collections.abc import Sequence

import numpy as np

from weakreid.artifacts.image_store import ImageStore


def decoded(
    store: ImageStore,
    rows: np.ndarray,
    height: int,
    width: int,
    threads: int,
    resized: Sequence[int] | None,
) -> np.ndarray:
    """Return frames, uint8 [n, height, width, 3].

    Args:
        store: holds the frames.
        rows: of the store.
        height: of the network's input in pixels.
        width: likewise.
        threads: for decoding.
        resized: height and width a picture gets before height x width are cut from its middle;
            None: the whole picture is the input.
    """
    if resized is None:
        return store.batch(rows, height, width, threads=threads)
    larger = store.batch(rows, resized[0], resized[1], threads=threads)
    return middle_of(larger, height, width)


def middle_of(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cut [N, height, width, 3] from the middle of images [N, H, W, 3] that are as large."""
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return np.ascontiguousarray(images[:, top : top + height, left : left + width])
