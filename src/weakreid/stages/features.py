"""Stage: a descriptor for every frame that is searched with or searched in."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import typer

from weakreid import tables
from weakreid.console import progress, run_stage
from weakreid.files import replacing
from weakreid.images import ImageStore
from weakreid.models.build import restore_model
from weakreid.retrieval.describe import describe
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.devices import fabric_for

_BATCH = 256


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
    fabric = fabric_for(device, 1, about["precision"], threads)
    fabric.launch()
    network = restore_model(about["model"], part_of(tensors, "model"))
    network = network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = tables.read_frame(tracklets, "tracklets", ["tracklet_id", "split"])
    searched = rows.loc[rows["split"].isin(["query", "gallery"]), "tracklet_id"]
    chosen = tables.read_frame(frames, "frames", ["tracklet_id", "image"])
    chosen = chosen[chosen["tracklet_id"].isin(searched)].reset_index(drop=True)
    batches = [chosen.iloc[at : at + _BATCH] for at in range(0, len(chosen), _BATCH)]
    kind = tables.schema("features", feature=pa.list_(pa.float32(), network.dimension))
    kind = kind.with_metadata(tables.metadata("features", about["image"]))
    with (
        ImageStore(images) as store,
        replacing(out) as aside,
        pq.ParquetWriter(aside, kind, compression="zstd") as writer,
    ):
        described = describe(
            network,
            store,
            [batch["image"].to_numpy() for batch in batches],
            fabric=fabric,
            height=about["image"]["height"],
            width=about["image"]["width"],
            threads=threads,
        )
        steps = progress(
            zip(batches, described, strict=True),
            total=len(batches),
            label="describing frames",
            unit=f"batches of {_BATCH}",
        )
        for batch, features in steps:
            writer.write_table(_table(batch, features, kind))


def _table(batch: pd.DataFrame, features: np.ndarray, kind: pa.Schema) -> pa.Table:
    column = pa.FixedSizeListArray.from_arrays(
        pa.array(features.reshape(-1)), kind.field("feature").type.list_size
    )
    return pa.table([pa.array(batch["image"]), pa.array(batch["tracklet_id"]), column], schema=kind)


if __name__ == "__main__":
    run_stage(main)
