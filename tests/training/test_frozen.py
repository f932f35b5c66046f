"""Cached outputs of frozen stages: the same training, less work."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.helpers import (
    HEIGHT,
    WIDTH,
    make_data,
    make_images,
    method,
    run_here,
    settings_put_back,
)

from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.schemas import read_frame
from weakreid.config.network import Image, Model
from weakreid.config.params import TrainBags, frozen_maps_params
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.build import build_model
from weakreid.stages import frozen_maps as stage
from weakreid.training import frozen
from weakreid.training.frozen import frozen_maps, read_maps
from weakreid.training.processes import fabric_for

FROZEN = ["stem", "layer1"]


@pytest.fixture(autouse=True)
def _settings_put_back():
    with settings_put_back():
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "images.arrow"
    make_images(path, 12)
    with ImageStore(path) as found:
        yield found


def network(frozen=FROZEN):
    block = Model(backbone="test_resnet", weights="none", embedding="none", frozen=frozen)
    return build_model(block)


def maps_of(model, store, rows, memory_mb=100):
    (found,) = frozen_maps(
        model,
        [(store, np.asarray(rows))],
        Image(height=HEIGHT, width=WIDTH),
        computer=fabric_for("cpu", 1, "32", 1),
        threads=1,
        memory_mb=memory_mb,
    )
    return found


def test_the_rest_of_the_network_goes_on_from_the_maps(store):
    model = network().train()
    maps = maps_of(model, store, [9, 3, 3, 7, 1])
    assert maps.rows.tolist() == [1, 3, 7, 9]
    rows, mirrored = np.array([7, 1, 7, 9]), np.array([True, False, False, True])
    pictures = store.batch(rows, HEIGHT, WIDTH)
    pictures[mirrored] = pictures[mirrored][:, :, ::-1]
    model.eval()  # one frame's feature must not depend on the others
    pixels = preprocess(torch.from_numpy(pictures), model.backbone.mean, model.backbone.std)
    torch.testing.assert_close(
        model(maps.take(rows, mirrored), after_front=True), model(pixels), rtol=1e-4, atol=1e-5
    )


def test_maps_do_not_depend_on_how_a_batch_is_cut(store, monkeypatch):
    model = network().eval()
    whole = maps_of(model, store, range(12)).maps
    monkeypatch.setattr(frozen, "chunks", lambda images: images.split(5))
    torch.testing.assert_close(maps_of(model, store, range(12)).maps, whole)


def test_maps_are_the_same_whoever_else_is_there(store):
    model = network(["stem", "layer1", "layer2", "layer3"]).eval()
    whole = maps_of(model, store, range(12)).maps
    for rows in ([5], [2, 3, 11]):
        assert torch.equal(maps_of(model, store, rows).maps, whole[rows])


def test_more_memory_than_allowed_is_refused(store):
    with pytest.raises(ReidError, match=r"batch.cache_mb: .* 0 are allowed"):
        maps_of(network(), store, [1, 2], memory_mb=0)


def test_a_first_stage_that_learns_is_refused(store):
    with pytest.raises(ReidError, match="first stage learns"):
        maps_of(network(["layer1"]), store, [1])


def test_training_with_the_cache_is_the_training_without(tmp_path):
    data = make_data(tmp_path / "data")
    changes = {
        "model__frozen": FROZEN,
        "model__batch_norm": "eval",
        "augment": {"flip": 0.5, "pad": 0, "erase": 0.0},
    }
    losses = {}
    for cache_mb in (0, 100):
        out = tmp_path / str(cache_mb)
        run_here(data, out, method(**changes, batch__cache_mb=cache_mb))
        rows = read_frame(out / "history.parquet", "history")
        losses[cache_mb] = rows.loc[rows["term"] == "loss", "value"].to_numpy()
    np.testing.assert_allclose(losses[0], losses[100], rtol=1e-3)


# --- in a file, which trainings share -------------------------------------------------------------

CACHED = method(
    model__frozen=FROZEN,
    augment={"flip": 0.5, "pad": 0, "erase": 0.0},
    batch__cache_mb=100,
    schedule__epochs=1,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def plain(data, tmp_path_factory) -> bytes:
    """The weights of a training that makes its own maps."""
    out = run_here(data, tmp_path_factory.mktemp("plain"), CACHED)
    return (out / "model.safetensors").read_bytes()


def made_by_the_stage(data: Path, out: Path, values: dict[str, Any]) -> Path:
    params = frozen_maps_params(TrainBags.model_validate(values))
    assert params is not None
    with settings_put_back():
        stage.main(data / "images.arrow", params, "cpu", 1, out)
    return out


def test_the_same_weights_without_making_maps(data, plain, tmp_path, monkeypatch):
    # whatever else a training learns and however
    other = {**CACHED, "loss": {"name": "wsddn"}, "seed": 3}
    path = made_by_the_stage(data, tmp_path / "maps.safetensors", other)

    def too_late(*_: Any) -> None:
        raise AssertionError("maps are made once more")

    monkeypatch.setattr(frozen, "_maps_of", too_late)
    out = run_here(data, tmp_path / "out", CACHED, maps=path)
    assert (out / "model.safetensors").read_bytes() == plain


def test_a_file_that_would_be_too_large_has_no_maps(data, tmp_path, capsys):
    image = {"height": 256, "width": 128}
    values = method(model__frozen=["stem"], image=image, batch__cache_mb=1)
    path = made_by_the_stage(data, tmp_path / "maps.safetensors", values)
    # twice 32 x 64 x 32 floats each
    assert "for 48 images take 24 MB, more than batch.cache_mb 1" in capsys.readouterr().err
    maps, _ = read_maps(path)
    assert maps.maps.shape == (0, 2, 32, 64, 32)


@pytest.mark.parametrize(
    "change",
    [{"model": {**CACHED["model"], "frozen": ["stem"]}}, {"image": {"height": 64, "width": 32}}],
)
def test_maps_of_something_else_are_not_used(data, plain, tmp_path, capsys, change):
    path = made_by_the_stage(data, tmp_path / "maps.safetensors", {**CACHED, **change})
    out = run_here(data, tmp_path / "out", CACHED, maps=path)
    said = f"{path}: of other frames, stages or devices; maps are made here"
    assert said in capsys.readouterr().err
    assert (out / "model.safetensors").read_bytes() == plain


def test_a_file_that_is_cut_short_is_refused(data, tmp_path):
    path = made_by_the_stage(data, tmp_path / "maps.safetensors", CACHED)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ReidError, match="not a whole file of maps; delete it and run again"):
        run_here(data, tmp_path / "out", CACHED, maps=path)


@pytest.mark.parametrize(
    "change",
    [
        {"batch": {"cache_mb": 0}},
        {"schedule": {"epochs": 0}},
        {"image": {"height": 32, "width": 16, "resized": [40, 20]}},
        {"model": {**CACHED["model"], "frozen": ["layer1"]}},
    ],
)
def test_trainings_that_keep_no_maps(change):
    assert frozen_maps_params(TrainBags.model_validate({**CACHED, **change})) is None
