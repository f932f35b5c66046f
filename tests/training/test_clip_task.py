"""Batches of clips and their loss; the stages train_clips and clip_features on small pictures."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import simplejpeg
import torch
from tests.training.helpers import (
    HEIGHT,
    WIDTH,
    history_rows,
    make_images,
    method,
    settings_put_back,
    stopped_after,
)

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore, write_store
from weakreid.config.network import AttentionFrames, AttributeFrames
from weakreid.config.params import ClipFeatures, TrainClips
from weakreid.errors import ReidError
from weakreid.losses.attributes import groups, visibility
from weakreid.losses.clips import attention, center, identity, osm, triplet
from weakreid.losses.clips.views import Clips
from weakreid.models.aggregations.attention import Attention
from weakreid.models.aggregations.average import Average
from weakreid.models.aggregations.groups import AttributeGroups
from weakreid.models.aggregations.protocol import Place
from weakreid.models.backbones import preprocess
from weakreid.models.clips import ClipHeads, ClipNetwork, restore_clip_model
from weakreid.seeding import numpy_generator
from weakreid.stages import clip_features, train_clips
from weakreid.training import checkpoint
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.clip_task import (
    ClipTask,
    LabelledTracklets,
    attribute_labels,
    labelled_tracklets,
)
from weakreid.training.images import TrainingImages

PLAIN = {"flip": 0.0, "pad": 0, "erase": 0.0}
PERSONS = 6
"""1 to 4 train; 4 has one frame in one tracklet. 5 and 6 are searched."""
GROUPS = {"shoes": ["shoes-Red", "shoes-Blue"], "attach": ["attach-Box", "attach-Other"]}
BOTH = {"name": "groups", "disentangled": True, "sigma": 0.5, "weight": 1.0, "groups": GROUPS}
NO_ATTRIBUTES = {"name": "average"}
MODULES = {
    "identity": identity,
    "triplet": triplet,
    "center": center,
    "osm": osm,
    "attention": attention,
}


# ----------------------------------------------------------------------------------- data, stages


def tracklet_rows() -> pd.DataFrame:
    """Return the tracklets of a split: persons 1 to 3 have three, of 1 to 9 frames."""
    persons = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5, 6, 6, 0]
    counts = [9, 4, 1, 5, 2, 8, 3, 6, 7, 1, 9, 2, 4, 5, 3]
    roles = ["train"] * 10 + ["query", "gallery", "query", "gallery", "gallery"]
    return pd.DataFrame(
        {
            "tracklet_id": 3 * np.arange(len(persons)) + 2,
            "person_id": persons,
            "camera_id": [1 + i % 2 for i in range(len(persons))],
            "role": roles,
            "first_frame": np.cumsum([0, *counts[:-1]]),
            "frame_count": counts,
        }
    )


def attribute_rows() -> pd.DataFrame:
    """Return attribute labels of every person, some unknown."""
    names = [name for of_group in GROUPS.values() for name in of_group]
    generator = numpy_generator(0, "labels")
    pairs = [(person, name) for person in range(1, PERSONS + 1) for name in names]
    label = generator.integers(0, 2, len(pairs))
    label[[1, 6]] = -1
    return pd.DataFrame(
        {
            "person_id": [person for person, _ in pairs],
            "attribute": [name for _, name in pairs],
            "probability": np.clip(label, 0, 1).astype(np.float32),
            "label": label,
        }
    )


def make_clips(folder: Path) -> Path:
    """Write the tables and pictures of a small dataset; a person is a pattern of colours."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = tracklet_rows()
    patterns = numpy_generator(0, "persons").integers(0, 256, (PERSONS + 1, 4, 2, 3))
    generator = numpy_generator(0, "frames")

    def encoded(person: int) -> bytes:
        small = np.clip(patterns[person] + generator.normal(0, 20, (4, 2, 3)), 0, 255)
        pixels = small.astype(np.uint8).repeat(8, 0).repeat(8, 1)
        return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels))

    counts = rows["frame_count"].to_numpy()
    persons = np.repeat(rows["person_id"].to_numpy(), counts)
    write_store(folder / "images.arrow", (encoded(person) for person in persons))
    frames = {
        "tracklet_id": np.repeat(rows["tracklet_id"].to_numpy(), counts),
        "position": np.concatenate([np.arange(count) for count in counts]),
        "file": [f"{i}.jpg" for i in range(len(persons))],
        "image": np.arange(len(persons)),
        "truth_person_id": persons,
    }
    schemas.write(folder / "tracklets.parquet", "tracklets", rows, {})
    schemas.write(folder / "frames.parquet", "frames", frames, {})
    schemas.write(folder / "labels.parquet", "attribute_labels", attribute_rows(), {})
    truth_rows(frames["file"], persons).to_parquet(folder / "truth.parquet")
    return folder


