"""Features of frames for retrieval."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from lightning_fabric import Fabric

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.network import Image
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks


def extract_features(
    model: ReidModel,
    store: ImageStore,
    rows: Sequence[np.ndarray],
    image: Image,
    *,
    fabric: Fabric,
    threads: int,
) -> Iterator[np.ndarray]:
    """Yield the features of batches of frames.

    Args:
        model: on the device of `fabric`; it is put into eval mode.
        store: holds the frames.
        rows: per batch, rows of the store.
        image: the network's input.
        fabric: device and precision.
        threads: for decoding.

    Yields:
        float32 [n, d] per batch, of length 1 each.
    """
    model.eval()
    images = (decoded(store, batch, image, threads) for batch in rows)
    with (
        contextlib.closing(prefetch(images)) as batches,
        torch.inference_mode(),
        fabric.autocast(),
    ):
        for batch in batches:
            yield features_of(model, batch, fabric)


def features_of(model: ReidModel, images: np.ndarray, fabric: Fabric) -> np.ndarray:
    """Return the features [n, d], float32, of images, uint8 [n, height, width, 3].

    The model is on the device of `fabric`, in eval mode; the caller sees to inference mode and
    autocast.
    """
    mean, std = model.backbone.mean, model.backbone.std
    pixels = torch.from_numpy(images).to(fabric.device, non_blocking=True)
    parts = [model.extract(preprocess(part, mean, std)) for part in chunks(pixels)]
    return torch.cat(parts).float().cpu().numpy()
