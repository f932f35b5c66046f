"""Learning from tracklets sees frames and which tracklet they are of, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.training.helpers import history_rows
from tests.training.tracklet_helpers import learn_here, make_tracklets, tracklet_method

from weakreid.artifacts import schemas
from weakreid.seeding import numpy_generator
from weakreid.stages import train_tracklets
from weakreid.training import checkpoint

# said here again: a column that `supervision.visible` came to show would change no weights there
VISIBLE = ["tracklet_id", "position", "image"]
SHORT = tracklet_method(schedule__epochs=2, schedule__steps_per_epoch=1)
MEASURED = {"nmi", "ari", "purity"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_tracklets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    return learn_here(data, tmp_path_factory.mktemp("trained"), SHORT)


def changed_tracks(data: Path, folder: Path, change: Callable[[pd.DataFrame], None]) -> Path:
    rows = schemas.read_frame(data / "tracks.parquet", "tracks", truth=True)
    before = rows.copy()
    change(rows)
    assert not rows.equals(before)
    path = folder / "tracks.parquet"
    schemas.write(path, "tracks", rows, {})
    return path


def hidden_changed(rows: pd.DataFrame) -> None:
    generator = numpy_generator(1, "hidden")
    hidden = set(rows.columns) - set(VISIBLE)
    assert hidden == {"camera_id", "source_id", "truth_person_id"}
    for name in sorted(hidden):
        rows[name] = generator.permutation(rows[name].to_numpy())


def test_what_is_hidden_does_not_change_one_bit(data, trained, tmp_path) -> None:
    path = changed_tracks(data, tmp_path, hidden_changed)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    for name in ("model.safetensors", "clusters.parquet"):
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    found, before = (history_rows(of / "history.parquet") for of in (out, trained))
    assert [row for row in found if row[2] not in MEASURED] == [
        row for row in before if row[2] not in MEASURED
    ]
    # only the measures know who is who
    assert [row for row in found if row[2] in MEASURED] != [
        row for row in before if row[2] in MEASURED
    ]


def images_changed(rows: pd.DataFrame) -> None:
    rows["image"] = rows["image"].to_numpy()[::-1].copy()


def tracklets_changed(rows: pd.DataFrame) -> None:
    # the second frame of tracklet 1 becomes the second of tracklet 0
    place = int(np.flatnonzero(rows["tracklet_id"] == 1)[1])
    rows.loc[place, "tracklet_id"] = 0


@pytest.mark.parametrize("change", [images_changed, tracklets_changed])
def test_what_is_shown_does(data, trained, tmp_path, change) -> None:
    path = changed_tracks(data, tmp_path, change)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    model = "model.safetensors"
    assert (out / model).read_bytes() != (trained / model).read_bytes()


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Record the columns of Parquet files that are read, the end of learning, and the weights."""
    found: list[Any] = []
    read, save = pq.read_table, checkpoint.save_weights
    finish = train_tracklets.TrackletTask.finish

    def recorded(path: Path, *, columns: list[str]) -> Any:
        found.append((path.name, columns))
        return read(path, columns=columns)

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a training reads Parquet by whole tables alone")

    def finished(*given: Any) -> Any:
        rows = finish(*given)
        found.append("learnt")
        return rows

    def saved(*given: Any) -> None:
        found.append("weights")
        save(*given)

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(pq, "ParquetFile", refused)
    monkeypatch.setattr(train_tracklets.TrackletTask, "finish", finished)
    monkeypatch.setattr(checkpoint, "save_weights", saved)
    yield found


def test_the_truth_is_read_when_nothing_is_learnt_any_more(data, tmp_path, happened) -> None:
    learn_here(data, tmp_path, tracklet_method(schedule__epochs=0))
    assert happened == [
        ("tracks.parquet", VISIBLE),
        "learnt",
        ("tracks.parquet", ["tracklet_id", "truth_person_id"]),
        "weights",
    ]


def test_who_centres_sees_cameras_and_who_asks_for_the_truth_the_truth(data, tmp_path, happened):
    method = tracklet_method(schedule__epochs=0)
    seen = {"centred": ["camera_id"], "truth": []}
    for key, columns in seen.items():
        happened.clear()
        method["association"][key] = "clusters" if key == "truth" else True
        learn_here(data, tmp_path / key, method)
        method["association"].pop(key)
        before = [("tracks.parquet", [*VISIBLE, *columns])]
        if key == "truth":
            before.append(("tracks.parquet", ["tracklet_id", "truth_person_id"]))
        assert happened[: happened.index("learnt")] == before
        assert len(happened) == len(before) + 3


def test_people_are_the_clusters_where_the_truth_is_asked_for(data, tmp_path):
    method = tracklet_method(schedule__epochs=1, schedule__steps_per_epoch=1)
    method["association"]["truth"] = "clusters"
    out = learn_here(data, tmp_path, method)
    clusters = schemas.read_frame(out / "clusters.parquet", "clusters")
    # `make_tracklets`: tracklet t shows person 1 + t % 4
    assert clusters["label"].tolist() == [t % 4 for t in clusters["tracklet_id"]]
    purity = [row[3] for row in history_rows(out / "history.parquet") if row[2] == "purity"]
    assert purity == [1.0, 1.0]


def test_the_best_eps_is_the_truth_s(data, tmp_path):
    method = tracklet_method(schedule__epochs=1, schedule__steps_per_epoch=1)
    method["association"]["truth"] = "eps"
    out = learn_here(data, tmp_path, method)
    assert "eps" not in {row[2] for row in history_rows(out / "history.parquet")}


def test_who_is_seen_at_the_same_time_stays_apart(data, trained, tmp_path, happened):
    rows = schemas.read_frame(data / "tracks.parquet", "tracks", truth=True)
    labels = schemas.read_frame(trained / "clusters.parquet", "clusters")["label"]
    one, other, *_ = np.flatnonzero(labels == 0)
    # only these two are seen in a frame of a video, the 7th
    moment = 10 + rows["image"].to_numpy()
    for tracklet in (one, other):
        moment[np.flatnonzero(rows["tracklet_id"] == tracklet)[0]] = 7
    files = [f"hall/{t:06d}/{m:06d}.jpg" for t, m in zip(rows["tracklet_id"], moment, strict=True)]
    frames = {name: rows[name] for name in ("tracklet_id", "position", "image", "truth_person_id")}
    schemas.write(tmp_path / "frames.parquet", "frames", {**frames, "file": files}, {})

    def learnt(apart: bool) -> list[Any]:
        method = tracklet_method(schedule__epochs=2, schedule__steps_per_epoch=1)
        method["association"]["apart"] = apart
        happened.clear()
        out = tmp_path / str(apart)
        learn_here(data, out, method, together=tmp_path / "frames.parquet")
        found = schemas.read_frame(out / "clusters.parquet", "clusters")["label"]
        return [out, found]

    out, found = learnt(False)
    assert found[one] == found[other] == 0
    assert (out / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    assert ("frames.parquet", ["image", "file"]) not in happened
    _, found = learnt(True)
    assert ("frames.parquet", ["image", "file"]) in happened
    assert found[one] != found[other] or found[one] == -1
