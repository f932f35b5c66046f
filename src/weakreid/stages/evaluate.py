"""Stage: both protocols of one run, its figures and its rankings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.console import run_stage
from weakreid.retrieval import chance
from weakreid.retrieval.measure import Frames, measure_coarse, measure_fine
from weakreid.retrieval.ranking import RankingResult
from weakreid.retrieval.reranking import Reranking

LESS_MEMORY = "lower evaluation.memory_mb"


def main(
    features: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option()],
    coarse: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    metrics: Annotated[Path, typer.Option()],
    rankings: Annotated[Path, typer.Option()],
) -> None:
    """Measure fine- and coarse-grained retrieval, and the fine one after re-ranking if asked."""
    block = json.loads(params)
    frames = read_features(features)
    common = {"metric": block["metric"], "keep": block["keep"], "threads": threads}
    of_split = schemas.read_frame(tracklets, "tracklets")
    fine, queries, gallery = measure_fine(frames, of_split, **common)
    rough, probes, bags = measure_coarse(
        frames,
        schemas.read_frame(coarse, "bags"),
        memory_bytes=block["memory_mb"] * 2**20,
        unit=block.get("unit", "frames"),
        **common,
    )
    table = pa.concat_tables(
        [
            _rankings("fine", fine, queries["tracklet_id"], queries["person_id"], gallery),
            _rankings("coarse", rough, probes["bag_id"], probes["labels"].str[0], bags),
        ]
    )
    schemas.write(rankings, "rankings", table, block)
    figures = {"fine": _figures(fine), "coarse": _figures(rough)}
    if block["rerank"]:
        again, _, _ = measure_fine(frames, of_split, reranking=Reranking(), **common)
        figures["reranked"] = _figures(again)
    write_json(metrics, figures)


def read_features(path: Path) -> Frames:
    """Open a file of features, which are read in blocks."""
    ids = schemas.read(path, "features", ["image", "tracklet_id"])

    def blocks() -> Iterator[np.ndarray]:
        for batch in schemas.read_batches(path, "features", ["feature"], rows=4096):
            column = batch.column(0)
            yield column.flatten().to_numpy().reshape(len(column), -1)

    return Frames(ids["image"].to_numpy(), ids["tracklet_id"].to_numpy().astype(np.int64), blocks)


def _figures(result: RankingResult) -> dict[str, Any]:
    return {**result.summary(), "chance": chance.expected_of(result).summary()}


def _rankings(
    protocol: str, result: RankingResult, ids: pd.Series, persons: pd.Series, gallery: pd.DataFrame
) -> pa.Table:
    names = gallery["tracklet_id" if protocol == "fine" else "bag_id"].to_numpy()
    precision = result.average_precision
    top_frames = result.top_frames or [np.empty(0, np.int64)] * len(ids)
    return schemas.conform(
        {
            "protocol": [protocol] * len(ids),
            "query": ids.to_numpy(),
            "person_id": persons.to_numpy(),
            "average_precision": pa.array(precision, mask=np.isnan(precision)),
            "first_match": result.first_match,
            "gallery": [names[top] for top in result.top_gallery],
            "distances": [top.astype(np.float32) for top in result.top_distances],
            "matches": result.top_matches,
            "frames": top_frames,
        },
        "rankings",
    )


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
