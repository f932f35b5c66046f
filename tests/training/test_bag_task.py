"""Batches of bags and their loss."""

import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.helpers import HEIGHT, WIDTH, make_images, settings_put_back

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainBags
from weakreid.errors import ReidError
from weakreid.losses.bags import cpal
from weakreid.models.backbones import preprocess
from weakreid.models.reid import Heads
from weakreid.training.bag_task import BagTask, bags_of, check_learnable
from weakreid.training.images import TrainingImages
from weakreid.training.processes import fabric_for
from weakreid.training.sampling import BagBatches

MEAN, STD = (120.0, 110.0, 100.0), (60.0, 60.0, 60.0)
# the last has one frame, the last but one three: fewer than a batch takes
FRAMES = [np.arange(0, 6), np.arange(6, 12), np.arange(12, 18), np.arange(18, 21), np.array([21])]
LABELS = [np.array([7, 3]), np.array([3, 9]), np.array([9, 7]), np.array([12]), np.array([7])]
# of 3, 2, 1, 2 and 1 tracklets, their frames not always in a row
TRACKLETS = [
    np.array([40, 40, 8, 8, 8, 21]),
    np.array([5, 6, 5, 6, 5, 6]),
    np.array([7] * 6),
    np.array([31, 30, 31]),
    np.array([2]),
]


class Net(torch.nn.Module):
    """A network of a moment's work: the pixels' mean colour, mapped to 8 features."""

    def __init__(self, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = torch.nn.Conv2d(3, 8, 4, stride=4)
            self.second = torch.nn.Linear(8, 8)
        self.backbone = SimpleNamespace(mean=MEAN, std=STD)

    def forward(self, images):
        return self.second(self.first(images).relu().mean(dim=(2, 3)))


@pytest.fixture(autouse=True)
def _settings_put_back():
    with settings_put_back():
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "images.arrow"
    make_images(path, 22)
    with ImageStore(path) as found:
        yield found


class World:
    """What a task asks of Fabric, as one of several processes sees it."""

    def __init__(self, rank=0, size=1):
        self.global_rank, self.world_size, self.device = rank, size, torch.device("cpu")


LOSSES: dict[str, dict[str, Any]] = {
    "mil": {"k": 2},
    "hslr": {"k": 2, "alpha": 1.0, "m": 0.5},
    "sslr": {"k": 2, "alpha": 1.0, "gamma": 1.0},
    "wsddn": {},
}


def params_of(*, loss="mil", k=2, weight=0.5, bags=4, pairs=1, augment=None, clips=None):
    """Return what a training of the bags above is given."""
    options = LOSSES[loss] | ({"k": k} if "k" in LOSSES[loss] else {})
    changes = {"flip": 0.5, "pad": 2, "erase": 0.5} if augment is None else augment
    return TrainBags.model_validate(
        {
            "image": {"height": HEIGHT, "width": WIDTH},
            "augment": changes,
            "loss": {"name": loss, **options},
            "cpal": {"weight": weight, "margin": 0.5},
            "batch": {"bags": bags, "frames": 5, "pairs": pairs},
            "schedule": {"steps_per_epoch": 3},
            "seed": 1,
            "clips": clips,
            "instances": "frames" if clips is None else "tracklets",
        }
    )


def task_of(
    store,
    fabric,
    *,
    frames=FRAMES,
    labels=LABELS,
    tracklets=None,
    net=None,
    threads=1,
    maps=None,
    **more,
):
    params, net = params_of(**more), net or Net()
    base = importlib.import_module(f"weakreid.losses.bags.{params.loss.name}")
    return BagTask(
        bags_of(frames, labels, tracklets),
        params,
        TrainingImages(store, params.image, MEAN, params.augment, threads, maps),
        fabric=fabric,
        network=net,
        model=net,
        heads=Heads(base.HEADS, 8, 4),
        base=base,
        cpal=cpal if params.cpal.weight else None,
    )


def test_persons_are_numbered_in_the_order_of_their_ids():
    bags = bags_of(FRAMES, LABELS)
    assert bags.persons.tolist() == [3, 7, 9, 12]
    assert [labels.tolist() for labels in bags.labels] == [[0, 1], [0, 2], [1, 2], [3], [1]]


@pytest.mark.parametrize(
    ("frames", "labels", "message"),
    [
        ([], [], "no training bags"),
        ([np.array([1]), np.array([], int)], [np.array([1])] * 2, "bag 1 has no frames"),
        ([np.array([1])] * 2, [np.array([1]), np.array([], int)], "bag 1 has no labels"),
    ],
)
def test_bags_that_cannot_be_learnt_from_are_refused(frames, labels, message):
    with pytest.raises(ReidError, match=message) as caught:
        bags_of(frames, labels)
    assert "\n" not in str(caught.value)


def test_tracklets_are_numbered_within_their_bag():
    assert bags_of(FRAMES, LABELS).tracklets is None
    assert bags_of(FRAMES, LABELS).instances == [6, 6, 6, 3, 1]
    bags = bags_of(FRAMES, LABELS, TRACKLETS)
    assert [of_bag.tolist() for of_bag in bags.tracklets] == [
        [2, 2, 0, 0, 0, 1],
        [0, 1, 0, 1, 0, 1],
        [0] * 6,
        [1, 0, 1],
        [0],
    ]
    assert bags.instances == [3, 2, 1, 2, 1]


@pytest.mark.parametrize(
    ("k", "tracklets", "message"),
    [
        (7, None, "loss.k = 7 is larger than every bag: the largest has 6 frames; set loss.k"),
        (4, TRACKLETS, "loss.k = 4 is larger than every bag: the largest has 3 tracklets; set"),
    ],
)
def test_a_k_that_no_bag_can_give_is_refused(k, tracklets, message):
    with pytest.raises(ReidError) as caught:
        check_learnable(bags_of(FRAMES, LABELS, tracklets), params_of(k=k))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "tracklets", "said"),
    [
        ({"loss": "wsddn"}, None, ""),
        ({"k": 1}, None, ""),
        ({"k": 3}, None, "1 of 5 bags have fewer than k = 3 frames: these use all"),
        ({"k": 6}, None, "2 of 5 bags have fewer than k = 6 frames: these use all"),
        ({"k": 1}, TRACKLETS, ""),
        ({"k": 3}, TRACKLETS, "4 of 5 bags have fewer than k = 3 tracklets: these use all"),
    ],
)
def test_bags_that_are_smaller_than_k_are_only_said(changes, tracklets, said):
    assert check_learnable(bags_of(FRAMES, LABELS, tracklets), params_of(**changes)) == said