def truth_rows(files: list[str], persons: np.ndarray) -> pd.DataFrame:
    """What each frame shows of each part, as a generated dataset tells it."""
    shares = numpy_generator(0, "shares").uniform(size=(len(files), 4))
    parts = pd.DataFrame(shares, columns=["head", "up", "low", "shoes"])
    return parts.assign(file=files, person_id=persons)


def clip_method(**changes: Any) -> dict[str, Any]:
    """Return a resolved method as the stage gets it, with values replaced: `clips__frames=3`."""
    values = {
        name: value
        for name, value in method().items()
        if name in ("model", "image", "augment", "optimiser", "schedule", "precision", "seed")
    }
    values |= {
        "learns": "clips",
        "clips": {"frames": 4, "sampling": "chunks"},
        "aggregation": json.loads(json.dumps(BOTH)),
        "neck": None,
        "losses": {
            "identity": {"weight": 1.0, "smoothing": 0.1},
            "triplet": None,
            "center": None,
            "osm": None,
            "attention": None,
        },
        "batch": {"persons": 3, "clips": 2, "cache_mb": 0},
    }
    values["model"] |= {"embedding": "fc", "dimension": 12, "cosam": None}
    for name, value in changes.items():
        *parents, key = name.split("__")
        block = values
        for parent in parents:
            block = block[parent]
        assert key in block
        block[key] = value
    return values


