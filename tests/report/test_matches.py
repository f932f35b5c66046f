"""Matching examples: which frames are shown, and how they are marked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.report import figures, matches
from weakreid.report.matches import Item, coarse_examples, fine_examples, spread


@pytest.mark.parametrize(
    ("frames", "count", "keep", "shown"),
    [
        (range(10), 4, None, [0, 3, 6, 9]),
        ([7, 5, 3], 4, None, [7, 5, 3]),
        ([7], 4, None, [7]),
        (range(10), 1, None, [0]),
        (range(10), 4, 3, [0, 3, 6, 9]),
        (range(10), 4, 4, [0, 4, 6, 9]),
        (range(10), 4, 9, [0, 3, 6, 9]),
        (range(10), 1, 8, [8]),
    ],
)
def test_spread(frames, count: int, keep: int | None, shown: list[int]) -> None:
    assert spread(frames, count, keep) == shown


@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_spread_shows_as_many_as_there_are_in_order(length: int, count: int, data) -> None:
    frames = [3 * place + 1 for place in range(length)]
    keep = data.draw(st.sampled_from(frames))
    shown = spread(frames, count, keep)
    assert len(shown) == min(length, count)
    assert keep in shown
    assert shown == sorted(set(shown))
    assert set(shown) <= set(frames)


RANKING = {
    "query": 2,
    "person_id": 7,
    "gallery": [4, 5, 6],
    "matches": [False, True, True],
    "frames": [41, 52, 60],
}


def test_fine_examples() -> None:
    frames_of = pd.Series({2: [20, 21], 4: [40], 5: [50, 51, 52], 6: [60]})
    assert fine_examples([RANKING], frames_of, items=2) == [
        [
            Item("query: person 7", [20, 21]),
            Item("tracklet 4", [40], right=False),
            Item("tracklet 5", [50, 51, 52], right=True),
        ]
    ]


def test_coarse_examples() -> None:
    frames_of = pd.Series({2: [20], 4: [40, 41], 5: list(range(50, 70)), 6: [60]})
    person_of = pd.Series({**dict.fromkeys(range(100), 9), 50: 7, 41: 7})
    lines = coarse_examples([RANKING], frames_of, person_of, items=2)
    probe, wrong, right = lines[0]
    assert probe == Item("probe: person 7", [20])
    assert wrong == Item("bag 4", [40, 41], False, frozenset({41}), 41)
    assert right.right
    assert right.boxed == 52
    assert 52 in right.frames
    assert len(right.frames) == matches.FRAMES_OF_BAG
    assert right.marked == {50}


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    line = [
        Item("query", [0, 1]),
        Item("right", [2, 3], True, frozenset({2}), 3),
        Item("wrong", [4], False),
    ]

    def picture(frame: int) -> np.ndarray:
        return np.full((16, 8, 3), 20 * frame, np.uint8)

    for name in ("one.png", "two.png"):
        # rows need not be equally long
        figure = matches.matching_examples([line, line[:2]], picture, "title")
        figures.save(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
