"""What stages that run a trained network begin with: the network, and what it is shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from torch import Tensor

from weakreid.artifacts import schemas
from weakreid.config.params import ErasedAttention, Masks, MaskShares
from weakreid.config.trained import Trained
from weakreid.errors import ReidError
from weakreid.models.build import on_device, restore_model
from weakreid.models.clips import ClipModel, restore_clip_model
from weakreid.models.reid import ReidModel
from weakreid.retrieval.clip_maps import drawn_clips
from weakreid.seeding import numpy_generator
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.clip_sampling import TrackletClips
from weakreid.training.devices import OneDevice, device_for


class FrameNetwork(NamedTuple):
    """A trained network of frames, on the device of its computer, and what else its file holds."""

    network: ReidModel
    computer: OneDevice
    about: Trained
    tensors: dict[str, Tensor]


def load_frame_network(model: Path, device: str, threads: int) -> FrameNetwork:
    """Return a trained network of frames on a device.

    Raises:
        ReidError: the file is not one of ours, its network sees clips, or see `device_for`.
    """
    tensors, about = load_weights(model)
    if about.clips is not None:
        raise ReidError(f"{model}: sees clips, not frames; give a model that sees frames")
    computer = device_for(device, about.precision, threads)
    network = restore_model(about.model, part_of(tensors, "model"))
    return FrameNetwork(on_device(network, computer.device), computer, about, tensors)


def load_clip_network(
    model: Path, *, normalise: bool = True, after_neck: bool = True
) -> tuple[ClipModel, Trained]:
    """Return a trained network of clips on the CPU, and what its file says of it.

    Raises:
        ReidError: the file is not one of ours, or its network sees frames.
    """
    tensors, about = load_weights(model)
    if about.clips is None:
        raise ReidError(f"{model}: does not see clips; give a model that does")
    parts = part_of(tensors, "model"), part_of(tensors, "heads")
    return restore_clip_model(about, *parts, normalise=normalise, after_neck=after_neck), about


def frames_of(tracklets: Path, frames: Path, roles: Sequence[str]) -> pd.DataFrame:
    """Return the frames (tracklet_id, position, image) of a split's tracklets of some roles."""
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "role"])
    chosen = rows.loc[rows["role"].isin(roles), "tracklet_id"]
    found = schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"])
    return found[found["tracklet_id"].isin(chosen)].reset_index(drop=True)


FRAMES = 8
"""Of a training tracklet, evenly spread, that its feature is the mean of."""


def training_frames(tracklets: Path, frames: Path, tracks: Path | None) -> pd.DataFrame:
    """Return some frames (tracklet_id, position, image) of each training tracklet.

    Args:
        tracklets: of a split.
        frames: of the dataset.
        tracks: the tracklets that the training had, where these are others.
    """
    if tracks is None:
        rows = frames_of(tracklets, frames, ["train"])
    else:
        rows = schemas.read_frame(tracks, "tracks", ["tracklet_id", "position", "image"])
    rows = rows.sort_values(["tracklet_id", "position"], kind="stable")
    of_tracklet = rows.groupby("tracklet_id")["image"]
    place, count = of_tracklet.cumcount(), of_tracklet.transform("size")
    first_of_its_part = place * FRAMES // count != (place - 1) * FRAMES // count
    return rows[first_of_its_part].reset_index(drop=True)


def clips_of_people(
    tracklets: Path,
    frames: Path,
    about: Trained,
    params: Masks | MaskShares | ErasedAttention,
    stream: str,
    one_each: bool = False,
) -> tuple[TrackletClips, pd.DataFrame]:
    """Return clips of people of query and gallery, as a network sees them, and all tracklets.

    Args:
        tracklets: file of a split.
        frames: file of the dataset.
        about: the network.
        params: how many clips, how they are made, and the seed.
        stream: name of what is drawn.
        one_each: one clip of a person at most.

    Raises:
        ReidError: nobody is in query and gallery.
    """
    assert about.clips is not None, "of networks that see clips"
    split = schemas.read_frame(
        tracklets, "tracklets", ["tracklet_id", "person_id", "camera_id", "role"]
    )
    clips = drawn_clips(
        split,
        schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
        length=about.clips.frames,
        test=params.test,
        count=params.clips,
        generator=numpy_generator(params.seed, stream),
        one_each=one_each,
    )
    return clips, split
