"""A training that was killed ends as one that was not, bit for bit (CPU)."""

import contextlib
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from tests.training.helpers import (
    arguments,
    history_rows,
    interrupted_here,
    make_data,
    make_images,
    method,
    run_here,
    start,
)

SHORT = method(schedule__epochs=3, schedule__steps_per_epoch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """The results of an uninterrupted training."""
    return run_here(data, tmp_path_factory.mktemp("whole"), SHORT)


@pytest.fixture(scope="module")
def after_two(data, tmp_path_factory) -> Path:
    """The checkpoint of the same training, stopped after two epochs."""
    return interrupted_here(data, tmp_path_factory.mktemp("two"), SHORT, 2)


def assert_same(found: Path, expected: Path) -> None:
    model = "model.safetensors"
    assert (found / model).read_bytes() == (expected / model).read_bytes()
    assert history_rows(found / "history.parquet") == history_rows(expected / "history.parquet")
    assert {path.name for path in found.iterdir()} == {model, "history.parquet", "timing.json"}


def kill_when(process, happened) -> None:
    """Send SIGKILL as soon as `happened()` holds."""
    until = time.monotonic() + 120
    while process.poll() is None and not happened():
        assert time.monotonic() < until, "nothing happened for two minutes"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said


@pytest.mark.slow
def test_killed_at_several_moments_and_run_again(data, tmp_path):
    values = method(schedule__epochs=6, schedule__steps_per_epoch=1)
    expected = run_here(data, tmp_path / "whole", values)
    out = tmp_path / "killed"
    options = arguments(data, out, values)
    checkpoint = out / "checkpoint.pt"

    # in the second epoch
    kill_when(start(options), checkpoint.exists)
    first = torch.load(checkpoint, weights_only=True)["epoch"]
    assert 1 <= first < 6

    # while a checkpoint is being written: what was there before stays whole
    def writing() -> bool:
        sizes = []
        for path in out.glob(".*.part/checkpoint.pt"):
            with contextlib.suppress(FileNotFoundError):  # it has its place by now
                sizes.append(path.stat().st_size)
        return any(sizes)

    kill_when(start(options), writing)
    second = torch.load(checkpoint, weights_only=True)["epoch"]
    assert first <= second < 6

    process = start(options)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert f"going on after epoch {second} of 6" in said
    assert_same(out, expected)


def test_goes_on_from_a_checkpoint_and_removes_leftovers(data, whole, after_two, tmp_path, capsys):
    shutil.copy(after_two, tmp_path / "checkpoint.pt")
    for name in ("checkpoint.pt", "model.safetensors", "history.parquet"):
        (tmp_path / f".{name}.12345.part").write_bytes(b"half")
    run_here(data, tmp_path, SHORT)
    assert "going on after epoch 2 of 3" in capsys.readouterr().err
    assert_same(tmp_path, whole)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_checkpoint_is_not_used(data, whole, after_two, tmp_path, capsys, share):
    content = after_two.read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(content[: int(len(content) * share)])
    run_here(data, tmp_path, SHORT)
    said = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'checkpoint.pt'}: not a whole checkpoint; training starts anew" in said
    assert_same(tmp_path, whole)


def check_not_used(data, after_two, out, capsys, values=SHORT, **changes):
    shutil.copy(after_two, out / "checkpoint.pt")
    run_here(data, out, values, **changes)
    said = capsys.readouterr().err
    assert "a checkpoint of another config, code or input; training starts anew" in said
    assert "going on" not in said
    assert "epoch 1 of" in said


def test_a_checkpoint_of_another_code_is_not_used(data, whole, after_two, tmp_path, capsys):
    check_not_used(data, after_two, tmp_path, capsys, code="another")
    assert_same(tmp_path, whole)


def test_a_checkpoint_of_another_config_is_not_used(data, after_two, tmp_path, capsys):
    values = method(schedule__epochs=1, schedule__steps_per_epoch=1)
    check_not_used(data, after_two, tmp_path, capsys, values)


def test_a_checkpoint_of_other_pictures_is_not_used(data, after_two, tmp_path, capsys):
    other = tmp_path / "data"
    shutil.copytree(data, other)
    (other / "images.arrow").unlink()
    make_images(other / "images.arrow", 48, seed=1)
    out = tmp_path / "out"
    out.mkdir()
    check_not_used(other, after_two, out, capsys)


def test_no_epoch_leaves_the_initial_weights(data, tmp_path):
    run_here(data, tmp_path, method(schedule__epochs=0))
    assert history_rows(tmp_path / "history.parquet") == []
    assert (tmp_path / "model.safetensors").exists()
