"""Isolation cuts tracklets by person; no frame is lost or doubled."""

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from weakreid.artifacts.schemas import conform
from weakreid.clustering import centring, isolation
from weakreid.clustering.isolation import (
    distances,
    groups,
    isolate,
    isolate_by_truth,
    isolation_quality,
    spread,
)
from weakreid.config.supervision import Isolation
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.supervision import noise as noises

CHOICES = ("join", "own", "drop")
COLUMNS = ["tracklet_id", "position", "image", "camera_id", "source_id", "truth_person_id"]


def tracks_of(*tracklets: list[int], camera: int = 1) -> pd.DataFrame:
    """Tracklets by the persons in their frames; the images count down."""
    rows = [
        (number, position, 0, camera, number, person)
        for number, persons in enumerate(tracklets)
        for position, person in enumerate(persons)
    ]
    made = pd.DataFrame(rows, columns=COLUMNS)
    return made.assign(image=np.arange(len(made))[::-1] + 100)


def at(*degrees: float) -> np.ndarray:
    """Features in the plane by their angle, of lengths that must not matter."""
    angles = np.radians(degrees)
    lengths = 1 + np.arange(len(angles))[:, None] % 3
    return (np.stack([np.cos(angles), np.sin(angles)], axis=1) * lengths).astype(np.float32)


def chord(degrees: float) -> float:
    """The distance of features of length 1 so many degrees apart."""
    return 2 * float(np.sin(np.radians(degrees) / 2))


TEN = chord(10)


def how(**changes: Any) -> Isolation:
    return Isolation(extractor="x", **changes)


def parts(made: pd.DataFrame) -> list[list[int]]:
    return [own["image"].tolist() for _, own in made.groupby("tracklet_id")]


def test_two_people_are_separated_in_their_order() -> None:
    # the second person first, the frames of both interleaved
    tracks = tracks_of([2, 1, 2, 1, 1], [3, 3])
    features = at(90, 0, 92, 2, 4, 40, 41)
    made = isolate(tracks, features, how(eps=TEN, min_samples=2), threads=1)
    images = tracks["image"].to_numpy()
    assert parts(made) == [images[[0, 2]].tolist(), images[[1, 3, 4]].tolist(), [101, 100]]
    assert made["tracklet_id"].tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert made["position"].tolist() == [0, 1, 0, 1, 2, 0, 1]
    assert made["source_id"].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert made["truth_person_id"].tolist() == [2, 2, 1, 1, 1, 3, 3]
    assert list(made.columns) == COLUMNS
    conform(made, "tracks")


@pytest.mark.parametrize(
    ("outliers", "reach", "expected"),
    [
        # 30 is nearer to the frames around 60, by its nearest of each
        ("join", None, [[0, 1], [2, 3, 4, 5]]),
        ("join", 2.6, [[0, 1], [2, 3, 4, 5]]),
        ("join", 2.4, [[0, 1], [2], [3, 4, 5]]),
        ("own", None, [[0, 1], [2], [3, 4, 5]]),
        ("drop", None, [[0, 1], [3, 4, 5]]),
    ],
)
def test_what_becomes_of_outliers(outliers: str, reach: float | None, expected: list[Any]) -> None:
    tracks = tracks_of([1, 1, 1, 2, 2, 2])
    features = at(0, 4, 30, 55, 59, 63)
    made = isolate(
        tracks, features, how(eps=TEN, min_samples=2, outliers=outliers, reach=reach), threads=1
    )
    assert [[105 - image for image in part] for part in parts(made)] == expected


def test_an_outlier_joins_a_core_frame_the_earliest_of_equals() -> None:
    # 9 is a border frame, nearer to 18.5 than the core frame at 30 is
    features = at(-9, 0, 9, 30, 31, 32, 18.5)
    found = groups(features, how(eps=chord(9.1), min_samples=3, outliers="drop"))
    assert found.tolist() == [0, 0, 0, 1, 1, 1, -1]
    assert groups(features, how(eps=chord(9.1), min_samples=3, outliers="join"))[-1] == 1
    # two clusters at the same distance, to the last bit
    x, y = np.cos(np.radians([20, 21])), np.sin(np.radians([20, 21]))
    mirrored = np.concatenate([np.stack([x, y], 1), np.stack([x, -y], 1), [[1.0, 0.0]]])
    assert groups(mirrored, how(eps=TEN, min_samples=2, outliers="drop")).tolist() == [
        0,
        0,
        1,
        1,
        -1,
    ]
    assert groups(mirrored, how(eps=TEN, min_samples=2, outliers="join")).tolist() == [
        0,
        0,
        1,
        1,
        0,
    ]


