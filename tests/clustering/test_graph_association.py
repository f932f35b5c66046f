"""Joins of classes and their counts, against slow versions that say what is meant."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from weakreid.clustering.graph_association import (
    EMPTY,
    components,
    counted,
    mutual_nearest,
    right,
    shares,
)

Edges = list[tuple[int, int]]


def edges(pairs: np.ndarray) -> Edges:
    return [(int(a), int(b)) for a, b in pairs]


def as_pairs(found: Edges) -> np.ndarray:
    return np.array(sorted(found), np.int64).reshape(-1, 2)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges]:
    """Draw a number of classes, and pairs of them."""
    count = draw(st.integers(2, 8))
    every = [(a, b) for a in range(count) for b in range(a + 1, count)]
    return count, sorted(draw(st.sets(st.sampled_from(every))))


@st.composite
def centres_of_cameras(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw whole numbers, so that products are exact and ties are frequent, and cameras."""
    cameras = draw(st.lists(st.integers(0, 3), min_size=1, max_size=9))
    values = st.lists(st.integers(-2, 2), min_size=2, max_size=2)
    centres = draw(st.lists(values, min_size=len(cameras), max_size=len(cameras)))
    return np.array(centres, np.float32), np.array(cameras)


def slow_nearest(centres: np.ndarray, cameras: np.ndarray, one: int, camera: int) -> int:
    others = [c for c in range(len(cameras)) if cameras[c] == camera]
    return min(others, key=lambda c: (-float(centres[one] @ centres[c]), c))


@given(centres_of_cameras())
def test_classes_of_two_cameras_that_are_each_other_s_nearest(drawn):
    centres, cameras = drawn
    expected = [
        (a, b)
        for a in range(len(cameras))
        for b in range(a + 1, len(cameras))
        if cameras[a] != cameras[b]
        and slow_nearest(centres, cameras, a, cameras[b]) == b
        and slow_nearest(centres, cameras, b, cameras[a]) == a
    ]
    assert edges(mutual_nearest(centres, cameras)) == expected


def test_one_camera_joins_nothing():
    assert mutual_nearest(np.eye(3, dtype=np.float32), np.zeros(3, np.int64)).shape == (0, 2)


@given(st.lists(graphs(), max_size=5), st.sampled_from([0.0, 0.2, 0.5, 0.6, 1.0]))
def test_a_join_stays_that_was_seen_in_enough_rounds(rounds, share):
    graph, counts = EMPTY, Counter()
    for _, found in rounds:
        graph = counted(graph, as_pairs(found))
        counts.update(found)
    assert dict(zip(edges(graph.pairs), graph.counts.tolist(), strict=True)) == counts
    # tenths, so that no rounding decides
    enough = [pair for pair in counts if 10 * counts[pair] >= round(10 * share) * len(rounds)]
    assert edges(graph.standing(share)) == sorted(enough)


def test_seven_rounds_of_ten_are_a_share_of_seven_tenths():
    graph = EMPTY
    for number in range(10):
        graph = counted(graph, as_pairs([(0, 1)] if number < 7 else []))
    assert edges(graph.standing(0.7)) == [(0, 1)]


@given(graphs())
def test_a_class_and_those_joined_with_it_share_evenly(drawn):
    count, found = drawn
    values = shares(as_pairs(found), count).toarray()
    for one in range(count):
        own = {one} | {b for a, b in found if a == one} | {a for a, b in found if b == one}
        expected = [1 / len(own) if other in own else 0 for other in range(count)]
        np.testing.assert_allclose(values[one], expected, rtol=1e-6)


@given(graphs())
def test_components_hang_together(drawn):
    count, found = drawn
    names = list(range(count))
    for a, b in found * count:
        names[a] = names[b] = min(names[a], names[b])
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    assert components(as_pairs(found), count).tolist() == [order[name] for name in names]


@given(graphs(), st.data())
def test_joins_of_one_person_are_right(drawn, data):
    count, found = drawn
    persons = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    judged = [persons[a] == persons[b] for a, b in found if persons[a] and persons[b]]
    share = right(as_pairs(found), np.array(persons))
    if judged:
        assert share is not None
        np.testing.assert_allclose(share, 100 * sum(judged) / len(judged))
    else:
        assert share is None
