"""Batches of tracklets, the repelled loss, and merges between stages."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.training.helpers import (
    HEIGHT,
    WIDTH,
    history_rows,
    make_images,
    settings_put_back,
)
from tests.training.merging_helpers import learn_here, merging_method
from tests.training.test_tracklet_task import CHANGED, PLAIN, TRACKLETS, Net, World
from tests.training.tracklet_helpers import make_tracklets

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.clustering.merging import merged
from weakreid.config.methods import Merging
from weakreid.config.params import TrainMerging
from weakreid.errors import ReidError
from weakreid.losses.tracklets import repelled
from weakreid.models.backbones import preprocess
from weakreid.models.build import restore_model
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.images import TrainingImages
from weakreid.training.merging_task import (
    MergingTask,
    begins_stage,
    check_epochs,
    merges_of,
    some_of,
    spread,
)


class PlainNet(Net):
    """The small network, which also takes what no frozen stages went over."""

    def forward(self, images: torch.Tensor, after_front: bool = False) -> torch.Tensor:
        return super().forward(images, after_front=True)


@pytest.fixture(autouse=True)
def _settings_put_back():
    with settings_put_back():
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "images.arrow"
    make_images(path, 20)
    with ImageStore(path) as found:
        yield found


def params_of(*, augment=PLAIN, epochs=4, start="features", **batch: Any) -> TrainMerging:
    """Return what a training of the 6 tracklets is given: a merge before the epochs 1 and 3."""
    return TrainMerging.model_validate(
        {
            "learns": "merging",
            "image": {"height": HEIGHT, "width": WIDTH},
            "augment": augment,
            "merging": {"first_epochs": 1, "later_epochs": 2, "share": 0.2, "frames": 3},
            "lookup": {"start": start},
            "batch": {"tracklets": 4, "frames": 2, **batch},
            "schedule": {"epochs": epochs, "steps_per_epoch": 3},
            "seed": 1,
        }
    )


def task_of(store, world=None, **more: Any) -> MergingTask:
    params, net = params_of(**more), PlainNet()
    images = TrainingImages(store, params.image, net.backbone.mean, params.augment, 1)
    return MergingTask(TRACKLETS, params, images, fabric=world or World(), network=net, model=net)


# ------------------------------------------------------------------------------------ what is drawn


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 99))
def test_frames_of_a_tracklet(count, wanted, seed):
    found = some_of(count, wanted, np.random.default_rng(seed))
    assert len(found) == wanted
    assert 0 <= found.min() <= found.max() < count
    assert (np.diff(found) >= (0 if count < wanted else 1)).all()
    even = spread(count, wanted)
    assert len(even) == min(count, wanted)
    assert even[0] == 0
    assert even[-1] < count
    steps = np.diff(even)
    assert len(steps) == 0 or (steps.min() >= 1 and steps.max() - steps.min() <= 1)


def test_stages_begin_where_they_should():
    how = Merging(first_epochs=20, later_epochs=2)
    assert [epoch for epoch in range(27) if begins_stage(epoch, how)] == [20, 22, 24, 26]
    assert merges_of(how, 8298) == 414
    assert merges_of(how, 6) == 1


def test_too_many_stages_are_refused():
    how = Merging(first_epochs=3, later_epochs=2, share=0.25)
    check_epochs(9, how, 8)
    with pytest.raises(ReidError, match=r"4 times 2 merges of 8 tracklets .* take at most 9"):
        check_epochs(10, how, 8)
    with pytest.raises(ReidError, match="1 tracklet; there is nobody to tell apart"):
        check_epochs(1, how, 1)
    check_epochs(0, how, 1)


# ---------------------------------------------------------------------------------------- a batch


def test_a_batch_holds_what_it_says(store):
    task = task_of(store, frames=3)
    task.begin_epoch(0)
    batches = list(task.batches(0))
    assert len(batches) == task.steps_per_epoch == 3
    known = store.batch(np.arange(20), HEIGHT, WIDTH)
    for batch in batches:
        assert task.size(batch) == len(batch.images) == 12
        for label, images in zip(batch.labels, batch.images.numpy().reshape(4, 3, -1), strict=True):
            rows = [
                next(r for r in range(20) if np.array_equal(known[r].reshape(-1), image))
                for image in images
            ]
            # every tracklet is its own cluster
            assert set(rows) <= set(TRACKLETS[label])
            assert len(set(rows)) == min(3, len(TRACKLETS[label]))


@pytest.mark.parametrize("size", [2, 4])
def test_processes_share_a_batch_out_whatever_their_number(store, size):
    task = task_of(store, augment=CHANGED)
    task.begin_epoch(0)
    whole = list(task.batches(0))
    shares = []
    for rank in range(size):
        part = task_of(store, World(rank, size), augment=CHANGED)
        part.labels.append(task.clusters)
        shares.append(list(part.batches(0)))
    for step, batch in enumerate(whole):
        parts = [share[step] for share in shares]
        assert torch.equal(torch.cat([part.images for part in parts]), batch.images)
        assert torch.equal(torch.cat([part.labels for part in parts]), batch.labels)


def test_the_loss_is_that_of_the_tracklets_means_and_moves_their_rows(store):
    task = task_of(store)
    task.begin_epoch(0)
    for step, batch in enumerate(task.batches(0)):
        value, terms = task.loss(batch)
        pixels = preprocess(batch.images, task.network.backbone.mean, task.network.backbone.std)
        features = task.network(pixels)
        means = torch.stack([(features[2 * t] + features[2 * t + 1]) / 2 for t in range(4)])
        means = means / means.norm(dim=1, keepdim=True)
        torch.testing.assert_close(value, repelled.loss(means, batch.labels, task.table, 0.1))
        assert terms == {}
        value.backward()
        expected = task.table.clone()
        repelled.move(expected, means.detach(), batch.labels, 0.5)
        task.after_step(step)
        torch.testing.assert_close(task.table, expected)
    assert all(value.grad is not None for value in task.network.parameters())


def test_batches_that_do_not_divide_among_processes_are_refused(store):
    with pytest.raises(ReidError, match="a batch of 3 tracklets does not divide among 2 devices"):
        task_of(store, World(0, 2), tracklets=3)


# ------------------------------------------------------------------------------- around an epoch


def test_a_feature_is_the_mean_of_spread_frames_of_length_1(store):
    task = task_of(store)
    found = task.extract()
    for tracklet, rows in enumerate(TRACKLETS):
        pixels = torch.from_numpy(store.batch(rows[spread(len(rows), 3)], HEIGHT, WIDTH))
        pixels = preprocess(pixels, (120.0,) * 3, (60.0,) * 3)
        with torch.no_grad():
            mean = task.network(pixels).mean(0)
        np.testing.assert_allclose(found[tracklet], (mean / mean.norm()).numpy(), atol=1e-6)
    assert task.network.training


def test_clusters_are_merged_where_a_stage_begins(store):
    task = task_of(store)
    assert [dict(task.begin_epoch(epoch))["clusters"] for epoch in range(4)] == [6, 5, 5, 4]
    features = task.extract()
    once = merged(features, np.arange(6), 1, penalty=0.003)
    twice = merged(features, once, 1, penalty=0.003)
    expected = [np.arange(6), once, once, twice]
    assert all(np.array_equal(a, b) for a, b in zip(task.labels, expected, strict=True))
    assert len(task.seconds) == 2
    assert task.finish(4) == [(4, 12, "clusters", 4.0)]
    assert task.labels[-1].tolist() == twice.tolist()


@pytest.mark.parametrize("start", ["features", "zeros"])
def test_the_table_is_made_anew_where_a_stage_begins(store, start):
    task = task_of(store, start=start)
    task.begin_epoch(0)
    task.begin_epoch(1)
    features = task.extract()
    means = np.stack([features[task.clusters == name].mean(0) for name in range(5)])
    expected = torch.from_numpy(means / np.linalg.norm(means, axis=1, keepdims=True))
    torch.testing.assert_close(task.table, expected if start == "features" else torch.zeros(5, 8))
    kept = task.table.clone()
    task.begin_epoch(2)
    assert torch.equal(task.table, kept)


def test_clusters_and_table_come_back(store):
    task = task_of(store)
    task.begin_epoch(0)
    task.begin_epoch(1)
    other = task_of(store)
    other.restore(task.state())
    assert torch.equal(other.table, task.table)
    assert other.clusters.tolist() == task.clusters.tolist()
    assert [labels.tolist() for labels in other.labels] == [
        labels.tolist() for labels in task.labels
    ]


# ------------------------------------------------------------------------------------- the stage


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_tracklets(tmp_path_factory.mktemp("data"))


def test_the_stage_writes_what_it_says(data, tmp_path):
    learn_here(data, tmp_path, merging_method(schedule__epochs=2, schedule__steps_per_epoch=None))
    names = {"model.safetensors", "history.parquet", "timing.json", "clusters.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == names
    tensors, about = load_weights(tmp_path / "model.safetensors")
    assert about.heads == about.persons == []
    assert restore_model(about.model, part_of(tensors, "model")).dimension == 96
    clusters = schemas.read_frame(tmp_path / "clusters.parquet", "clusters")
    assert clusters["tracklet_id"].tolist() == list(range(24))
    assert set(clusters["label"]) == set(range(18))
    rows = history_rows(tmp_path / "history.parquet")
    found = {(at, when, value) for at, when, term, value in rows if term == "clusters"}
    assert found == {(0, 0, 24), (1, 3, 18), (2, 6, 18)}
    measured = {(at, term) for at, _, term, _ in rows if term in ("nmi", "ari", "purity")}
    assert len(measured) == 9
    assert {term for _, step, term, _ in rows if step == 1} == {"loss", "lr"}
    assert json.loads((tmp_path / "timing.json").read_text())["merging_s"] >= 0


def test_people_that_differ_are_merged_and_learnt(data, tmp_path):
    # 24 tracklets of 4 persons: 4 stages of 4 merges leave 8 clusters
    values = merging_method(
        schedule__epochs=5, merging__later_epochs=1, merging__share=0.17, optimiser__lr=1e-4
    )
    learn_here(data, tmp_path, values)
    rows = history_rows(tmp_path / "history.parquet")
    assert [value for *_, term, value in rows if term == "clusters"] == [24, 20, 16, 12, 8, 8]
    assert [value for *_, term, value in rows if term == "purity"][-1] > 0.9


def test_no_epoch_leaves_every_tracklet_alone(data, tmp_path):
    values = merging_method(schedule__epochs=0, model__frozen=["stem"], batch__cache_mb=100)
    learn_here(data, tmp_path, values)
    rows = history_rows(tmp_path / "history.parquet")
    assert {row[2] for row in rows} == {"clusters", "nmi", "ari", "purity"}
    clusters = schemas.read_frame(tmp_path / "clusters.parquet", "clusters")
    assert clusters["label"].tolist() == list(range(24))


def test_maps_kept_change_nothing_but_the_time(data, tmp_path):
    short = {"schedule__epochs": 2, "schedule__steps_per_epoch": 1}
    values = merging_method(**short, augment={"flip": 0.5, "pad": 0, "erase": 0.0})
    plain = learn_here(data, tmp_path / "plain", values)
    values["batch"]["cache_mb"] = 100
    kept = learn_here(data, tmp_path / "kept", values)
    found = zip(
        history_rows(kept / "history.parquet"), history_rows(plain / "history.parquet"), strict=True
    )
    for row, expected in found:
        assert row[:3] == expected[:3]
        assert row[3] == pytest.approx(expected[3], rel=1e-3)
