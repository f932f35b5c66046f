"""The table of features: a row per frame, written and read in blocks, never whole in Arrow."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from weakreid.artifacts import schemas
from weakreid.artifacts.files import replacing
from weakreid.console import progress
from weakreid.errors import ReidError
from weakreid.retrieval.measure import Frames

BATCH = 256
"""Frames whose features are extracted, and written, at a time."""
_READ = 4096


def batches_of(images: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cut rows of the image store into the batches that `write_features` expects."""
    return [images[at : at + BATCH] for at in range(0, len(images), BATCH)]


def write_features(
    path: Path,
    frames: pd.DataFrame,
    extracted: Iterable[NDArray[np.float32]],
    *,
    dimension: int,
    params: Mapping[str, Any],
) -> None:
    """Write the features of frames, whole or not at all, as they are computed.

    Args:
        path: the file to write.
        frames: columns image and tracklet_id.
        extracted: float32 [n, dimension] per batch of `batches_of(frames["image"])`.
        dimension: length of a feature.
        params: for the file's metadata.
    """
    batches = [frames.iloc[at : at + BATCH] for at in range(0, len(frames), BATCH)]
    kind = schemas.schema("features", feature=pa.list_(pa.float32(), dimension))
    kind = kind.with_metadata(schemas.metadata("features", params))
    steps = progress(
        zip(batches, extracted, strict=True),
        total=len(batches),
        label="extracting features",
        unit=f"batches of {BATCH}",
    )
    with replacing(path) as aside, pq.ParquetWriter(aside, kind, compression="zstd") as writer:
        for batch, features in steps:
            writer.write_table(_table(batch, features, kind))


def _table(batch: pd.DataFrame, features: NDArray[np.float32], kind: pa.Schema) -> pa.Table:
    column = pa.FixedSizeListArray.from_arrays(
        pa.array(features.reshape(-1)), kind.field("feature").type.list_size
    )
    return pa.table([pa.array(batch["image"]), pa.array(batch["tracklet_id"]), column], schema=kind)


def read_features(path: Path, images: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read the features of some frames, in their order.

    Args:
        path: a table "features".
        images: [N] rows of the image store.

    Returns:
        [N, d], float32; beside it no more than a block of the file is held.

    Raises:
        ReidError: the file is not what is expected, or has no feature of a frame.
    """
    dimension = schemas.check_file(path, "features").field("feature").type.list_size
    held = schemas.read(path, "features", ["image"])["image"].to_numpy()
    order = np.argsort(held, kind="stable")
    place = np.searchsorted(held, images, sorter=order)
    found = order[np.minimum(place, max(0, len(held) - 1))] if len(held) else place
    absent = np.ones(len(images), bool) if not len(held) else held[found] != images
    if absent.any():
        raise ReidError(
            f"{path}: no feature of image {images[absent.argmax()]} ({int(absent.sum())} of "
            f"{len(images)} frames have none); extract features of this dataset again"
        )
    result = np.empty((len(images), dimension), np.float32)
    wanted = np.argsort(found, kind="stable")
    start = 0
    for batch in schemas.read_batches(path, "features", ["feature"], rows=_READ):
        end = start + len(batch)
        first, last = np.searchsorted(found, (start, end), sorter=wanted)
        if last > first:
            values = batch.column(0).flatten().to_numpy().reshape(len(batch), dimension)
            into = wanted[first:last]
            result[into] = values[found[into] - start]
        start = end
    return result


def open_features(path: Path) -> Frames:
    """Return all features of a table "features", which are read in blocks when they are asked for.

    Raises:
        ReidError: the file is not what is expected.
    """
    ids = schemas.read(path, "features", ["image", "tracklet_id"])

    def blocks() -> Iterator[NDArray[np.float32]]:
        for batch in schemas.read_batches(path, "features", ["feature"], rows=_READ):
            column = batch.column(0)
            yield column.flatten().to_numpy().reshape(len(column), -1)

    return Frames(ids["image"].to_numpy(), ids["tracklet_id"].to_numpy().astype(np.int64), blocks)
