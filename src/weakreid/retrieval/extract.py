"""Retrieval descriptors of frames."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from lightning_fabric import Fabric

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks


def describe(
    model: ReidModel,
    store: ImageStore,
    rows: Sequence[np.ndarray],
    *,
    fabric: Fabric,
    height: int,
    width: int,
    threads: int,
    resized: Sequence[int] | None = None,
) -> Iterator[np.ndarray]:
    """Yield the descriptors of batches of frames.

    Args:
        model: on the device of `fabric`; it is put into eval mode.
        store: holds the frames.
        rows: per batch, rows of the store.
        fabric: device and precision.
        height: of the network's input in pixels.
        width: likewise.
        threads: for decoding.
        resized: height and width a picture gets before height x width are cut from its middle;
            None: the whole picture is the input.

    Yields:
        float32 [n, d] per batch, of length 1 each.
    """
    model.eval()
    images = (decoded(store, batch, height, width, threads, resized) for batch in rows)
    with (
        contextlib.closing(prefetch(images)) as batches,
        torch.inference_mode(),
        fabric.autocast(),
    ):
        for batch in batches:
            yield descriptors_of(model, batch, fabric)


def descriptors_of(model: ReidModel, images: np.ndarray, fabric: Fabric) -> np.ndarray:
    """Return the descriptors [n, d], float32, of images, uint8 [n, height, width, 3].

    The model is on the device of `fabric`, in eval mode; the caller sees to inference mode and
    autocast.
    """
    mean, std = model.backbone.mean, model.backbone.std
    pixels = torch.from_numpy(images).to(fabric.device, non_blocking=True)
    parts = [model.describe(preprocess(part, mean, std)) for part in chunks(pixels)]
    return torch.cat(parts).float().cpu().numpy()
