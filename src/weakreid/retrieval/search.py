"""Search without truth: for each query tracklet the nearest ones of the gallery."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.retrieval.distances import BLOCK_BYTES, Metric, pairwise
from weakreid.retrieval.measure import Frames, places_of
from weakreid.retrieval.protocols import tracklet_descriptors

COLUMNS = ("query_id", "rank", "tracklet_id", "distance")


def nearest_tracklets(
    frames: Frames,
    tracklets: pd.DataFrame,
    *,
    metric: Metric,
    items: int,
    block_bytes: int = BLOCK_BYTES,
) -> pd.DataFrame:
    """Rank the gallery's tracklets of other cameras for each query tracklet.

    Tracklets of the query's own camera are left out: it is asked where else somebody was.

    Args:
        frames: of the query and gallery tracklets at least.
        tracklets: a split's table: tracklet_id, camera_id, role; no person is looked at.
        metric: between mean features.
        items: the nearest so many of each query, of equals the first.
        block_bytes: bound on the distances that are held at a time, and on what makes them.

    Returns:
        `COLUMNS`, by query in the order of `tracklets` and rank, from 1.

    Raises:
        ReidError: there is no query or no gallery tracklet, none of another camera than the
            queries', or a tracklet has no features.
    """
    sides = {}
    for role in ("query", "gallery"):
        own = tracklets[tracklets["role"] == role]
        if own.empty:
            raise ReidError(f"no tracklet of role '{role}': give a sequence with role: {role}")
        sides[role] = own
    queries, gallery = sides["query"], sides["gallery"]
    ids, means = tracklet_descriptors(frames.blocks(), frames.tracklet_ids)
    index = pd.Index(ids)
    cameras = gallery["camera_id"].to_numpy()
    names = gallery["tracklet_id"].to_numpy()
    targets = means[places_of(index, gallery["tracklet_id"])]
    sources = means[places_of(index, queries["tracklet_id"])]
    step = max(1, block_bytes // (targets.itemsize * len(targets)))
    parts = []
    for start in range(0, len(queries), step):
        block = pairwise(sources[start : start + step], targets, metric, block_bytes)
        asked = queries[["tracklet_id", "camera_id"]].to_numpy()[start : start + step]
        for (query, camera), row in zip(asked, block, strict=True):
            parts.append(_nearest(row, cameras != camera, items, names, int(query)))
    found = pd.concat(parts, ignore_index=True)
    if found.empty:
        raise ReidError(
            "every gallery tracklet is of its query's own camera, where nobody is looked for; give "
            "sequences that should find each other different camera numbers"
        )
    return found


def _nearest(
    row: NDArray[np.floating], others: NDArray[np.bool_], items: int, names: np.ndarray, query: int
) -> pd.DataFrame:
    allowed = np.flatnonzero(others)
    best = allowed[np.argsort(row[allowed], kind="stable")[:items]]
    columns = (query, 1 + np.arange(len(best)), names[best], row[best])
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
