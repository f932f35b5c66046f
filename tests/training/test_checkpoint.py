"""Checkpoints and weights: whole or not used, and the same bytes for the same values."""

import errno
import io

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from weakreid.config.trained import Trained
from weakreid.errors import ReidError
from weakreid.training import checkpoint as checkpoints
from weakreid.training.checkpoint import Checkpoint, fingerprint, load, load_weights, save

STATE = {"model": {"weight": torch.arange(600.0).reshape(20, 30)}, "optimiser": {"state": {}}}
DONE = Checkpoint(2, STATE, [(0, 1, "loss", 0.1), (1, 3, "loss", 1 / 3)])


def test_comes_back_as_it_was(tmp_path):
    path = tmp_path / "runs" / "checkpoint.pt"
    save(path, DONE, "mark")
    found = load(path, "mark")
    assert (found.epoch, found.history) == (2, DONE.history)
    assert torch.equal(found.state["model"]["weight"], STATE["model"]["weight"])


def test_none_is_none(tmp_path, capsys):
    assert load(tmp_path / "checkpoint.pt", "mark") is None
    assert capsys.readouterr().err == ""


def test_every_truncation_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "checkpoint.pt"
    save(path, DONE, "mark")
    whole = path.read_bytes()
    lengths = [*range(64), *np.linspace(64, len(whole) - 1, 60).astype(int)]
    for length in lengths:
        path.write_bytes(whole[:length])
        assert load(path, "mark") is None
        said = capsys.readouterr().err.splitlines()
        assert said == [f"{path}: not a whole checkpoint; training starts anew"]


@pytest.mark.parametrize("content", [b"\0" * 5000, b"not a checkpoint\n" * 99, b"\x80\x02}q\0."])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    assert load(path, "mark") is None


@pytest.mark.parametrize("other", [{"weights": 1}, [1, 2], torch.zeros(3)])
def test_other_programs_files_are_refused(tmp_path, other):
    path = tmp_path / "checkpoint.pt"
    torch.save(other, path)
    assert load(path, "mark") is None


def test_another_training_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "checkpoint.pt"
    save(path, DONE, "mark")
    assert load(path, "other") is None
    assert "another config, code or input; training starts anew" in capsys.readouterr().err
    assert load(path, "other", quiet=True) is None
    assert capsys.readouterr().err == ""


def test_a_failed_write_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    save(path, DONE, "mark")

    def full(value, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ReidError, match="disk is full"):
        save(path, Checkpoint(3, STATE, []), "mark")
    monkeypatch.undo()
    assert load(path, "mark").epoch == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_torch_lets_a_full_disk_through():
    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError) as caught:
        torch.save(STATE, Full())
    assert caught.value.errno == errno.ENOSPC


def test_fingerprint_depends_on_every_part_and_on_content(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"bags")
    second.write_bytes(b"bags")
    base = fingerprint({"lr": 0.1, "k": 5}, "code", first, 7)
    assert base == fingerprint({"k": 5, "lr": 0.1}, "code", second, 7)
    second.write_bytes(b"bugs")
    others = [
        fingerprint({"lr": 0.2, "k": 5}, "code", first, 7),
        fingerprint({"lr": 0.1, "k": 5}, "edoc", first, 7),
        fingerprint({"lr": 0.1, "k": 5}, "code", second, 7),
        fingerprint({"lr": 0.1, "k": 5}, "code", first, 8),
    ]
    assert len({base, *others}) == 5


def test_weights_come_back_and_their_bytes_are_fixed(tmp_path):
    wide = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    tensors = {"b": wide.to(memory_format=torch.channels_last), "a": torch.arange(3)}
    about = {"model": {"dimension": 7}, "image": {"height": 9}, "precision": "32"}
    about |= {"heads": ["identity"], "persons": [3, 7], "device": "cpu"}
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    checkpoints.save_weights(first, tensors, about)
    checkpoints.save_weights(second, dict(reversed(tensors.items())), about)
    assert first.read_bytes() == second.read_bytes()
    found, told = load_weights(first)
    assert told == Trained.model_validate(about)
    assert torch.equal(found["b"], wide)


def test_foreign_weights_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(ReidError, match="run the training first"):
        load_weights(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ReidError, match="not weights that this program wrote"):
        load_weights(path)
    checkpoints.save_weights(path, {}, {"model": {"layers": 7}})
    with pytest.raises(ReidError, match=r"another version of this program \(model\.layers: Extra"):
        load_weights(path)
    path.write_bytes(b"short")
    with pytest.raises(ReidError, match="not a whole weights file"):
        load_weights(path)


def test_the_tensors_of_a_part() -> None:
    tensors = {
        "model.a.b": torch.ones(1),
        "heads.model.c": torch.zeros(1),
        "models.d": torch.ones(2),
    }
    assert list(checkpoints.part_of(tensors, "model")) == ["a.b"]
    assert list(checkpoints.part_of(tensors, "heads")) == ["model.c"]
