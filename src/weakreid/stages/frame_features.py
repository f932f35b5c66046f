"""Stage: ImageNet features of every training frame, for isolating people within tracklets."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import FrameFeatures
from weakreid.console import run_stage
from weakreid.errors import ReidError
from weakreid.models.build import build_model, on_device
from weakreid.retrieval.extract import extract_features
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.retrieval.inputs import frames_of
from weakreid.training.devices import fabric_for

LESS_MEMORY = "lower image.height and image.width"


def main(
    tracklets: Annotated[Path, typer.Option(help="of a split")],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="model, image, precision")],
    device: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Extract features of the frames of training tracklets, by average pooling (TMC, sec. 3.2)."""
    how = FrameFeatures.parse(params)
    fabric = fabric_for(device, 1, how.precision, threads)
    fabric.launch()
    network = on_device(build_model(how.model), fabric.device)
    network.normalise_features = False
    chosen = frames_of(tracklets, frames, ["train"])
    if chosen.empty:
        raise ReidError(f"{tracklets}: no training tracklet; choose a split that has some")
    with ImageStore(images) as store:
        batches = batches_of(chosen["image"].to_numpy())
        extracted = extract_features(
            network, store, batches, how.image, fabric=fabric, threads=threads
        )
        write_features(
            *(out, chosen, extracted),
            dimension=network.dimension,
            params=how.model_dump(mode="json"),
        )


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