def options_of(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the options of train_clips; `changes` replaces some of them, None leaves one out."""
    options = {
        "tracklets": data / "tracklets.parquet",
        "frames": data / "frames.parquet",
        "images": data / "images.arrow",
        "attributes": data / "labels.parquet"
        if values["aggregation"]["name"] == "groups"
        else None,
        "truth": data / "truth.parquet"
        if values["aggregation"].get("visibility") == "learnt"
        else None,
        "params": json.dumps(values),
        "code": "0123456789abcdef",
        "checkpoint": out / "checkpoint.pt",
        "device": "cpu",
        "devices": 1,
        "threads": 1,
        "model": out / "model.safetensors",
        "history": out / "history.parquet",
        "timing": out / "timing.json",
    } | changes
    return {name: value for name, value in options.items() if value is not None}


def words_of(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> list[str]:
    """Return the options as a command line has them."""
    options = options_of(data, out, values, **changes)
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def learn_here(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> Path:
    """Run train_clips in this process; return `out`."""
    with settings_put_back():
        options = options_of(data, out, values, **changes)
        options["params"] = TrainClips.parse(options["params"])
        train_clips.main(**options)
    return out


def learn_interrupted(data: Path, out: Path, values: dict[str, Any], epochs: int) -> Path:
    """Run train_clips in this process, stop it after some epochs; return its checkpoint."""
    with stopped_after(epochs):
        learn_here(data, out, values)
    return out / "checkpoint.pt"


EXTRACTED = {"test": "chunks", "normalise": True, "after_neck": True}


def extract_here(data: Path, out: Path, **changes: Any) -> Path:
    """Run clip_features in this process; return `out`."""
    options = {
        "model": out / "model.safetensors",
        "tracklets": data / "tracklets.parquet",
        "frames": data / "frames.parquet",
        "images": data / "images.arrow",
        "params": ClipFeatures.model_validate(EXTRACTED),
        "device": "cpu",
        "threads": 1,
        "out": out / "features.parquet",
        "weights": out / "weights.parquet",
    } | changes
    with settings_put_back():
        clip_features.main(**options)
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_clips(tmp_path_factory.mktemp("data"))


# ---------------------------------------------------------------------------------------- a batch


class Net(torch.nn.Module):
    """A network of a moment's work with what a task asks of a `ReidModel`."""

    dimension = 6

    def __init__(self) -> None:
        super().__init__()
        self.backbone = SimpleNamespace(mean=(120.0,) * 3, std=(60.0,) * 3)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.first = torch.nn.Conv2d(3, 8, 4, stride=4)
            self.second = torch.nn.Linear(8, 6)

    def maps(self, images: torch.Tensor, after_front: bool = False) -> torch.Tensor:
        return self.first(images).relu()

    def embed(self, maps: torch.Tensor) -> torch.Tensor:
        return self.second(maps.mean(dim=(2, 3)))


class World:
    """What a task asks of Fabric, as one of several processes sees it."""

    device = torch.device("cpu")

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.global_rank, self.world_size = rank, size


# of 1, 2, 3, 4, 5, 5 frames; the first person has three tracklets, the last one
TRACKLETS = LabelledTracklets(
    [np.arange(first, last) for first, last in
     ((0, 1), (1, 3), (3, 6), (6, 10), (10, 15), (15, 20))],
    np.array([0, 1, 0, 1, 0, 2]),
    np.array([4, 7, 9]),
)  # fmt: skip
LABELS = {
    "attach": torch.tensor([[1], [0], [-1]]),
    "shoes": torch.tensor([[0, 1], [1, -1], [0, 0]]),
}
SMALL = {**BOTH, "groups": {"attach": ["attach-Box"], "shoes": ["shoes-Red", "shoes-Blue"]}}


ATTENTION = {"name": "attention", "hidden": 4}
IDENTITY = {"identity": {"smoothing": 0.1}}


# of the 20 frames, of the groups attach and shoes
SHARES = torch.arange(40.0).reshape(20, 2) / 40


def clips_of(kind: str = "groups") -> ClipNetwork:
    """A small network of clips of three frames."""
    net, place = Net(), Place(Net.dimension, 8, HEIGHT // 4, WIDTH // 4, seed=1)
    groups = AttributeFrames(name="groups", groups=SMALL["groups"])
    made = {
        "groups": lambda: AttributeGroups(groups, place),
        "shown": lambda: AttributeGroups(groups.model_copy(update={"visibility": "learnt"}), place),
        "average": lambda: Average(Net.dimension),
        "attention": lambda: Attention(AttentionFrames(**ATTENTION), place),
    }
    return ClipNetwork(net, made[kind](), 3)


def heads_of(neck: bool = False, centers: bool = False) -> ClipHeads:
    return ClipHeads(Net.dimension, len(TRACKLETS.ids), neck=neck, centers=centers, seed=1)


def params_of(**changes: Any) -> TrainClips:
    """Return what a training of the tracklets above is given: `batch__persons=3`."""
    values: dict[str, Any] = {
        "learns": "clips",
        "model": {"dimension": Net.dimension},
        "image": {"height": HEIGHT, "width": WIDTH},
        "augment": PLAIN,
        "clips": {"frames": 3, "sampling": "chunks"},
        "aggregation": {**SMALL, "weight": 0.5},
        "neck": None,
        "losses": IDENTITY,
        "batch": {"persons": 2, "clips": 2},
        "schedule": {"steps_per_epoch": 3},
        "seed": 1,
    }
    for name, value in changes.items():
        *above, key = name.split("__")
        block = values
        for part in above:
            block[part] = block = dict(block[part])
        block[key] = value
    return TrainClips.model_validate(values)


def task_of(
    store: ImageStore,
    world: Any = None,
    *,
    clips: ClipNetwork | None = None,
    heads: ClipHeads | None = None,
    set_up: tuple[Any, Any] | None = None,
    attributes: dict[str, torch.Tensor] = LABELS,
    visible: torch.Tensor | None = None,
    **changes: Any,
) -> ClipTask:
    """Return a task; `set_up` are network and heads as a fabric set them up, where it did."""
    params, clips, heads = params_of(**changes), clips or clips_of(), heads or heads_of()
    model, behind = set_up or (clips, heads)
    fill = clips.network.backbone.mean
    return ClipTask(
        TRACKLETS,
        params,
        TrainingImages(store, params.image, fill, params.augment, 1),
        fabric=world or World(),
        network=clips.network,
        model=model,
        heads=behind,
        own_heads=heads,
        losses={name: MODULES[name] for name, term in params.losses if term is not None},
        attributes=attributes,
        visible=visible,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "images.arrow"
    make_images(path, 20)
    with ImageStore(path) as found:
        yield found


@pytest.mark.parametrize("sampling", ["chunks", "consecutive", "random"])
def test_a_batch_holds_what_it_says(store, sampling):
    task = task_of(store, batch__persons=3, clips__sampling=sampling, schedule__steps_per_epoch=4)
    known = store.batch(np.arange(20), HEIGHT, WIDTH)
    batches = list(task.batches(0))
    assert len(batches) == task.steps_per_epoch == 4
    for batch in batches:
        assert task.size(batch) == len(batch.images) == 18
        persons = batch.persons.tolist()
        assert persons[::2] == persons[1::2]
        assert sorted(persons[::2]) == [0, 1, 2]
        shown = []
        for person, images in zip(persons, batch.images.numpy().reshape(6, 3, -1), strict=True):
            rows = [
                next(r for r in range(20) if np.array_equal(known[r].reshape(-1), image))
                for image in images
            ]
            (tracklet,) = [t for t in range(6) if rows[0] in TRACKLETS.images[t]]
            assert set(rows) <= set(TRACKLETS.images[tracklet].tolist())
            assert TRACKLETS.persons[tracklet] == person
            shown.append(tracklet)
            if sampling != "consecutive":
                assert rows == sorted(rows)
        # different tracklets of a person, but of the last, who has one
        for place in range(0, 6, 2):
            assert (shown[place] == shown[place + 1]) == (persons[place] == 2)


@pytest.mark.parametrize("size", [2, 4])
def test_processes_share_a_batch_out_whatever_their_number(store, size):
    change = {"augment": {"flip": 0.5, "pad": 2, "erase": 0.5}}
    whole = list(task_of(store, **change).batches(1))
    shares = [list(task_of(store, World(rank, size), **change).batches(1)) for rank in range(size)]
    for step, batch in enumerate(whole):
        parts = [share[step] for share in shares]
        assert torch.equal(torch.cat([part.images for part in parts]), batch.images)
        assert torch.equal(torch.cat([part.persons for part in parts]), batch.persons)
        assert torch.equal(torch.cat([part.erased for part in parts]), batch.erased)


def test_batches_come_from_seed_epoch_and_step_alone(store):
    def first(task: ClipTask, epoch: int) -> torch.Tensor:
        return next(iter(task.batches(epoch))).images

    one = first(task_of(store), 1)
    assert torch.equal(first(task_of(store), 1), one)
    assert not torch.equal(first(task_of(store), 2), one)
    assert not torch.equal(first(task_of(store, seed=2), 1), one)


def test_an_epoch_without_steps_given_shows_every_tracklet_about_once(store):
    change = {"schedule__steps_per_epoch": None}
    assert task_of(store, **change).steps_per_epoch == 2
    # more persons than there are: all of them
    assert task_of(store, **change, batch__persons=9).steps_per_epoch == 1


def test_frames_are_labelled_by_the_draw_that_erased_them(store):
    """ATTN-CL, Eq. 1: the authors' program erases twice and labels one."""
    whole = task_of(store)
    erasing = task_of(store, augment={"flip": 0.0, "pad": 0, "erase": 0.5})
    for plain, batch in zip(whole.batches(0), erasing.batches(0), strict=True):
        assert batch.erased.shape == (4, 3)
        assert not plain.erased.any()
        changed = (plain.images != batch.images).flatten(1).any(1)
        assert torch.equal(changed, batch.erased.flatten())


def test_the_loss_is_the_sum_of_its_terms(store):
    clips, heads = clips_of(), heads_of()
    task = task_of(store, clips=clips, heads=heads)
    batch = next(iter(task.batches(0)))
    total, terms = task.loss(batch)
    assert set(terms) == {"identity", "attributes", "accuracy"}
    backbone = clips.network.backbone
    merged = clips(preprocess(batch.images, backbone.mean, backbone.std))
    logits = heads(merged.descriptors).logits
    ids = torch.nn.functional.cross_entropy(logits, batch.persons, label_smoothing=0.1)
    labels = {group: of[batch.persons] for group, of in LABELS.items()}
    seen = groups.loss(merged.attributes, labels)
    torch.testing.assert_close(total, ids + 0.5 * seen)
    torch.testing.assert_close(terms["identity"], ids)
    torch.testing.assert_close(terms["attributes"], seen)
    right = (logits.argmax(1) == batch.persons).sum().item()
    assert terms["accuracy"].item() == pytest.approx(100 * right / 4)
    total.backward()
    assert all(p.grad is not None for part in (clips, heads) for p in part.parameters())


def test_what_frames_show_is_learnt_beside(store):
    clips = clips_of("shown")
    task = task_of(store, clips=clips, visible=SHARES)
    known = store.batch(np.arange(20), HEIGHT, WIDTH).reshape(20, -1)
    batch = next(iter(task.batches(0)))
    rows = [
        next(r for r in range(20) if np.array_equal(known[r], image))
        for image in batch.images.numpy().reshape(12, -1)
    ]
    shares = SHARES[rows].reshape(4, 3, 2).transpose(1, 2)
    assert torch.equal(batch.visible, shares)
    total, terms = task.loss(batch)
    backbone = clips.network.backbone
    merged = clips(preprocess(batch.images, backbone.mean, backbone.std))
    torch.testing.assert_close(terms["visibility"], visibility.loss(merged.visible, shares))
    seen = 0.5 * terms["attributes"] + terms["identity"] + terms["visibility"]
    torch.testing.assert_close(total, seen)


ALL_LOSSES = {
    "identity": {"weight": 2.0},
    "triplet": {"weight": 0.7, "margin": 0.2, "metric": "cosine"},
    "center": {"weight": 1e-3},
    "osm": {"weight": 0.3, "alpha": 1.5, "vectors": "centers"},
    "attention": {"weight": 0.5, "of": "scores"},
}


@pytest.mark.parametrize("before", [True, False])
def test_every_loss_sees_what_is_meant_for_it(store, before):
    clips, heads = clips_of("attention"), heads_of(neck=True, centers=True)
    task = task_of(
        store,
        clips=clips,
        heads=heads,
        attributes={},
        aggregation=ATTENTION,
        losses=ALL_LOSSES,
        neck={"trains": "before" if before else "after"},
        augment={"flip": 0.5, "pad": 0, "erase": 0.6},
    )
    batch = next(iter(task.batches(0)))
    total, terms = task.loss(batch)
    backbone = clips.network.backbone
    merged = clips(preprocess(batch.images, backbone.mean, backbone.std))
    headed = heads(merged.descriptors)
    seen = Clips(
        persons=batch.persons,
        features=headed.before if before else headed.after,
        logits=headed.logits,
        classes=heads.classifier.weight,
        centers=heads.centers,
        weights=merged.weights[:, 0],
        scores=merged.scores,
        erased=batch.erased,
    )
    terms_of = dict(task.params.losses)
    wanted = {name: MODULES[name].loss(seen, terms_of[name]) for name in ALL_LOSSES}
    assert set(terms) == {*wanted, "accuracy"}
    for name, value in wanted.items():
        torch.testing.assert_close(terms[name], value)
    torch.testing.assert_close(total, sum(ALL_LOSSES[n]["weight"] * v for n, v in wanted.items()))


def test_centers_move_at_a_rate_of_their_own_whatever_the_weight(store):
    moved = []
    for weight in (1e-3, 10.0):
        heads = heads_of(centers=True)
        start = heads.centers.detach().clone()
        losses = {**IDENTITY, "center": {"weight": weight}}
        task = task_of(store, heads=heads, losses=losses)
        batch = next(iter(task.batches(0)))
        total, _ = task.loss(batch)
        total.backward()
        task.after_step(0)
        assert heads.centers.grad is None
        moved.append(heads.centers.detach() - start)
    torch.testing.assert_close(moved[0], moved[1], rtol=1e-4, atol=1e-6)
    # two clips of each of two persons of three
    assert (moved[0].abs().sum(1) > 0).tolist().count(True) == 2


def test_without_attributes_identity_is_all(store):
    task = task_of(store, clips=clips_of("average"), attributes={}, aggregation=NO_ATTRIBUTES)
    total, terms = task.loss(next(iter(task.batches(0))))
    assert set(terms) == {"identity", "accuracy"}
    assert torch.equal(total, terms["identity"])


def test_a_batch_that_does_not_divide_is_refused(store):
    with pytest.raises(
        ReidError,
        match=r"a batch of 4 clips \(batch.persons 2, of 3 in all, x batch.clips 2\) does not "
        r"divide among 3 devices; set batch.clips",
    ):
        task_of(store, World(0, 3))


# ------------------------------------------------------------------------- tracklets and labels


def test_training_tracklets_alone_in_the_order_of_time():
    rows = tracklet_rows()
    frames = pd.DataFrame(
        {
            "tracklet_id": np.repeat(rows["tracklet_id"], rows["frame_count"]),
            "position": np.concatenate([np.arange(n) for n in rows["frame_count"]]),
        }
    )
    frames["image"] = 100 + np.arange(len(frames))
    found = labelled_tracklets(
        rows.sample(frac=1.0, random_state=1), frames.sample(frac=1.0, random_state=2)
    )
    assert found.ids.tolist() == [1, 2, 3, 4]
    assert found.persons.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert [len(images) for images in found.images] == rows["frame_count"].tolist()[:10]
    assert np.concatenate(found.images).tolist() == list(range(100, 146))


def test_tracklets_that_cannot_be_learnt_from_are_refused():
    rows = tracklet_rows()
    frames = pd.DataFrame({"tracklet_id": rows["tracklet_id"], "position": 0, "image": 0})
    with pytest.raises(ReidError, match="frames: training tracklet 8 has none"):
        labelled_tracklets(rows, frames[frames["tracklet_id"] != 8])
    with pytest.raises(ReidError, match="1 training persons: telling people apart needs two"):
        labelled_tracklets(rows[rows["person_id"] == 1], frames)


def test_labels_are_those_known_of_training_persons():
    rows = attribute_rows()
    found = attribute_labels(rows, GROUPS, np.array([1, 2, 4]))
    assert found.groups == GROUPS
    assert not found.absent
    value = rows.set_index(["person_id", "attribute"])["label"]
    for group, names in GROUPS.items():
        expected = [[value[person, name] for name in names] for person in (1, 2, 4)]
        assert found.labels[group].tolist() == expected
    assert -1 in found.labels["shoes"] and -1 in found.labels["attach"]
    # absent, or open for everybody in training: not learnt
    few = rows[~((rows["attribute"] == "shoes-Red") & (rows["person_id"] < 5))].copy()
    few.loc[(few["attribute"] == "attach-Other") & (few["person_id"] < 5), "label"] = -1
    few = few[~((few["attribute"] == "shoes-Blue") & (few["person_id"] == 2))]
    found = attribute_labels(few, GROUPS, np.array([1, 2, 4]))
    assert found.groups == {"shoes": ["shoes-Blue"], "attach": ["attach-Box"]}
    assert found.absent == ["shoes-Red", "attach-Other"]
    assert found.labels["shoes"][1].tolist() == [-1]


@pytest.mark.parametrize("empty", [True, False])
def test_a_group_that_the_labels_leave_empty_is_refused(empty):
    rows = attribute_rows()
    rows = rows[:0] if empty else rows[~rows["attribute"].str.startswith("shoes")]
    with pytest.raises(
        ReidError, match=r"has a label for any attribute of shoes \(shoes-Red, shoes-Blue\); leave"
    ):
        attribute_labels(rows, GROUPS, np.array([1, 2]))


# -------------------------------------------------------------------------------------- the stages

SHORT = {"schedule__epochs": 1, "schedule__steps_per_epoch": 2}
COSAM = {
    "after": ["layer3", "layer4"],
    "reduced": 8,
    "deviation": "population",
    "summary": "one_layer",
    "activation": "relu",
    "enrichment": "multiply",
}
TRICKS = {
    "model__embedding": "none",
    "aggregation": {"name": "attention", "hidden": 4},
    "neck": {"trains": "after"},
    "augment__erase": 0.5,
    "losses": {
        "identity": {"weight": 1.0, "smoothing": 0.1},
        "triplet": {"weight": 1.0, "margin": 0.3, "metric": "cosine", "ties": "share"},
        "center": {"weight": 5e-4, "rate": 0.5},
        "osm": {"weight": 0.5, "sigma": 0.8, "alpha": 1.2, "balance": 0.5, "vectors": "centers"},
        "attention": {"weight": 1.0, "of": "weights"},
    },
}
MODELS: dict[str, dict[str, Any]] = {
    "average": {"aggregation": NO_ATTRIBUTES},
    "whole": {"aggregation": {**BOTH, "disentangled": False, "sigma": None}},
    "whole-weighted": {"aggregation": {**BOTH, "disentangled": False}},
    "apart": {"aggregation": {**BOTH, "sigma": None}},
    "apart-weighted": {},
    "apart-shown-weighted": {"aggregation": {**BOTH, "visibility": "learnt"}},
    "shown-weighted": {"aggregation": {**BOTH, "visibility": "learnt", "disentangled": False}},
    "rnn": {"aggregation": {"name": "rnn", "hidden": 10}},
    "cosam": {"aggregation": NO_ATTRIBUTES, "model__cosam": COSAM},
    "tricks": TRICKS,
}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_trains_and_extracts(data, tmp_path, name):
    values = clip_method(**MODELS[name], **SHORT)
    out = learn_here(data, tmp_path, values)
    assert {path.name for path in out.iterdir()} == {
        "model.safetensors",
        "history.parquet",
        "timing.json",
    }
    terms = {term for _, _, term, _ in history_rows(out / "history.parquet")}
    learnt = {loss for loss, options in values["losses"].items() if options is not None}
    learnt |= {"attributes"} if values["aggregation"]["name"] == "groups" else set()
    learnt |= {"visibility"} if "shown" in name else set()
    assert terms == {"accuracy", "loss", "lr"} | learnt
    tensors, about = load_weights(out / "model.safetensors")
    for name_of, block in (("clips", about.clips), ("aggregation", about.aggregation)):
        assert block.model_dump().items() >= values[name_of].items()
    assert about.persons == [1, 2, 3, 4]
    extract_here(data, out)
    features = schemas.read(out / "features.parquet", "features").to_pandas()
    assert features["tracklet_id"].tolist() == [32, 35, 38, 41, 44]
    found = np.stack(features["feature"])
    assert found.shape == (5, {"rnn": 10, "tricks": 96}.get(name, 12))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    weights = schemas.read_frame(out / "weights.parquet", "frame_weights")
    groups = {"shoes", "attach"} if name.startswith("apart") else {"all"}
    assert set(weights["group"]) == groups
    sums = weights.groupby(["tracklet_id", "clip", "group"])["weight"].agg(["sum", "size"])
    np.testing.assert_allclose(sums["sum"], 1, atol=1e-5)
    assert (sums["size"] == 4).all()
    uniform = np.allclose(weights["weight"], 0.25)
    assert uniform != (name.endswith("weighted") or name == "tricks")
    # what stands there is what the model makes of these frames
    model = restore_clip_model(about, part_of(tensors, "model"), part_of(tensors, "heads")).eval()
    of_first = weights[weights["tracklet_id"] == 32]
    rows = of_first[of_first["group"] == of_first["group"].iloc[0]]["image"].to_numpy()
    with ImageStore(data / "images.arrow") as store, torch.inference_mode():
        pixels = torch.from_numpy(store.batch(rows, HEIGHT, WIDTH))
        descriptors, expected = model.extract(pixels)
    np.testing.assert_allclose(found[0], descriptors[0].numpy(), atol=1e-5)
    for group, of_group in zip(model.clips.aggregation.groups, expected[0].numpy(), strict=True):
        held = of_first[of_first["group"] == group]["weight"]
        np.testing.assert_allclose(held, of_group, atol=1e-5)


def test_all_frames_of_a_tracklet_are_in_its_clips(data, tmp_path):
    values = clip_method(aggregation=NO_ATTRIBUTES, schedule__epochs=0)
    every = ClipFeatures.model_validate({**EXTRACTED, "test": "all"})
    out = extract_here(data, learn_here(data, tmp_path, values), params=every)
    features = schemas.read_frame(out / "features.parquet", "features", ["tracklet_id", "image"])
    # of 9, 2, 4, 5 and 3 frames
    assert features["tracklet_id"].value_counts().sort_index().tolist() == [3, 1, 1, 2, 1]
    weights = schemas.read_frame(out / "weights.parquet", "frame_weights")
    frames = schemas.read_frame(data / "frames.parquet", "frames", ["tracklet_id", "position"])
    searched = frames[frames["tracklet_id"] >= 32]
    assert set(zip(weights["tracklet_id"], weights["position"], strict=True)) == set(
        zip(searched["tracklet_id"], searched["position"], strict=True)
    )
    last = weights[(weights["tracklet_id"] == 32) & (weights["clip"] == 2)]
    assert last["position"].tolist() == [8, 0, 1, 2]
    # the third of four frames
    images = weights[weights["tracklet_id"] == 32]["image"].to_numpy().reshape(3, 4)
    assert features["image"].tolist()[:3] == images[:, 2].tolist()


def test_an_untrained_network_is_averaged(data, tmp_path):
    values = clip_method(aggregation=NO_ATTRIBUTES, model__embedding="none", schedule__epochs=0)
    out = extract_here(data, learn_here(data, tmp_path, values))
    assert history_rows(out / "history.parquet") == []
    features = schemas.read(out / "features.parquet", "features").to_pandas()
    assert len(features["feature"][0]) == 96


def test_more_persons_in_a_batch_than_there_are_is_refused(data, tmp_path):
    values = clip_method(aggregation=NO_ATTRIBUTES, batch__persons=5)
    with pytest.raises(ReidError, match="asks for 5 persons in a batch, and there are 4 to learn"):
        learn_here(data, tmp_path, values)
    assert not list(tmp_path.iterdir())


def test_maps_of_frozen_stages_are_what_the_stages_make(data, tmp_path):
    change = {
        "augment__pad": 0,
        "augment__erase": 0.0,
        "model__batch_norm": "eval",
        "model__embedding": "fc_bn",
        **SHORT,
    }
    plain = learn_here(data, tmp_path / "plain", clip_method(**change))
    cached = learn_here(data, tmp_path / "cached", clip_method(batch__cache_mb=64, **change))
    found, expected = (
        [value for *_, value in history_rows(of / "history.parquet")] for of in (cached, plain)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_pictures_may_be_larger_than_what_is_cut_out_of_them(data, tmp_path):
    values = clip_method(image__height=24, image__width=12, **SHORT)
    values["image"]["resized"] = [32, 16]
    out = extract_here(data, learn_here(data, tmp_path / "cut", values))
    tensors, about = load_weights(out / "model.safetensors")
    model = restore_clip_model(about, part_of(tensors, "model"), part_of(tensors, "heads")).eval()
    weights = schemas.read_frame(out / "weights.parquet", "frame_weights")
    rows = weights[weights["group"] == "shoes"]["image"].to_numpy()[:4]
    with ImageStore(data / "images.arrow") as store, torch.inference_mode():
        whole = store.batch(rows, 32, 16)
        descriptors, _ = model.extract(torch.from_numpy(whole[:, 4:28, 2:14].copy()))
    found = schemas.read(out / "features.parquet", "features").to_pandas()["feature"][0]
    np.testing.assert_allclose(found, descriptors[0].numpy(), atol=1e-5)
    values = clip_method(batch__cache_mb=64, **SHORT)
    values["image"]["resized"] = [40, 20]
    with pytest.raises(ReidError, match=r"image\.resized cuts every frame at a random place"):
        learn_here(data, tmp_path / "cached", values)


def test_training_beats_chance_on_the_training_persons(data, tmp_path):
    values = clip_method(
        augment=PLAIN, optimiser__lr=1e-2,
        schedule__epochs=1, schedule__steps_per_epoch=12,
    )  # fmt: skip
    rows = history_rows(learn_here(data, tmp_path, values) / "history.parquet")
    accuracy = [value for *_, term, value in rows if term == "accuracy"]
    # four persons
    assert np.mean(accuracy[-5:]) > 60


def without_person_2(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["person_id"] != 2]


def without_shoes(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows["attribute"].str.startswith("shoes")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_person_2, r"no attribute labels of training person 2 \(1 of 4 have none\)"),
        (without_shoes, "no training person has a label for any attribute of shoes"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    data, tmp_path, change: Callable[[pd.DataFrame], pd.DataFrame], message
):
    path = tmp_path / "labels.parquet"
    schemas.write(path, "attribute_labels", change(attribute_rows()), {})
    with pytest.raises(ReidError, match=message):
        learn_here(data, tmp_path, clip_method(), attributes=path)


def test_labels_are_given_exactly_where_they_are_learnt(data, tmp_path):
    with pytest.raises(ReidError, match="labels were given, but the method learns no attributes"):
        path = data / "labels.parquet"
        learn_here(data, tmp_path, clip_method(aggregation=NO_ATTRIBUTES), attributes=path)
    with pytest.raises(ReidError, match="learns attributes, but no labels were given"):
        learn_here(data, tmp_path, clip_method(), attributes=None)


def test_what_frames_show_is_given_exactly_where_it_is_learnt(data, tmp_path):
    learnt = clip_method(aggregation={**BOTH, "visibility": "learnt"})
    with pytest.raises(ReidError, match="a truth was given, but the method does not learn what"):
        learn_here(data, tmp_path, clip_method(), truth=data / "truth.parquet")
    with pytest.raises(ReidError, match="learns what frames show, but no truth was given"):
        learn_here(data, tmp_path, learnt, truth=None)
    with pytest.raises(ReidError, match=r"labels\.parquet: not a generated dataset's truth"):
        learn_here(data, tmp_path, learnt, truth=data / "labels.parquet")


def test_a_model_of_frames_has_no_clips(data, tmp_path):
    about = {
        "model": {},
        "image": {},
        "precision": "32",
        "heads": [],
        "persons": [],
        "device": "cpu",
    }
    checkpoint.save_weights(tmp_path / "model.safetensors", {}, about)
    with pytest.raises(ReidError, match="does not see clips; give a model that does"):
        extract_here(data, tmp_path)


def test_a_split_without_anything_to_search_is_refused(data, tmp_path):
    out = learn_here(data, tmp_path, clip_method(aggregation=NO_ATTRIBUTES, schedule__epochs=0))
    path = tmp_path / "tracklets.parquet"
    schemas.write(path, "tracklets", tracklet_rows().assign(role="train"), {})
    with pytest.raises(ReidError, match="no tracklet to extract features of"):
        extract_here(data, out, tracklets=path)
