"""Frames of an image store as a network sees them when nothing is augmented."""

import numpy as np

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Image


def decoded(store: ImageStore, rows: np.ndarray, image: Image, threads: int) -> np.ndarray:
    """Return frames as a trained network sees them, uint8 [n, height, width, 3].

    Where `image.resized` is set, the input is the middle of the larger image.
    """
    if image.resized is None:
        return store.batch(rows, image.height, image.width, threads=threads)
    larger = store.batch(rows, *image.resized, threads=threads)
    return middle_of(larger, image.height, image.width)


def middle_of(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cut [N, height, width, 3] from the middle of images [N, H, W, 3] that are as large."""
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return np.ascontiguousarray(images[:, top : top + height, left : left + width])
