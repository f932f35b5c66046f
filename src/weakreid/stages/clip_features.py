"""Stage: a descriptor for every clip that is searched with or searched in, and its frames' weights.

A clip stands in the table of features under the image of its middle frame.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage
from weakreid.errors import ReidError
from weakreid.models.clips import restore_clip_model
from weakreid.retrieval.extract_clips import describe_clips, weight_table
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.clip_sampling import described_clips
from weakreid.training.devices import fabric_for

LESS_MEMORY = "lower clips.frames, or image.height and image.width"


def main(
    model: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="test, normalise, after_neck: how")],
    device: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
    weights: Annotated[Path, typer.Option()],
) -> None:
    """Describe the clips of query and gallery tracklets, tracklet by tracklet."""
    tensors, about = load_weights(model)
    if "clips" not in about:
        raise ReidError(f"{model}: does not see clips; describe its frames instead")
    block = json.loads(params)
    test = block["test"]
    fabric = fabric_for(device, 1, about["precision"], threads)
    fabric.launch()
    network = restore_clip_model(
        about,
        part_of(tensors, "model"),
        part_of(tensors, "heads"),
        normalise=block["normalise"],
        after_neck=block["after_neck"],
    )
    network = network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "role"])
    searched = rows.loc[rows["role"].isin(["query", "gallery"]), "tracklet_id"]
    shown = schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"])
    clips = described_clips(
        shown[shown["tracklet_id"].isin(searched)],
        about["clips"]["frames"],
        test,
    )
    image = about["image"]
    used: list[np.ndarray] = []
    with ImageStore(images) as store:

        def descriptors() -> Iterator[np.ndarray]:
            for found in describe_clips(
                network,
                store,
                batches_of(clips.images),
                fabric=fabric,
                height=image["height"],
                width=image["width"],
                threads=threads,
                resized=image.get("resized"),
            ):
                used.append(found.weights)
                yield found.descriptors

        write_features(
            out,
            pd.DataFrame({"image": clips.middles, "tracklet_id": clips.tracklet_ids}),
            descriptors(),
            dimension=network.aggregation.dimension,
            params={"image": image, "clips": about["clips"], **block},
        )
    groups = network.aggregation.groups
    table = weight_table(*clips, weights=np.concatenate(used), groups=groups)
    params_of_table = {"clips": about["clips"], **block, "groups": groups}
    schemas.write(weights, "frame_weights", table, params_of_table)


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
