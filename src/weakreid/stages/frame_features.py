"""Stage: ImageNet features of every training frame, for isolating people within tracklets."""

import json
from pathlib import Path
from typing import Annotated

import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage
from weakreid.errors import ReidError
from weakreid.models.build import build_model
from weakreid.retrieval.extract import describe
from weakreid.retrieval.feature_table import batches_of, write_features
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
    """Describe the frames of training tracklets by average pooling alone (TMC, section 3.2)."""
    block = json.loads(params)
    fabric = fabric_for(device, 1, block["precision"], threads)
    fabric.launch()
    network = build_model(
        {
            **block["model"],
            "embedding": "none",
            "dimension": 0,
            "frozen": [],
            "batch_norm": "eval",
        }
    )
    network.normalise_features = False
    network = network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "role"])
    training = rows.loc[rows["role"] == "train", "tracklet_id"]
    if training.empty:
        raise ReidError(f"{tracklets}: no training tracklet; choose a split that has some")
    chosen = schemas.read_frame(frames, "frames", ["tracklet_id", "image"])
    chosen = chosen[chosen["tracklet_id"].isin(training)].reset_index(drop=True)
    with ImageStore(images) as store:
        described = describe(
            network,
            store,
            batches_of(chosen["image"].to_numpy()),
            fabric=fabric,
            height=block["image"]["height"],
            width=block["image"]["width"],
            threads=threads,
            resized=block["image"].get("resized"),
        )
        write_features(out, chosen, described, dimension=network.dimension, params=block)


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
