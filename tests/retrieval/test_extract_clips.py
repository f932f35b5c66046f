"""Features of clips, however they are batched; the table of weights."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.training.helpers import HEIGHT, WIDTH, make_images, settings_put_back

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import AttributeFrames, Image, Model
from weakreid.models.aggregations.average import Average
from weakreid.models.aggregations.groups import AttributeGroups
from weakreid.models.aggregations.protocol import Place
from weakreid.models.build import build_model
from weakreid.models.clips import ClipModel, ClipNetwork
from weakreid.retrieval import extract_clips as module
from weakreid.retrieval.extract_clips import extract_clip_features, weight_table
from weakreid.training.processes import fabric_for

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
    network = build_model(Model(backbone="test_resnet", weights="none", dimension=12))
    options = AttributeFrames.model_construct(groups=GROUPS, disentangled=True, sigma=0.3)
    groups = AttributeGroups(options, Place(12, 0, 0, 0, seed=0))
    return ClipModel(ClipNetwork(network, groups, 3), None)


CLIPS = np.array([[0, 1, 2], [3, 4, 5], [5, 5, 5], [11, 0, 7], [8, 9, 10]])


INPUT = Image(height=HEIGHT, width=WIDTH)


def extracted(
    model: ClipModel, store: ImageStore, batches: Any, image: Image = INPUT, threads: int = 1
) -> Any:
    fabric = fabric_for("cpu", 1, "32", 1)
    found = list(
        extract_clip_features(model, store, batches, image, computer=fabric, threads=threads)
    )
    assert [len(one.features) for one in found] == [len(batch) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("frames", [1, 4, 9])
def test_batches_and_pieces_change_nothing(model, store, monkeypatch, frames):
    features, weights = extracted(model, store, [CLIPS])
    assert (features.shape, weights.shape) == ((5, 12), (5, 2, 3))
    assert features.dtype == weights.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(weights.sum(2), 1, atol=1e-5)
    monkeypatch.setattr(module, "_FRAMES", frames)
    found = extracted(model, store, [CLIPS[:2], CLIPS[2:]], threads=2)
    np.testing.assert_allclose(found[0], features, atol=1e-5)
    np.testing.assert_allclose(found[1], weights, atol=1e-5)


def test_no_more_frames_than_said_are_decoded_at_a_time(model, store, monkeypatch):
    sizes = []
    batch = ImageStore.batch

    def recorded(self: ImageStore, rows: np.ndarray, *given: Any, **more: Any) -> np.ndarray:
        sizes.append(len(rows))
        return batch(self, rows, *given, **more)

    monkeypatch.setattr(ImageStore, "batch", recorded)
    monkeypatch.setattr(module, "_FRAMES", 6)
    extracted(model, store, [CLIPS])
    assert sizes == [6, 6, 3]


def test_a_clip_of_one_frame_again_and_again_is_that_frame(model, store):
    _, weights = extracted(model, store, [CLIPS])
    np.testing.assert_allclose(weights[2], 1 / 3, atol=1e-6)
    network = model.clips.network
    of_three, of_one = (ClipModel(ClipNetwork(network, Average(12), n), None) for n in (3, 1))
    features, _ = extracted(of_three, store, [CLIPS[2:3]])
    single, _ = extracted(of_one, store, [np.array([[5]])])
    np.testing.assert_allclose(features, single, atol=1e-5)


def test_the_input_is_cut_from_the_middle(model, store):
    image = Image(height=20, width=8, resized=(32, 16))
    found, _ = extracted(model, store, [CLIPS], image)
    whole = store.batch(CLIPS.reshape(-1), 32, 16)
    middle = torch.from_numpy(whole[:, 6:26, 4:12].copy())
    with torch.inference_mode():
        expected, _ = model.extract(middle)
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
