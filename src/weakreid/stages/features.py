"""Stage: a feature of every frame that is searched with or searched in.

And of some frames of training tracklets, which say what a distance means.
"""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts.image_store import ImageStore
from weakreid.retrieval.extract import extract_features
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.retrieval.inputs import frames_of, load_frame_network, training_frames

LESS_MEMORY = "lower image.height and image.width"


def main(
    model: Path,
    tracklets: Path,
    frames: Path,
    images: Path,
    device: str,
    threads: int,
    out: Path,
    tracks: Annotated[Path | None, "tracklets of the training, if not the split's"] = None,
    training: Annotated[Path | None, "features of training tracklets"] = None,
) -> None:
    """Extract features of the frames of query and gallery tracklets, tracklet by tracklet."""
    network, computer, about, _ = load_frame_network(model, device, threads)
    wanted = [(out, frames_of(tracklets, frames, ["query", "gallery"]))]
    if training is not None:
        wanted.insert(0, (training, training_frames(tracklets, frames, tracks)))
    with ImageStore(images) as store:
        for path, chosen in wanted:
            batches = batches_of(chosen["image"].to_numpy())
            extracted = extract_features(
                network, store, batches, about.image, computer=computer, threads=threads
            )
            write_features(
                *(path, chosen, extracted),
                dimension=network.dimension,
                params=about.image.model_dump(mode="json"),
            )
