"""Learning attributes on a source: what a step sees, what it may not see, several processes."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning_fabric import Fabric
from tests.training.helpers import (
    HEIGHT,
    WIDTH,
    history_rows,
    make_images,
    settings_put_back,
    start,
)
from tests.training.test_tracklet_task import Net, World
from tests.training.together import in_one_and_in_two
from tests.training.transfer_helpers import (
    ATTRIBUTES,
    learn_here,
    make_both,
    transfer_method,
    words_of,
    write_pictures,
)

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore, write_store
from weakreid.config.network import Image, ModelOfClips
from weakreid.config.params import LearnTransfer
from weakreid.errors import ReidError
from weakreid.losses.attributes.bce import bce, weighted_bce
from weakreid.losses.attributes.mmd import mmd
from weakreid.models.attribute_head import attribute_head, restore_head
from weakreid.models.build import restore_model
from weakreid.retrieval.attribute_votes import tracklet_means
from weakreid.seeding import numpy_generator
from weakreid.stages import attribute_votes
from weakreid.supervision.attribute_pictures import Lesson
from weakreid.supervision.views import read_frames_only
from weakreid.training.checkpoint import load_weights, part_of, save_weights
from weakreid.training.images import TrainingImages
from weakreid.training.transfer_task import TransferTask, turns

PLAIN = {"flip": 0.0, "pad": 0, "erase": 0.0}
MODEL = "model.safetensors"
SOURCE_ROWS, TARGET_ROWS = np.arange(3, 13), np.arange(2, 9)


@pytest.fixture(autouse=True)
def _settings_put_back():
    with settings_put_back():
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_both(tmp_path_factory.mktemp("data"))


SHORT = transfer_method(schedule__epochs=1, schedule__steps_per_epoch=2)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    return learn_here(data, tmp_path_factory.mktemp("trained"), SHORT)


def labels_of(count: int) -> np.ndarray:
    return numpy_generator(1, "labels").integers(-1, 2, (count, 4)).astype(np.int8)


LESSON = Lesson(
    SOURCE_ROWS, labels_of(len(SOURCE_ROWS)), ATTRIBUTES, np.array([0.1, 0.3, 0.5, 0.9]), {}
)


def task_of(
    source: ImageStore,
    target: ImageStore | None,
    fabric: Any = None,
    model: Any = None,
    head: torch.nn.Linear | None = None,
    **changes: Any,
) -> TransferTask:
    """Return a task; `model` is the network as a fabric set it up, where it did."""
    net = model.module if model is not None else Net()
    defaults = {
        "augment": PLAIN,
        "mmd": 2.0,
        "batch__source": 4,
        "batch__target": 2,
        "schedule__steps_per_epoch": None,
        "seed": 1,
    }
    params = LearnTransfer.model_validate(transfer_method(**defaults | changes))
    first, second = (
        TrainingImages(store, params.image, net.backbone.mean, params.augment, 1)
        for store in (source, target)
    )
    return TransferTask(
        LESSON,
        TARGET_ROWS,
        params,
        first,
        second,
        fabric=fabric or World(),
        network=net,
        model=model or net,
        head=head or attribute_head(net.dimension, 4, 1),
    )


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    make_images(folder / "source.arrow", 16, seed=1)
    make_images(folder / "target.arrow", 12, seed=2)
    with ImageStore(folder / "source.arrow") as one, ImageStore(folder / "target.arrow") as two:
        yield one, two


# ------------------------------------------------------------------------ which pictures


@settings(max_examples=50)
@given(
    count=st.integers(1, 12), size=st.integers(1, 12), first=st.integers(0, 9), seed=st.integers(0)
)
def test_all_come_before_any_comes_again(count, size, first, seed):
    size = min(size, count)

    def drawn(start: int, batches: int) -> list[int]:
        made = turns(count, size, start, seed=seed, name="source")
        found = [next(made) for _ in range(batches)]
        assert all(len(batch) == size for batch in found)
        return [int(place) for batch in found for place in batch]

    whole = drawn(0, first + 3 * count)
    for at in range(0, len(whole) - count + 1, count):
        assert sorted(whole[at : at + count]) == list(range(count))
    # a training that goes on draws what it would have drawn
    assert drawn(first, 2) == whole[first * size : (first + 2) * size]


def test_an_epoch_sees_every_picture_with_its_labels(stores):
    task = task_of(*stores)
    assert task.steps_per_epoch == 3
    labels = labels_of(len(SOURCE_ROWS))
    source, target = stores
    shown, frames = [], []
    for batch in task.batches(0):
        assert batch.images.shape == (6, HEIGHT, WIDTH, 3)
        assert task.size(batch) == 6
        for image, label in zip(batch.images[:4], batch.labels, strict=True):
            (place,) = [
                place
                for place, row in enumerate(SOURCE_ROWS)
                if (image.numpy() == source.batch([row], HEIGHT, WIDTH)[0]).all()
            ]
            assert label.tolist() == labels[place].tolist()
            shown.append(place)
        for image in batch.images[4:]:
            (row,) = [
                row
                for row in range(12)
                if (image.numpy() == target.batch([row], HEIGHT, WIDTH)[0]).all()
            ]
            frames.append(row)
    assert set(shown) == set(range(len(SOURCE_ROWS)))
    assert len(set(frames)) == 6
    assert set(frames) <= set(TARGET_ROWS.tolist())


def test_without_mmd_the_source_s_pictures_are_the_same_and_no_frame_is_decoded(stores):
    augment = {"flip": 0.5, "pad": 3, "erase": 0.5}
    source, _ = stores
    with_mmd = task_of(*stores, augment=augment)
    without = task_of(source, None, augment=augment, mmd=0.0)
    for epoch in (0, 1):
        pairs = zip(with_mmd.batches(epoch), without.batches(epoch), strict=True)
        for one, other in pairs:
            assert len(other.images) == 4
            assert torch.equal(one.images[:4], other.images)
            assert torch.equal(one.labels, other.labels)


# ------------------------------------------------------------------------------ the loss


def test_the_loss_is_both_parts(stores):
    task = task_of(*stores)
    batch = next(iter(task.batches(0)))
    value, terms = task.loss(batch)
    mean, std = task.network.backbone.mean, task.network.backbone.std
    pixels = (batch.images.float() - torch.tensor(mean)) / torch.tensor(std)
    features = task.network(pixels.permute(0, 3, 1, 2), after_front=True)
    logits = task.head(features[:4])
    assert list(terms) == ["bce", "mmd", "probability"]
    torch.testing.assert_close(terms["bce"], weighted_bce(logits, batch.labels, task.ratios, 1.0))
    torch.testing.assert_close(terms["mmd"], mmd(features[:4], features[4:], 0.5, True))
    torch.testing.assert_close(terms["probability"], logits.sigmoid().mean())
    torch.testing.assert_close(value, terms["bce"] + 2 * terms["mmd"])


def test_without_mmd_and_weights(stores):
    task = task_of(*stores, mmd=0.0, loss="bce")
    batch = next(iter(task.batches(0)))
    value, terms = task.loss(batch)
    assert list(terms) == ["bce", "probability"]
    assert torch.equal(value, terms["bce"])
    assert torch.equal(
        value, bce(task.head(task.network(task.front(batch.images), True)), batch.labels)
    )
    weighted = task_of(*stores, mmd=0.0).loss(batch)[0]
    assert not torch.equal(value, weighted)


@pytest.mark.parametrize(
    ("changes", "devices", "message"),
    [
        (
            {"batch__source": 11},
            1,
            (
                "batch.source is 11, but there are 10 training pictures of the source; lower "
                "batch.source"
            ),
        ),
        (
            {"batch__target": 8},
            1,
            "batch.target is 8, but there are 7 training frames of the target; lower batch.target",
        ),
        (
            {"batch__source": 5},
            2,
            (
                "batch.source 5 does not divide among 2 devices; set batch.source to a "
                "multiple of them or take fewer devices"
            ),
        ),
    ],
)
def test_batches_that_cannot_be_formed(stores, changes, devices, message):
    with pytest.raises(ReidError) as caught:
        task_of(*stores, World(0, devices), **changes)
    assert str(caught.value) == message


# --------------------------------------------------------------------- several processes


def steps_of(folder: Path, out: Path, fabric: Fabric) -> None:
    """Take some steps; write the losses, the first gradients, the last weights."""
    fabric.launch()
    torch.set_num_threads(1)
    net, head = Net(), attribute_head(8, 4, 1)
    parameters = [*net.parameters(), *head.parameters()]
    learner, optimiser = fabric.setup(net, torch.optim.SGD(parameters, 0.05, 0.9))
    with ImageStore(folder / "source.arrow") as one, ImageStore(folder / "target.arrow") as two:
        augment = {"flip": 0.5, "pad": 2, "erase": 0.5}
        task = task_of(one, two, fabric, learner, head, augment=augment)
        losses, gradients = [], []
        for batch in task.batches(0):
            value, terms = task.loss(batch)
            optimiser.zero_grad()
            fabric.backward(value)
            gradients.append([parameter.grad.clone() for parameter in parameters])
            optimiser.step()
            losses.append([value.item(), *(term.item() for term in terms.values())])
    weights = [value.detach() for value in parameters]
    found = {"losses": losses, "gradients": gradients[0], "weights": weights}
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


def test_two_processes_make_the_loss_and_gradients_of_one(tmp_path):
    make_images(tmp_path / "source.arrow", 16, seed=1)
    make_images(tmp_path / "target.arrow", 12, seed=2)
    in_one_and_in_two(steps_of, tmp_path, tmp_path)
    one = torch.load(tmp_path / "0-of-1.pt")
    assert all(terms[2] > 1e-3 for terms in one["losses"]), "the MMD has nothing to compare"
    assert all(gradient.abs().max() > 1e-4 for gradient in one["gradients"])
    for rank in range(2):
        two = torch.load(tmp_path / f"{rank}-of-2.pt")
        for name in ("losses", "gradients", "weights"):
            torch.testing.assert_close(two[name], one[name], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_processes_run_the_stage(data, tmp_path, warm_path):
    values = transfer_method(
        model__batch_norm="eval", model__embedding="fc", optimiser__name="sgd",
        schedule__epochs=2, schedule__steps_per_epoch=1,
    )  # fmt: skip
    alone = learn_here(data, tmp_path / "one", values)
    options = words_of(data, tmp_path / "two", values, devices=2, threads=2)
    process = start(options, "tests.training.transfer_helpers", PYTHONPATH=warm_path)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert said.count("epoch 1 of 2: bce") == 1
    found, expected = (
        np.array([row[3] for row in history_rows(folder / "history.parquet")])
        for folder in (tmp_path / "two", alone)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)


# ------------------------------------------------------------------------------- the stage


def test_what_the_weights_say_of_themselves(trained):
    tensors, about = load_weights(trained / MODEL)
    assert about.attributes == list(ATTRIBUTES)
    assert about.left_out == {}
    assert about.image == Image(**SHORT["image"])
    assert about.model == ModelOfClips(**SHORT["model"])
    assert about.precision == "auto"
    network = restore_model(about.model, part_of(tensors, "model"))
    head = restore_head(part_of(tensors, "heads"))
    assert (head.in_features, head.out_features) == (network.dimension, len(ATTRIBUTES))
    terms = {term for _, _, term, _ in history_rows(trained / "history.parquet")}
    assert terms == {"bce", "mmd", "probability", "loss", "lr"}
    timing = json.loads((trained / "timing.json").read_text())
    assert timing["images_per_s"] > 0


def test_no_epoch_leaves_the_initial_weights(data, tmp_path):
    learn_here(data, tmp_path, transfer_method(schedule__epochs=0, batch__cache_mb=100))
    assert history_rows(tmp_path / "history.parquet") == []
    tensors, _ = load_weights(tmp_path / MODEL)
    expected = attribute_head(96, len(ATTRIBUTES), 3).weight
    assert torch.equal(tensors["heads.weight"], expected)


def test_maps_computed_once_give_the_training_of_maps_computed_at_every_step(data, tmp_path):
    changes: dict[str, Any] = {
        "augment": {"flip": 0.5, "pad": 0, "erase": 0.0},
        "model__batch_norm": "eval",
        "optimiser__name": "sgd",
        "schedule__epochs": 1,
        "schedule__steps_per_epoch": 2,
    }
    values = [
        transfer_method(batch__cache_mb=size, model__frozen=["stem", "layer1"], **changes)
        for size in (0, 100)
    ]
    plain, cached = (learn_here(data, tmp_path / str(i), v) for i, v in enumerate(values))
    one, other = (history_rows(out / "history.parquet") for out in (plain, cached))
    assert [row[:3] for row in one] == [row[:3] for row in other]
    assert [row[3] for row in other] == pytest.approx([row[3] for row in one], rel=1e-3)


def test_maps_that_take_too_much(data, tmp_path):
    values = transfer_method(
        batch__cache_mb=1, model__frozen=["stem"], image={"height": 256, "width": 128}
    )
    with pytest.raises(ReidError) as caught:
        learn_here(data, tmp_path, values)
    # 12 pictures and 9 frames, twice 32 x 64 x 32 floats each
    assert str(caught.value) == (
        "batch.cache_mb: the outputs of the frozen stages for 21 images take 10 MB, 1 are allowed; "
        "raise it, or set cache_mb: 0"
    )


def test_a_constant_attribute_is_left_out_of_the_model(data, tmp_path, capsys):
    labels = np.zeros((16, 4), np.int8)
    labels[::2, [0, 3]], labels[:, 2] = 1, -1
    write_pictures(tmp_path / "pictures.parquet", labels)
    values = transfer_method(schedule__epochs=0, on_constant="leave_out")
    learn_here(data, tmp_path, values, pictures=tmp_path / "pictures.parquet")
    said = capsys.readouterr().err
    assert "left out, the same in all training pictures of the source: hs-Hat, ub-Shirt" in said
    tensors, about = load_weights(tmp_path / MODEL)
    assert about.attributes == ["Female", "low-Red"]
    assert about.left_out == {"hs-Hat": 0.0, "ub-Shirt": None}
    assert len(tensors["heads.bias"]) == 2


# -------------------------------------------------------------------------------- no leak


def changed_target(data: Path, folder: Path, name: str, change: Any) -> Path:
    """Return a copy of the data in which one of the target's tables is changed."""
    shutil.copytree(data, folder)
    path = folder / "target" / f"{name}.parquet"
    rows = schemas.read_frame(path, name, truth=True)
    before = rows.copy()
    change(rows)
    assert not rows.equals(before)
    schemas.write(path, name, rows, {})
    return folder


