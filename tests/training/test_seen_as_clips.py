"""Bags, and tracklets without labels, seen as clips: COSAM and temporal attention there too."""

import numpy as np
import pytest
import torch
from tests.training.helpers import make_data, make_images, method, run_here
from tests.training.test_bag_task import FRAMES, TRACKLETS, World, task_of
from tests.training.tracklet_helpers import learn_here, make_tracklets, tracklet_method

import weakreid
from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import ClipFeatures
from weakreid.errors import ReidError
from weakreid.stages import clip_features, features
from weakreid.training.checkpoint import load_weights, part_of

COSAM = {
    "after": ["layer4"],
    "reduced": 4,
    "deviation": "population",
    "summary": "one_layer",
    "activation": "relu",
    "enrichment": "multiply",
}
AGREEING = {"aggregation": {"name": "attention", "hidden": 4}, "schedule__epochs": 1}
FLIPS = {"augment": {"flip": 0.5, "pad": 0, "erase": 0.0}}


@pytest.fixture(scope="module")
def bags(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("bags"))


@pytest.fixture(scope="module")
def tracklets(tmp_path_factory):
    return make_tracklets(tmp_path_factory.mktemp("tracklets"))


def with_cosam(values):
    return {**values, "model": {**values["model"], "cosam": COSAM}}


def same_network(clips, plain) -> bool:
    of_clips = part_of(load_weights(clips / "model.safetensors")[0], "model")
    of_plain = part_of(load_weights(plain / "model.safetensors")[0], "model")
    assert of_clips.keys() == {f"network.{name}" for name in of_plain}
    # the sums run in another order; a step of learning moves weights fifty times as far
    return all(
        torch.allclose(of_clips[f"network.{name}"], of, rtol=0, atol=1e-5)
        for name, of in of_plain.items()
    )


def test_a_clip_is_of_frames_of_one_tracklet(tmp_path):
    make_images(tmp_path / "images.arrow", 22)
    with ImageStore(tmp_path / "images.arrow") as store:
        task = task_of(
            store,
            World(),
            tracklets=TRACKLETS,
            clips={"frames": 3, "sampling": "random"},
            augment={"flip": 0.0, "pad": 0, "erase": 0.0},
        )
        for bag, (rows, of_bag) in enumerate(zip(FRAMES, TRACKLETS, strict=True)):
            chosen = rows[task._places(0, bag)].reshape(-1, 3)
            shown = [set(of_bag[np.isin(rows, clip)].tolist()) for clip in chosen]
            assert shown == [{name} for name in np.unique(of_bag)]
        batch = next(task.batches(0))
        assert len(batch.images) == 3 * int(batch.mask.sum())
        assert batch.mask.shape == (4, 3)


def test_the_mean_of_whole_clips_is_the_mean_of_their_tracklets(bags, tmp_path):
    # every tracklet of a bag has three frames, and a batch takes whole bags
    values = method(instances="tracklets", batch__frames=6, **FLIPS)
    plain = run_here(bags, tmp_path / "plain", values)
    clips = {"frames": 3, "sampling": "consecutive"}
    seen = run_here(bags, tmp_path / "clips", {**values, "clips": clips})
    assert same_network(seen, plain)


def test_so_it_is_without_labels(tracklets, tmp_path):
    values = tracklet_method(association__frames=2)
    plain = learn_here(tracklets, tmp_path / "plain", values)
    clips = {"frames": 2, "sampling": "consecutive"}
    seen = learn_here(tracklets, tmp_path / "clips", {**values, "clips": clips})
    assert same_network(seen, plain)
    labels = [schemas.read_frame(of / "clusters.parquet", "clusters") for of in (plain, seen)]
    assert labels[0].equals(labels[1])


def bags_agree(bags, tracklets, out):
    clips = {"frames": 3, "sampling": "chunks"}
    return run_here(
        bags, out, with_cosam({**method(instances="tracklets", **AGREEING), "clips": clips})
    )


def tracklets_agree(bags, tracklets, out):
    clips = {"frames": 2, "sampling": "consecutive"}
    return learn_here(tracklets, out, with_cosam({**tracklet_method(**AGREEING), "clips": clips}))


@pytest.mark.parametrize("learn", [bags_agree, tracklets_agree])
def test_cosam_and_attention_learn_and_open(bags, tracklets, learn, tmp_path):
    out = learn(bags, tracklets, tmp_path / "out")
    tensors, _ = load_weights(out / "model.safetensors")
    assert tensors["model.aggregation.over_time.weight"].shape == (1, 4, 3)
    assert any(name.startswith("model.network.cosam.layer4.") for name in tensors)
    model = weakreid.load(out / "model.safetensors")
    assert model.sees_clips
    picture = np.full((40, 20, 3), 128, np.uint8)
    assert model.embed([picture]).shape == (1, model.dimension)
    with pytest.raises(ReidError, match="does not see clips"):
        plain = run_here(bags, tmp_path / "plain", method(schedule__epochs=0))
        clip_features.main(
            model=plain / "model.safetensors",
            tracklets=tmp_path,
            frames=tmp_path,
            images=tmp_path,
            params=ClipFeatures(test="all", normalise=True, after_neck=False),
            device="cpu",
            threads=1,
            out=tmp_path / "a",
            weights=tmp_path / "b",
        )
    with pytest.raises(ReidError, match="sees clips"):
        features.main(
            model=out / "model.safetensors",
            tracklets=tmp_path,
            frames=tmp_path,
            images=tmp_path,
            device="cpu",
            threads=1,
            out=tmp_path / "a",
        )
