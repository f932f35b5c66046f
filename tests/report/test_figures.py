"""The learning curve: what is drawn, and the same bytes twice."""

from pathlib import Path

import pandas as pd
import pytest

from weakreid.report import figures


def history(steps: int) -> pd.DataFrame:
    rows = [
        (step // 4, step, term, value / (step + 1))
        for step in range(steps)
        for term, value in (("base", 2.0), ("cpal", 1.0), ("images_per_s", 100.0), ("lr", 0.1))
    ]
    return pd.DataFrame(rows, columns=["epoch", "step", "term", "value"])


@pytest.mark.parametrize("name", ["curve.svg", "curve.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        figure = figures.learning_curve({"official-1": history(20)}, "title")
        figures.save(figure, tmp_path / folder / name)
    data = (tmp_path / "one" / name).read_bytes()
    assert data == (tmp_path / "two" / name).read_bytes()
    assert b"<dc:date>" not in data
    assert [path.name for path in (tmp_path / "one").iterdir()] == [name]


def test_a_panel_per_term_and_the_rate_last() -> None:
    runs = {"official-1": history(20), "official-2": history(20)}
    figure = figures.learning_curve(runs, "title")
    assert [axis.get_title() for axis in figure.axes] == ["base", "cpal", "lr"]
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["official-1", "official-2"]
    # what was measured, and its running mean, of each run
    assert len(figure.axes[0].lines) == 4


def test_one_run_needs_no_legend() -> None:
    figure = figures.learning_curve({"official-1": history(3)}, "title")
    assert figure.axes[0].get_legend() is None


def test_no_epoch_at_all(tmp_path: Path) -> None:
    figure = figures.learning_curve({"official-1": history(0)}, "title")
    figures.save(figure, tmp_path / "curve.svg")
    assert [axis.get_title() for axis in figure.axes] == ["lr"]
