"""Descriptors of clips, however they are batched; the table of weights."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.training.helpers import HEIGHT, WIDTH, make_images, settings_put_back

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.models.aggregations.average import Average
from weakreid.models.aggregations.groups import AttributeGroups
from weakreid.models.backbones import build
from weakreid.models.clips import ClipModel, ClipNetwork
from weakreid.models.reid import ReidModel
from weakreid.retrieval import extract_clips as module
from weakreid.retrieval.extract_clips import describe_clips, weight_table
from weakreid.training.devices import fabric_for

GROUPS = {"shoes": ["shoes-Red"], "attach": ["attach-Box"]}


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


@pytest.fixture(scope="module")
def model() -> ClipModel:
    network = ReidModel(build("resnet18", "none"), embedding="fc", dimension=12)
    return ClipModel(ClipNetwork(network, AttributeGroups(GROUPS, 12, sigma=0.3), 3), None)


CLIPS = np.array([[0, 1, 2], [3, 4, 5], [5, 5, 5], [11, 0, 7], [8, 9, 10]])


def described(model: ClipModel, store: ImageStore, batches: Any, **options: Any) -> Any:
    given = {"height": HEIGHT, "width": WIDTH, "threads": 1, **options}
    found = list(
        describe_clips(model, store, batches, fabric=fabric_for("cpu", 1, "32", 1), **given)
    )
    assert [len(one.descriptors) for one in found] == [len(batch) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("frames", [1, 4, 9])
def test_batches_and_pieces_change_nothing(model, store, monkeypatch, frames):
    descriptors, weights = described(model, store, [CLIPS])
    assert (descriptors.shape, weights.shape) == ((5, 12), (5, 2, 3))
    assert descriptors.dtype == weights.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(weights.sum(2), 1, atol=1e-5)
    monkeypatch.setattr(module, "_FRAMES", frames)
    found = described(model, store, [CLIPS[:2], CLIPS[2:]], threads=2)
    np.testing.assert_allclose(found[0], descriptors, atol=1e-5)
    np.testing.assert_allclose(found[1], weights, atol=1e-5)


def test_no_more_frames_than_said_are_decoded_at_a_time(model, store, monkeypatch):
    sizes = []
    batch = ImageStore.batch

    def recorded(self: ImageStore, rows: np.ndarray, *given: Any, **more: Any) -> np.ndarray:
        sizes.append(len(rows))
        return batch(self, rows, *given, **more)

    monkeypatch.setattr(ImageStore, "batch", recorded)
    monkeypatch.setattr(module, "_FRAMES", 6)
    described(model, store, [CLIPS])
    assert sizes == [6, 6, 3]


def test_a_clip_of_one_frame_again_and_again_is_that_frame(model, store):
    _, weights = described(model, store, [CLIPS])
    np.testing.assert_allclose(weights[2], 1 / 3, atol=1e-6)
    network = model.clips.network
    of_three, of_one = (ClipModel(ClipNetwork(network, Average(12), n), None) for n in (3, 1))
    descriptors, _ = described(of_three, store, [CLIPS[2:3]])
    single, _ = described(of_one, store, [np.array([[5]])])
    np.testing.assert_allclose(descriptors, single, atol=1e-5)


def test_what_is_described_is_cut_from_the_middle(model, store):
    found, _ = described(model, store, [CLIPS], height=20, width=8, resized=[32, 16])
    whole = store.batch(CLIPS.reshape(-1), 32, 16)
    middle = torch.from_numpy(whole[:, 6:26, 4:12].copy())
    with torch.inference_mode():
        expected, _ = model.describe(middle)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_the_table_of_weights_says_what_each_frame_counts(tmp_path):
    weights = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    table = weight_table(
        np.array([7, 7]),
        np.array([0, 1]),
        np.array([[0, 1, 2], [3, 0, 1]]),
        np.array([[70, 71, 72], [73, 70, 71]]),
        weights,
        ["attach", "shoes"],
    )
    schemas.write(tmp_path / "weights.parquet", "frame_weights", table, {})
    rows = schemas.read_frame(tmp_path / "weights.parquet", "frame_weights")
    assert rows.values.tolist()[:5] == [
        [7, 0, 0, 70, "attach", 0.0],
        [7, 0, 1, 71, "attach", 1.0],
        [7, 0, 2, 72, "attach", 2.0],
        [7, 0, 0, 70, "shoes", 3.0],
        [7, 0, 1, 71, "shoes", 4.0],
    ]
    assert rows["weight"].tolist() == list(range(12))
    assert rows[rows["clip"] == 1]["image"].tolist() == [73, 70, 71] * 2
