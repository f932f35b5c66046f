"""Features of clips for retrieval, and what each frame counted in them."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.network import Image
from weakreid.models.clips import ClipModel
from weakreid.training.devices import Computer

_FRAMES = 256
"""Frames that are decoded at a time, about: whole clips."""


class Extracted(NamedTuple):
    """What a model makes of clips."""

    features: NDArray[np.float32]  # float32 [n, d], of length 1 each
    weights: NDArray[np.float32]  # float32 [n, G, T], what each frame counts in each of G groups


def extract_clip_features(
    model: ClipModel,
    store: ImageStore,
    clips: Sequence[NDArray[np.int64]],
    image: Image,
    *,
    computer: Computer,
    threads: int,
) -> Iterator[Extracted]:
    """Yield the features of batches of clips; however large, few frames are held at a time.

    Args:
        model: on the device of `computer`; it is put into eval mode.
        store: holds the frames.
        clips: per batch, rows of the store [n, T].
        image: the network's input.
        computer: device and precision.
        threads: for decoding.
    """
    model.eval()
    pieces = [list(_pieces(batch)) for batch in clips]
    images = (
        decoded(store, piece.reshape(-1), image, threads)
        for of_batch in pieces
        for piece in of_batch
    )
    with (
        contextlib.closing(prefetch(images)) as made,
        torch.inference_mode(),
        computer.autocast(),
    ):
        for of_batch in pieces:
            found = [clip_features_of(model, next(made), computer) for _ in of_batch]
            yield Extracted(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def clip_features_of(model: ClipModel, images: NDArray[np.uint8], computer: Computer) -> Extracted:
    """Return the features of clips, uint8 [n * T, height, width, 3], one after another.

    The model is on the device of `computer`, in eval mode; the caller sees to inference mode and
    autocast.
    """
    pixels = torch.from_numpy(images).to(computer.device, non_blocking=True)
    parts = model.extract(pixels)
    return Extracted(*(part.float().cpu().numpy() for part in parts))


def _pieces(batch: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    step = max(1, _FRAMES // batch.shape[1])
    return (batch[at : at + step] for at in range(0, len(batch), step))


def weight_table(
    tracklet_ids: NDArray[np.int64],
    numbers: NDArray[np.int64],
    positions: NDArray[np.int64],
    images: NDArray[np.int64],
    weights: NDArray[np.float32],
    groups: Sequence[str],
) -> pa.Table:
    """Return the rows of the table "frame_weights": clip after clip, group after group.

    Args:
        tracklet_ids: [C].
        numbers: [C], of a clip within its tracklet.
        positions: [C, T], of frames within the tracklet.
        images: [C, T], rows of the image store.
        weights: [C, G, T].
        groups: G names.
    """
    shape = weights.shape

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        return np.broadcast_to(values, shape).reshape(-1)

    return pa.table(
        {
            "tracklet_id": spread(tracklet_ids[:, None, None]),
            "clip": spread(numbers[:, None, None]),
            "position": spread(positions[:, None, :]),
            "image": spread(images[:, None, :]),
            "group": spread(np.array(groups, object)[None, :, None]),
            "weight": weights.reshape(-1),
        }
    )