def test_bags_that_share_no_person_are_refused_with_cpal_alone():
    alone = bags_of(FRAMES, [np.array([person]) for person in range(5)])
    check_learnable(alone, params_of(k=1, weight=0.0))
    with pytest.raises(ReidError, match="no two of the 5 bags share an identity: CPAL cannot be"):
        check_learnable(alone, params_of(k=1))


def test_fewer_bags_than_a_batch_are_a_smaller_batch():
    check_learnable(bags_of(FRAMES, LABELS), params_of(k=1, bags=100))
    with pytest.raises(ReidError, match="3 pairs need 6 bags, but a batch holds 5"):
        check_learnable(bags_of(FRAMES, LABELS), params_of(k=1, bags=100, pairs=3))


def test_a_batch_holds_what_it_says(store):
    task = task_of(store, World(), augment={"flip": 0.0, "pad": 0, "erase": 0.0})
    assert task.steps_per_epoch == 3
    for batch, chosen in zip(task.batches(2), task.sampler.epoch(2), strict=True):
        counts = [min(len(FRAMES[bag]), 5) for bag in chosen]
        assert batch.mask.sum(1).tolist() == counts
        assert task.size(batch) == sum(counts) == len(batch.images)
        assert batch.images.dtype == torch.uint8
        # hidden in this setting
        assert torch.equal(batch.tracklets, torch.full(batch.mask.shape, -1))
        images = batch.images.split(counts)
        for bag, labels, of_bag in zip(chosen, batch.labels, images, strict=True):
            assert labels.nonzero().flatten().tolist() == task.bags.labels[bag].tolist()
            known = store.batch(FRAMES[bag], HEIGHT, WIDTH)
            for image in of_bag.numpy():
                assert any(np.array_equal(image, other) for other in known)


def test_batches_are_the_same_at_every_call_and_others_in_another_epoch(store):
    task = task_of(store, World())
    first, again, other = (list(task.batches(epoch)) for epoch in (0, 0, 1))
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, again, strict=True))
    same = [a.images.shape == b.images.shape for a, b in zip(first, other, strict=True)]
    assert not all(same) or not all(
        torch.equal(a.images, b.images) for a, b in zip(first, other, strict=True)
    )