def test_pieces_that_are_too_small_go_to_the_nearest() -> None:
    # two people, and two frames that look like neither: nearer to the first, and to the second
    features = at(0, 4, 8, 30, 60, 90, 94, 98)
    options: dict[str, Any] = {"eps": TEN, "min_samples": 2, "outliers": "join", "reach": 1.0}
    assert groups(features, how(**options)).tolist() == [0, 0, 0, 2, 3, 1, 1, 1]
    assert groups(features, how(**options, min_frames=2)).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    # no piece is as long: the tracklet is not cut
    assert groups(features, how(**options, min_frames=4)).tolist() == [0] * 8
    tracks = tracks_of([1, 1, 1, 1, 2, 2, 2, 2])
    made = isolate(tracks, features, how(**options, min_frames=2), threads=1)
    assert [len(part) for part in parts(made)] == [4, 4]


def test_no_cluster() -> None:
    tracks = tracks_of([1, 2, 3], [4], [5, 5])
    features = at(0, 90, 180, 0, 0, 1)
    whole = isolate(tracks, features, how(eps=TEN, min_samples=2), threads=1)
    assert parts(whole) == [[105, 104, 103], [102], [101, 100]]
    own = isolate(tracks, features, how(eps=TEN, min_samples=2, outliers="own"), threads=1)
    assert parts(own) == [[105], [104], [103], [102], [101, 100]]
    # bounded, nothing is near enough to join, as there is nothing
    bounded = isolate(tracks, features, how(eps=TEN, min_samples=2, reach=1.0), threads=1)
    pd.testing.assert_frame_equal(bounded, own)
    # a tracklet of one frame passes, whatever min_samples says
    drop = isolate(tracks, features, how(eps=TEN, min_samples=2, outliers="drop"), threads=1)
    assert parts(drop) == [[102], [101, 100]]
    assert drop["source_id"].tolist() == [1, 2, 2]
    assert drop["tracklet_id"].tolist() == [0, 1, 1]


def test_clusters_are_dbscans() -> None:
    generator = numpy_generator(0, "points")
    features = generator.normal(size=(60, 3)).astype(np.float32)
    unit = features.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for eps, least in ((0.2, 2), (0.3, 4), (0.5, 3)):
        expected = DBSCAN(eps=eps, min_samples=least).fit(unit).labels_
        found = groups(features, how(eps=eps, min_samples=least, outliers="drop"))
        assert len(set(expected)) > 1
        assert found.tolist() == expected.tolist()
    exact = np.linalg.norm(unit[:, None] - unit, axis=2)
    np.testing.assert_allclose(distances(features), exact, atol=1e-7)


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(2, 60),
    people=st.integers(1, 5),
    seed=st.integers(0, 999),
    eps=st.sampled_from([0.1, 0.4, 0.7, 1.2]),
    least=st.integers(1, 6),
    choice=st.sampled_from(
        [*({"outliers": name} for name in CHOICES), {"outliers": "join", "reach": 1.5}]
    ),
)
def test_long_tracklets_are_cut_like_short_ones(
    count: int, people: int, seed: int, eps: float, least: int, choice: dict[str, Any]
) -> None:
    generator = numpy_generator(seed, "frames")
    features = generator.normal(size=(people, 6))[generator.integers(0, people, count)]
    features += 0.4 * generator.normal(size=features.shape)
    features[generator.random(count) < 0.3] = features[0]
    expected = groups(features, how(eps=eps, min_samples=least, **choice))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "LONG", 1)
        patch.setattr(isolation, "_BLOCK", 8)
        found = groups(features, how(eps=eps, min_samples=least, **choice))
    assert found.tolist() == expected.tolist()


