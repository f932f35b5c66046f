"""Which unlabelled items learn next, against slow versions that say what is meant."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.clustering import selection
from weakreid.clustering.selection import counts_of, select
from weakreid.config.methods import Selection
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator


def slowly(features: np.ndarray, labels: np.ndarray, count: int) -> list[int]:
    """Return what `select` should, in exact arithmetic."""
    exact = [[Fraction(float(value)) for value in row] for row in features]

    def apart(one: int, other: int) -> Fraction:
        return sum(
            ((a - b) ** 2 for a, b in zip(exact[one], exact[other], strict=True)), Fraction()
        )

    known = [item for item in range(len(labels)) if labels[item] >= 0]
    nearest = {}
    for item in range(len(labels)):
        if labels[item] < 0:
            nearest[item] = min((apart(item, other), other) for other in known)
    surest = sorted(nearest, key=lambda item: (nearest[item][0], item))[:count]
    found = labels.tolist()
    for item in surest:
        found[item] = int(labels[nearest[item][1]])
    return found


@st.composite
def items(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Features of small whole numbers, so that many distances are equal, or of any floats."""
    count, width = draw(st.integers(1, 14)), draw(st.integers(1, 3))
    generator = numpy_generator(draw(st.integers(0, 999)), "features")
    if draw(st.booleans()):
        features = generator.integers(-1, 2, (count, width))
    else:
        features = 100 + generator.normal(size=(count, width))
    labels = np.array(draw(st.lists(st.integers(-1, 3), min_size=count, max_size=count)), np.int32)
    labels[draw(st.integers(0, count - 1))] = 0
    return features.astype(np.float32), labels, draw(st.integers(0, int((labels < 0).sum())))


@given(items())
@settings(deadline=None)
def test_the_nearest_to_a_labelled_item_are_selected(of: tuple[np.ndarray, np.ndarray, int]):
    features, labels, count = of
    before = labels.copy()
    found = select(features, labels, count)
    assert found.tolist() == slowly(features, labels, count)
    assert np.array_equal(labels, before)
    assert found.dtype == labels.dtype


@pytest.mark.parametrize("threads", [1, 2])
def test_neither_blocks_nor_threads_change_it(monkeypatch, threads):
    features = numpy_generator(1, "features").normal(size=(300, 8)).astype(np.float32)
    labels = np.full(300, -1, np.int32)
    labels[::10] = np.arange(30)
    expected = select(features, labels, 100, 1)
    monkeypatch.setattr(selection, "_ROWS", 7)
    assert np.array_equal(select(features, labels, 100, threads), expected)


def test_a_network_that_collapsed_selects_the_first():
    labels = np.array([-1, 2, -1, 0, -1], np.int32)
    assert select(np.ones((5, 3), np.float32), labels, 2).tolist() == [2, 2, 2, 0, -1]


def test_a_feature_that_is_not_finite_is_refused():
    features = np.ones((3, 2), np.float32)
    features[1, 0] = np.nan
    with pytest.raises(ReidError, match="features: row 1 is not finite"):
        select(features, np.array([0, -1, -1], np.int32), 1)


@given(unlabelled=st.integers(0, 10_000), hundredths=st.integers(1, 100))
def test_a_step_selects_its_share_and_the_last_all(unlabelled, hundredths):
    steps = Selection(share=hundredths / 100).steps
    counts = counts_of(unlabelled, hundredths / 100, steps)
    assert counts == [
        min(hundredths * step * unlabelled // 100, unlabelled) for step in range(steps)
    ]
    assert counts[0] == 0
    assert counts[-1] == unlabelled
    # one step less would not reach all
    assert (steps - 2) * hundredths < 100


@pytest.mark.parametrize(("share", "steps"), [(0.05, 21), (0.1, 11), (0.2, 6), (0.3, 5), (1.0, 2)])
def test_steps_follow_from_the_share(share, steps):
    assert Selection(share=share).steps == steps
