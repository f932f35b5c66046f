"""What a network sees in tracklets: each attribute's probability, the mean over the frames."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import linear

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.network import Image
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks
from weakreid.training.devices import Computer


def probabilities(
    model: ReidModel,
    head: nn.Linear,
    store: ImageStore,
    rows: Sequence[NDArray[np.int64]],
    image: Image,
    *,
    computer: Computer,
    threads: int,
) -> Iterator[NDArray[np.float32]]:
    """Yield the attributes' probabilities p of batches of frames (ATTR, section 3.2).

    Args:
        model: on the device of `computer`; it is put into eval mode.
        head: the prediction layer, on the same device.
        store: holds the frames.
        rows: per batch, rows of the store.
        image: the network's input.
        computer: device and precision.
        threads: for decoding.

    Yields:
        float32 [n, L] per batch.
    """
    model.eval()
    mean, std = model.backbone.mean, model.backbone.std
    images = (decoded(store, batch, image, threads) for batch in rows)
    with contextlib.closing(prefetch(images)) as batches, torch.inference_mode():
        for batch in batches:
            pixels = torch.from_numpy(batch).to(computer.device, non_blocking=True)
            parts = []
            for part in chunks(pixels):
                with computer.autocast():
                    features = precise(model(preprocess(part, mean, std)))
                with without_autocast(features):
                    parts.append(linear(features, head.weight, head.bias).sigmoid())
            yield torch.cat(parts).cpu().numpy()


def tracklet_means(
    places: NDArray[np.int64],
    found: Iterable[NDArray[np.float32]],
    attributes: int,
) -> NDArray[np.float32]:
    """Return the mean probabilities of tracklets: [tracklets, attributes].

    Args:
        places: [N], the tracklet of each frame, from 0 without gaps.
        found: probabilities [n, attributes] of the frames, batch by batch in their order; no more
            than a batch is held.
        attributes: how many.
    """
    counts = np.bincount(places)
    sums = np.zeros((len(counts), attributes), np.float64)
    at = 0
    for batch in found:
        np.add.at(sums, places[at : at + len(batch)], batch.astype(np.float64))
        at += len(batch)
    return (sums / counts[:, None]).astype(np.float32)
