"""Learning from few labels sees frames, their tracklets and the labels, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.training.helpers import history_rows
from tests.training.one_shot_helpers import learn_here, make_labelled, one_shot_method
from tests.training.test_tracklet_leaks import changed_tracks, hidden_changed, images_changed

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.training import checkpoint, loop

SHORT = one_shot_method()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_labelled(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    return learn_here(data, tmp_path_factory.mktemp("trained"), SHORT)


def test_what_is_hidden_does_not_change_one_bit(data, trained, tmp_path) -> None:
    path = changed_tracks(data, tmp_path, hidden_changed)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    for name in ("model.safetensors", "clusters.parquet"):
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    found, before = (history_rows(of / "history.parquet") for of in (out, trained))
    assert [row for row in found if row[2] != "right"] == [
        row for row in before if row[2] != "right"
    ]
    # only the measure knows who is who
    assert [row for row in found if row[2] == "right"] != [
        row for row in before if row[2] == "right"
    ]


def changed_labels(data: Path, folder: Path, change: Callable[[pd.DataFrame], None]) -> Path:
    rows = schemas.read_frame(data / "labels.parquet", "tracklet_labels")
    change(rows)
    schemas.write(folder / "labels.parquet", "tracklet_labels", rows, {})
    return folder / "labels.parquet"


def labels_swapped(rows: pd.DataFrame) -> None:
    rows["label"] = rows["label"].replace({0: 1, 1: 0})


def test_what_is_shown_does(data, trained, tmp_path) -> None:
    of_images = {"tracks": changed_tracks(data, tmp_path, images_changed)}
    of_labels = {"labels": changed_labels(data, tmp_path, labels_swapped)}
    for number, change in enumerate((of_images, of_labels)):
        out = learn_here(data, tmp_path / str(number), SHORT, **change)
        model = "model.safetensors"
        assert (out / model).read_bytes() != (trained / model).read_bytes()


def test_the_truth_is_read_when_nothing_is_learnt_any_more(data, tmp_path, monkeypatch) -> None:
    happened: list[Any] = []
    read, save, fit = pq.read_table, checkpoint.save_weights, loop.fit

    def recorded(path: Path, *, columns: list[str]) -> Any:
        happened.append((path.name, columns))
        return read(path, columns=columns)

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a training reads Parquet by whole tables alone")

    def learnt(*given: Any, **more: Any) -> Any:
        rows = fit(*given, **more)
        happened.append("learnt")
        return rows

    def saved(*given: Any) -> None:
        happened.append("weights")
        save(*given)

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(pq, "ParquetFile", refused)
    monkeypatch.setattr("weakreid.training.frame.fit", learnt)
    monkeypatch.setattr(checkpoint, "save_weights", saved)
    learn_here(data, tmp_path, one_shot_method(schedule__epochs=0))
    assert happened == [
        ("tracks.parquet", ["tracklet_id", "position", "image"]),
        ("labels.parquet", ["tracklet_id", "label"]),
        "learnt",
        ("tracks.parquet", ["tracklet_id", "truth_person_id"]),
        "weights",
    ]


def test_labels_of_a_single_identity_are_refused(data, tmp_path) -> None:
    def only_one(rows: pd.DataFrame) -> None:
        rows["label"] = rows["label"].where(rows["label"] <= 0, -1)

    path = changed_labels(data, tmp_path, only_one)
    with pytest.raises(ReidError, match="1 identities have a labelled tracklet"):
        learn_here(data, tmp_path / "out", SHORT, labels=path)
