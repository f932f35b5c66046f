"""Where networks look: COSAM's masks and the last map, stage by stage."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.models.test_clips import COSAM, FRAMES, METHOD, method_of
from tests.models.test_clips import network_of as clips_of
from tests.training.helpers import make_images

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Image
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel
from weakreid.retrieval import clip_maps as module
from weakreid.retrieval.clip_maps import clip_maps, drawn_clips
from weakreid.seeding import numpy_generator

CLIPS = np.arange(3 * FRAMES).reshape(3, FRAMES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("images") / "images.arrow"
    make_images(path, CLIPS.size)
    with ImageStore(path) as found:
        yield found


def network_of(cosam: Any) -> ReidModel:
    model = {**METHOD["model"], "embedding": "none", "cosam": cosam}
    return clips_of(method_of(model=model, aggregation={"name": "average"})).network


def test_masks_are_those_of_each_stage(store: ImageStore, monkeypatch: Any) -> None:
    network = network_of(COSAM)
    # a clip at a time
    monkeypatch.setattr(module, "_FRAMES", FRAMES)
    found = clip_maps(network, store, CLIPS, Image(height=32, width=16), 1)
    pixels = torch.from_numpy(store.batch(CLIPS.reshape(-1), 32, 16))
    masks = {}
    with torch.inference_mode():
        maps = preprocess(pixels, network.backbone.mean, network.backbone.std)
        for name, stage in network.backbone.stages.items():
            maps = stage(maps)
            if name in network.cosam:
                made = network.cosam[name](maps)
                maps, masks[name] = made.maps, made.masks
    assert list(found.masks) == list(masks) == ["layer2", "layer4"]
    for name, of_stage in masks.items():
        expected = of_stage[:, 0].unflatten(0, (3, FRAMES)).numpy()
        np.testing.assert_allclose(found.masks[name], expected, atol=1e-5)
    energy = (maps**2).sum(1).unflatten(0, (3, FRAMES)).numpy()
    np.testing.assert_allclose(found.activation, energy, rtol=1e-4, atol=1e-6)
    # nothing stays hooked on
    assert not any(part._forward_hooks for part in network.cosam.values())


def test_without_cosam_there_is_the_last_map(store: ImageStore) -> None:
    found = clip_maps(network_of(None), store, CLIPS, Image(height=64, width=32), 1)
    assert found.masks == {}
    assert found.activation.shape == (3, FRAMES, 2, 1)


TRACKLETS = pd.DataFrame(
    {
        "tracklet_id": range(8),
        "person_id": [1, 1, 2, 2, 0, -1, 3, 9],
        "role": ["query", "gallery"] * 3 + ["query", "train"],
    }
)
SHOWN = pd.DataFrame(
    {
        "tracklet_id": np.repeat(np.arange(8), 6),
        "position": np.tile(np.arange(6), 8),
        "image": np.arange(48),
    }
)


def drawn(seed: int, count: int, **more: Any) -> Any:
    generator = numpy_generator(seed, "drawn")
    options = {"length": 3, "test": "all", "count": count, "generator": generator, **more}
    return drawn_clips(TRACKLETS, SHOWN, **options)


def test_clips_are_drawn_from_the_seed() -> None:
    every = drawn(1, 99)
    # two clips of each tracklet of persons 1 to 3
    assert every.tracklet_ids.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 6, 6]
    some = [drawn(seed, 4).images.tolist() for seed in range(5)]
    assert all(len(images) == 4 for images in some)
    assert some[0] == drawn(0, 4).images.tolist()
    assert len({str(images) for images in some}) > 1
    # the table's order, whatever the draw
    assert some[0] == sorted(some[0])


def test_one_of_each_person() -> None:
    for seed in range(5):
        persons = TRACKLETS["person_id"].to_numpy()[drawn(seed, 9, one_each=True).tracklet_ids]
        assert sorted(persons) == [1, 2, 3]


def test_nobody_to_show() -> None:
    nobody = TRACKLETS.assign(person_id=0)
    with pytest.raises(ReidError, match="no tracklet of query and gallery shows a person"):
        drawn_clips(nobody, SHOWN, length=3, test="all", count=1, generator=numpy_generator(1, "n"))
