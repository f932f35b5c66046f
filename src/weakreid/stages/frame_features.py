"""Stage: ImageNet features of every training frame, for isolating people within tracklets."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import FrameFeatures
from weakreid.errors import ReidError
from weakreid.models.build import build_model, on_device
from weakreid.retrieval.extract import extract_features
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.retrieval.inputs import frames_of
from weakreid.training.devices import device_for

LESS_MEMORY = "lower image.height and image.width"


def main(
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    params: FrameFeatures,
    device: str,
    threads: int,
    out: Path,
) -> None:
    """Extract features of the frames of training tracklets, by average pooling (TMC, sec. 3.2)."""
    computer = device_for(device, params.precision, threads)
    network = on_device(build_model(params.model), computer.device)
    network.normalise_features = False
    chosen = frames_of(tracklets, frames, ["train"])
    if chosen.empty:
        raise ReidError(f"{tracklets}: no training tracklet; choose a split that has some")
    with ImageStore(images) as store:
        batches = batches_of(chosen["image"].to_numpy())
        extracted = extract_features(
            network, store, batches, params.image, computer=computer, threads=threads
        )
        write_features(
            *(out, chosen, extracted),
            dimension=network.dimension,
            params=params.model_dump(mode="json"),
        )
