"""Retrieval descriptors of frames."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from lightning_fabric import Fabric

from weakreid.images import ImageStore
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks
from weakreid.prefetching import prefetch


def describe(
    model: ReidModel,
    store: ImageStore,
    rows: Sequence[np.ndarray],
    *,
    fabric: Fabric,
    height: int,
    width: int,
    threads: int,
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

    Yields:
        float32 [n, d] per batch, of length 1 each.
    """
    model.eval()
    mean, std = model.backbone.mean, model.backbone.std
    images = (store.batch(batch, height, width, threads=threads) for batch in rows)
    with (
        contextlib.closing(prefetch(images)) as batches,
        torch.inference_mode(),
        fabric.autocast(),
    ):
        for batch in batches:
            pixels = torch.from_numpy(batch).to(fabric.device, non_blocking=True)
            parts = [model.describe(preprocess(part, mean, std)) for part in chunks(pixels)]
            yield torch.cat(parts).float().cpu().numpy()
