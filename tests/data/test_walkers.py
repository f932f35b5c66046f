"""The generated pedestrians: layout, truth, determinism, and that they can be told apart."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.datasets.walkers import layout
from weakreid.datasets.walkers.attributes import ATTRIBUTES, LEFT_OUT, attributes
from weakreid.datasets.walkers.layout import SIZES, generate, plan, query_rows
from weakreid.datasets.walkers.people import cast, draw_person, marks
from weakreid.datasets.walkers.render import tracklet
from weakreid.datasets.walkers.scene import STYLES, camera
from weakreid.errors import ReidError
from weakreid.report.walkers_sheet import contact_sheet
from weakreid.seeding import numpy_generator

TINY = SIZES["tiny"]
HOW: dict[str, Any] = {"style": "street", "workers": 1}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("walkers") / "tiny"
    generate(root, TINY, seed=3, **HOW)
    return root


def digests(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def info(root: Path, split: str) -> tuple[list[str], np.ndarray]:
    names = (root / "info" / f"{split}_name.txt").read_text().splitlines()
    rows = scipy.io.loadmat(root / "info" / f"tracks_{split}_info.mat")[f"track_{split}_info"]
    return names, rows


def test_same_bytes_whatever_the_number_of_workers(tiny: Path, tmp_path: Path) -> None:
    generate(tmp_path / "two", TINY, seed=3, style="street", workers=2)
    assert digests(tmp_path / "two") == digests(tiny)


def test_seed_and_style_matter(tiny: Path, tmp_path: Path) -> None:
    generate(tmp_path / "other", TINY, seed=4, **HOW)
    other = digests(tmp_path / "other")
    same = [name for name, value in digests(tiny).items() if other.get(name) == value]
    assert not [name for name in same if name.endswith(".jpg")]


@pytest.mark.parametrize("split", ["train", "test"])
def test_name_lists_are_the_files_in_order(tiny: Path, split: str) -> None:
    names, _ = info(tiny, split)
    files = sorted(file.name for file in (tiny / f"bbox_{split}").rglob("*.jpg"))
    assert names == sorted(names) == files
    assert all((tiny / f"bbox_{split}" / name[:4] / name).is_file() for name in names)


@pytest.mark.parametrize("split", ["train", "test"])
def test_rows_are_contiguous_and_name_their_tracklet(tiny: Path, split: str) -> None:
    names, rows = info(tiny, split)
    assert rows.dtype == np.int32
    assert rows[0, 0] == 1
    assert rows[-1, 1] == len(names)
    assert (rows[1:, 0] == rows[:-1, 1] + 1).all()
    for first, last, person, number in rows:
        own = names[first - 1 : last]
        assert {name[:4] for name in own} == {layout.folder(int(person))}
        assert {int(name[5]) for name in own} == {int(number)}
        assert len({name[7:11] for name in own}) == 1
        assert [int(name[12:15]) for name in own] == list(range(1, len(own) + 1))


def test_the_splits_share_nobody_and_the_counts_are_as_asked(tiny: Path) -> None:
    _, train = info(tiny, "train")
    _, test = info(tiny, "test")
    trained, tested = set(train[:, 2]), set(test[:, 2]) - {0, -1}
    assert not trained & tested
    assert len(trained) == TINY.train_persons
    assert len(tested) == TINY.test_persons
    assert (test[:, 2] == 0).sum() == TINY.distractors
    assert (test[:, 2] == -1).sum() == TINY.junk_tracklets
    assert set(train[:, 3]) | set(test[:, 3]) <= set(range(1, TINY.cameras + 1))


def test_one_query_per_person_and_camera_with_a_match_elsewhere(tiny: Path) -> None:
    _, rows = info(tiny, "test")
    query = scipy.io.loadmat(tiny / "info" / "query_IDX.mat")["query_IDX"]
    assert query.shape[0] == 1
    chosen = rows[query[0] - 1]
    assert (np.diff(query[0]) > 0).all()
    pairs = {tuple(pair) for pair in rows[rows[:, 2] > 0][:, 2:].tolist()}
    assert sorted(map(tuple, chosen[:, 2:].tolist())) == sorted(pairs)
    rest = np.delete(rows, query[0] - 1, axis=0)
    for _, _, person, number in chosen:
        assert ((rest[:, 2] == person) & (rest[:, 3] != number)).any()


def test_a_query_list_picks_at_random() -> None:
    tracklets, _ = plan(replace(TINY, tracklets_per_camera=(3, 3)), seed=0)
    test = [item for item in tracklets if item.split == "test"]
    numbers = {test[row - 1].number for row in query_rows(0, test)}
    assert len(numbers) > 1


def test_frames_have_the_size_and_are_not_blank(tiny: Path) -> None:
    files = sorted(tiny.rglob("*.jpg"))
    for file in files[::7]:
        picture = cv2.imread(str(file))
        assert picture is not None
        assert picture.shape == (TINY.height, TINY.width, 3)
        assert picture.std() > 5


@pytest.mark.parametrize("split", ["train", "test"])
def test_masks_and_truth_follow_the_name_lists(tiny: Path, split: str) -> None:
    names, _ = info(tiny, split)
    masks = pd.read_parquet(tiny / "truth" / "masks" / f"bbox_{split}.parquet")
    frames = pd.read_parquet(tiny / "truth" / "frames.parquet")
    frames = frames[frames["split"] == split].reset_index(drop=True)
    assert list(masks["file"]) == names
    assert list(frames["file"]) == names
    parts = frames[["head", "up", "low", "shoes", "person_share", "other_share"]]
    assert ((parts >= 0) & (parts <= 1)).all(axis=None)
    assert frames["heading"].between(0, 360).all()
    for data, share, person in zip(
        masks["mask"], frames["person_share"], frames["person_id"], strict=True
    ):
        mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        assert mask.shape == (TINY.height, TINY.width)
        assert set(np.unique(mask)) <= {0, 255}
        # thin things lose a little when the mask is reduced to the written size
        assert abs((mask > 0).mean() - share) < 0.05
        assert person < 0 or mask.any()


def test_persons_have_their_attributes_and_nobody_else_has(tiny: Path) -> None:
    persons = pd.read_parquet(tiny / "truth" / "persons.parquet")
    assert list(persons.columns) == ["person_id", *ATTRIBUTES]
    _, made = plan(TINY, seed=3)
    assert list(persons["person_id"]) == sorted(made)
    assert 0 not in made
    for _, row in persons.iterrows():
        expected = attributes(made[int(row["person_id"])][0])
        assert {name: int(row[name]) for name in ATTRIBUTES} == expected


@pytest.mark.shared
def test_attribute_names_are_raps(shared_data: Path) -> None:
    table = scipy.io.loadmat(shared_data / "rap" / "RAP_annotation.mat")["RAP_annotation"][0, 0]
    names = [str(row[0][0]) for row in table["attribute_eng"]]
    assert set(ATTRIBUTES) | set(LEFT_OUT) <= set(names)
    assert [name for name in names if name in ATTRIBUTES] == list(ATTRIBUTES)


def test_sixty_six_attributes_less_what_cannot_be_seen() -> None:
    assert len(set(ATTRIBUTES)) + len(LEFT_OUT) == 66


@given(st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_attributes_do_not_contradict_each_other(seed: int) -> None:
    ticked = attributes(draw_person(np.random.default_rng(seed)))
    for prefix, most in (("ub-", 2), ("lb-", 1), ("attach-", 1), ("up-", 2), ("low-", 2)):
        assert sum(value for name, value in ticked.items() if name.startswith(prefix)) <= most
    assert sum(ticked[name] for name in ATTRIBUTES if name.startswith("up-")) >= 1
    assert sum(ticked[name] for name in ATTRIBUTES if name.startswith("shoes-")) == 2


@given(st.integers(0, 2**31), st.integers(2, 40), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_look_alikes_share_garments_and_colours_but_differ(
    seed: int, count: int, share: float
) -> None:
    people, groups = cast(seed, "test", count, share)
    assert len(people) == len(groups) == count
    assert abs(sum(group > 0 for group in groups) - share * count) <= 2
    for group in set(groups) - {0}:
        members = [person for person, own in zip(people, groups, strict=True) if own == group]
        assert 2 <= len(members) <= 5
        for name in ("upper", "upper_name", "upper_colour", "lower", "lower_name", "female"):
            assert len({getattr(member, name) for member in members}) == 1
        assert len(set(members)) == len(members)
        assert len({marks(member) for member in members}) == len(members)


def test_more_persons_leave_the_first_ones_as_they_are() -> None:
    few, _ = cast(5, "train", 4, 0.0)
    many, _ = cast(5, "train", 9, 0.0)
    assert many[:4] == few


def test_an_occluder_or_a_bad_box_lowers_what_is_seen() -> None:
    person = draw_person(np.random.default_rng(0))
    place = camera(0, "street", 1)

    def seen(fault: float) -> float:
        shares = []
        for i in range(6):
            rng = numpy_generator(0, "test", i)
            shares += [
                np.mean(frame.visible)
                for frame in tracklet(rng, 0, person, place, 3, 64, 32, fault)
            ]
        return float(np.mean(shares))

    assert seen(0.0) > 0.75
    assert seen(1.0) < seen(0.0) - 0.1


def test_a_false_detection_shows_nobody() -> None:
    person = draw_person(np.random.default_rng(0))
    for frame in tracklet(
        numpy_generator(0, "test"), 0, person, camera(0, "street", 1), 3, 64, 32, empty=True
    ):
        assert frame.visible == (0, 0, 0, 0)
        assert frame.person_share == 0


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_kind_of_person_renders_in_both_styles(style: str) -> None:
    shown = 0
    for seed in range(40):
        person = draw_person(np.random.default_rng(seed))
        place = camera(seed, style, 1 + seed % 9)
        for frame in tracklet(numpy_generator(seed, "test"), 0, person, place, 1, 64, 32):
            shown += frame.person_share > 0.08
    assert shown >= 37


def test_colour_alone_does_not_solve_it_but_helps(tmp_path: Path) -> None:
    """A stripe histogram of the crop's middle, cross-camera: above chance, far from solved."""
    size = replace(TINY, test_persons=30, train_persons=1, distractors=0, junk_tracklets=0)
    generate(tmp_path / "probe", replace(size, tracklets_per_camera=(2, 2)), seed=1, **HOW)
    names, rows = info(tmp_path / "probe", "test")
    features = []
    for first, last, _, _ in rows:
        frames = []
        for name in names[first - 1 : last]:
            picture = cv2.imread(str(tmp_path / "probe" / "bbox_test" / name[:4] / name))
            assert picture is not None
            middle = picture[:, 8:24]
            stripes = np.array_split(middle, 6)
            frames.append(
                np.concatenate(
                    [
                        np.histogram(stripe[..., channel], 16, (0, 256))[0]
                        for stripe in stripes
                        for channel in range(3)
                    ]
                )
            )
        feature = np.sqrt(np.mean(frames, axis=0))
        features.append(feature / np.linalg.norm(feature))
    similar = np.array(features) @ np.array(features).T
    persons, cameras = rows[:, 2], rows[:, 3]
    same = persons[:, None] == persons[None, :]
    elsewhere = cameras[:, None] != cameras[None, :]
    similar[~elsewhere] = -1
    hits = same[np.arange(len(rows)), similar.argmax(1)]
    chance = (same & elsewhere).sum() / elsewhere.sum()
    assert 2 * chance < hits.mean() < 0.75


