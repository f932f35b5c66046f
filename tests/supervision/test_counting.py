"""What there is to label: the paper's counts of MARS, and the costs against a slow count."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.supervision.helpers import coarse_bags, training_bags

from weakreid.config.supervision import Missing
from weakreid.datasets import mars
from weakreid.errors import ReidError
from weakreid.supervision import bags
from weakreid.supervision.counting import Labour, counts, labour

Rows = list[tuple[int, int, str, int]]


def dataset(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of a dataset of (person, camera, role, frames)."""
    lengths = np.array([row[3] for row in rows], dtype=int)
    tracklets = pd.DataFrame(
        {
            "tracklet_id": np.arange(len(rows)) + 10,
            "person_id": [row[0] for row in rows],
            "camera_id": [row[1] for row in rows],
            "role": [row[2] for row in rows],
            "first_frame": np.concatenate([[0], np.cumsum(lengths)[:-1]]),
            "frame_count": lengths,
        }
    )
    owners = np.repeat(tracklets["tracklet_id"].to_numpy(), lengths)
    return tracklets, pd.DataFrame({"tracklet_id": owners, "image": np.arange(lengths.sum())})


TEST: Rows = [(7, 1, "query", 5), (7, 2, "gallery", 5), (8, 1, "gallery", 5), (0, 1, "gallery", 2),
              (-1, 1, "junk", 2), (8, 2, "query", 5), (9, 2, "gallery", 1)]  # fmt: skip


def test_counts_of_a_split() -> None:
    tracklets, frames = dataset([(1, 1, "train", 4), (2, 1, "train", 4), (1, 2, "train", 9), *TEST])
    made = training_bags(tracklets, frames, seed=0)
    coarse = coarse_bags(tracklets, frames, seed=0)
    found = counts(tracklets, made, coarse)
    assert found == {
        "coarse train IDs": 2,
        "coarse train bags": 2,
        "coarse probe IDs": 2,
        "coarse probe bags": 2,
        # 7, 8 and 9 have a tracklet beside the probes; junk and distractors are out
        "coarse gallery IDs": 3,
        "coarse gallery bags": 1,
        "fine train IDs": 2,
        "fine train bags": 2,
        "fine probe IDs": 2,
        "fine probe tracklets": 2,
        # with junk and distractors
        "fine gallery IDs": 5,
        "fine gallery tracklets": 7,
    }


def test_a_split_without_anything() -> None:
    tracklets, frames = dataset([(1, 1, "train", 4)])
    made = training_bags(tracklets, frames, seed=0)
    found = counts(tracklets, made, made[:0])
    assert sum(found.values()) == 4
    assert found["fine train bags"] == 1


training_rows = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.integers(1, 2),
        st.sampled_from(["train", "query"]),
        st.integers(4, 40),
    ),
    min_size=1,
    max_size=30,
).filter(lambda rows: any(row[2] == "train" for row in rows))


@settings(max_examples=100, deadline=None)
@given(rows=training_rows, parts=st.integers(1, 4), cap=st.none() | st.integers(1, 3))
def test_labour_against_a_count_of_the_frames(rows: Rows, parts: int, cap: int | None) -> None:
    tracklets, frames = dataset(rows)
    options: dict[str, Any] = {"seed": 3, "tracklet_parts": parts}
    made = training_bags(tracklets, frames, max_frames=cap, **options)
    # uncapped, the bags hold every frame of theirs
    whole = training_bags(tracklets, frames, max_frames=None, **options)
    found = labour(tracklets, made, parts)
    assert found == Labour(
        bags=len(whole),
        images=sum(len(own) for own in whole["frames"]),
        tracklets=sum(len(own) for own in whole["tracklet_ids"]),
        names=sum(len(set(own)) for own in whole["truth_frame_persons"]),
    )
    assert found.images == sum(row[3] for row in rows if row[2] == "train")
    # part of the bags have their own part of the frames
    some = slice(None, None, 2)
    assert labour(tracklets, made[some], parts).images == sum(map(len, whole["frames"][some]))


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))
def test_the_papers_formula(videos: int, more: int, tracklets: int, images: int) -> None:
    names = videos + more
    own = Labour(videos, names + tracklets + images, names + tracklets, names)
    n, p, f, b = own.bags, own.people_per_bag, own.images_per_person, 1
    assert own.costs()["boxes"] == pytest.approx(f * p * n * b)
    assert own.images_per_bag == pytest.approx(f * p)
    for way, price in (("names", p * b), ("tags", b)):
        assert own.costs()[way] == pytest.approx(n * price)
        assert own.efficiencies()[way] == pytest.approx(f * p * b / price)
    assert own.efficiencies()["boxes"] == 1
    assert own.tracklets_per_bag == own.tracklets / n
    assert list(own.costs().values()) == sorted(own.costs().values(), reverse=True)


