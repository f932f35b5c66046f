"""Learning from clips sees training persons alone: no camera, nobody who is searched for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.training.helpers import history_rows
from tests.training.test_clip_task import BOTH, clip_method, learn_here, make_clips

from weakreid.artifacts import schemas
from weakreid.seeding import numpy_generator

# said here again: a column that the stage came to read would change no weights there
READ = [
    ("tracklets.parquet", ["tracklet_id", "person_id", "role"]),
    ("frames.parquet", ["tracklet_id", "position", "image"]),
    ("labels.parquet", ["person_id", "attribute", "label"]),
]
SHORT = clip_method(schedule__epochs=2, schedule__steps_per_epoch=1)
KINDS = {"tracklets": "tracklets", "frames": "frames", "attributes": "attribute_labels"}
TRAINING = 4
"""Persons 1 to 4 train."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_clips(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    return learn_here(data, tmp_path_factory.mktemp("trained"), SHORT)


def with_changed(
    data: Path, out: Path, option: str, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> Path:
    """Train with one of the tables changed."""
    name = "labels" if option == "attributes" else option
    rows = schemas.read_frame(data / f"{name}.parquet", KINDS[option], truth=True)
    changed = change(rows.copy())
    assert not changed.equals(rows)
    path = out.parent / f"{name}.parquet"
    schemas.write(path, KINDS[option], changed, {})
    return learn_here(data, out, SHORT, **{option: path})


def other_cameras(rows: pd.DataFrame) -> pd.DataFrame:
    generator = numpy_generator(1, "cameras")
    return rows.assign(camera_id=generator.permutation(rows["camera_id"].to_numpy() + 5))


def other_test_persons(rows: pd.DataFrame) -> pd.DataFrame:
    searched = rows["role"] != "train"
    rows.loc[searched, "person_id"] = rows.loc[searched, "person_id"].to_numpy()[::-1]
    return rows


def no_test_tracklets(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["role"] == "train"]


def other_test_frames(rows: pd.DataFrame) -> pd.DataFrame:
    searched = rows["tracklet_id"] >= 32
    rows.loc[searched, "image"] = rows.loc[searched, "image"].to_numpy()[::-1]
    return rows


def other_truth(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(truth_person_id=rows["truth_person_id"].to_numpy()[::-1])


def other_test_labels(rows: pd.DataFrame) -> pd.DataFrame:
    searched = rows["person_id"] > TRAINING
    rows.loc[searched, "label"] = 1 - rows.loc[searched, "label"].clip(lower=0)
    return rows


def no_test_labels(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["person_id"] <= TRAINING]


def other_probabilities(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(probability=np.float32(0.3))


@pytest.mark.parametrize(
    ("option", "change"),
    [
        ("tracklets", other_cameras),
        ("tracklets", other_test_persons),
        ("tracklets", no_test_tracklets),
        ("frames", other_test_frames),
        ("frames", other_truth),
        ("attributes", other_test_labels),
        ("attributes", no_test_labels),
        ("attributes", other_probabilities),
    ],
)
def test_what_is_hidden_does_not_change_one_bit(data, trained, tmp_path, option, change):
    out = with_changed(data, tmp_path / "out", option, change)
    model = "model.safetensors"
    assert (out / model).read_bytes() == (trained / model).read_bytes()
    found, before = (history_rows(of / "history.parquet") for of in (out, trained))
    assert found == before


def other_training_persons(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(person_id=rows["person_id"].replace({1: 2, 2: 1}).where(rows.index > 1, 3))


def other_training_labels(rows: pd.DataFrame) -> pd.DataFrame:
    known = (rows["person_id"] <= TRAINING) & (rows["label"] >= 0)
    rows.loc[known, "label"] = 1 - rows.loc[known, "label"]
    return rows


@pytest.mark.parametrize(
    ("option", "change"),
    [("tracklets", other_training_persons), ("attributes", other_training_labels)],
)
def test_what_is_shown_does(data, trained, tmp_path, option, change):
    out = with_changed(data, tmp_path / "out", option, change)
    model = "model.safetensors"
    assert (out / model).read_bytes() != (trained / model).read_bytes()


SHOWN = clip_method(
    schedule__epochs=2, schedule__steps_per_epoch=1, aggregation={**BOTH, "visibility": "learnt"}
)


@pytest.mark.parametrize("training", [True, False])
def test_what_frames_of_others_show_does_not_count(data, tmp_path, training):
    rows = pd.read_parquet(data / "truth.parquet")
    changed = (rows["person_id"] <= TRAINING) == training
    parts = ["head", "up", "low", "shoes"]
    rows.loc[changed, parts] = 1 - rows.loc[changed, parts]
    truth = tmp_path / "truth.parquet"
    rows.to_parquet(truth)
    found = [
        (learn_here(data, tmp_path / name, SHOWN, **given) / "model.safetensors").read_bytes()
        for name, given in (("before", {}), ("after", {"truth": truth}))
    ]
    assert (found[0] == found[1]) == (not training)


def test_no_other_column_is_read(data, tmp_path, monkeypatch):
    found = []
    read = pq.read_table

    def recorded(path: Path, *, columns: list[str]) -> object:
        found.append((path.name, columns))
        return read(path, columns=columns)

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a training reads Parquet by whole tables alone")

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(pq, "ParquetFile", refused)
    learn_here(data, tmp_path, clip_method(schedule__epochs=0))
    assert found == READ
