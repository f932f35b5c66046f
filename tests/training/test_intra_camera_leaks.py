"""Learning from labels within cameras sees frames, cameras and labels, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.training.helpers import history_rows
from tests.training.intra_camera_helpers import (
    UNLABELLED,
    intra_camera_method,
    learn_here,
    make_labelled,
)

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.stages import train_intra_camera

SHORT = intra_camera_method(schedule__epochs=2, schedule__steps_per_epoch=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_labelled(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    return learn_here(data, tmp_path_factory.mktemp("trained"), SHORT)


def rewritten(data: Path, folder: Path, kind: str, change: Callable[[pd.DataFrame], None]) -> Path:
    """Write a table of the data once more, changed."""
    name = {"tracks": "tracks.parquet", "tracklet_labels": "labels.parquet"}[kind]
    rows = schemas.read_frame(data / name, kind, truth=True)
    before = rows.copy()
    change(rows)
    assert not rows.equals(before)
    schemas.write(folder / name, kind, rows, {})
    return folder / name


def who_is_who(rows: pd.DataFrame) -> None:
    generator = numpy_generator(1, "hidden")
    for name in ("truth_person_id", "source_id"):
        rows[name] = generator.permutation(rows[name].to_numpy())


def cameras_renamed(rows: pd.DataFrame) -> None:
    rows["camera_id"] = rows["camera_id"].map({1: 7, 2: 3})


def unlabelled_elsewhere(rows: pd.DataFrame) -> None:
    rows.loc[rows["tracklet_id"] == UNLABELLED, ["image", "camera_id"]] = [0, 9]


@pytest.mark.parametrize("change", [who_is_who, cameras_renamed, unlabelled_elsewhere])
def test_what_is_hidden_does_not_change_one_bit(data, trained, tmp_path, change) -> None:
    path = rewritten(data, tmp_path, "tracks", change)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    for name in ("model.safetensors", "clusters.parquet"):
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    found, before = (history_rows(of / "history.parquet") for of in (out, trained))
    assert [row for row in found if row[2] != "right"] == [
        row for row in before if row[2] != "right"
    ]
    # only the measure knows who is who
    assert (found == before) == (change is not who_is_who)


def images_changed(rows: pd.DataFrame) -> None:
    rows["image"] = rows["image"].to_numpy()[::-1].copy()


def test_frames_change_the_weights(data, trained, tmp_path) -> None:
    path = rewritten(data, tmp_path, "tracks", images_changed)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    model = "model.safetensors"
    assert (out / model).read_bytes() != (trained / model).read_bytes()


def labels_changed(rows: pd.DataFrame) -> None:
    # two people of camera 1 change names in one tracklet
    rows.loc[0, "label"] = rows.loc[1, "label"]


def test_labels_change_the_weights(data, trained, tmp_path) -> None:
    path = rewritten(data, tmp_path, "tracklet_labels", labels_changed)
    out = learn_here(data, tmp_path / "out", SHORT, labels=path)
    model = "model.safetensors"
    assert (out / model).read_bytes() != (trained / model).read_bytes()


def no_label(rows: pd.DataFrame) -> None:
    rows["label"] = -1


def one_class(rows: pd.DataFrame) -> None:
    rows["label"] = np.where(rows["label"] == 0, 0, -1)


def a_gap(rows: pd.DataFrame) -> None:
    rows.loc[rows["label"] == 3, "label"] = 9


def of_others(rows: pd.DataFrame) -> None:
    rows.loc[UNLABELLED, "tracklet_id"] = 24


def across_cameras(rows: pd.DataFrame) -> None:
    rows.loc[4, "label"] = rows.loc[0, "label"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of_others, "labels are not of the 24 tracklets"),
        (no_label, "0 classes of a camera's people: nobody to tell apart"),
        (one_class, "1 class of a camera's people: nobody to tell apart"),
        (a_gap, "classes are not numbered from 0 without gaps"),
        (across_cameras, "class 0 has tracklets of several cameras"),
    ],
)
def test_labels_that_do_not_fit_are_refused(data, tmp_path, change, said) -> None:
    path = rewritten(data, tmp_path, "tracklet_labels", change)
    with pytest.raises(ReidError, match=said):
        learn_here(data, tmp_path / "out", SHORT, labels=path)


def test_the_truth_is_read_when_nothing_is_learnt_any_more(data, tmp_path, monkeypatch) -> None:
    happened: list[Any] = []
    read, finish = pq.read_table, train_intra_camera.IntraCameraTask.finish

    def recorded(path: Path, *, columns: list[str]) -> Any:
        happened.append((path.name, columns))
        return read(path, columns=columns)

    def finished(*given: Any) -> Any:
        rows = finish(*given)
        happened.append("learnt")
        return rows

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(train_intra_camera.IntraCameraTask, "finish", finished)
    learn_here(data, tmp_path, intra_camera_method(schedule__epochs=0))
    assert happened == [
        ("tracks.parquet", ["tracklet_id", "position", "image", "camera_id"]),
        ("labels.parquet", ["tracklet_id", "label"]),
        "learnt",
        ("tracks.parquet", ["tracklet_id", "truth_person_id"]),
    ]


def test_what_is_joined_comes_out(data, trained) -> None:
    found = schemas.read_frame(trained / "clusters.parquet", "clusters")
    labels = schemas.read_frame(data / "labels.parquet", "tracklet_labels")["label"]
    assert found["label"].tolist()[UNLABELLED] == -1
    # tracklets of one class are never parted, and joins make clusters fewer
    pairs = set(zip(labels, found["label"], strict=True))
    assert len(pairs) == labels.nunique()
    terms = [(epoch, term) for epoch, _, term, _ in history_rows(trained / "history.parquet")]
    assert [at for at in terms if at[1] == "joins"] == [(1, "joins"), (2, "joins")]
    joins = [row[3] for row in history_rows(trained / "history.parquet") if row[2] == "joins"]
    # four persons in two cameras: mutual neighbours are one pair at least, four at most
    assert 1 <= joins[0] <= 4
    classes, clusters = labels.max() + 1, found["label"].max() + 1
    assert classes - joins[-1] <= clusters < classes


def test_a_training_without_an_epoch_or_a_second_stage_joins_once(data, tmp_path) -> None:
    for epochs, first in ((0, 1), (1, 1)):
        values = intra_camera_method(
            schedule__epochs=epochs, schedule__steps_per_epoch=1, association__first_stage=first
        )
        out = learn_here(data, tmp_path / str(epochs), values)
        terms = [row[:3:2] for row in history_rows(out / "history.parquet")]
        assert [at for at in terms if at[1] in ("joins", "right")] == [
            (epochs, "joins"),
            (epochs, "right"),
        ]
    assert np.isfinite([row[3] for row in history_rows(out / "history.parquet")]).all()