def test_a_long_tracklet_takes_little_memory() -> None:
    features = numpy_generator(0, "frames").normal(size=(2, 3000, 8)) + 5
    features[0, :, 0] -= 30
    # the first person alone first, then both by turns; all of one are near each other
    features = features.transpose(1, 0, 2).reshape(-1, 8)[1:].astype(np.float32)
    tracemalloc.start()
    found = groups(features, how(eps=0.6, min_samples=4, outliers="join"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.tolist() == [0, 1] * 2999 + [0]
    # all distances would be 288 MB, and as much again for what is computed of them
    assert peak < 60e6


@st.composite
def tracked(draw: st.DrawFn) -> tuple[pd.DataFrame, np.ndarray]:
    lengths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
    generator = numpy_generator(draw(st.integers(0, 99)), "tracks")
    tracks = tracks_of(*(generator.integers(1, 4, n).tolist() for n in lengths))
    images = generator.permutation(10 * len(tracks))[: len(tracks)]
    centres = generator.normal(size=(4, 5))
    spread = draw(st.sampled_from([0.05, 0.3, 1.0]))
    features = centres[tracks["truth_person_id"]] + spread * generator.normal(size=(len(tracks), 5))
    return tracks.assign(image=images, camera_id=tracks["tracklet_id"] % 2), features


@settings(max_examples=60, deadline=None)
@given(tracked(), st.floats(0.05, 1.9), st.integers(1, 4), st.sampled_from([*CHOICES, "reach"]))
def test_no_frame_is_lost_or_doubled(
    made: tuple[pd.DataFrame, np.ndarray], eps: float, least: int, outliers: str
) -> None:
    tracks, features = made
    choice: dict[str, Any] = (
        {"outliers": "join", "reach": 1.3} if outliers == "reach" else {"outliers": outliers}
    )
    try:
        cut = isolate(tracks, features, how(eps=eps, min_samples=least, **choice), threads=1)
    except ReidError:
        assert outliers == "drop"
        return
    assert cut["image"].is_unique
    kept = set(cut["image"])
    assert kept <= set(tracks["image"])
    if outliers != "drop":
        assert kept == set(tracks["image"])
    # the very frames: everything else of a frame is what it was
    same = ["image", "camera_id", "source_id", "truth_person_id"]
    beside = cut[same].merge(tracks[same], how="left", indicator=True)
    assert (beside["_merge"] == "both").all()
    # numbered from 0 without gaps, by the tracklet cut and the first position in it
    place = tracks.set_index("image")["position"]
    found = [own for _, own in cut.groupby("tracklet_id")]
    assert cut["tracklet_id"].is_monotonic_increasing
    assert cut["tracklet_id"].unique().tolist() == list(range(len(found)))
    keys = []
    for own in found:
        positions = place[own["image"]].tolist()
        assert len(set(own["source_id"])) == 1
        assert positions == sorted(positions)
        assert own["position"].tolist() == list(range(len(own)))
        keys.append((own["source_id"].iloc[0], positions[0]))
    assert keys == sorted(keys)
    again = isolate(tracks, 3.0 * features, how(eps=eps, min_samples=least, **choice), threads=3)
    pd.testing.assert_frame_equal(again, cut)
    blind = isolate(
        tracks.drop(columns="truth_person_id"),
        features,
        how(eps=eps, min_samples=least, **choice),
        threads=1,
    )
    pd.testing.assert_frame_equal(blind, cut.drop(columns="truth_person_id"))
    quality = isolation_quality(tracks, cut)
    before, after = quality["before"], quality["after"]
    assert (before["rfm"], before["rsw"]) == pytest.approx(noises.measured(tracks))
    if outliers != "drop":
        # the paper's point: isolation never joins people, and adds fragments
        assert after["purity"] >= before["purity"] - 1e-9
        assert after["rfm"] >= before["rfm"] - 1e-9
        assert after["rsw"] == pytest.approx(noises.measured(cut)[1])
        assert quality["kept"] == 100


def test_quality() -> None:
    before = tracks_of([1, 1, 1, 2], [1, 1, 3, 3], [4, 4, 4, 4], [5, 5, 0, 0])
    # the first cut cleanly, the second cut and not clean, the third cut, the fourth not
    part = np.array([0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6])
    after = before.assign(tracklet_id=part)
    found = isolation_quality(before, after)
    assert found["before"]["tracklets"] == 4
    assert found["after"]["tracklets"] == 7
    assert found["before"]["impurity"] == pytest.approx(100 * (1 / 4 + 2 / 4 + 0 + 2 / 4) / 4)
    assert found["before"]["purity"] == pytest.approx(100 * 11 / 16)
    assert found["after"]["impurity"] == pytest.approx(100 * (1 / 3 + 2 / 4) / 7)
    assert found["after"]["purity"] == pytest.approx(100 * 13 / 16)
    # 1, 2, 3, 4, 5 under one camera
    assert found["before"]["rfm"] == pytest.approx(6 / 5)
    assert found["after"]["rfm"] == pytest.approx(8 / 5)
    assert found["before"]["rsw"] == pytest.approx(6 / 4)
    assert found["after"]["rsw"] == pytest.approx(8 / 7)
    assert (found["mixed"], found["separated"], found["whole"]) == (2, 50, 50)
    assert found["kept"] == 100
    # a second camera: as many tracklets, twice as many pairs for one of them
    cameras = before.assign(camera_id=[1] * 4 + [2] * 12)
    assert isolation_quality(cameras, cameras)["before"]["rfm"] == pytest.approx(6 / 6)


def test_quality_where_frames_are_left_out() -> None:
    before = tracks_of([1, 1, 2, 2], [3, 3])
    # person 2 is gone, and so is the second tracklet
    after = before.iloc[:2]
    found = isolation_quality(before, after)
    assert found["after"]["purity"] == 100
    assert found["kept"] == pytest.approx(100 * 2 / 6)
    assert found["after"]["rfm"] == pytest.approx(1 / 3)
    assert (found["separated"], found["whole"]) == (0, 0)
    assert isolation_quality(before, before)["whole"] == 100


def test_quality_where_nobody_is_known() -> None:
    tracks = tracks_of([0, 0], [-1])
    found = isolation_quality(tracks, tracks)
    figures = {"impurity": None, "purity": None, "rfm": None, "rsw": None}
    assert found["before"] == {"frames": 3, "tracklets": 2, **figures}
    assert (found["kept"], found["mixed"]) == (100, 0)
    assert (found["separated"], found["whole"]) == (None, None)


def test_the_people_themselves_cut() -> None:
    tracks = tracks_of([2, 1, 2, 0, -1], [3, 3])
    made = isolate_by_truth(tracks)
    images = tracks["image"].to_numpy()
    assert parts(made) == [images[p].tolist() for p in ([0, 2], [1], [3, 4], [5, 6])]
    assert made["position"].tolist() == [0, 1, 0, 0, 1, 0, 1]
    assert made["source_id"].tolist() == [0] * 5 + [1] * 2


def test_centred_features_are_those_without_their_camera(monkeypatch) -> None:
    monkeypatch.setattr(centring, "FEW", 1)
    # of the first camera all frames lie together, were it not for its mean
    tracks = pd.concat([tracks_of([1, 2, 1, 2]), tracks_of([3, 3], camera=2)], ignore_index=True)
    tracks["tracklet_id"] = [0] * 4 + [1] * 2
    features = at(0, 8, 1, 9, 90, 94)
    whole = isolate(tracks, features, how(eps=TEN, min_samples=2), threads=1)
    assert len(parts(whole)) == 2
    cut = isolate(tracks, features, how(eps=TEN, min_samples=2, centred=True), threads=1)
    images = tracks["image"].to_numpy()
    assert parts(cut)[:2] == [images[[0, 2]].tolist(), images[[1, 3]].tolist()]


def test_no_rows_and_features_without_direction_are_refused() -> None:
    tracks = tracks_of([1, 1, 1], [2])
    values: dict[str, Any] = {"eps": 0.5, "min_samples": 2}
    with pytest.raises(ReidError, match="no tracklet; give tracklets"):
        isolate(tracks.iloc[:0], at(), how(**values), threads=1)
    for bad in (0.0, np.nan, np.inf):
        features = at(0, 1, 2, 3)
        features[1] = bad
        with pytest.raises(ReidError, match="feature of image 102 is zero or not finite"):
            isolate(tracks, features, how(**values), threads=1)


def test_nothing_left_says_what_distances_there_are() -> None:
    tracks = tracks_of([1, 1, 1], [2, 2])
    features = at(0, 60, 120, 0, 60)
    message = "eps 0.1 and min_samples 2 leave no frame of 5, whose neighbours are 1.00"
    with pytest.raises(ReidError, match=f"{message} to 1.00 apart.*raise eps"):
        isolate(tracks, features, how(eps=0.1, min_samples=2, outliers="drop"), threads=1)
    assert spread(tracks_of([1], [2]), at(0, 1)) == "all tracklets of one frame"