def people_changed(rows: Any) -> None:
    rows["person_id"] = [9, 7, 5, 7, 2]
    rows["camera_id"] = [3, 1, 2, 2, 1]


def roles_changed(rows: Any) -> None:
    rows.loc[rows["role"] != "train", "role"] = "junk"


def who_is_shown_changed(rows: Any) -> None:
    rows["truth_person_id"] = rows["truth_person_id"].to_numpy()[::-1].copy()
    rows["position"] = rows["position"].to_numpy()[::-1].copy()
    rows["file"] = rows["file"].to_numpy()[::-1].copy()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tracklets", people_changed),
        ("tracklets", roles_changed),
        ("frames", who_is_shown_changed),
    ],
)
def test_what_is_hidden_does_not_change_one_bit(data, trained, tmp_path, name, change):
    other = changed_target(data, tmp_path / "data", name, change)
    learn_here(other, tmp_path, SHORT)
    assert (tmp_path / MODEL).read_bytes() == (trained / MODEL).read_bytes()
    found, expected = (history_rows(folder / "history.parquet") for folder in (tmp_path, trained))
    assert found == expected


def with_pictures(data: Path, folder: Path, rows: slice) -> Path:
    """Return a copy of the data in which some of the target's pictures are others."""
    shutil.copytree(data, folder)
    path = folder / "target" / "images.arrow"
    make_images(folder / "other.arrow", 12, seed=7)
    with ImageStore(path) as old, ImageStore(folder / "other.arrow") as new:
        chosen = set(range(12)[rows])
        bytes_of = [bytes((new if row in chosen else old).encoded(row)) for row in range(12)]
    path.unlink()
    write_store(path, iter(bytes_of))
    return folder


