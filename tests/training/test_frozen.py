"""Cached outputs of frozen stages: the same training, less work."""

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
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.build import build_model
from weakreid.training import frozen
from weakreid.training.devices import fabric_for
from weakreid.training.frozen import frozen_maps

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
    block = Model(backbone="resnet18", weights="none", embedding="none", frozen=frozen)
    return build_model(block)


def maps_of(model, store, rows, memory_mb=100):
    (found,) = frozen_maps(
        model,
        [(store, np.asarray(rows))],
        Image(height=HEIGHT, width=WIDTH),
        fabric=fabric_for("cpu", 1, "32", 1),
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