TRAIN: Rows = [(p % 5 + 1, p % 2 + 1, "train", 12) for p in range(14)]


def test_bags_with_what_nobody_labels_are_refused() -> None:
    # test tracklets take the ids above the training's, which added ones take too
    tracklets, frames = dataset([*TRAIN, *[(9, 1, "gallery", 12)] * 60])
    plain = training_bags(tracklets, frames, seed=0)
    missed = training_bags(tracklets, frames, seed=0, missing=Missing())
    noisy = bags.noisy_tracking(plain, seed=0, parts=4)
    for made in (missed, noisy):
        with pytest.raises(ReidError, match=r"bag 0: tracklet \d+ is none of the training track"):
            labour(tracklets, made, 1)
    planted = plain.copy()
    planted["labels"] = [*plain["labels"][:-1], np.append(plain["labels"].iloc[-1], 99)]
    with pytest.raises(ReidError, match=f"bag {len(plain) - 1}: its labels are not the people"):
        labour(tracklets, planted, 1)
    twice = pd.concat([plain, plain])
    with pytest.raises(ReidError, match=r"bag 0: tracklet \d+ is in the bags twice"):
        labour(tracklets, twice, 1)
    other = plain.assign(role="gallery")
    with pytest.raises(ReidError, match="no bag of role 'train'"):
        labour(tracklets, other, 1)


def test_another_number_of_parts_is_refused() -> None:
    tracklets, frames = dataset(TRAIN)
    plain = training_bags(tracklets, frames, seed=0)
    cut = training_bags(tracklets, frames, seed=0, tracklet_parts=4)
    assert labour(tracklets, cut, 4).images == labour(tracklets, plain, 1).images
    assert labour(tracklets, cut, 4).tracklets == 4 * len(TRAIN)
    with pytest.raises(ReidError, match=r"none of the training tracklets \(tracklet_parts 1\)"):
        labour(tracklets, cut, 1)
    with pytest.raises(ReidError, match=r"tracklet_parts 4\)"):
        labour(tracklets, plain, 4)


@pytest.fixture(scope="module")
def mars_tables(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("mars")
    with zipfile.ZipFile(shared_data / "mars_info" / "info.zip") as archive:
        archive.extractall(folder)
    tracklets, _ = mars.read_info(folder / "info")
    lengths = tracklets["frame_count"].to_numpy()
    owners = np.repeat(tracklets["tracklet_id"].to_numpy(), lengths)
    return tracklets, pd.DataFrame({"tracklet_id": owners, "image": np.arange(len(owners))})


@pytest.mark.shared
def test_whole_mars_gives_the_counts_of_table_1(mars_tables) -> None:
    made = training_bags(*mars_tables, seed=1)
    coarse = coarse_bags(*mars_tables, seed=1)
    found = counts(mars_tables[0], made, coarse)
    persons = ("train IDs", "probe IDs", "gallery IDs")
    items = ("probe tracklets", "gallery tracklets")
    assert [found[f"coarse {name}"] for name in persons] == [625, 626, 634]
    assert [found[f"fine {name}"] for name in persons] == [625, 626, 636]
    assert found["coarse probe bags"] == 626
    assert [found[f"fine {name}"] for name in items] == [1980, 12180]
    # the paper's 2081 and 1867 are draws
    assert found["fine train bags"] == pytest.approx(2081, rel=0.02)
    assert found["coarse gallery bags"] == pytest.approx(1867, rel=0.02)
    own = labour(mars_tables[0], made, 1)
    assert (own.images, own.tracklets, own.bags) == (509914, 8298, found["fine train bags"])
    assert own.efficiencies()["tags"] == pytest.approx(509914 / 2081, rel=0.02)
