"""A training of attributes that was stopped ends as one that was not, bit for bit (CPU)."""

import shutil
from pathlib import Path

import pytest
import torch
from tests.training.helpers import history_rows, make_images, start
from tests.training.test_resume import kill_when
from tests.training.transfer_helpers import (
    learn_here,
    learn_interrupted,
    make_both,
    transfer_method,
    words_of,
)

# 12 pictures and 9 frames in batches of 4 and 4: the turns cross an epoch's end
SHORT = transfer_method(schedule__epochs=3, schedule__steps_per_epoch=2)
MODEL = "model.safetensors"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_both(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """The results of an uninterrupted training."""
    return learn_here(data, tmp_path_factory.mktemp("whole"), SHORT)


def assert_same(found: Path, expected: Path) -> None:
    assert (found / MODEL).read_bytes() == (expected / MODEL).read_bytes()
    assert history_rows(found / "history.parquet") == history_rows(expected / "history.parquet")
    assert {path.name for path in found.iterdir()} == {MODEL, "history.parquet", "timing.json"}


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_goes_on_after_any_epoch(data, whole, tmp_path, capsys, epochs):
    learn_interrupted(data, tmp_path, SHORT, epochs)
    (tmp_path / f".{MODEL}.12345.part").write_bytes(b"half")
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {epochs} of 3" in capsys.readouterr().err
    assert_same(tmp_path, whole)


@pytest.mark.parametrize("folder", ["source", "target"])
def test_a_checkpoint_of_other_pictures_is_not_used(data, tmp_path, capsys, folder):
    other = tmp_path / "data"
    shutil.copytree(data, other)
    values = transfer_method(schedule__epochs=1, schedule__steps_per_epoch=1)
    learn_interrupted(data, tmp_path, values, 1)
    (other / folder / "images.arrow").unlink()
    make_images(other / folder / "images.arrow", 16, seed=9)
    learn_here(other, tmp_path, values)
    assert "another config, code or input; training starts anew" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_and_run_again(data, tmp_path, capsys):
    values = transfer_method(schedule__epochs=5, schedule__steps_per_epoch=1)
    expected = learn_here(data, tmp_path / "whole", values)
    out = tmp_path / "killed"
    options = words_of(data, out, values)
    kill_when(start(options, "weakreid.stages", "transfer"), (out / "checkpoint.pt").exists)
    done = torch.load(out / "checkpoint.pt", weights_only=True)["epoch"]
    assert 1 <= done < 5
    learn_here(data, out, values)
    assert f"going on after epoch {done} of 5" in capsys.readouterr().err
    assert_same(out, expected)
