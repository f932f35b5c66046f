"""Features of frames for retrieval."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.network import Image
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks
from weakreid.training.devices import Computer


def extract_features(
    model: ReidModel,
    store: ImageStore,
    rows: Sequence[np.ndarray],
    image: Image,
    *,
    computer: Computer,
    threads: int,
) -> Iterator[np.ndarray]:
    """Yield the features of batches of frames.

    Args:
        model: on the device of `computer`; it is put into eval mode.
        store: holds the frames.
        rows: per batch, rows of the store.
        image: the network's input.
        computer: device and precision.
        threads: for decoding.

    Yields:
        float32 [n, d] per batch, of length 1 each.
    """
    model.eval()
    images = (decoded(store, batch, image, threads) for batch in rows)
    with (
        contextlib.closing(prefetch(images)) as batches,
        torch.inference_mode(),
        computer.autocast(),
    ):
        for batch in batches:
            yield features_of(model, batch, computer)


def features_of(model: ReidModel, images: np.ndarray, computer: Computer) -> np.ndarray:
    """Return the features [n, d], float32, of images, uint8 [n, height, width, 3].

    The model is on the device of `computer`, in eval mode; the caller sees to inference mode and
    autocast.
    """
    mean, std = model.backbone.mean, model.backbone.std
    pixels = torch.from_numpy(images).to(computer.device, non_blocking=True)
    parts = [model.extract(preprocess(part, mean, std)) for part in chunks(pixels)]
    return torch.cat(parts).float().cpu().numpy()