def test_test_pictures_of_the_target_do_not_change_one_bit(data, trained, tmp_path):
    # rows 7 and 8 are of the gallery's tracklet, 9 of the query's
    other = with_pictures(data, tmp_path / "data", slice(7, 10))
    learn_here(other, tmp_path, SHORT)
    assert (tmp_path / MODEL).read_bytes() == (trained / MODEL).read_bytes()


def test_training_pictures_of_the_target_do_with_mmd_and_not_without(data, trained, tmp_path):
    other = with_pictures(data, tmp_path / "data", slice(0, 7))
    learn_here(other, tmp_path / "mmd", SHORT)
    assert (tmp_path / "mmd" / MODEL).read_bytes() != (trained / MODEL).read_bytes()
    values = transfer_method(mmd=0, schedule__epochs=1, schedule__steps_per_epoch=1)
    one, two = (
        learn_here(folder, tmp_path / str(i), values) for i, folder in enumerate((data, other))
    )
    assert (one / MODEL).read_bytes() == (two / MODEL).read_bytes()


def test_no_person_and_no_camera_is_read(data, tmp_path, monkeypatch):
    found = []
    read = pq.read_table

    def recorded(path: Path, *, columns: list[str]) -> Any:
        found.append((path.name, columns))
        return read(path, columns=columns)

    monkeypatch.setattr(pq, "read_table", recorded)
    learn_here(data, tmp_path, transfer_method(schedule__epochs=0))
    assert found == [
        ("pictures.parquet", ["image", "split", "labels"]),
        ("tracklets.parquet", ["tracklet_id", "role"]),
        ("frames.parquet", ["tracklet_id", "image"]),
    ]


