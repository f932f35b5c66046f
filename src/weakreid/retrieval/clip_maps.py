"""Where a network looks in the frames of clips: COSAM's masks, and the activation of its last map.

Shapes: n clips of T frames, maps of h x w places.
"""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Image
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel
from weakreid.training.clip_sampling import TrackletClips, clips_of_tracklets

_FRAMES = 64
"""Frames that go through a network at a time, about: whole clips."""


class ClipMaps(NamedTuple):
    """Where a network looks in the frames of clips."""

    masks: dict[str, NDArray[np.float32]]  # [n, T, h, w], in 0..1, by the stage before each COSAM
    activation: NDArray[np.float32]  # [n, T, h, w], sum of squares over the last map's channels


def drawn_clips(
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
    *,
    length: int,
    test: str,
    count: int,
    generator: np.random.Generator,
    one_each: bool = False,
) -> TrackletClips:
    """Draw clips of the persons of query and gallery, of those for retrieval.

    Args:
        tracklets: tracklet_id, person_id and split; nobody's (0 or less) are left out.
        frames: tracklet_id, position and image.
        length: T, frames of a clip.
        test: see `weakreid.training.clip_sampling.clips_of_tracklet`.
        count: clips, at most.
        generator: where every choice comes from.
        one_each: one clip of a person at most.

    Raises:
        ReidError: nobody is in query and gallery.
    """
    shown = tracklets[tracklets["role"].isin(["query", "gallery"]) & (tracklets["person_id"] > 0)]
    if shown.empty:
        raise ReidError("no tracklet of query and gallery shows a person; take a split with some")
    rows = frames[frames["tracklet_id"].isin(shown["tracklet_id"])]
    clips = clips_of_tracklets(rows, length, test)
    chosen = generator.permutation(len(clips.tracklet_ids))
    if one_each:
        persons = shown.set_index("tracklet_id")["person_id"].reindex(clips.tracklet_ids[chosen])
        chosen = chosen[~persons.duplicated().to_numpy()]
    chosen = np.sort(chosen[:count])
    return TrackletClips(*(part[chosen] for part in clips))


@contextlib.contextmanager
def _masks_seen(network: ReidModel) -> Iterator[dict[str, Tensor]]:
    """Give the masks of the network's COSAM modules, as of its last call, by stage."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> torch.utils.hooks.RemovableHandle:
        return network.cosam[name].register_forward_hook(
            lambda _module, _given, made: found.update({name: made.masks})
        )

    handles = [keep(name) for name in network.backbone.stage_names if name in network.cosam]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def clip_maps(
    network: ReidModel,
    store: ImageStore,
    clips: NDArray[np.int64],
    image: Image,
    threads: int,
) -> ClipMaps:
    """Return where a network looks in clips, on the CPU.

    The activation is that of Zagoruyko and Komodakis (2017, attention transfer), which knows no
    class: people of a test set are no class of the classifier's, so there is no class activation
    map of them.

    Args:
        network: of frames; it is put into eval mode.
        store: holds the frames.
        clips: rows of the store [n, T].
        image: the network's input.
        threads: for decoding.
    """
    network.eval()
    length = clips.shape[1]
    step = max(1, _FRAMES // length)
    masks: dict[str, list[NDArray[np.float32]]] = {}
    activations = []
    with torch.inference_mode(), _masks_seen(network) as seen:
        for at in range(0, len(clips), step):
            rows = clips[at : at + step].reshape(-1)
            pixels = torch.from_numpy(decoded(store, rows, image, threads))
            maps = network.maps(preprocess(pixels, network.backbone.mean, network.backbone.std))
            activations.append(_by_clip(maps.float().square().sum(1), length))
            for name, of_stage in seen.items():
                masks.setdefault(name, []).append(_by_clip(of_stage[:, 0].float(), length))
    return ClipMaps(
        {name: np.concatenate(parts) for name, parts in masks.items()}, np.concatenate(activations)
    )


def _by_clip(values: Tensor, length: int) -> NDArray[np.float32]:
    """Return maps [n * T, h, w] as [n, T, h, w]."""
    found: NDArray[np.float32] = values.unflatten(0, (-1, length)).cpu().numpy()
    return found
