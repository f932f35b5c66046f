"""Stage: a descriptor for every frame that is searched with or searched in."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage
from weakreid.errors import ReidError
from weakreid.models.build import restore_model
from weakreid.retrieval.extract import describe
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.devices import fabric_for

LESS_MEMORY = "lower image.height and image.width"


def main(
    model: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    device: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Describe the frames of query and gallery tracklets, tracklet by tracklet."""
    tensors, about = load_weights(model)
    if "clips" in about:
        raise ReidError(f"{model}: sees clips, not frames; describe its clips instead")
    fabric = fabric_for(device, 1, about["precision"], threads)
    fabric.launch()
    network = restore_model(about["model"], part_of(tensors, "model"))
    network = network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "role"])
    searched = rows.loc[rows["role"].isin(["query", "gallery"]), "tracklet_id"]
    chosen = schemas.read_frame(frames, "frames", ["tracklet_id", "image"])
    chosen = chosen[chosen["tracklet_id"].isin(searched)].reset_index(drop=True)
    with ImageStore(images) as store:
        described = describe(
            network,
            store,
            batches_of(chosen["image"].to_numpy()),
            fabric=fabric,
            height=about["image"]["height"],
            width=about["image"]["width"],
            threads=threads,
            resized=about["image"].get("resized"),
        )
        write_features(out, chosen, described, dimension=network.dimension, params=about["image"])


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