def test_only_training_frames_are_shown(data):
    target = data / "target"
    rows = read_frames_only(target / "tracklets.parquet", target / "frames.parquet")
    assert rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 10, 11]


def test_a_target_without_training_frames(data, tmp_path):
    def all_searched(rows: Any) -> None:
        rows["role"] = "gallery"

    other = changed_target(data, tmp_path / "data", "tracklets", all_searched)
    with pytest.raises(ReidError, match=r"tracklets\.parquet: no training frame; choose a split"):
        learn_here(other, tmp_path, SHORT)


# ---------------------------------------------------------------------------------- votes


def test_votes_are_of_every_tracklet_and_of_all_its_frames(data, trained, tmp_path):
    target = data / "target"
    out = tmp_path / "votes.parquet"
    attribute_votes.main(
        trained / MODEL,
        target / "tracklets.parquet",
        target / "frames.parquet",
        target / "images.arrow",
        "cpu",
        1,
        out,
    )
    votes = schemas.read_frame(out, "attribute_votes")
    # tracklet 2 is nobody's
    assert votes["tracklet_id"].tolist() == [0, 1, 2, 3, 4]
    assert votes["person_id"].tolist() == [1, 2, 0, 3, 3]
    assert votes["frame_count"].tolist() == [3, 4, 2, 1, 2]
    assert schemas.read_params(out)["attributes"] == list(ATTRIBUTES)
    tensors, about = load_weights(trained / MODEL)
    network = restore_model(about.model, part_of(tensors, "model")).eval()
    head = restore_head(part_of(tensors, "heads"))
    mean, std = (torch.tensor(values) for values in (network.backbone.mean, network.backbone.std))
    with ImageStore(target / "images.arrow") as store, torch.inference_mode():
        pixels = torch.from_numpy(store.batch([3, 4, 5, 6], HEIGHT, WIDTH)).float()
        expected = head(network(((pixels - mean) / std).permute(0, 3, 1, 2))).sigmoid().mean(0)
    np.testing.assert_allclose(votes["probabilities"][1], expected.numpy(), atol=1e-6)


def test_votes_of_a_network_that_knows_no_attributes(data, trained, tmp_path):
    tensors, about = load_weights(trained / MODEL)
    of_others = about.model_dump(mode="json", exclude={"attributes"})
    save_weights(tmp_path / "other.safetensors", tensors, of_others)
    empty = tmp_path / "none.parquet"
    with pytest.raises(ReidError, match="recognises no attributes; give what the stage transfer"):
        attribute_votes.main(
            tmp_path / "other.safetensors", empty, empty, empty, "cpu", 1, tmp_path / "out"
        )


@settings(max_examples=30)
@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    size=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_means_do_not_depend_on_the_batches(counts, size, seed):
    generator = numpy_generator(seed, "means")
    places = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    found = generator.random((len(places), 3)).astype(np.float32)
    batches = (found[at : at + size] for at in range(0, len(found), size))
    means = tracklet_means(places, batches, 3)
    for tracklet in range(len(counts)):
        expected = found[places == tracklet].astype(np.float64).mean(0)
        np.testing.assert_allclose(means[tracklet], expected, rtol=1e-6)