BAD: list[dict[str, Any]] = [
    {"cameras": 10},
    {"cameras_per_person": (1, 4)},
    {"frames": (4, 1000)},
    {"test_persons": 10000},
    {"junk_tracklets": 10000},
    {"height": 8},
]


@pytest.mark.parametrize("wrong", BAD, ids=str)
def test_bad_arguments_are_refused_in_one_line(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ReidError) as caught:
        generate(tmp_path / "bad", replace(TINY, **wrong), seed=0, **HOW)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_only_its_own_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    with pytest.raises(ReidError, match="not made here"):
        generate(tmp_path / "mine", TINY, seed=0, **HOW)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "dear"
    few = replace(TINY, train_persons=1, test_persons=1, distractors=0, junk_tracklets=0)
    generate(tmp_path / "made", few, seed=0, **HOW)
    generate(tmp_path / "made", few, seed=1, **HOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "mine"]


def test_mars_size_is_planned_as_mars_is() -> None:
    tracklets, persons = plan(SIZES["mars"], seed=0)
    assert len(persons) == 1261
    frames = sum(item.frames for item in tracklets)
    assert 1.0e6 < frames < 1.4e6
    assert max(item.frames for item in tracklets) <= 920
    assert max(item.number for item in tracklets) <= 9999


def test_contact_sheet(tiny: Path, tmp_path: Path) -> None:
    figure = contact_sheet(tiny, "walkers_x", persons=3)
    written = [text.get_text() for text in figure.texts]
    assert written[0].startswith("walkers_x: 3 of 6 test persons")
    assert sum(text.startswith("person ") for text in written) == 3
    assert sum(text.startswith("cam. ") for text in written) == len(figure.axes) > 3
    with pytest.raises(ReidError, match="no such file"):
        contact_sheet(tmp_path, "none", persons=3)