def test_a_batch_tells_which_tracklet_a_frame_is_of(store):
    plain = {"flip": 0.0, "pad": 0, "erase": 0.0}
    task = task_of(store, World(), tracklets=TRACKLETS, augment=plain)
    without = task_of(store, World(), augment=plain)
    assert task.most_tracklets == 3
    for batch, blind, chosen in zip(
        task.batches(1), without.batches(1), task.sampler.epoch(1), strict=True
    ):
        assert torch.equal(batch.images, blind.images)
        assert torch.equal(batch.tracklets >= 0, batch.mask)
        counts = batch.mask.sum(1).tolist()
        pictures = batch.images.split(counts)
        for bag, of_frames, images in zip(chosen, batch.tracklets, pictures, strict=True):
            known = store.batch(FRAMES[bag], HEIGHT, WIDTH)
            for place, image in enumerate(images.numpy()):
                (which,) = [i for i, other in enumerate(known) if np.array_equal(image, other)]
                assert of_frames[place] == task.bags.tracklets[bag][which]


@pytest.mark.parametrize("tracklets", [None, TRACKLETS], ids=["frames", "tracklets"])
@pytest.mark.parametrize("size", [2, 4])
def test_processes_share_a_batch_out_whatever_their_number(store, size, tracklets):
    whole = list(task_of(store, World(), tracklets=tracklets).batches(0))
    shares = [
        list(task_of(store, World(rank, size), tracklets=tracklets).batches(0))
        for rank in range(size)
    ]
    for step, batch in enumerate(whole):
        parts = [share[step] for share in shares]
        assert torch.equal(torch.cat([part.images for part in parts]), batch.images)
        assert torch.equal(torch.cat([part.mask for part in parts]), batch.mask)
        assert torch.equal(torch.cat([part.labels for part in parts]), batch.labels)
        assert torch.equal(torch.cat([part.tracklets for part in parts]), batch.tracklets)


def test_decoding_threads_change_nothing(store):
    one, three = (list(task_of(store, World(), threads=threads).batches(0)) for threads in (1, 3))
    assert all(torch.equal(a.images, b.images) for a, b in zip(one, three, strict=True))


@pytest.mark.parametrize(
    ("bags", "count", "size"), [(3, 5, 2), (4, 3, 2), (10, 5, 3)], ids=["batch", "few", "both"]
)
def test_bags_that_do_not_divide_among_processes_are_refused(store, bags, count, size):
    with pytest.raises(ReidError, match="does not divide among") as caught:
        task_of(store, World(0, size), bags=bags, frames=FRAMES[:count], labels=LABELS[:count])
    assert "\n" not in str(caught.value)


def assert_learns(task):
    for batch in task.batches(0):
        loss, terms = task.loss(batch)
        loss.backward()
        assert loss.ndim == 0
        assert torch.isfinite(loss)
        assert all(torch.isfinite(value) for value in terms.values())
    gradients = [value.grad for value in [*task.model.parameters(), *task.heads.parameters()]]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    return terms


@pytest.mark.parametrize("tracklets", [None, TRACKLETS], ids=["frames", "tracklets"])
@pytest.mark.parametrize("weight", [0.0, 0.3])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_mix_as_the_weight_says(store, loss, weight, tracklets):
    task = task_of(store, World(), loss=loss, weight=weight, tracklets=tracklets)
    terms = assert_learns(task)
    assert set(terms) == ({"base", "cpal"} if weight else {"base"})
    batch = next(iter(task.batches(0)))
    total, terms = task.loss(batch)
    expected = (1 - weight) * terms["base"] + weight * terms.get("cpal", 0.0)
    assert torch.allclose(total, expected)


def means_of(task, batch):
    """Return per bag the list of its tracklets' mean features, by loops."""
    features = task.model(preprocess(batch.images, MEAN, STD)).split(batch.mask.sum(1).tolist())
    found = []
    for of_bag, tracklets in zip(features, batch.tracklets.tolist(), strict=True):
        own = {number: [] for number in sorted(set(tracklets) - {-1})}
        for feature, number in zip(of_bag, tracklets, strict=False):
            own[number].append(feature)
        found.append([sum(frames) / len(frames) for frames in own.values()])
    return found


