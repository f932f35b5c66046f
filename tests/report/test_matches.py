"""Matching examples: which frames are shown, and how they are marked."""

from pathlib import Path

import cv2
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
    "distances": [0.25, 0.5, 1.0],
    "matches": [False, True, True],
    "frames": [41, 52, 60],
}


TRACKLETS = pd.DataFrame({"person_id": [7, 0, 7, 7], "camera_id": [1, 2, 3, 3]}, index=[2, 4, 5, 6])


def test_fine_examples() -> None:
    frames_of = {2: [20, 21], 4: [40], 5: [50, 51, 52], 6: [60]}
    assert fine_examples([RANKING], TRACKLETS, frames_of, items=2) == [
        [
            Item("query: person 7\ncamera 1, tracklet 2", [20, 21]),
            Item("1. 0.250, distractor\ncamera 2, tracklet 4", [40], right=False),
            Item("2. 0.500, person 7\ncamera 3, tracklet 5", [50, 51, 52], right=True),
        ]
    ]


def test_coarse_examples() -> None:
    frames = [[20], [40, 41], list(range(50, 70)), [60]]
    bags = pd.DataFrame({"frames": frames, "camera_id": [1, 2, 3, 3]}, index=[2, 4, 5, 6])
    person_of = pd.Series({**dict.fromkeys(range(100), 9), 50: 7, 41: 7})
    lines = coarse_examples([RANKING], bags, person_of, items=2)
    probe, wrong, right = lines[0]
    assert probe == Item("probe: person 7\ncamera 1, bag 2", [20])
    assert wrong == Item("1. 0.250\ncamera 2, bag 4", [40, 41], False, frozenset({41}), 41)
    assert right.right
    assert right.boxed == 52
    assert 52 in right.frames
    assert len(right.frames) == matches.FRAMES_OF_BAG
    assert right.marked == {50}


def flat(frame: int) -> np.ndarray:
    return np.full((16, 8, 3), 20 * frame % 250, np.uint8)


def texts(figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def test_right_and_wrong_differ_by_more_than_colour() -> None:
    line = [Item("query", [0]), Item("1. 0.1", [1], True), Item("2. 0.2", [2], False)]
    figure = matches.matching_examples([line], flat, "wl_x: examples", "cosine distance")
    found = texts(figure)
    for part in ("wl_x: examples", "cosine distance", "✓ 1. 0.1", "✗ 2. 0.2", "✓ blue", "✗ orange"):
        assert part in found
    assert "yellow dot" not in found
    edges = [axis.patches[0].get_linestyle() for axis in figure.axes]
    assert edges[1] != edges[2]


def test_a_legend_of_what_is_there_alone() -> None:
    bag = Item("1. 0.1", [1, 2], True, frozenset({1}), 2)
    found = " ".join(mark.text for mark in matches.legend([[Item("probe", [0]), bag]], "distance"))
    for part in ("the probe's person is in the bag", "box:", "yellow dot:"):
        assert part in found
    searched = [[Item("query", [0]), Item("1. 0.1", [1])]]
    found = " ".join(mark.text for mark in matches.legend(searched, "distance"))
    assert "✓" not in found
    assert "box" not in found


def test_long_names_stay_over_their_pictures() -> None:
    name = "1. 0.123, camera 12\na_sequence_with_a_very_long_name 1234567"
    line = [Item("query", [0]), Item(name, [1, 2, 3, 4], True)]
    figure = matches.matching_examples([line], flat, "title", "distance")
    long = next(text.get_text() for text in figure.texts if "a_seq" in text.get_text())
    assert max(map(len, long.split("\n"))) < len("a_sequence_with_a_very_long_name")
    assert "…" in long


@pytest.mark.parametrize(("rows", "items", "shown"), [(1, 1, 1), (6, 4, 8), (12, 4, 4)])
def test_sizes(rows: int, items: int, shown: int, tmp_path: Path) -> None:
    item = Item("1. 0.123, person 7\ncamera 2, tracklet 4", range(shown), True)
    lines = [[Item("query: person 7\ncamera 1", range(min(4, shown))), *[item] * items]] * rows
    figures.save(matches.matching_examples(lines, flat, "title", "distance"), tmp_path / "a.png")
    height, width, _ = cv2.imread(str(tmp_path / "a.png")).shape
    assert height <= 2040
    assert width <= 2440


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    line = [
        Item("query", [0, 1]),
        Item("right", [2, 3], True, frozenset({2}), 3),
        Item("wrong", [4], False),
    ]

    for name in ("one.png", "two.png"):
        # rows need not be equally long
        figure = matches.matching_examples([line, line[:2]], flat, "title", "distance")
        figures.save(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
