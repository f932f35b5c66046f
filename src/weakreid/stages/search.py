"""Stage: the gallery tracklets nearest to each query tracklet, where nobody knows who is right."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import replacing
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import Search
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.matches import matching_examples
from weakreid.report.search import search_examples, search_table
from weakreid.retrieval.calibration import read_calibration, with_probability
from weakreid.retrieval.feature_table import open_features
from weakreid.retrieval.search import nearest_tracklets


def main(
    features: Path,
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    params: Search,
    out: Annotated[Path, "CSV, a row per query and rank"],
    picture: Annotated[Path, "PNG, some queries and what is nearest"],
    calibration: Annotated[Path | None, "what distances of this network mean"] = None,
) -> None:
    """Search with every query tracklet."""
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "camera_id", "role"])
    columns = ["tracklet_id", "position", "file", "image"]
    held = schemas.read_frame(frames, "frames", columns)
    held = held[held["tracklet_id"].isin(rows["tracklet_id"])]
    found = nearest_tracklets(
        open_features(features), rows, metric=params.metric, items=params.items
    )
    if calibration is not None:
        meaning = read_calibration(calibration)
        if meaning is not None and meaning.metric != params.metric:
            raise ReidError(
                f"{calibration}: of {meaning.metric} distances, but metric is {params.metric}; set "
                f"metric: {meaning.metric} in --params"
            )
        found = with_probability(found, meaning)
    table = search_table(found, rows, held, tracked=params.tracked)
    images_of = held.groupby("tracklet_id")["image"].agg(list)
    examples = search_examples(
        table, images_of, queries=params.picture.queries, items=params.picture.items
    )
    with ImageStore(images) as store:
        figure = matching_examples(
            examples,
            figures.images_of(store),
            params.title,
            f"{params.metric} distance (nobody said who is right)",
        )
    with replacing(out) as aside:
        table.to_csv(aside, index=False, lineterminator="\n", float_format="%.4f")
    figures.save(figure, picture)
    say(f"{table['query_id'].nunique()} queries, the nearest {params.items} of each")
