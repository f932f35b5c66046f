"""A training from few labels that was killed ends as one that was not, bit for bit (CPU)."""

from pathlib import Path

import pytest
import torch
from tests.training.helpers import history_rows, start
from tests.training.one_shot_helpers import (
    learn_here,
    learn_interrupted,
    make_labelled,
    one_shot_method,
    words_of,
)
from tests.training.test_resume import kill_when

# two epochs a step: killed within a step, and between two
SHORT = one_shot_method(schedule__epochs=2)


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


@pytest.mark.parametrize("epochs", [2, 3])
def test_goes_on_after_any_epoch(data, whole, tmp_path, capsys, epochs):
    checkpoint = learn_interrupted(data, tmp_path, SHORT, epochs)
    kept = torch.load(checkpoint, weights_only=True)["state"]["task"]
    assert [len(labels) for labels in kept["labels"]] == [24] * -(-epochs // 2)
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {epochs} of 6" in capsys.readouterr().err
    assert_same(tmp_path, whole)


def test_steps_that_go_on_from_the_one_before_resume_too(data, tmp_path):
    values = one_shot_method(selection__fresh=False)
    expected = learn_here(data, tmp_path / "whole", values)
    learn_interrupted(data, tmp_path / "out", values, 1)
    assert_same(learn_here(data, tmp_path / "out", values), expected)


@pytest.mark.slow
def test_killed_and_run_again(data, whole, tmp_path, capsys):
    options = words_of(data, tmp_path, SHORT)
    stage, checkpoint = ("weakreid.stages", "train_one_shot"), tmp_path / "checkpoint.pt"
    kill_when(start(options, *stage), checkpoint.exists)
    done = torch.load(checkpoint, weights_only=True)["epoch"]
    assert 1 <= done < 6
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {done} of 6" in capsys.readouterr().err
    assert_same(tmp_path, whole)