def test_the_loss_of_tracklets_is_that_of_their_means(store):
    task = task_of(store, World(), tracklets=TRACKLETS, weight=0.0)
    for batch in task.batches(0):
        total = torch.zeros(())
        means = means_of(task, batch)
        for of_bag, labels in zip(means, batch.labels, strict=True):
            logits = task.heads(torch.stack(of_bag))["identity"]
            largest = logits.sort(dim=0, descending=True).values[:2]
            scores = torch.exp(largest.mean(0))
            total = total - (labels / labels.sum() * torch.log(scores / scores.sum())).sum()
        assert {len(of_bag) for of_bag in means} >= {1, 2}
        expected = total / len(means)
        value, _ = task.loss(batch)
        torch.testing.assert_close(value, expected)
        learning = [*task.model.parameters(), *task.heads.parameters()]
        found = torch.autograd.grad(value, learning)
        for one, other in zip(found, torch.autograd.grad(expected, learning), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_of_tracklets_sees_their_means_alone(store, loss):
    task = task_of(store, World(), tracklets=TRACKLETS, loss=loss)
    for batch in task.batches(0):
        means = means_of(task, batch)
        features = torch.nn.utils.rnn.pad_sequence([torch.stack(m) for m in means], True)
        mask = torch.tensor([[i < len(m) for i in range(features.shape[1])] for m in means])
        logits = task.heads(features)
        base = task.base.loss(logits, mask, batch.labels, task.params.loss)
        attention = logits[task.base.attention_logits]
        between = cpal.loss(features, attention, mask, batch.labels, margin=0.5)
        value, terms = task.loss(batch)
        torch.testing.assert_close(terms["base"], base)
        torch.testing.assert_close(terms["cpal"], between)
        torch.testing.assert_close(value, (base + between) / 2)


def test_a_tracklet_per_frame_is_the_setting_of_frames(store):
    single = [np.arange(len(rows)) for rows in FRAMES]
    plain, other = task_of(store, World()), task_of(store, World(), tracklets=single)
    for batch, same in zip(plain.batches(0), other.batches(0), strict=True):
        torch.testing.assert_close(plain.loss(batch)[0], other.loss(same)[0])


def test_a_batch_without_a_pair_has_no_cpal(store):
    labels = [np.array([person]) for person in (1, 2, 3, 4, 5)]
    task = task_of(store, World(), labels=labels, pairs=0)
    task.heads = Heads(("identity",), 8, 5)
    terms = assert_learns(task)
    assert terms["cpal"].item() == 0.0


def test_bags_of_one_frame(store):
    frames = [np.array([row]) for row in range(4)]
    labels = [np.array([1]), np.array([1, 2]), np.array([2]), np.array([1, 2])]
    task = task_of(store, World(), frames=frames, labels=labels)
    task.heads = Heads(("identity",), 8, 2)
    terms = assert_learns(task)
    assert terms["cpal"].item() == 0.0


def test_bf16_autocast_stays_near_32_bits(store):
    found = []
    for precision in ("32", "bf16"):
        fabric = fabric_for("cpu", 1, precision, 1)
        task = task_of(store, fabric)
        task.model = fabric.setup_module(task.model)
        task.heads = fabric.setup_module(task.heads)
        batch = next(iter(task.batches(0)))
        loss, _ = task.loss(batch)
        fabric.backward(loss)
        assert loss.dtype == torch.float32
        found.append((loss.item(), task.model.second.weight.grad))
    (exact, gradient), (rough, rough_gradient) = found
    assert rough == pytest.approx(exact, rel=0.02)
    assert (
        torch.nn.functional.cosine_similarity(gradient.flatten(), rough_gradient.flatten(), dim=0)
        > 0.98
    )


@pytest.mark.parametrize("with_cpal", [True, False])
def test_batches_are_the_same_with_cpal_and_without(store, with_cpal):
    task = task_of(store, World(), weight=0.5 if with_cpal else 0)
    assert task.sampler.pairs == 1
    wanted = BagBatches(task.bags.labels, batch_size=4, pairs=1, seed=1, steps=3)
    assert [task.sampler.epoch(e) for e in range(2)] == [wanted.epoch(e) for e in range(2)]


def test_without_cpal_bags_that_share_nobody_still_make_batches(store):
    labels = [np.array([person]) for person in range(len(FRAMES))]
    task = task_of(store, World(), labels=labels, weight=0)
    assert task.sampler.pairs == 0
