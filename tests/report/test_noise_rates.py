"""The page of a tracker's noise: its figures, its words, and the same bytes twice."""

from pathlib import Path
from typing import Any

import pytest

from weakreid.config.params import MeasureNoise
from weakreid.report import figures
from weakreid.report.noise_rates import HEADS, noise_figure, noise_table
from weakreid.supervision.noise_rates import NoiseRates, pooled


def rates(sequence: str, longest: int = 3) -> NoiseRates:
    return NoiseRates(
        sequence=sequence,
        boxes=2000,
        matched=1500,
        short_runs=2,
        nobody=4,
        missed=5,
        persons_per_tracklet={1: 8, longest: 2},
        tracklets_per_person={0: 5, 1: 2, 4: 3},
    )


def given(**changes: Any) -> MeasureNoise:
    files = {"name": "02", "truth": "gt.txt", "output": "tracker.txt"}
    return MeasureNoise(title="MOT17", sequences=[files], **changes)


@pytest.mark.parametrize(
    ("missed", "words"), [("count", "count as 0 tracklets"), ("leave_out", "are not in M")]
)
def test_a_row_per_sequence_those_together_and_the_papers(missed: str, words: str) -> None:
    found = [rates("02"), rates("04")]
    text = noise_table(
        given(missed=missed, reference=[{"name": "TMC", "rfm": 1.7, "rsw": 1.2}]),
        found,
        {"all together": pooled(found)},
    )
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.split("\n")
        if line.startswith("|")
    ]
    assert lines[0] == list(HEADS)
    counts = ["2,000", "75.0 %", "10", "4", "10", "5"]
    assert lines[2] == ["02", *counts, "1.40", "2.80", "1.40"]
    counts = ["4,000", "75.0 %", "20", "8", "20", "10"]
    assert lines[4] == ["all together", *counts, "1.40", "2.80", "1.40"]
    assert lines[5] == ["TMC", "", "", "", "", "", "", "1.7", "", "1.2"]
    assert words in text
    assert "fewer than 6 boxes" in text


def test_without_a_least_run_the_page_says_so() -> None:
    text = noise_table(given(iou=0.4, min_run=1), [rates("02")], {})
    assert "A single box is enough" in text
    assert "IoU 0.4" in text


@pytest.mark.parametrize("name", ["rates.svg", "rates.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    found = [rates("02"), rates("04")]
    for folder in ("one", "two"):
        figures.save(noise_figure("MOT17", found, pooled(found)), tmp_path / folder / name)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("longest", [2, 40])
def test_two_panels_of_all_and_a_point_per_sequence(longest: int) -> None:
    found = [rates("02", longest), rates("04")]
    figure = noise_figure("MOT17", found, pooled(found))
    people, tracklets = figure.axes
    assert people.get_xlabel() == "people per tracklet"
    assert tracklets.get_title() == "rFM 1.40: in how many pieces people are"
    assert [bar.get_height() for bar in tracklets.patches] == [50, 20, 30]
    assert len(people.lines) == len(tracklets.lines) == 2
    assert len(people.get_xticks()) <= 12
    assert all(tick == int(tick) for tick in people.get_xticks())


def test_one_sequence_needs_no_points() -> None:
    figure = noise_figure("t", [rates("02")], rates("02"))
    assert not figure.axes[0].lines
    assert figure.axes[1].get_legend() is None
