import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.supervision.helpers import coarse_bags, training_bags

from weakreid.artifacts import schemas
from weakreid.config.params import MakeBags
from weakreid.config.supervision import Missing
from weakreid.datasets import mars
from weakreid.errors import ReidError
from weakreid.stages import bags as stage
from weakreid.supervision import bags
from weakreid.supervision.planted import plant

Rows = list[tuple[int, int, str, int]]


def dataset(rows: Rows, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of a dataset of (person, camera, role, frames); image rows are no frame rows."""
    counts = np.array([row[3] for row in rows], dtype=int)
    tracklets = pd.DataFrame(
        {
            "tracklet_id": np.arange(len(rows)) + 10,
            "person_id": [row[0] for row in rows],
            "camera_id": [row[1] for row in rows],
            "role": [row[2] for row in rows],
            "first_frame": np.concatenate([[0], np.cumsum(counts)[:-1]]) if rows else [],
            "frame_count": counts,
        }
    )
    owners = np.repeat(tracklets["tracklet_id"].to_numpy(), counts)
    images = np.random.default_rng(seed).permutation(counts.sum()) + 1000
    return tracklets, pd.DataFrame({"tracklet_id": owners, "image": images})


def images_of(tracklets: pd.DataFrame, frames: pd.DataFrame) -> dict[int, list[int]]:
    return {
        int(t.tracklet_id): frames["image"][t.first_frame : t.first_frame + t.frame_count].tolist()
        for t in tracklets.itertuples()
    }


def equal(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return schemas.conform(a, "bags").equals(schemas.conform(b, "bags"))


training_rows = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.integers(1, 3),
        st.sampled_from(["train", "gallery"]),
        st.integers(3, 9),
    ),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(row[2] == "train" for row in rows))
limits = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda x: (x[0], x[0] + x[1]))


@settings(max_examples=150, deadline=None)
@given(
    rows=training_rows,
    per_bag=limits,
    parts=st.integers(1, 3),
    cap=st.none() | st.integers(1, 6),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_training_bags(rows, per_bag, parts, cap, seed, data):
    tracklets, frames = dataset(rows)
    options: dict[str, Any] = {
        "seed": seed,
        "tracklets_per_bag": per_bag,
        "tracklet_parts": parts,
        "max_frames": cap,
    }
    made = training_bags(tracklets, frames, **options)
    schemas.conform(made, "bags")
    assert made["bag_id"].tolist() == list(range(len(made)))
    assert set(made["role"]) == {"train"}
    assert made["camera_id"].is_monotonic_increasing
    train = tracklets[tracklets["role"] == "train"]
    about = train.set_index("tracklet_id")
    images = images_of(train, frames)

    # every part of every training tracklet is in one bag, and its frames with it
    parts_seen = Counter(i for ids in made["tracklet_ids"] for i in ids.tolist())
    assert parts_seen == Counter(i * parts + p for i in images for p in range(parts))
    seen: dict[int, list[int]] = {}
    for bag in made.itertuples():
        own = about.loc[[i // parts for i in bag.tracklet_ids]]
        assert set(own["camera_id"]) == {bag.camera_id}
        assert bag.labels.tolist() == sorted(set(own["person_id"]))
        assert len(bag.frames) == len(bag.frame_tracklets) == len(bag.truth_frame_persons)
        assert set(bag.frame_tracklets) == set(bag.tracklet_ids)
        persons = own["person_id"].to_numpy().tolist()
        by_part = dict(zip(bag.tracklet_ids.tolist(), persons, strict=True))
        for image, part, person in zip(
            bag.frames.tolist(), bag.frame_tracklets.tolist(), bag.truth_frame_persons, strict=True
        ):
            seen.setdefault(part, []).append(image)
            assert person == by_part[part]
    for i, expected in images.items():
        pieces = [seen[i * parts + p] for p in range(parts)]
        if cap is None:
            assert [image for piece in pieces for image in piece] == expected
            continue
        whole = np.array_split(np.array(expected), parts)
        for piece, complete in zip(pieces, whole, strict=True):
            assert len(piece) == min(cap, len(complete))
            assert piece == [image for image in complete if image in set(piece)]

    # sizes keep their limits, but for the last bag of a camera
    sizes = made["tracklet_ids"].map(len)
    last = ~made["camera_id"].duplicated(keep="last")
    assert sizes.max() <= per_bag[1]
    assert (sizes[~last] >= per_bag[0]).all()

    # the seed decides, the order of rows does not
    order = data.draw(st.permutations(range(len(tracklets))))
    assert equal(made, training_bags(tracklets.iloc[order], frames, **options))


def crowd(people: int = 30, cameras: int = 2, split: str = "train", frames: int = 40) -> Rows:
    return [(p + 1, c + 1, split, frames) for p in range(people) for c in range(cameras)] * 2


def test_sizes_are_drawn_evenly_and_both_limits_are_met():
    rows = [(i % 50 + 1, 1, "train", 1) for i in range(4000)]
    sizes = training_bags(*dataset(rows), seed=0)["tracklet_ids"].map(len)[:-1]
    shares = sizes.value_counts(normalize=True)
    assert sorted(shares.index) == [3, 4, 5]
    assert shares.between(0.28, 0.39).all()


def test_another_seed_gives_other_bags():
    made = [training_bags(*dataset(crowd()), seed=seed) for seed in (0, 1)]
    assert not equal(*made)


def test_one_tracklet_per_bag_is_full_supervision():
    made = training_bags(*dataset(crowd()), seed=0, tracklets_per_bag=(1, 1))
    assert len(made) == 120
    assert (made["labels"].map(len) == 1).all()


@settings(max_examples=60, deadline=None)
@given(rows=training_rows, seed=st.integers(0, 99), parts=st.integers(1, 2))
def test_missing_annotation_adds_other_people_and_no_label(rows, seed, parts):
    tracklets, frames = dataset(rows)
    missing = Missing(tracklets=(1, 3), frames=(2, 5))
    plain = training_bags(tracklets, frames, seed=seed, tracklet_parts=parts)
    noisy = training_bags(tracklets, frames, seed=seed, tracklet_parts=parts, missing=missing)
    schemas.conform(noisy, "bags")
    images = images_of(tracklets, frames)
    about = tracklets.set_index("tracklet_id")
    owner = {image: i for i, own in images.items() for image in own}
    train = tracklets[tracklets["role"] == "train"]
    new_ids = []
    for before, after in zip(plain.itertuples(), noisy.itertuples(), strict=True):
        assert after.labels.tolist() == before.labels.tolist()
        n = len(before.frames)
        assert after.frames[:n].tolist() == before.frames.tolist()
        assert (
            after.tracklet_ids[: len(before.tracklet_ids)].tolist() == before.tracklet_ids.tolist()
        )
        extra = after.tracklet_ids[len(before.tracklet_ids) :].tolist()
        new_ids += extra
        camera = train[train["camera_id"] == before.camera_id]
        available = set(camera["person_id"]) - set(before.labels)
        assert min(1, len(available)) <= len(extra) <= 3
        people = []
        for i in extra:
            place = after.frame_tracklets == i
            source = {owner[image] for image in after.frames[place].tolist()}
            assert len(source) == 1
            of = about.loc[source.pop()]
            assert of["camera_id"] == before.camera_id
            assert of["role"] == "train"
            assert set(after.truth_frame_persons[place]) == {of["person_id"]}
            people.append(of["person_id"])
            run = after.frames[place].tolist()
            assert 2 <= len(run) <= 5
            own = images[owner[run[0]]]
            assert own[own.index(run[0]) : own.index(run[0]) + len(run)] == run
        assert len(set(people)) == len(people)
        assert not set(people) & set(before.labels)
    assert len(set(new_ids)) == len(new_ids)
    assert not set(new_ids) & {i for ids in plain["tracklet_ids"] for i in ids}


def test_missing_annotation_with_the_papers_numbers():
    made = training_bags(*dataset(crowd()), seed=0, missing=Missing())
    extra = made["tracklet_ids"].map(len) - 3
    assert extra.between(0, 8).all()
    lengths = [
        count
        for ids in made["frame_tracklets"]
        for i, count in Counter(ids.tolist()).items()
        if i >= 130
    ]
    assert min(lengths) >= 5
    assert max(lengths) <= 30
    assert len(set(lengths)) > 10


coarse_rows = st.lists(
    st.tuples(
        st.sampled_from([-1, 0, 1, 2, 3, 4]),
        st.integers(1, 3),
        st.sampled_from(["train", "query", "gallery", "junk"]),
        st.integers(1, 9),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(rows=coarse_rows, per_bag=limits, seed=st.integers(0, 99), data=st.data())
def test_coarse_bags(rows, per_bag, seed, data):
    tracklets, frames = dataset(rows)
    options: dict[str, Any] = {"seed": seed, "tracklets_per_bag": per_bag, "max_frames": 4}
    people = tracklets[tracklets["role"].isin(["query", "gallery"]) & (tracklets["person_id"] > 0)]
    queried = people[people["person_id"].isin(people["person_id"][people["role"] == "query"])]
    first = queried.drop_duplicates("person_id")
    if len(first) in (0, len(people)):
        with pytest.raises(ReidError):
            coarse_bags(tracklets, frames, **options)
        return
    made = coarse_bags(tracklets, frames, **options)
    schemas.conform(made, "bags")
    assert made["bag_id"].tolist() == list(range(len(made)))
    probes, gallery = made[made["role"] == "probe"], made[made["role"] == "gallery"]
    assert made["role"].tolist() == ["probe"] * len(probes) + ["gallery"] * len(gallery)
    assert sorted(i for ids in probes["tracklet_ids"] for i in ids) == first["tracklet_id"].tolist()
    assert probes["camera_id"].is_monotonic_increasing
    assert gallery["camera_id"].is_monotonic_increasing
    rest = set(people["tracklet_id"]) - set(first["tracklet_id"])
    in_gallery = [i for ids in gallery["tracklet_ids"] for i in ids.tolist()]
    assert sorted(in_gallery) == sorted(rest)
    about = tracklets.set_index("tracklet_id")
    for bag in made.itertuples():
        own = about.loc[bag.tracklet_ids]
        assert set(own["camera_id"]) == {bag.camera_id}
        assert bag.labels.tolist() == sorted(set(own["person_id"]))
        counts = Counter(bag.frame_tracklets.tolist())
        most = 4 if bag.role == "gallery" else 10**9
        assert counts == {i: min(most, about.loc[i, "frame_count"]) for i in bag.tracklet_ids}
        assert len(own) <= (1 if bag.role == "probe" else per_bag[1])
    order = data.draw(st.permutations(range(len(tracklets))))
    assert equal(made, coarse_bags(tracklets.iloc[order], frames, **options))


@settings(max_examples=60, deadline=None)
@given(rows=training_rows, seed=st.integers(0, 99), parts=st.integers(1, 5))
def test_noisy_tracking_keeps_the_frames_and_mixes_the_tracklets(rows, seed, parts):
    plain = training_bags(*dataset(rows), seed=0)
    noisy = bags.noisy_tracking(plain, seed=seed, parts=parts)
    schemas.conform(noisy, "bags")
    assert equal(noisy, bags.noisy_tracking(plain, seed=seed, parts=parts))
    used: list[int] = []
    for before, after in zip(plain.itertuples(), noisy.itertuples(), strict=True):
        assert after.labels.tolist() == before.labels.tolist()
        person = dict(zip(before.frames.tolist(), before.truth_frame_persons, strict=True))
        assert sorted(after.frames) == sorted(before.frames)
        assert [person[i] for i in after.frames.tolist()] == after.truth_frame_persons.tolist()
        counts = Counter(after.frame_tracklets.tolist())
        assert len(counts) == min(parts, len(before.frames))
        assert max(counts.values()) - min(counts.values()) <= 1
        assert list(counts) == after.tracklet_ids.tolist()
        used += after.tracklet_ids.tolist()
    assert len(set(used)) == len(used)


def test_noisy_tracking_works_without_the_truth():
    plain = training_bags(*dataset(crowd()), seed=0)
    blind = plain.drop(columns="truth_frame_persons")
    noisy = bags.noisy_tracking(blind, seed=3, parts=4)
    assert "truth_frame_persons" not in noisy
    expected = bags.noisy_tracking(plain, seed=3, parts=4)
    assert [x.tolist() for x in noisy["frames"]] == [x.tolist() for x in expected["frames"]]


BLOCK: dict[str, Any] = {
    "seed": 5,
    "tracklets_per_bag": [3, 5],
    "tracklet_parts": 1,
    "max_frames": 30,
    "missing": None,
    "noisy_parts": None,
    "planted": None,
    "noise": None,
    "majority": False,
    "videos": False,
}
MISSING = {"tracklets": [3, 6], "frames": [5, 30]}
PLANTED = {"removed": 0.3, "added": 0.3}


@pytest.fixture(scope="module")
def of_stage(tmp_path_factory):
    """Return bags as the stage writes them, by what differs from the plain ones."""
    folder = tmp_path_factory.mktemp("stage")
    tracklets, frames = dataset(crowd())
    schemas.write(folder / "tracklets.parquet", "tracklets", tracklets, {})
    frames["position"], frames["file"], frames["truth_person_id"] = 0, "x.jpg", 0
    schemas.write(folder / "frames.parquet", "frames", frames, {})

    def made(tracks: Path | None = None, **changes: Any) -> pd.DataFrame:
        block, out = {**BLOCK, **changes}, folder / "bags.parquet"
        stage.main(
            tracklets=folder / "tracklets.parquet",
            frames=folder / "frames.parquet",
            params=MakeBags.model_validate(block),
            out=out,
            tracks=tracks,
        )
        assert schemas.read_params(out) == block
        return schemas.read_frame(out, "bags", truth=True)

    return made


def labels_of(table: pd.DataFrame) -> list[list[int]]:
    return [labels.tolist() for labels in table["labels"]]


def test_the_stage_adds_missing_annotation_and_leaves_the_labels(of_stage):
    plain, missing = of_stage(), of_stage(missing=MISSING)
    assert labels_of(missing) == labels_of(plain)
    assert missing["camera_id"].equals(plain["camera_id"])
    more = missing["frames"].map(len) - plain["frames"].map(len)
    assert (more >= 0).all()
    assert more.sum() > 0
    for before, after in zip(plain["frames"], missing["frames"], strict=True):
        assert after[: len(before)].tolist() == before.tolist()


@pytest.mark.parametrize("others", [{}, {"missing": MISSING}], ids=["alone", "and missing"])
def test_the_stage_mixes_tracklets_and_leaves_labels_and_frames(of_stage, others):
    plain, noisy = of_stage(**others), of_stage(noisy_parts=4, **others)
    assert labels_of(noisy) == labels_of(plain)
    assert set(noisy["tracklet_ids"].map(len)) == {4}
    for before, after in zip(plain.itertuples(), noisy.itertuples(), strict=True):
        assert sorted(after.frames) == sorted(before.frames)
        old = dict(zip(before.frames.tolist(), before.frame_tracklets.tolist(), strict=True))
        joined = {
            number: {old[image] for image in after.frames[after.frame_tracklets == number].tolist()}
            for number in after.tracklet_ids
        }
        alone = len(before.tracklet_ids) == 1
        assert alone or any(len(of_part) > 1 for of_part in joined.values())


@pytest.mark.parametrize("others", [{}, {"noisy_parts": 4}], ids=["alone", "and noisy"])
def test_the_stage_plants_errors_in_labels_alone(of_stage, others):
    plain, planted = of_stage(**others), of_stage(planted=PLANTED, **others)
    assert equal(planted, plant(plain, seed=BLOCK["seed"], **PLANTED))
    assert labels_of(planted) != labels_of(plain)
    assert equal(planted.assign(labels=plain["labels"]), plain)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([(1, 1, "gallery", 5)], {}, "no tracklet of role 'train'"),
        ([(1, 1, "train", 5), (0, 1, "train", 5)], {}, "tracklet 11 has person 0"),
        ([(-1, 1, "train", 5)], {}, "tracklet 10 has person -1"),
        ([(1, 1, "train", 2)], {"tracklet_parts": 3}, "tracklet 10 has 2 frames .* 3 parts"),
        ([(1, 1, "train", 2)], {"missing": Missing()}, "no training tracklet has 5 frames"),
    ],
)
def test_what_cannot_be_bagged_is_refused(rows, options, message):
    with pytest.raises(ReidError, match=message) as caught:
        training_bags(*dataset(rows), seed=0, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", ["frame_count", "first_frame"])
@pytest.mark.parametrize("by", [-1, 1, -100, 100])
def test_tables_that_do_not_fit_each_other_are_refused(change, by):
    tracklets, frames = dataset([(1, 1, "train", 5), (2, 1, "train", 5), (3, 1, "train", 5)])
    tracklets.loc[1, change] += by
    with pytest.raises(ReidError, match=r"tracklet 11: rows .* are not its own frames"):
        training_bags(tracklets, frames, seed=0)


def test_a_table_with_a_tracklet_twice_is_refused():
    tracklets, frames = dataset([(1, 1, "train", 5)])
    with pytest.raises(ReidError, match="tracklet 10 stands there twice"):
        training_bags(pd.concat([tracklets, tracklets]), frames, seed=0)


@pytest.fixture(scope="module")
def mars_tables(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("mars")
    with zipfile.ZipFile(shared_data / "mars_info" / "info.zip") as archive:
        archive.extractall(folder)
    tracklets, _ = mars.read_info(folder / "info")
    counts = tracklets["frame_count"].to_numpy()
    frames = pd.DataFrame(
        {
            "tracklet_id": np.repeat(tracklets["tracklet_id"].to_numpy(), counts),
            "image": np.arange(counts.sum()),
        }
    )
    return tracklets, frames


@pytest.mark.shared
def test_whole_mars_gives_the_counts_of_table_1(mars_tables):
    for seed in range(3):
        made = training_bags(*mars_tables, seed=seed)
        assert 2050 <= len(made) <= 2100
        assert sum(len(ids) for ids in made["tracklet_ids"]) == 8298
        assert len({label for labels in made["labels"] for label in labels}) == 625
        coarse = coarse_bags(*mars_tables, seed=seed)
        gallery = coarse[coarse["role"] == "gallery"]
        assert (coarse["role"] == "probe").sum() == 626
        assert len({label for labels in gallery["labels"] for label in labels}) == 634
        assert 1840 <= len(gallery) <= 1880
        assert gallery["tracklet_ids"].map(len).sum() == 8062 - 626


def tracks_of(rows: list[list[int]], cameras: list[int] | None = None) -> pd.DataFrame:
    """Table "tracks": the persons of the frames of each tracklet."""
    lengths = [len(row) for row in rows]
    owners = np.repeat(np.arange(len(rows)), lengths)
    return pd.DataFrame(
        {
            "tracklet_id": owners,
            "position": np.concatenate([np.arange(n) for n in lengths]),
            "image": np.random.default_rng(0).permutation(len(owners)) + 500,
            "camera_id": np.repeat(cameras or [1] * len(rows), lengths),
            "source_id": owners,
            "truth_person_id": np.concatenate(rows),
        }
    )


def bag_tracks(tracks: pd.DataFrame, **options: Any) -> pd.DataFrame:
    nothing = pd.DataFrame()
    return training_bags(nothing, nothing, **{"seed": 0, "tracks": tracks, **options})


track_rows = st.lists(
    st.tuples(st.integers(1, 3), st.lists(st.integers(0, 4), min_size=2, max_size=9)),
    min_size=1,
    max_size=20,
).filter(lambda rows: any(max(persons) for _, persons in rows))


@settings(max_examples=100, deadline=None)
@given(
    rows=track_rows,
    per_bag=limits,
    parts=st.integers(1, 2),
    cap=st.none() | st.integers(1, 5),
    majority=st.booleans(),
    seed=st.integers(0, 99),
)
def test_bags_of_noisy_tracklets(rows, per_bag, parts, cap, majority, seed):
    tracks = tracks_of([persons for _, persons in rows], [camera for camera, _ in rows])
    options: dict[str, Any] = {
        "seed": seed,
        "tracklets_per_bag": per_bag,
        "tracklet_parts": parts,
        "max_frames": cap,
        "majority": majority,
    }
    made = bag_tracks(tracks, **options)
    schemas.conform(made, "bags")
    assert equal(made, bag_tracks(tracks.sample(frac=1, random_state=seed), **options))
    about = tracks.set_index("image")
    pieces = {
        i * parts + p: piece
        for i, own in tracks.groupby("tracklet_id")
        for p, piece in enumerate(np.array_split(own["image"].to_numpy(), parts))
    }
    people = {i: about.loc[piece, "truth_person_id"].tolist() for i, piece in pieces.items()}
    used = [i for ids in made["tracklet_ids"] for i in ids.tolist()]
    assert sorted(used) == sorted(i for i, own in people.items() if max(own) > 0)
    for bag in made.itertuples():
        assert len(bag.tracklet_ids) <= per_bag[1]
        own = about.loc[bag.frames]
        assert set(own["camera_id"]) == {bag.camera_id}
        assert own["truth_person_id"].tolist() == bag.truth_frame_persons.tolist()
        names = set()
        for i in bag.tracklet_ids.tolist():
            taken = bag.frames[bag.frame_tracklets == i].tolist()
            assert taken == [image for image in pieces[i].tolist() if image in set(taken)]
            assert len(taken) == min(len(pieces[i]), cap or 99)
            counts = Counter(person for person in people[i] if person > 0)
            most = min(counts, key=lambda person: (-counts[person], person))
            names |= {most} if majority else set(counts)
        assert bag.labels.tolist() == sorted(names)


def test_clean_tracks_give_the_bags_of_the_dataset():
    tracklets, frames = dataset([(i % 5 + 1, i % 2 + 1, "train", 40) for i in range(20)])
    tracklets, frames = tracklets.assign(tracklet_id=range(20)), frames.copy()
    frames["tracklet_id"] -= 10
    tracks = tracks_of([[i % 5 + 1] * 40 for i in range(20)], [i % 2 + 1 for i in range(20)])
    tracks["image"] = frames["image"]
    plain = training_bags(tracklets, frames, seed=4)
    for majority in (False, True):
        assert equal(plain, bag_tracks(tracks, seed=4, majority=majority))
    assert equal(plain, training_bags(tracklets, frames, seed=4, majority=True))


def test_a_tracklet_of_nobody_is_in_no_bag_and_that_is_said(capsys):
    made = bag_tracks(tracks_of([[0, 0], [1, 0, 0], [2, 2]]))
    assert sorted(made["labels"].iloc[0]) == [1, 2]
    assert sorted(made["truth_frame_persons"].iloc[0]) == [0, 0, 1, 2, 2]
    assert "1 tracklets show nobody who is known and are in no bag" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t, {"missing": Missing()}, "missing annotation .* set missing to null"),
        (lambda t: t.iloc[:0], {}, "table 'tracks' is empty"),
        (lambda t: t.assign(camera_id=range(5)), {}, "tracklet 0 has frames of several cameras"),
        (lambda t: t.assign(truth_person_id=0), {}, "none of the 2 tracklets shows somebody"),
        (lambda t: t, {"tracklet_parts": 3}, "tracklet 1 has 2 frames .* 3 parts"),
    ],
)
def test_tracks_that_cannot_be_bagged_are_refused(change, options, message):
    with pytest.raises(ReidError, match=message) as caught:
        bag_tracks(change(tracks_of([[1, 1, 2], [2, 2]])), **options)
    assert "\n" not in str(caught.value)


def test_the_stage_takes_tracks_and_names_them_after_their_majority(of_stage, tmp_path: Path):
    path = tmp_path / "tracks.parquet"
    schemas.write(path, "tracks", tracks_of([[3, 4, 4], [9, 8, 8, 9], [0, 7]]), {})
    one = {"tracklets_per_bag": [1, 1]}
    assert sorted(labels_of(of_stage(path, **one))) == [[3, 4], [7], [8, 9]]
    named = of_stage(path, **one, majority=True, noise="rfm17")
    assert sorted(labels_of(named)) == [[4], [7], [8]]
