"""Where generated people are and what they carry, against the colours of what is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import simplejpeg

from weakreid.datasets.walkers import layout, render
from weakreid.datasets.walkers.layout import SIZES, generate, plan
from weakreid.datasets.walkers.masks import Mask, carried_masks, hat_rows, person_masks
from weakreid.datasets.walkers.people import draw_person
from weakreid.datasets.walkers.render import tracklet
from weakreid.datasets.walkers.scene import camera
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator

TINY = SIZES["tiny"]
SEED = 3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("walkers") / "tiny"
    generate(made, TINY, seed=SEED, style="street", workers=1)
    return made


@pytest.fixture(scope="module")
def frames(root: Path) -> pd.DataFrame:
    rows = pq.read_table(root / "truth" / "frames.parquet").to_pandas()
    return rows[rows["person_id"] > 0]


@pytest.fixture(scope="module")
def seen(root: Path, frames: pd.DataFrame) -> dict[str, Mask]:
    return person_masks(root, list(frames["file"]))


@pytest.fixture(scope="module")
def carried(root: Path, seen: dict[str, Mask]) -> dict[str, Mask]:
    return carried_masks(root, seen)


def test_the_person_is_where_the_truth_says(frames: pd.DataFrame, seen: dict[str, Mask]) -> None:
    shares = [seen[name].mean() for name in frames["file"]]
    np.testing.assert_allclose(shares, frames["person_share"], atol=0.04)


def drawn(item: layout.Tracklet, colour: tuple[int, int, int]) -> list[np.ndarray]:
    """A tracklet seen by a sharp camera, what is carried in a colour."""
    person = replace(item.person, bag_colour=colour, hat_colour=colour)
    seen_by = replace(
        camera(SEED, "street", item.camera), native=3.0, motion=0.0, noise=0.0, quality=120
    )
    rng = numpy_generator(SEED, "walkers", item.split, item.person_id, item.camera, item.number)
    made = tracklet(rng, SEED, person, seen_by, item.frames, 64, 32, item.fault, item.empty)
    return [simplejpeg.decode_jpeg(frame.jpeg, colorspace="RGB").astype(int) for frame in made]


def test_what_is_carried_is_what_changes_with_its_colour(carried: dict[str, Mask]) -> None:
    both = either = 0
    for item in plan(TINY, seed=SEED)[0]:
        # straps of a backpack are painted on the torso, and a strap is thinner than a pixel
        if item.person_id <= 0 or item.person.bag not in ("none", "HandBag", "HandTrunk"):
            continue
        pairs = zip(drawn(item, (0, 0, 0)), drawn(item, (255, 255, 255)), strict=True)
        for name, (dark, light) in zip(item.files(), pairs, strict=True):
            changes = np.abs(light - dark).max(axis=2) > 40
            both += (changes & carried[name]).sum()
            either += (changes | carried[name]).sum()
    assert either > 1000
    assert both / either > 0.75


def test_who_carries_nothing_has_none(carried: dict[str, Mask], seen: dict[str, Mask]) -> None:
    assert carried.keys() == seen.keys()
    bare = holding = 0
    for item in plan(TINY, seed=SEED)[0]:
        if item.person_id <= 0:
            continue
        found = [carried[name] for name in item.files()]
        if item.person.bag == "none" and item.person.hat == "none":
            bare += 1
            assert not np.any(found)
        elif item.person.bag != "none":
            holding += np.any(found)
        for name in item.files():
            assert not (carried[name] & ~seen[name]).any()
    assert bare > 0
    assert holding > 0


def test_the_renderer_is_as_before(root: Path, seen: dict[str, Mask]) -> None:
    before = render._Coefficients
    carried_masks(root, dict(list(seen.items())[:3]))
    assert render._Coefficients is before


@pytest.mark.parametrize("hat", ["none", "cap", "beanie", "brim"])
def test_the_rows_of_a_hat_are_the_upper_ones(hat: str) -> None:
    rows = hat_rows(replace(draw_person(numpy_generator(1, "person")), hat=hat))
    number = int(rows.sum())
    assert number == {"none": 0, "cap": 17, "beanie": 20, "brim": 16}[hat]
    assert rows[:number].all()


def test_frames_of_another_dataset(root: Path, seen: dict[str, Mask], tmp_path: Path) -> None:
    with pytest.raises(ReidError, match=r"9999C1T0001F001\.jpg has no mask in its truth"):
        person_masks(root, ["9999C1T0001F001.jpg"])
    with pytest.raises(ReidError, match="has no mask in its truth"):
        person_masks(tmp_path, list(seen))
    other = {name: ~mask for name, mask in list(seen.items())[:2]}
    with pytest.raises(ReidError, match="drawn again is another picture"):
        carried_masks(root, other)
