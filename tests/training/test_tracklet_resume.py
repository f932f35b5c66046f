"""A training from tracklets that was killed ends as one that was not, bit for bit (CPU)."""

import shutil
from pathlib import Path

import pytest
import torch
from tests.training.helpers import history_rows, start
from tests.training.test_resume import kill_when
from tests.training.tracklet_helpers import (
    learn_here,
    learn_interrupted,
    make_tracklets,
    tracklet_method,
    words_of,
)

from weakreid.clustering import association

# the eps of epoch 1 is the data's; the classifiers and the Mean Net's momentum change every epoch
SHORT = tracklet_method(schedule__epochs=3, schedule__steps_per_epoch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_tracklets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """The results of an uninterrupted training."""
    return learn_here(data, tmp_path_factory.mktemp("whole"), SHORT)


def assert_same(found: Path, expected: Path) -> None:
    for name in ("model.safetensors", "clusters.parquet"):
        assert (found / name).read_bytes() == (expected / name).read_bytes()
    assert history_rows(found / "history.parquet") == history_rows(expected / "history.parquet")
    assert {path.name for path in found.iterdir()} == {path.name for path in expected.iterdir()}


@pytest.mark.parametrize("epochs", [1, 2])
def test_goes_on_after_any_epoch(data, whole, tmp_path, capsys, monkeypatch, epochs):
    checkpoint = learn_interrupted(data, tmp_path, SHORT, epochs)
    kept = torch.load(checkpoint, weights_only=True)["state"]["task"]
    assert [len(labels) for labels in kept["labels"]] == [24] * epochs
    assert kept["eps"] > 0

    def asked_again(*_: object) -> float:
        raise AssertionError("eps is found by the untrained network alone")

    monkeypatch.setattr(association, "data_eps", asked_again)
    for name in ("checkpoint.pt", "model.safetensors", "clusters.parquet"):
        (tmp_path / f".{name}.12345.part").write_bytes(b"half")
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {epochs} of 3" in capsys.readouterr().err
    assert_same(tmp_path, whole)


def test_cluster_contrast_goes_on_too(data, tmp_path):
    """Its centres are made anew with every clustering: a checkpoint needs none."""
    values = {**SHORT, "contrast": {"temperature": 0.1, "momentum": 0.2}}
    values["losses"], values["association"] = {}, {**SHORT["association"], "centred": True}
    expected = learn_here(data, tmp_path / "whole", values)
    learn_interrupted(data, tmp_path / "stopped", values, 2)
    assert_same(learn_here(data, tmp_path / "stopped", values), expected)


def test_killed_when_all_epochs_are_done_measures_all_of_them(data, whole, tmp_path):
    checkpoint = learn_interrupted(data, tmp_path / "stopped", SHORT, 3)
    (tmp_path / "out").mkdir()
    shutil.copy(checkpoint, tmp_path / "out" / "checkpoint.pt")
    assert_same(learn_here(data, tmp_path / "out", SHORT), whole)


def test_a_checkpoint_of_other_tracklets_is_not_used(data, tmp_path, capsys):
    from weakreid.artifacts import schemas

    short = tracklet_method(schedule__epochs=1, schedule__steps_per_epoch=1)
    learn_interrupted(data, tmp_path, short, 1)
    rows = schemas.read_frame(data / "tracks.parquet", "tracks", truth=True)
    path = tmp_path / "tracks.parquet"
    schemas.write(path, "tracks", rows.iloc[:-1], {})
    learn_here(data, tmp_path, short, tracks=path)
    said = capsys.readouterr().err
    assert "a checkpoint of another config, code or input; training starts anew" in said


@pytest.mark.slow
def test_killed_and_run_again(data, tmp_path, capsys):
    values = tracklet_method(schedule__epochs=5, schedule__steps_per_epoch=1)
    expected = learn_here(data, tmp_path / "whole", values)
    out = tmp_path / "killed"
    options = words_of(data, out, values)
    kill_when(start(options, "weakreid.stages", "train_tracklets"), (out / "checkpoint.pt").exists)
    done = torch.load(out / "checkpoint.pt", weights_only=True)["epoch"]
    assert 1 <= done < 5
    learn_here(data, out, values)
    assert f"going on after epoch {done} of 5" in capsys.readouterr().err
    assert_same(out, expected)
