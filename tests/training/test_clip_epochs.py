"""Weights kept after every epoch of a training from clips."""

from pathlib import Path

import pytest
import torch
from tests.training.test_clip_task import (
    COSAM,
    NO_ATTRIBUTES,
    clip_method,
    learn_here,
    learn_interrupted,
    make_clips,
)

from weakreid.training.checkpoint import load_weights

SHORT = clip_method(
    aggregation=NO_ATTRIBUTES,
    model__cosam=COSAM,
    schedule__epochs=2,
    schedule__steps_per_epoch=2,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("data"))


def test_a_file_per_epoch_and_the_same_training(data: Path, tmp_path: Path, capsys) -> None:
    plain = learn_here(data, tmp_path / "plain", SHORT) / "model.safetensors"
    kept = tmp_path / "kept"
    # from a checkpoint the first epochs would be lost
    learn_interrupted(data, tmp_path / "again", SHORT, 1)
    learn_here(data, tmp_path / "again", SHORT, epochs=kept)
    assert "going on after" not in capsys.readouterr().err
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == plain.read_bytes()
    assert sorted(path.name for path in kept.iterdir()) == ["001.safetensors", "002.safetensors"]
    assert (kept / "002.safetensors").read_bytes() == plain.read_bytes()
    first, _ = load_weights(kept / "001.safetensors")
    last, _ = load_weights(plain)
    assert first.keys() == last.keys()
    weight = next(name for name in last if "cosam" in name and name.endswith("weight"))
    assert not torch.equal(first[weight], last[weight])
