"""Batches of clustered tracklets, their loss, and what happens around an epoch."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.training.helpers import (
    HEIGHT,
    WIDTH,
    history_rows,
    make_images,
    settings_put_back,
)
from tests.training.tracklet_helpers import learn_here, make_tracklets, tracklet_method
from torch import Tensor

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.clustering import association
from weakreid.config.methods import Association
from weakreid.config.params import TrainTracklets
from weakreid.errors import ReidError
from weakreid.losses.tracklets import tmc
from weakreid.models.backbones import preprocess
from weakreid.models.build import restore_model
from weakreid.seeding import numpy_generator
from weakreid.training import pseudo_labels
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.images import TrainingImages
from weakreid.training.mean_net import mean_of
from weakreid.training.pseudo_classes import Centres, Classifiers
from weakreid.training.pseudo_labels import associate, quality_rows
from weakreid.training.tracklet_features import tracklets_of
from weakreid.training.tracklet_sampling import chunk_of, cluster_batches, repeated
from weakreid.training.tracklet_task import TrackletTask

PLAIN = {"flip": 0.0, "pad": 0, "erase": 0.0}
CHANGED = {"flip": 0.5, "pad": 2, "erase": 0.5}
# of 1, 2, 3, 4, 5, 5 frames
TRACKLETS = [np.arange(first, last) for first, last in
             ((0, 1), (1, 3), (3, 6), (6, 10), (10, 15), (15, 20))]  # fmt: skip
LABELS = np.array([1, 0, -1, 0, 1, 1], np.int32)


class Net(torch.nn.Module):
    """A network of a moment's work with what a task asks of a `ReidModel`."""

    dimension = 8

    def __init__(self) -> None:
        super().__init__()
        self.backbone = SimpleNamespace(mean=(120.0,) * 3, std=(60.0,) * 3)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.first = torch.nn.Conv2d(3, 8, 4, stride=4)
            self.second = torch.nn.Linear(8, 8)

    def front(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def forward(self, images: torch.Tensor, after_front: bool = False) -> torch.Tensor:
        assert after_front
        return self.second(self.first(images).relu().mean(dim=(2, 3)))


class World:
    """What a task asks of Fabric, as one of several processes sees it."""

    is_global_zero = False
    device = torch.device("cpu")

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.global_rank, self.world_size = rank, size

    def autocast(self) -> torch.autocast:
        return torch.autocast("cpu", enabled=False)


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


def params_of(
    *, eps=0.5, augment=PLAIN, losses=None, contrast=None, **batch: Any
) -> TrainTracklets:
    """Return what a training of the tracklets above is given."""
    return TrainTracklets.model_validate(
        {
            "learns": "tracklets",
            "image": {"height": HEIGHT, "width": WIDTH},
            "augment": augment,
            "association": {
                "frames": 3, "k1": 2, "k2": 1, "min_samples": 2, "eps": eps, "share": 0.2
            },
            "losses": losses or {},
            "mean_net": {"momentum": 0.5},
            "contrast": contrast,
            "batch": {"clusters": 2, "tracklets": 2, "frames": 2, **batch},
            "schedule": {"steps_per_epoch": 3},
            "seed": 1,
        }
    )  # fmt: skip


def task_of(store, world=None, **more: Any) -> TrackletTask:
    params, net = params_of(**more), Net()
    classifier = torch.nn.Linear(8, 1, bias=False)
    groups = [
        {"name": "backbone", "params": list(net.parameters())},
        {"name": "heads", "params": list(classifier.parameters())},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.1)
    classes = Classifiers(classifier, optimiser, params.losses)
    if params.contrast is not None:
        classes = Centres(params.contrast)
    return TrackletTask(
        TRACKLETS,
        params,
        TrainingImages(store, params.image, net.backbone.mean, params.augment, 1),
        fabric=world or World(),
        network=net,
        model=net,
        mean=mean_of(net),
        classes=classes,
    )


def ready(task: TrackletTask, labels: np.ndarray = LABELS) -> TrackletTask:
    """Return a task in its first epoch, with given clusters."""
    task.labels.append(labels)
    task.classes.renew(task._means(task.extract(0), labels))
    return task


# ------------------------------------------------------------------- which tracklets, which frames


@given(
    labels=st.lists(st.integers(-1, 4), min_size=4, max_size=30),
    clusters=st.integers(2, 6),
    tracklets=st.integers(1, 4),
    steps=st.integers(1, 8),
)
@settings(max_examples=50, deadline=None)
def test_batches_take_clusters_and_their_tracklets_in_turn(labels, clusters, tracklets, steps):
    labels = np.array(labels)
    names = set(labels[labels >= 0].tolist())
    generator = numpy_generator(1, "batches")
    options = {"clusters": clusters, "tracklets": tracklets, "steps": steps}
    if len(names) < 2:
        with pytest.raises(ReidError, match="make no batch of two clusters or more"):
            cluster_batches(labels, generator=generator, **options)
        return
    batches = cluster_batches(labels, generator=generator, **options)
    assert len(batches) == steps
    together = min(clusters, len(names))
    seen: list[int] = []
    for batch in batches:
        of_batch = labels[batch].reshape(together, tracklets)
        assert (of_batch == of_batch[:, :1]).all()
        assert len(set(of_batch[:, 0].tolist())) == together
        for chosen in batch.reshape(together, tracklets):
            size = int((labels == labels[chosen[0]]).sum())
            assert len(set(chosen.tolist())) == min(size, tracklets)
        seen += batch.tolist()
    # nothing comes again before all of its kind came
    counts = np.bincount(seen, minlength=len(labels))
    for name in names:
        of_cluster = counts[labels == name]
        assert of_cluster.max() - of_cluster.min() <= 1 + (tracklets > 1)
    of_names = [counts[labels == name].sum() // tracklets for name in sorted(names)]
    assert max(of_names) - min(of_names) <= 1 + (together > 1)
    assert not counts[labels < 0].any()


def test_a_batch_that_must_divide_takes_fewer_clusters():
    labels = np.repeat(np.arange(5), 3)
    made = cluster_batches(
        labels, clusters=5, tracklets=3, steps=1, generator=numpy_generator(1), share=2
    )
    assert [len(batch) for batch in made] == [12]
    with pytest.raises(ReidError, match=r"that divides among 7 devices; set batch\.tracklets to"):
        cluster_batches(
            labels, clusters=5, tracklets=3, steps=1, generator=numpy_generator(1), share=7
        )


@given(count=st.integers(1, 50), wanted=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_a_chunk_is_consecutive_frames(count, wanted, seed):
    chunk = chunk_of(count, wanted, numpy_generator(seed))
    assert len(chunk) == min(count, wanted)
    assert (np.diff(chunk) == 1).all()
    assert 0 <= chunk[0] <= chunk[-1] < count
    whole = repeated(chunk, wanted)
    assert len(whole) == wanted
    assert whole.tolist() == [chunk[i % len(chunk)] for i in range(wanted)]


def test_chunks_start_anywhere():
    starts = {int(chunk_of(5, 3, numpy_generator(seed))[0]) for seed in range(50)}
    assert starts == {0, 1, 2}


def test_tracklets_are_in_the_order_of_their_frames():
    rows = pd.DataFrame(
        {"tracklet_id": [1, 0, 1, 0], "position": [1, 0, 0, 1], "image": [7, 9, 8, 3]}
    )
    assert [rows.tolist() for rows in tracklets_of(rows)] == [[9, 3], [8, 7]]


def test_tracklets_with_a_gap_are_refused():
    rows = pd.DataFrame({"tracklet_id": [0, 2], "position": [0, 0], "image": [7, 9]})
    with pytest.raises(ReidError, match="tracklet_id 2 where 1 is due; number the tracklets"):
        tracklets_of(rows)


# ---------------------------------------------------------------------------------------- a batch


def test_a_batch_holds_what_it_says(store):
    task = ready(task_of(store, frames=3))
    batches = list(task.batches(0))
    assert len(batches) == task.steps_per_epoch == 3
    known = store.batch(np.arange(20), HEIGHT, WIDTH)
    for batch in batches:
        assert task.size(batch) == len(batch.images) == 12
        assert batch.labels.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
        for label, images in zip(batch.labels, batch.images.numpy().reshape(4, 3, -1), strict=True):
            rows = [
                next(r for r in range(20) if np.array_equal(known[r].reshape(-1), image))
                for image in images
            ]
            (tracklet,) = [t for t in range(6) if rows[0] in TRACKLETS[t]]
            assert LABELS[tracklet] == label
            count = len(TRACKLETS[tracklet])
            steps = np.diff(rows)
            # consecutive, or a short tracklet that starts again
            assert ((steps == 1) | (steps == 1 - count)).all()


@pytest.mark.parametrize("size", [2, 4])
def test_processes_share_a_batch_out_whatever_their_number(store, size):
    task = ready(task_of(store, augment=CHANGED))
    whole = list(task.batches(0))
    shares = []
    for rank in range(size):
        part = task_of(store, World(rank, size), augment=CHANGED)
        part.labels.append(LABELS)
        shares.append(list(part.batches(0)))
    for step, batch in enumerate(whole):
        parts = [share[step] for share in shares]
        assert torch.equal(torch.cat([part.images for part in parts]), batch.images)
        assert torch.equal(torch.cat([part.labels for part in parts]), batch.labels)


def test_batches_are_the_same_at_every_call_and_others_in_another_epoch(store):
    task = ready(task_of(store))
    task.labels.append(LABELS)
    first, again, other = (
        torch.cat([batch.images for batch in task.batches(epoch)]) for epoch in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_loss_is_that_of_the_tracklets_means(store):
    task = ready(task_of(store, losses={"soft_identity": 0.3, "soft_triplet": 0.6, "margin": 0.4}))
    with torch.no_grad():
        # the two networks differ
        task.network.second.weight.add_(0.1)
        task.classes.classifier.weight.mul_(1.5)
    for batch in task.batches(0):
        value, terms = task.loss(batch)
        pixels = preprocess(batch.images, task.network.backbone.mean, task.network.backbone.std)
        means = []
        for net in (task.network, task.mean):
            features = net(pixels, after_front=True)
            means.append(
                torch.stack([(features[2 * t] + features[2 * t + 1]) / 2 for t in range(4)])
            )
        own, other = means
        expected, parts = tmc.loss(
            own,
            own @ task.classes.classifier.weight.T,
            other,
            other @ task.classes.mean_classifier.T,
            batch.labels,
            task.params.losses,
        )
        torch.testing.assert_close(value, expected)
        assert set(terms) == {"identity", "soft_identity", "triplet", "soft_triplet"}
        torch.testing.assert_close(terms, parts)
        value.backward()
    assert all(value.grad is not None for value in task.network.parameters())
    assert all(value.grad is None for value in task.mean.parameters())
    assert task.classes.classifier.weight.grad.abs().sum() > 0


def test_cluster_contrast_draws_tracklets_to_centres_that_follow(store):
    task = ready(task_of(store, contrast={"temperature": 0.2, "momentum": 0.3}))
    centres = task.classes.centres
    (batch, *_) = task.batches(0)
    value, terms = task.loss(batch)
    pixels = preprocess(batch.images, task.network.backbone.mean, task.network.backbone.std)
    features = task.network(pixels, after_front=True).detach().unflatten(0, (-1, 2)).mean(1)
    expected, seen = 0.0, dict[int, list[Tensor]]()
    for feature, label in zip(features, batch.labels.tolist(), strict=True):
        own = feature / feature.norm()
        scores = [torch.exp(own @ centre / 0.2) for centre in centres]
        expected -= torch.log(scores[label] / sum(scores)) / len(features)
        seen.setdefault(label, []).append(own)
    torch.testing.assert_close(value, expected)
    assert list(terms) == ["contrast"]
    value.backward()
    assert all(value.grad is not None for value in task.network.parameters())
    task.after_step(0)
    for label, centre in enumerate(task.classes.centres):
        moved = centres[label]
        if label in seen:
            moved = 0.3 * moved + 0.7 * torch.stack(seen[label]).mean(0)
        torch.testing.assert_close(centre, moved / moved.norm())


# ------------------------------------------------------------------------------- around an epoch


def test_a_feature_is_the_mean_of_a_chunk_of_length_1(store):
    task = task_of(store)
    found = task.extract(2)
    assert found.dtype == np.float32
    for tracklet, rows in enumerate(TRACKLETS):
        chunk = chunk_of(len(rows), 3, numpy_generator(1, "association", 2, tracklet))
        pixels = preprocess(
            torch.from_numpy(store.batch(rows[chunk], HEIGHT, WIDTH)), (120.0,) * 3, (60.0,) * 3
        )
        with torch.no_grad():
            mean = task.mean(pixels, after_front=True).mean(0)
        np.testing.assert_allclose(found[tracklet], (mean / mean.norm()).numpy(), atol=1e-6)
    assert task.mean.training


def test_many_tracklets_go_through_the_network_in_groups(store, monkeypatch):
    expected = task_of(store).extract(0)
    monkeypatch.setattr("weakreid.training.tracklet_features._FRAMES", 4)
    np.testing.assert_allclose(task_of(store).extract(0), expected, atol=1e-6)


def test_classifiers_start_anew_from_the_clusters_means(store):
    task = ready(task_of(store))
    batch = next(iter(task.batches(0)))
    task.loss(batch)[0].backward()
    task.classes.optimiser.step()
    old = task.classes.classifier.weight
    backbone = {
        id(p): task.classes.optimiser.state[p]["exp_avg"].clone() for p in task.network.parameters()
    }
    assert old in task.classes.optimiser.state
    labels = np.array([0, 0, 1, 1, 2, 2])
    features = task.extract(1)
    task.classes.renew(task._means(features, labels))
    means = np.stack([features[labels == name].mean(0) for name in range(3)])
    expected = torch.from_numpy(means / np.linalg.norm(means, axis=1, keepdims=True))
    torch.testing.assert_close(task.classes.classifier.weight.detach(), expected)
    torch.testing.assert_close(task.classes.mean_classifier, expected)
    assert task.classes.optimiser.param_groups[1]["params"] == [task.classes.classifier.weight]
    assert old not in task.classes.optimiser.state
    assert task.classes.classifier.weight not in task.classes.optimiser.state
    for parameter in task.network.parameters():
        assert torch.equal(
            task.classes.optimiser.state[parameter]["exp_avg"], backbone[id(parameter)]
        )
    # a step of the new one moves the new one, and not the Mean Net's
    task.labels.append(labels.astype(np.int32))
    task.classes.optimiser.zero_grad()
    task.loss(next(iter(task.batches(1))))[0].backward()
    task.classes.optimiser.step()
    assert not torch.equal(task.classes.classifier.weight.detach(), expected)
    torch.testing.assert_close(task.classes.mean_classifier, expected)


def test_a_step_moves_the_mean_net_and_its_classifier(store):
    task = ready(task_of(store))
    before = task.mean.second.weight.clone(), task.classes.mean_classifier.clone()
    with torch.no_grad():
        task.network.second.weight.add_(1.0)
        task.classes.classifier.weight.add_(1.0)
    task.after_step(7)
    torch.testing.assert_close(task.mean.second.weight, before[0] + 0.5)
    torch.testing.assert_close(task.classes.mean_classifier, before[1] + 0.5)


def test_eps_is_found_once_and_comes_back(store, monkeypatch):
    asked = []

    def data_eps(*_: Any) -> float:
        asked.append(1)
        return 0.9 / len(asked)

    monkeypatch.setattr(pseudo_labels.association, "data_eps", data_eps)
    monkeypatch.setattr(pseudo_labels.association, "associate", lambda *_: LABELS.astype(int))
    task = task_of(store, eps=None)
    first, second = task.begin_epoch(0), task.begin_epoch(1)
    assert dict(first) == {"clusters": 2, "unclustered": pytest.approx(100 / 6), "eps": 0.9}
    assert dict(second)["eps"] == 0.9
    other = task_of(store, eps=None)
    other.restore(task.state())
    assert dict(other.begin_epoch(2))["eps"] == 0.9
    assert [labels.tolist() for labels in other.labels] == [LABELS.tolist()] * 3
    assert len(asked) == 1
    assert dict(task_of(store, eps=0.3).begin_epoch(0))["eps"] == 0.3
    again = task_of(store, eps=None)
    again.association = again.association.model_copy(update={"renewed": True})
    found = [dict(again.begin_epoch(epoch))["eps"] for epoch in range(2)]
    assert found == [0.9 / 2, 0.9 / 3]


def test_one_cluster_stops_a_training_but_not_its_end(store, monkeypatch):
    monkeypatch.setattr(
        pseudo_labels.association, "associate", lambda *_: np.zeros(len(TRACKLETS), int)
    )
    task = task_of(store)
    with pytest.raises(ReidError, match="eps"):
        task.begin_epoch(0)
    assert [row[:3] for row in task_of(store).finish(4)] == [
        (4, 12, "clusters"),
        (4, 12, "unclustered"),
        (4, 12, "eps"),
    ]


def test_one_cluster_later_leaves_those_of_the_epoch_before(store, monkeypatch, capsys):
    found = [LABELS.astype(int), np.zeros(len(TRACKLETS), int), LABELS[::-1].astype(int)]
    monkeypatch.setattr(pseudo_labels.association, "associate", lambda *_: found.pop(0))
    monkeypatch.setattr(World, "is_global_zero", True)
    task = task_of(store)
    for epoch in range(3):
        task.begin_epoch(epoch)
    kept = [labels.tolist() for labels in task.labels]
    assert kept == [LABELS.tolist(), LABELS.tolist(), LABELS[::-1].tolist()]
    said = capsys.readouterr().err
    assert "epoch 2: association: DBSCAN found one cluster" in said
    assert said.count("the clusters of the epoch before stay") == 1


def test_no_eps_stops_a_training_but_not_its_end(store, monkeypatch):
    # nobody shares a neighbour with anybody
    monkeypatch.setattr(
        pseudo_labels.jaccard, "jaccard_distances", lambda *_: sparse.csr_array((6, 6))
    )
    with pytest.raises(ReidError, match="no eps follows from 6 tracklets"):
        task_of(store, eps=None).begin_epoch(0)
    task = task_of(store, eps=None)
    assert task.finish(0) == [(0, 0, "clusters", 0.0), (0, 0, "unclustered", 100.0)]
    assert task.labels[-1].tolist() == [-1] * 6
    assert task.state()["eps"] is None


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("eps", [None, 0.4])
def test_too_few_tracklets_stop_a_training_but_not_its_end(count, eps):
    features = np.eye(3, dtype=np.float32)[:count]
    how = Association(frames=2, k1=30, k2=6, min_samples=4, eps=eps)
    with pytest.raises(ReidError):
        associate(features, how, eps, threads=1, check=True)
    labels, _ = associate(features, how, eps, threads=1, check=False)
    assert labels.tolist() == [-1] * count


def test_batches_that_do_not_divide_among_processes_are_refused(store):
    with pytest.raises(ReidError, match=r"a batch of 9 tracklets .* does not divide") as caught:
        task_of(store, World(0, 2), clusters=3, tracklets=3)
    assert "\n" not in str(caught.value)


# --------------------------------------------------------------------------- how good clusters were


def test_a_tracklet_is_the_known_person_whom_most_frames_show():
    # as crops, bags and isolation have it: nobody is no person, however many frames show nobody
    truth = {
        "tracklet_id": [0, 0, 0, 1, 1, 1, 2, 2, 3],
        "truth_person_id": [0, 0, 5, 5, 5, 6, 6, 6, 6],
    }
    rows = quality_rows([np.array([0, 0, 1, 1])], pd.DataFrame(truth), steps_per_epoch=3)
    assert [(row[2], row[3]) for row in rows] == [("nmi", 1), ("ari", 1), ("purity", 1)]


def test_quality_leaves_out_who_is_unknown():
    truth = pd.DataFrame({"tracklet_id": range(5), "truth_person_id": [1, 1, 2, 2, 0]})
    rows = quality_rows([np.array([0, 0, 1, 1, 0])] * 2, truth, steps_per_epoch=3)
    assert rows == [
        (epoch, 3 * epoch, name, pytest.approx(association.cluster_quality(
            np.array([0, 0, 1, 1]), np.array([1, 1, 2, 2]))[name]))
        for epoch in (0, 1)
        for name in ("nmi", "ari", "purity")
    ]  # fmt: skip
    assert rows[0][3] == pytest.approx(1.0)
    assert quality_rows([np.zeros(5, int)], truth.assign(truth_person_id=-1), 3) == []


# ------------------------------------------------------------------------------------- the stage


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_tracklets(tmp_path_factory.mktemp("data"))


SHORT = {"schedule__epochs": 1, "schedule__steps_per_epoch": 2}


def test_the_stage_writes_what_it_says(data, tmp_path):
    learn_here(data, tmp_path, tracklet_method(**SHORT))
    names = {"model.safetensors", "history.parquet", "timing.json", "clusters.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == names
    tensors, about = load_weights(tmp_path / "model.safetensors")
    assert about.heads == about.persons == []
    network = restore_model(about.model, part_of(tensors, "model"))
    assert network.dimension == 96
    clusters = schemas.read_frame(tmp_path / "clusters.parquet", "clusters")
    assert clusters["tracklet_id"].tolist() == list(range(24))
    assert clusters["label"].min() >= -1
    rows = history_rows(tmp_path / "history.parquet")
    of_epoch = {"clusters", "unclustered", "eps", "nmi", "ari", "purity"}
    of_step = {"identity", "soft_identity", "triplet", "soft_triplet", "loss", "lr"}
    for epoch, step in ((0, 0), (1, 2)):
        found = {term for at, when, term, _ in rows if (at, when) == (epoch, step)}
        assert found == (of_epoch | of_step if epoch == 0 else of_epoch)
    assert {term for _, step, term, _ in rows if step == 1} == of_step
    timing = json.loads((tmp_path / "timing.json").read_text())
    assert timing["association_s"] > 0


def test_the_net_itself_can_be_kept(data, tmp_path):
    values = tracklet_method(**SHORT, mean_net__momentum=0.5)
    learn_here(data, tmp_path / "mean", values)
    values["mean_net"]["keep"] = "net"
    learn_here(data, tmp_path / "net", values)
    mean, net = (load_weights(tmp_path / n / "model.safetensors")[0] for n in ("mean", "net"))
    assert list(mean) == list(net)
    assert any(not torch.equal(mean[name], net[name]) for name in mean)


def test_no_epoch_associates_by_the_untrained_network(data, tmp_path):
    learn_here(data, tmp_path, tracklet_method(schedule__epochs=0))
    rows = history_rows(tmp_path / "history.parquet")
    assert {row[2] for row in rows} == {"clusters", "unclustered", "eps", "nmi", "ari", "purity"}
    assert {row[:2] for row in rows} == {(0, 0)}
    assert (tmp_path / "model.safetensors").exists()
    assert len(schemas.read_frame(tmp_path / "clusters.parquet", "clusters")) == 24


def test_no_epoch_of_a_single_tracklet(data, tmp_path):
    rows = schemas.read_frame(data / "tracks.parquet", "tracks", truth=True)
    path = tmp_path / "tracks.parquet"
    schemas.write(path, "tracks", rows[rows["tracklet_id"] == 0], {})
    learn_here(data, tmp_path / "out", tracklet_method(schedule__epochs=0), tracks=path)
    rows = [row[2:] for row in history_rows(tmp_path / "out" / "history.parquet")]
    # no eps follows from it
    assert rows == [
        ("clusters", 0), ("unclustered", 100), ("nmi", 0), ("ari", 0), ("purity", 0)
    ]  # fmt: skip
    found = schemas.read_frame(tmp_path / "out" / "clusters.parquet", "clusters")
    assert found["label"].tolist() == [-1]


def test_maps_kept_change_nothing_but_the_time(data, tmp_path):
    values = tracklet_method(**SHORT, augment={"flip": 0.5, "pad": 0, "erase": 0.0})
    plain = learn_here(data, tmp_path / "plain", values)
    values["batch"]["cache_mb"] = 100
    kept = learn_here(data, tmp_path / "kept", values)
    found = zip(
        history_rows(kept / "history.parquet"), history_rows(plain / "history.parquet"), strict=True
    )
    for row, expected in found:
        assert row[:3] == expected[:3]
        assert row[3] == pytest.approx(expected[3], rel=1e-3)


def test_tracklets_of_nobody_known_are_learnt_from_and_not_measured(data, tmp_path):
    rows = schemas.read_frame(data / "tracks.parquet", "tracks", truth=True)
    path = tmp_path / "tracks.parquet"
    schemas.write(path, "tracks", rows.assign(truth_person_id=-1), {})
    learn_here(data, tmp_path / "out", tracklet_method(**SHORT), tracks=path)
    terms = {row[2] for row in history_rows(tmp_path / "out" / "history.parquet")}
    assert "loss" in terms
    assert not terms & {"nmi", "ari", "purity"}
