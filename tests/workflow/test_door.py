"""The door for other programs gives what the workflow computed."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import weakreid
from weakreid.artifacts.image_store import ImageStore

OF_FRAMES = "results/wl_tiny"
OF_CLIPS = "results/mini_attr_walkers_tiny"
DATASET = "results/datasets/walkers_tiny"


def frames_of(tiny) -> dict[int, list[np.ndarray]]:
    """Return the frames of every tracklet, as they were before they were resized."""
    rows = pd.read_parquet(tiny.folder / DATASET / "frames.parquet")
    rows = rows.sort_values(["tracklet_id", "position"])
    with ImageStore(tiny.folder / DATASET / "images.arrow") as store:
        return {
            int(name): [store.decode(int(row)) for row in of["image"]]
            for name, of in rows.groupby("tracklet_id")
        }


def test_a_frame_gets_its_row_of_features(tiny) -> None:
    model = weakreid.load(tiny.folder / OF_FRAMES, device="cpu")
    path = tiny.folder / OF_FRAMES / "runs" / "official-1" / "features.parquet"
    rows = pq.read_table(path).to_pandas()
    with ImageStore(tiny.folder / DATASET / "images.arrow") as store:
        found = model.embed([store.decode(int(row)) for row in rows["image"]])
    np.testing.assert_allclose(found, np.stack(rows["feature"]), atol=1e-6)


@pytest.mark.parametrize("experiment", [OF_FRAMES, OF_CLIPS])
def test_tracklets_are_as_far_apart_as_in_the_rankings(tiny, experiment: str) -> None:
    folder = tiny.folder / experiment
    method = json.loads((folder / "metrics.json").read_text())["config"]["method"]
    assert method["evaluation"]["metric"] == "cosine"
    model = weakreid.load(folder, device="cpu")
    frames = frames_of(tiny)
    rankings = pd.read_parquet(folder / "runs" / "official-1" / "rankings.parquet")
    queries = rankings[rankings["protocol"] == "fine"].head(3)
    assert len(queries) == 3
    for query in queries.itertuples():
        gallery = np.stack([model.embed_tracklet(frames[int(i)]) for i in query.gallery])
        distances = 1 - gallery @ model.embed_tracklet(frames[int(query.query)])
        np.testing.assert_allclose(distances, query.distances, atol=1e-5)
