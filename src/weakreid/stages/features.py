"""Stage: a feature of every frame that is searched with or searched in."""

from pathlib import Path

from weakreid.artifacts.image_store import ImageStore
from weakreid.retrieval.extract import extract_features
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.retrieval.inputs import frames_of, load_frame_network

LESS_MEMORY = "lower image.height and image.width"


def main(
    model: Path, tracklets: Path, frames: Path, images: Path, device: str, threads: int, out: Path
) -> None:
    """Extract features of the frames of query and gallery tracklets, tracklet by tracklet."""
    network, computer, about, _ = load_frame_network(model, device, threads)
    chosen = frames_of(tracklets, frames, ["query", "gallery"])
    with ImageStore(images) as store:
        batches = batches_of(chosen["image"].to_numpy())
        extracted = extract_features(
            network, store, batches, about.image, computer=computer, threads=threads
        )
        write_features(
            *(out, chosen, extracted),
            dimension=network.dimension,
            params=about.image.model_dump(mode="json"),
        )
