"""A training from clips that was killed ends as one that was not, bit for bit (CPU)."""

from pathlib import Path

import pytest
from tests.training.helpers import history_rows
from tests.training.test_clip_task import (
    attribute_rows,
    clip_method,
    learn_here,
    learn_interrupted,
    make_clips,
)

from weakreid.artifacts import schemas

SHORT = clip_method(schedule__epochs=3, schedule__steps_per_epoch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_clips(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    """The results of an uninterrupted training."""
    return learn_here(data, tmp_path_factory.mktemp("whole"), SHORT)


@pytest.mark.parametrize("epochs", [1, 3])
def test_goes_on_after_any_epoch(data, whole, tmp_path, capsys, epochs):
    learn_interrupted(data, tmp_path, SHORT, epochs)
    for name in ("checkpoint.pt", "model.safetensors"):
        (tmp_path / f".{name}.12345.part").write_bytes(b"half")
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {epochs} of 3" in capsys.readouterr().err
    model = "model.safetensors"
    assert (tmp_path / model).read_bytes() == (whole / model).read_bytes()
    found, expected = (history_rows(of / "history.parquet") for of in (tmp_path, whole))
    assert found == expected
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in whole.iterdir()}


def test_a_checkpoint_of_other_labels_is_not_used(data, tmp_path, capsys):
    short = clip_method(schedule__epochs=1, schedule__steps_per_epoch=1)
    learn_interrupted(data, tmp_path, short, 1)
    rows = attribute_rows()
    rows["label"] = rows["label"].where(rows["label"] < 0, 1 - rows["label"])
    path = tmp_path / "labels.parquet"
    schemas.write(path, "attribute_labels", rows, {})
    learn_here(data, tmp_path, short, attributes=path)
    said = capsys.readouterr().err
    assert "a checkpoint of another config, code or input; training starts anew" in said
