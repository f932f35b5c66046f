"""Stage: a feature of every clip that is searched with or searched in, and its frames' weights.

A clip stands in the table of features under the image of its middle frame.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import ClipFeatures
from weakreid.models.build import on_device
from weakreid.retrieval.extract_clips import extract_clip_features, weight_table
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.retrieval.inputs import frames_of, load_clip_network, training_frames
from weakreid.training.clip_sampling import TrackletClips, clips_of_tracklets
from weakreid.training.devices import device_for

LESS_MEMORY = "lower clips.frames, or image.height and image.width"


def main(
    model: Path,
    tracklets: Path,
    frames: Path,
    images: Path,
    params: ClipFeatures,
    device: str,
    threads: int,
    out: Path,
    weights: Path,
    tracks: Annotated[Path | None, "tracklets of the training, if not the split's"] = None,
    training: Annotated[Path | None, "features of training tracklets"] = None,
) -> None:
    """Extract features of the clips of query and gallery tracklets, tracklet by tracklet."""
    network, about = load_clip_network(
        model, normalise=params.normalise, after_neck=params.after_neck
    )
    assert about.clips is not None
    computer = device_for(device, about.precision, threads)
    network = on_device(network, computer.device)
    # how clips are made here is among the params, not in the weights
    made = about.clips.model_dump(mode="json", exclude={"test", "normalise"})
    plain = params.model_dump(mode="json")

    def write(path: Path, shown: pd.DataFrame) -> tuple[TrackletClips, list[np.ndarray]]:
        assert about.clips is not None
        clips = clips_of_tracklets(shown, about.clips.frames, params.test)
        used: list[np.ndarray] = []

        def features() -> Iterator[np.ndarray]:
            for found in extract_clip_features(
                *(network, store, batches_of(clips.images), about.image),
                computer=computer,
                threads=threads,
            ):
                used.append(found.weights)
                yield found.features

        write_features(
            path,
            pd.DataFrame({"image": clips.middles, "tracklet_id": clips.tracklet_ids}),
            features(),
            dimension=network.clips.aggregation.dimension,
            params={"image": about.image.model_dump(mode="json"), "clips": made, **plain},
        )
        return clips, used

    with ImageStore(images) as store:
        learnt = training_frames(tracklets, frames, tracks)
        if training is not None and learnt.empty:
            write_features(
                training, learnt, [], dimension=network.clips.aggregation.dimension, params=plain
            )
        elif training is not None:
            write(training, learnt)
        clips, used = write(out, frames_of(tracklets, frames, ["query", "gallery"]))
    groups = network.clips.aggregation.groups
    table = weight_table(*clips, weights=np.concatenate(used), groups=groups)
    schemas.write(weights, "frame_weights", table, {"clips": made, **plain, "groups": groups})
