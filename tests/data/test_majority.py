"""Whom a tracklet shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.datasets.majority import main_persons


@pytest.mark.parametrize(
    ("persons", "most", "of_half"),
    [
        ([5, 3, 5], 5, 5),
        # the lowest of equals, whatever the order
        ([9, 4], 4, 4),
        # nobody is no person, and counts among all frames
        ([0, 0, 5, 5], 5, 5),
        ([0, 0, 0, 5, 5], 5, 0),
        ([-1, -1, 7], 7, 0),
        ([1, 2, 3], 1, 0),
        ([0, -1], 0, 0),
    ],
)
def test_one_tracklet(persons: list[int], most: int, of_half: int) -> None:
    alone = np.zeros(len(persons), np.int64)
    assert main_persons(alone, persons).tolist() == [most]
    assert main_persons(alone, persons, half=True).tolist() == [of_half]


def test_no_tracklet() -> None:
    assert main_persons(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []


@settings(max_examples=100, deadline=None)
@given(
    tracklets=st.lists(st.lists(st.integers(-1, 4), min_size=1, max_size=8), min_size=1),
    half=st.booleans(),
    seed=st.integers(0, 99),
)
def test_several_tracklets(tracklets: list[list[int]], half: bool, seed: int) -> None:
    owners = np.repeat(np.arange(len(tracklets)), [len(own) for own in tracklets])
    order = np.random.default_rng(seed).permutation(len(owners))
    found = main_persons(owners[order], np.concatenate(tracklets)[order], half)
    for person, own in zip(found.tolist(), tracklets, strict=True):
        counts = {p: own.count(p) for p in sorted(set(own)) if p > 0}
        best = max(counts, key=lambda p: counts[p]) if counts else 0
        if half and best and 2 * counts[best] < len(own):
            best = 0
        assert person == best
