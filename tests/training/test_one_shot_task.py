"""EUG's steps: what each learns from, and that it starts again."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.training.helpers import HEIGHT, WIDTH, history_rows, make_images, settings_put_back
from tests.training.one_shot_helpers import learn_here, make_labelled, one_shot_method
from tests.training.test_tracklet_task import CHANGED, PLAIN, TRACKLETS, Net, World
from torch.nn.functional import cross_entropy, linear, normalize

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.clustering.selection import select
from weakreid.config.methods import epochs_of
from weakreid.config.params import TrainOneShot
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.initial import seeded_linear
from weakreid.training.images import TrainingImages
from weakreid.training.one_shot_task import OneShotTask, right_rows
from weakreid.training.schedule import rate_factor

GIVEN = np.array([1, -1, -1, 0, -1, -1], np.int32)


class Normalised(Net):
    """A network that is shown normalised images."""

    def forward(self, images: torch.Tensor, after_front: bool = True) -> torch.Tensor:
        return super().forward(images, after_front)


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


def params_of(*, augment=PLAIN, selection=None, schedule=None, **batch: Any) -> TrainOneShot:
    """Return what a training of the tracklets above is given: steps of 0, 2 and 4 pseudo-labels."""
    return TrainOneShot.model_validate(
        {
            "learns": "one_shot",
            "image": {"height": HEIGHT, "width": WIDTH},
            "augment": augment,
            "selection": {"share": 0.5, "frames": 3, **(selection or {})},
            "batch": {"tracklets": 2, "frames": 2, **batch},
            "schedule": {"epochs": 2, **(schedule or {})},
            "seed": 1,
        }
    )


def task_of(store, world=None, **more: Any) -> OneShotTask:
    params, net = params_of(**more), Normalised()
    classifier = seeded_linear(8, 2, 2)
    groups = [
        {"name": "backbone", "params": list(net.parameters())},
        {"name": "heads", "params": list(classifier.parameters())},
    ]
    return OneShotTask(
        TRACKLETS,
        GIVEN,
        params,
        TrainingImages(store, params.image, net.backbone.mean, params.augment, 1),
        fabric=world or World(),
        network=net,
        model=net,
        classifier=classifier,
        optimiser=torch.optim.AdamW(groups, lr=0.1),
    )


def learn(task: OneShotTask, epochs: int) -> list[list[tuple[str, float]]]:
    """Go through some epochs as the loop does; return what each records."""
    said = []
    for epoch in range(epochs):
        said.append(list(task.begin_epoch(epoch)))
        for batch in task.batches(epoch):
            task.optimiser.zero_grad()
            task.loss(batch)[0].backward()
            task.optimiser.step()
    return said


def weights_of(task: OneShotTask) -> list[torch.Tensor]:
    parts = [*task.network.parameters(), *task.classifier.parameters()]
    return [part.detach().clone() for part in parts]


# ------------------------------------------------------------------------------ around EUG's steps


def test_epochs_and_their_steps_follow_from_what_is_selected(store):
    task = task_of(store)
    # 2, 4 and 6 tracklets, 2 to a batch, 2 epochs of each
    assert task.counts == [0, 2, 4]
    assert task.epochs == epochs_of(task.params) == 6
    assert [task.first_step(epoch) for epoch in range(7)] == [0, 1, 2, 4, 6, 9, 12]
    assert task_of(store, schedule={"steps_per_epoch": 5}).first_step(6) == 30


def test_the_learning_rate_starts_again_at_each_step(store):
    schedule = {"name": "cosine", "warm_up": 0.2}
    task = task_of(store, schedule=schedule)
    expected = [
        rate_factor(step, task.params.schedule, length)
        for length in (1, 2, 3)
        for step in range(2 * length)
    ]
    assert [task.rate(step) for step in range(12)] == expected


@pytest.mark.parametrize("fresh", [True, False])
def test_a_step_selects_by_the_network_before_and_starts_again(store, fresh):
    task = task_of(store, selection={"fresh": fresh})
    start = weights_of(task)
    said = learn(task, 2)
    assert said == [[("selected", 0.0)], []]
    assert [labels.tolist() for labels in task.labels] == [GIVEN.tolist()]
    learnt, features = weights_of(task), task.extract()
    assert task.begin_epoch(2) == [("selected", 2.0)]
    assert task.labels[1].tolist() == select(features, GIVEN, 2).tolist()
    expected = start if fresh else learnt
    assert all(map(torch.equal, weights_of(task), expected))
    assert not any(map(torch.equal, start, learnt))
    assert not task.optimiser.state
    # what was kept is not what learns from here on
    learn(task, 1)
    assert not all(map(torch.equal, weights_of(task), expected))


def test_the_last_step_learns_from_all(store):
    task = task_of(store)
    assert [said for said in learn(task, task.epochs) if said] == [
        [("selected", count)] for count in (0.0, 2.0, 4.0)
    ]
    assert [int((labels >= 0).sum()) for labels in task.labels] == [2, 4, 6]
    for labels in task.labels:
        assert (labels[GIVEN >= 0] == GIVEN[GIVEN >= 0]).all()


@pytest.mark.parametrize("frames", [None, 3])
def test_a_feature_is_the_mean_of_frames_spread_over_the_tracklet(store, frames):
    task = task_of(store, selection={"frames": frames})
    found = task.extract()
    # the middle frames of three equal parts
    chosen = {4: [0, 1, 3], 5: [0, 2, 4]} if frames else {}
    for tracklet, rows in enumerate(TRACKLETS):
        seen = rows[chosen.get(len(rows), range(len(rows)))]
        pixels = preprocess(
            torch.from_numpy(store.batch(seen, HEIGHT, WIDTH)), (120.0,) * 3, (60.0,) * 3
        )
        with torch.no_grad():
            expected = normalize(task.network(pixels, after_front=True).mean(0), dim=0)
        np.testing.assert_allclose(found[tracklet], expected.numpy(), atol=1e-6)


def test_a_checkpoint_keeps_every_step(store):
    task = task_of(store)
    learn(task, 3)
    other = task_of(store)
    other.restore(task.state())
    assert [labels.tolist() for labels in other.labels] == [
        labels.tolist() for labels in task.labels
    ]


def test_batches_that_do_not_divide_among_processes_are_refused(store):
    with pytest.raises(ReidError, match="a batch of 3 tracklets does not divide among 2 devices"):
        task_of(store, World(0, 2), tracklets=3)


# ------------------------------------------------------------------------------------------ a step


def test_a_batch_shows_what_is_learnt_from_once_an_epoch(store):
    task = task_of(store)
    task.labels = [GIVEN, np.array([1, 0, -1, 0, 1, -1], np.int32)]
    known = store.batch(np.arange(20), HEIGHT, WIDTH)
    seen = []
    for batch in task.batches(2):
        assert task.size(batch) == 4
        for label, images in zip(batch.labels, batch.images.numpy().reshape(2, 2, -1), strict=True):
            rows = [
                next(r for r in range(20) if np.array_equal(known[r].reshape(-1), image))
                for image in images
            ]
            (tracklet,) = {t for t in range(6) for row in rows if row in TRACKLETS[t]}
            assert task.labels[1][tracklet] == label
            assert len(set(rows)) == min(2, len(TRACKLETS[tracklet]))
            seen.append(tracklet)
    assert sorted(seen) == [0, 1, 3, 4]


def test_processes_share_a_batch_out(store):
    task = task_of(store, augment=CHANGED)
    task.labels = [GIVEN]
    whole = list(task.batches(0))
    shares = []
    for rank in range(2):
        part = task_of(store, World(rank, 2), augment=CHANGED)
        part.labels = [GIVEN]
        shares.append(list(part.batches(0)))
    for step, batch in enumerate(whole):
        for name in ("images", "labels"):
            parts = [getattr(share[step], name) for share in shares]
            assert torch.equal(torch.cat(parts), getattr(batch, name))


def test_the_loss_is_the_cross_entropy_of_the_tracklets_means(store):
    task = task_of(store)
    task.labels = [GIVEN]
    (batch,) = task.batches(0)
    value, terms = task.loss(batch)
    pixels = preprocess(batch.images, (120.0,) * 3, (60.0,) * 3)
    features = task.network(pixels, after_front=True)
    means = torch.stack([features[:2].mean(0), features[2:].mean(0)])
    logits = linear(means, task.classifier.weight, task.classifier.bias)
    torch.testing.assert_close(value, cross_entropy(logits, batch.labels))
    assert terms == {"identity": value}


# ------------------------------------------------------------------------------- after a training


def test_pseudo_labels_are_right_that_name_the_labelled_tracklets_person(store):
    task = task_of(store)
    # label 1 is person 7, label 0 person 5; nobody knows tracklet 5
    truth = pd.DataFrame({"tracklet_id": range(6), "truth_person_id": [7, 7, 5, 5, 7, 0]})
    task.labels = [GIVEN, np.array([1, 1, -1, 0, 0, -1]), np.array([1, 1, 0, 0, 0, 1])]
    assert right_rows(task, truth) == [
        (2, 2, "right", 50.0),
        (4, 6, "right", pytest.approx(200 / 3)),
    ]
    assert right_rows(task, truth.assign(truth_person_id=-1)) == []


def test_the_stage_writes_what_it_says(tmp_path):
    data = make_labelled(tmp_path / "data")
    out = learn_here(data, tmp_path / "out", one_shot_method())
    names = {"model.safetensors", "history.parquet", "timing.json", "clusters.parquet"}
    assert {path.name for path in out.iterdir()} == names
    rows = history_rows(out / "history.parquet")
    assert [(e, value) for e, _, term, value in rows if term == "selected"] == [
        (0, 0.0), (1, 10.0), (2, 20.0)
    ]  # fmt: skip
    assert [epoch for epoch, _, term, _ in rows if term == "right"] == [1, 2]
    assert {term for *_, term, _ in rows} == {"selected", "right", "identity", "loss", "lr"}
    found = schemas.read_frame(out / "clusters.parquet", "clusters")["label"].to_numpy()
    given = schemas.read_frame(data / "labels.parquet", "tracklet_labels")["label"].to_numpy()
    assert set(found) == {0, 1, 2, 3}
    assert (found[given >= 0] == given[given >= 0]).all()
