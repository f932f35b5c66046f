"""What a distance means, against plain counts over all pairs."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts.files import write_json
from weakreid.errors import ReidError
from weakreid.retrieval.calibration import (
    BINS,
    NoPairsError,
    Pairs,
    calibrate,
    check,
    count_pairs,
    nearest_of_its_own,
    read_calibration,
    side_of,
    threshold_at,
    with_probability,
)
from weakreid.retrieval.distances import pairwise
from weakreid.retrieval.search import COLUMNS

RATES = [0.001, 0.01, 0.1]


def people(seed, persons=40, each=4, spread=0.45):
    """Tracklets of people, who are directions with noise, each before several cameras."""
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(1, persons + 1), each)
    features = rng.normal(size=(persons, 12))[ids - 1] + spread * rng.normal(size=(len(ids), 12))
    return side_of(features, ids, rng.integers(0, 3, len(ids)))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(2, 12),
    st.sampled_from(["cosine", "euclidean"]),
    st.booleans(),
    st.booleans(),
)
def test_every_pair_is_counted_once(seed, count, metric, cameras, among):
    rng = np.random.default_rng(seed)

    def side():
        features = rng.normal(size=(count, 3))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return side_of(features, rng.integers(-1, 3, count), rng.integers(0, 2, count))

    one = side()
    other = one if among else side()
    pairs = itertools.combinations(range(count), 2) if among else np.ndindex(count, count)
    expected = np.zeros((2, BINS), int)
    found = count_pairs(one, None if among else other, metric, cameras)
    apart = pairwise(one.features, other.features, metric)
    for i, j in pairs:
        known = one.persons[i] >= 0 and other.persons[j] >= 0
        if known and not (cameras and one.cameras[i] == other.cameras[j]):
            place = min(BINS - 1, int(apart[i, j] * (BINS / found.farthest)))
            expected[int(one.persons[i] != other.persons[j]), place] += 1
    np.testing.assert_array_equal(np.stack(found[:2]), expected)


def test_blocks_change_nothing(monkeypatch):
    one = people(0)
    whole = count_pairs(one, None, "cosine")
    monkeypatch.setattr("weakreid.retrieval.calibration.BLOCK_BYTES", 4 * 160 * 7)
    np.testing.assert_array_equal(count_pairs(one, None, "cosine").same, whole.same)
    np.testing.assert_array_equal(count_pairs(one, None, "cosine").different, whole.different)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, BINS - 1), min_size=1, max_size=60), st.sampled_from([0.02, 0.3, 1]))
def test_a_threshold_lets_no_more_pass_than_asked(places, rate):
    pairs = Pairs(np.zeros(BINS, int), np.bincount(places, minlength=BINS), 3.0)
    found = threshold_at(pairs, rate)
    step = 3.0 / BINS

    def passing(distance):
        return sum(step * (place + 1) <= distance + 1e-9 for place in places) / len(places)

    if len(places) * rate < 1 or passing(step) > rate:
        assert found is None
        return
    assert passing(found) <= rate
    assert found == pytest.approx(3.0) or passing(found + step) > rate


def test_people_who_were_not_seen_are_found_as_said():
    found = calibrate(people(1, persons=150), "cosine", RATES)
    assert found.cameras == "different"
    likely = found.probability(np.linspace(0, 2, 50))
    assert (np.diff(likely) <= 0).all()
    assert 0 < likely[-1] < likely[0] < 1
    assert found.distance <= 0
    assert found.logarithm <= 0
    held = check(found, count_pairs(people(2, persons=150), None, "cosine"))
    for rate in RATES:
        assert held["thresholds"][f"{rate:g}"]["false_match_rate"] == pytest.approx(rate, rel=0.5)
    matches = [held["thresholds"][f"{rate:g}"]["match_rate"] for rate in RATES]
    assert matches == sorted(matches)
    assert matches[-1] > 0.9
    for group in held["reliability"]:
        if group["pairs"] > 100:
            assert group["found"] == pytest.approx(group["said"], abs=0.15)
    assert sum(group["pairs"] for group in held["reliability"]) == held_pairs(2)


def held_pairs(seed):
    side = people(seed, persons=150)
    return int((side.cameras[:, None] != side.cameras).sum() // 2)


def test_one_camera_is_better_than_none():
    side = people(3)
    found = calibrate(side._replace(cameras=np.zeros_like(side.cameras)), "cosine", RATES)
    assert found.cameras == "any"
    assert found.pairs == {"same": 40 * 6, "different": 160 * 159 // 2 - 40 * 6}


@pytest.mark.parametrize(("persons", "said"), [([1, 2, 3], "no two are"), ([1, 1, 1], "all are")])
def test_nothing_to_learn_from(persons, said):
    side = side_of(np.eye(3), persons, [1, 2, 3])
    with pytest.raises(NoPairsError, match=f"3 training tracklets {said} taken for one person"):
        calibrate(side, "cosine", RATES)


def test_few_pairs_have_no_strict_threshold():
    found = calibrate(people(4, persons=5, each=2), "cosine", [0.0001, 0.1])
    assert found.thresholds[0.0001] is None
    assert found.thresholds[0.1] is not None
    held = check(found, count_pairs(people(5), None, "cosine"))
    assert held["thresholds"]["0.0001"] == {
        "distance": None, "false_match_rate": None, "match_rate": None
    }  # fmt: skip


def test_it_comes_back_from_its_file(tmp_path):
    made = calibrate(people(6), "euclidean", RATES)
    write_json(tmp_path / "calibration.json", {"from": "labels", **made.plain()})
    back = read_calibration(tmp_path / "calibration.json")
    assert back.plain() == made.plain()
    write_json(tmp_path / "none.json", {"why": "nobody"})
    assert read_calibration(tmp_path / "none.json") is None


def test_rates_that_are_nearly_equal_stay_two():
    found = calibrate(people(6), "cosine", [0.1, 0.1000000001]).plain()
    assert list(found["thresholds"]) == ["0.1", "0.1000000001"]


@pytest.mark.parametrize(
    "damage",
    [
        {"odds": {"intercept": 1.0, "distance": -2.0}},
        {"odds": 5},
        {"odds": {"intercept": "abc", "distance": -2.0, "logarithm": 0.0}},
        {"odds": {"intercept": float("inf"), "distance": -2.0, "logarithm": 0.0}},
        {"bounds": [0.1, 0.2, 0.3]},
        {"thresholds": {"x": 0.1}},
        {"thresholds": None},
    ],
)
def test_a_damaged_file_is_refused(damage, tmp_path):
    made = {"from": "labels", **calibrate(people(6), "cosine", RATES).plain()}
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({**made, **damage}))
    with pytest.raises(ReidError, match=r"calibration\.json: no calibration .*; delete it and run"):
        read_calibration(path)


def test_a_search_says_how_likely():
    import pandas as pd

    found = pd.DataFrame([(0, 1, 5, 0.1), (0, 2, 6, 1.2)], columns=list(COLUMNS))
    meaning = calibrate(people(7), "cosine", RATES)
    near, far = with_probability(found, meaning)["probability"]
    assert near == pytest.approx(float(meaning.probability([0.1])[0]))
    assert near > 0.9 > 0.1 > far
    assert with_probability(found, None)["probability"].isna().all()


def test_the_nearest_of_a_tracklet_s_own_identity():
    features = np.array([[1.0, 0], [0, 1], [1, 1], [-1, 0], [1, 0]])
    found = nearest_of_its_own(features, [0, 0, 0, 1, -1], "cosine")
    slant = 1 - np.sqrt(0.5)
    np.testing.assert_allclose(found, [slant, slant, slant, np.nan, np.nan])


def test_distances_that_tell_nothing_leave_the_share_of_pairs():
    rng = np.random.default_rng(8)
    side = side_of(rng.normal(size=(120, 6)), np.repeat(np.arange(1, 31), 4), np.arange(120) % 3)
    found = calibrate(side, "cosine", RATES)
    near, far = found.probability([0.3, 1.7])
    assert near == pytest.approx(found.prior, rel=0.8)
    assert far <= near


def test_features_of_any_length_are_told_apart_as_well():
    """COSAM's clips are compared by Euclidean distances of features that are not scaled."""
    found, held = {}, {}
    for length in (1, 40):
        seen, unseen = (
            side._replace(features=length * side.features)
            for side in (people(9, persons=80), people(10, persons=80))
        )
        found[length] = calibrate(seen, "euclidean", RATES)
        held[length] = check(found[length], count_pairs(unseen, None, "euclidean"))
    for rate in RATES:
        near, far = found[1].thresholds[rate], found[40].thresholds[rate]
        assert far == pytest.approx(40 * near, rel=1e-3)
        assert held[40]["thresholds"][f"{rate:g}"]["match_rate"] == pytest.approx(
            held[1]["thresholds"][f"{rate:g}"]["match_rate"], abs=1e-3
        )
    for at in (0.2, 1.0, 3.0):
        near, far = found[1].probability([at]), found[40].probability([40 * at])
        assert far == pytest.approx(near, rel=1e-3)
    likely = found[40].probability([0.5 * found[40].thresholds[0.001], 200])
    assert likely[0] > 0.8 > 0.01 > likely[1]
