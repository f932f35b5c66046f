"""Stage: both protocols of one run, its figures and its rankings."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from weakreid.artifacts import schemas
from weakreid.artifacts.files import read_json, write_json
from weakreid.config.params import Evaluate
from weakreid.retrieval import chance
from weakreid.retrieval.calibration import (
    Calibration,
    Side,
    check,
    count_pairs,
    read_calibration,
    side_of,
)
from weakreid.retrieval.feature_table import open_features
from weakreid.retrieval.measure import Frames, measure_coarse, measure_fine, places_of
from weakreid.retrieval.protocols import tracklet_descriptors
from weakreid.retrieval.ranking import RankingResult
from weakreid.retrieval.reranking import Reranking

LESS_MEMORY = "lower evaluation.memory_mb"


def main(
    features: Path,
    tracklets: Path,
    coarse: Path,
    calibration: Path,
    params: Evaluate,
    threads: int,
    metrics: Path,
    rankings: Path,
) -> None:
    """Measure fine- and coarse-grained retrieval, and the fine one after re-ranking if asked."""
    meaning = read_calibration(calibration)
    frames = open_features(features)
    measure = functools.partial(
        measure_fine,
        frames,
        schemas.read_frame(tracklets, "tracklets"),
        metric=params.metric,
        threads=threads,
        keep=params.keep,
        rules=params.rules,
    )
    fine, queries, gallery = measure()
    rough, probes, bags = measure_coarse(
        frames,
        schemas.read_frame(coarse, "bags"),
        metric=params.metric,
        memory_bytes=params.memory_mb * 2**20,
        unit=params.unit,
        threads=threads,
        keep=params.keep,
    )
    table = pa.concat_tables(
        [
            _rankings("fine", fine, queries["tracklet_id"], queries["person_id"], gallery),
            _rankings("coarse", rough, probes["bag_id"], probes["labels"].str[0], bags),
        ]
    )
    schemas.write(rankings, "rankings", table, params.model_dump(mode="json"))
    figures = {"fine": _figures(fine), "coarse": _figures(rough)}
    if params.rerank:
        again, _, _ = measure(reranking=Reranking())
        figures["reranked"] = _figures(again)
    rows = schemas.read_frame(tracklets, "tracklets")
    if meaning is None:
        figures["calibration"] = read_json(calibration, ["why"])
    else:
        figures["calibration"] = _checked(meaning, frames, rows)
    write_json(metrics, figures)


def _checked(calibration: Calibration, frames: Frames, tracklets: pd.DataFrame) -> dict[str, Any]:
    """Return a calibration and how it holds for the people of query and gallery."""
    ids, means = tracklet_descriptors(frames.blocks(), frames.tracklet_ids)
    index = pd.Index(ids)

    def side(role: str) -> Side:
        rows = tracklets[tracklets["role"] == role]
        features = means[places_of(index, rows["tracklet_id"])]
        return side_of(features, rows["person_id"], rows["camera_id"])

    pairs = count_pairs(side("query"), side("gallery"), calibration.metric)
    if not pairs.same.sum() + pairs.different.sum():
        return {"why": "nobody is known both in the query and at another camera of the gallery"}
    about = {name: getattr(calibration, name) for name in ("pairs", "cameras", "prior")}
    return {**about, "found": check(calibration, pairs)}


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
