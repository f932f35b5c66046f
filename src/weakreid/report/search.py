"""What a search found, for people: a table with names of tracks, and pictures side by side.

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from weakreid.report.identities import PROBABILITY, TRACK_COLUMNS, caption_of, track_of
from weakreid.report.matches import Item, spread

OF_TRACKLET = ("camera_id", "first_file", "last_file")


def search_table(
    found: pd.DataFrame, tracklets: pd.DataFrame, frames: pd.DataFrame, *, tracked: bool
) -> pd.DataFrame:
    """Return what was found with where it is: camera, first and last file of both tracklets.

    Args:
        found: of `retrieval.search.nearest_tracklets`, with a probability where there is one.
        tracklets: table "tracklets": tracklet_id, camera_id.
        frames: table "frames": tracklet_id, position, file.
        tracked: the files are SEQUENCE/TRACK/FRAME.jpg: sequence and track_id are added.

    Returns:
        query_id, query_..., rank, distance, probability, tracklet_id, ...: a row per query and
        rank.
    """
    files = frames.sort_values(["tracklet_id", "position"]).groupby("tracklet_id")["file"]
    named = np.union1d(found["query_id"], found["tracklet_id"])
    about = tracklets.set_index("tracklet_id").loc[named, ["camera_id"]]
    about = about.assign(first_file=files.first(), last_file=files.last())
    columns = list(OF_TRACKLET)
    if tracked:
        tracks = [track_of(file) for file in about["first_file"]]
        about[list(TRACK_COLUMNS)] = pd.DataFrame(tracks, index=about.index)
        columns += TRACK_COLUMNS
    about = about[columns]
    queries = about.add_prefix("query_").reindex(found["query_id"]).reset_index()
    others = about.reindex(found["tracklet_id"]).reset_index()
    columns = [name for name in ("rank", "distance", PROBABILITY) if name in found]
    ranked = found[columns].reset_index(drop=True)
    return pd.concat([queries, ranked, others], axis=1)


def search_examples(
    table: pd.DataFrame, images: pd.Series, *, queries: int, items: int
) -> list[list[Item]]:
    """Return a row per query for `matches.matching_examples`, of queries evenly spread.

    Args:
        table: of `search_table`.
        images: tracklet_id to rows of the image store.
        queries: rows at most.
        items: the nearest so many of each.
    """
    rows = []
    for query in spread(table["query_id"].unique().tolist(), queries):
        own = table[table["query_id"] == query].to_dict("records")[:items]
        asked = Item(f"query: {_caption(own[0], 'query_')}", spread(images[query]))
        answers = [
            Item(
                f"{row['rank']}. {_nearness(row)}, {_caption(row)}",
                spread(images[row["tracklet_id"]]),
            )
            for row in own
        ]
        rows.append([asked, *answers])
    return rows


def _nearness(row: Mapping[Any, Any]) -> str:
    """Say how near, and how likely, an answer is."""
    likely = row.get(PROBABILITY)
    if likely is None or np.isnan(likely):
        return f"{row['distance']:.3f}"
    return f"{row['distance']:.3f} ({100 * likely:.0f} %)"


def _caption(row: Mapping[Any, Any], prefix: str = "") -> str:
    names = ("camera_id", *TRACK_COLUMNS)
    about = {name: row[prefix + name] for name in names if prefix + name in row}
    return caption_of(about | {"tracklet_id": row["query_id" if prefix else "tracklet_id"]}, 24)
