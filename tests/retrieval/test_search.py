"""Search without truth: what is nearest, and what is said of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.helpers import make_images

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import Search
from weakreid.errors import ReidError
from weakreid.retrieval.feature_table import batches_of, write_features
from weakreid.retrieval.measure import Frames
from weakreid.retrieval.search import nearest_tracklets
from weakreid.stages import search


def frames_of(features: np.ndarray, owners: list[int]) -> Frames:
    return Frames(np.arange(len(owners)), np.array(owners), lambda: iter([features]))


def tracklets_of(*rows: tuple[int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["tracklet_id", "camera_id", "role"])


ROWS = tracklets_of(
    (3, 1, "query"), (4, 2, "gallery"), (5, 1, "gallery"), (6, 2, "gallery"), (7, 3, "query")
)
# the mean of tracklet 4's two frames is 1
FEATURES = np.array([[0.0], [2.0], [0.0], [0.5], [3.0], [1.0]], np.float32)
OWNERS = [3, 4, 4, 5, 6, 7]


def test_nearest_tracklets_of_other_cameras() -> None:
    found = nearest_tracklets(frames_of(FEATURES, OWNERS), ROWS, metric="euclidean", items=2)
    # tracklet 5 is nearer to 3, but of its camera
    assert found.to_numpy().tolist() == [[3, 1, 4, 1], [3, 2, 6, 3], [7, 1, 4, 0], [7, 2, 5, 0.5]]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_like_a_sort_of_everything_however_it_is_cut(
    queries: int, gallery: int, items: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    count = queries + gallery
    features = generator.integers(0, 3, (count, 2)).astype(np.float64)
    cameras = generator.integers(1, 3, count)
    split = ["query"] * queries + ["gallery"] * gallery
    rows = pd.DataFrame({"tracklet_id": range(count), "camera_id": cameras, "role": split})
    wanted = []
    for query in range(queries):
        others = [g for g in range(queries, count) if cameras[g] != cameras[query]]
        order = sorted(others, key=lambda g: (np.linalg.norm(features[g] - features[query]), g))
        wanted += [(query, rank, g) for rank, g in enumerate(order[:items], 1)]
    frames = frames_of(features, list(range(count)))
    if not wanted:
        return
    for block_bytes in (1, 200, 10**6):
        found = nearest_tracklets(
            frames, rows, metric="euclidean", items=items, block_bytes=block_bytes
        )
        columns = found[["query_id", "rank", "tracklet_id"]]
        assert [tuple(row) for row in columns.to_numpy().tolist()] == wanted


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (tracklets_of((4, 1, "train")), "no tracklet of role 'query': give a sequence"),
        (tracklets_of((4, 1, "query")), "no tracklet of role 'gallery'"),
        (tracklets_of((4, 1, "query"), (9, 2, "gallery")), "tracklet 9 has no features"),
        (tracklets_of((4, 1, "query"), (5, 1, "gallery")), "query's own camera.*camera numbers"),
    ],
)
def test_what_cannot_be_searched(rows: pd.DataFrame, words: str) -> None:
    with pytest.raises(ReidError, match=words):
        nearest_tracklets(frames_of(FEATURES, OWNERS), rows, metric="euclidean", items=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_images(tmp_path / "images.arrow", 6)
    rows = ROWS.assign(person_id=0, first_frame=[0, 1, 3, 4, 5], frame_count=[1, 2, 1, 1, 1])
    schemas.write(tmp_path / "tracklets.parquet", "tracklets", rows, {})
    files = [f"hall/{owner:06d}/{image + 1:06d}.jpg" for image, owner in enumerate(OWNERS)]
    frames = pd.DataFrame({"tracklet_id": OWNERS, "image": range(6), "file": files})
    frames = frames.assign(position=[0, 0, 1, 0, 0, 0], truth_person_id=0)
    schemas.write(tmp_path / "frames.parquet", "frames", frames, {})
    described = (FEATURES[batch] for batch in batches_of(np.arange(6)))
    write_features(tmp_path / "features.parquet", frames, described, dimension=1, params={})
    return tmp_path


def run(folder: Path, *, tracked: bool, calibration: Path | None = None) -> list[str]:
    block = {"title": "hall", "metric": "euclidean", "items": 2, "tracked": tracked}
    block |= {"picture": {"queries": 2, "items": 1}}
    search.main(
        *(folder / f"{name}.parquet" for name in ("features", "tracklets", "frames")),
        folder / "images.arrow",
        Search.model_validate(block),
        folder / "search.csv",
        folder / "search.png",
        calibration,
    )
    return (folder / "search.csv").read_text().splitlines()


def test_the_stage(folder: Path) -> None:
    lines = run(folder, tracked=True)
    assert lines[0] == (
        "query_id,query_camera_id,query_first_file,query_last_file,query_sequence,query_track_id,"
        "rank,distance,tracklet_id,camera_id,first_file,last_file,sequence,track_id"
    )
    assert lines[1] == (
        "3,1,hall/000003/000001.jpg,hall/000003/000001.jpg,hall,3,"
        "1,1.0000,4,2,hall/000004/000002.jpg,hall/000004/000003.jpg,hall,4"
    )
    assert len(lines) == 5
    picture = (folder / "search.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert run(folder, tracked=True) == lines
    assert (folder / "search.png").read_bytes() == picture


def test_the_stage_on_files_of_another_form(folder: Path) -> None:
    lines = run(folder, tracked=False)
    assert lines[0].endswith("rank,distance,tracklet_id,camera_id,first_file,last_file")


def test_nothing_described(folder: Path) -> None:
    """What the stage features writes where a split has neither queries nor a gallery."""
    rows = schemas.read_frame(folder / "tracklets.parquet", "tracklets").assign(role="train")
    schemas.write(folder / "tracklets.parquet", "tracklets", rows, {})
    schema = schemas.schema("features", feature=pa.list_(pa.float32(), 1))
    assert schema.names == schemas.SCHEMAS["features"].names
    frames = pd.DataFrame({"tracklet_id": [], "image": []})
    write_features(folder / "features.parquet", frames, iter([]), dimension=1, params={})
    with pytest.raises(ReidError, match="no tracklet of role 'query'"):
        run(folder, tracked=True)


def test_a_calibration_says_how_likely_of_its_own_distances_alone(folder: Path) -> None:
    path = folder / "calibration.json"
    odds = {"intercept": 2.0, "distance": -2.0, "logarithm": 0.0}
    meaning = {"odds": odds, "bounds": [0.01, 0.99], "thresholds": {}, "prior": 0.1}
    meaning |= {"pairs": {}, "cameras": "any"}
    write_json(path, {**meaning, "metric": "euclidean"})
    lines = run(folder, tracked=True, calibration=path)
    assert ",rank,distance,probability,tracklet_id," in lines[0]
    assert ",1,1.0000,0.5000,4," in lines[1]
    write_json(path, {**meaning, "metric": "cosine"})
    with pytest.raises(ReidError, match="of cosine distances, but metric is euclidean"):
        run(folder, tracked=True, calibration=path)
