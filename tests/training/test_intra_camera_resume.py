"""A training from labels within cameras that was killed ends as one that was not (CPU)."""

from pathlib import Path

import pytest
import torch
from tests.training.helpers import history_rows, start
from tests.training.intra_camera_helpers import (
    intra_camera_method,
    learn_here,
    learn_interrupted,
    make_labelled,
    words_of,
)
from tests.training.test_resume import kill_when

# epoch 1 is stage 1, in epochs 2 and 3 classes are joined
SHORT = intra_camera_method()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_labelled(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """The results of an uninterrupted training."""
    return learn_here(data, tmp_path_factory.mktemp("whole"), SHORT)


def assert_same(found: Path, expected: Path) -> None:
    for name in ("model.safetensors", "clusters.parquet"):
        assert (found / name).read_bytes() == (expected / name).read_bytes()
    assert history_rows(found / "history.parquet") == history_rows(expected / "history.parquet")
    assert {path.name for path in found.iterdir()} == {path.name for path in expected.iterdir()}


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_goes_on_after_any_epoch(data, whole, tmp_path, capsys, epochs):
    checkpoint = learn_interrupted(data, tmp_path, SHORT, epochs)
    kept = torch.load(checkpoint, weights_only=True)["state"]["task"]
    assert len(kept["joins"]) == kept["rounds"] == epochs - 1
    assert (kept["centres"] is None) == (epochs == 1)
    for name in ("checkpoint.pt", "model.safetensors", "clusters.parquet"):
        (tmp_path / f".{name}.12345.part").write_bytes(b"half")
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {epochs} of 3" in capsys.readouterr().err
    assert_same(tmp_path, whole)


@pytest.mark.slow
def test_killed_and_run_again(data, tmp_path, capsys):
    values = intra_camera_method(schedule__epochs=5, schedule__steps_per_epoch=1)
    expected = learn_here(data, tmp_path / "whole", values)
    out = tmp_path / "killed"
    options = words_of(data, out, values)
    module = ("weakreid.stages", "train_intra_camera")
    # in stage 2, whose centres and joins are in no file of weights
    kill_when(start(options, *module), lambda: epoch_of(out) >= 2)
    done = epoch_of(out)
    assert 2 <= done < 5
    learn_here(data, out, values)
    assert f"going on after epoch {done} of 5" in capsys.readouterr().err
    assert_same(out, expected)


def epoch_of(out: Path) -> int:
    path = out / "checkpoint.pt"
    return torch.load(path, weights_only=True)["epoch"] if path.exists() else 0
