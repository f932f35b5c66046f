"""The learning curve: what is drawn, in whose words, and the same bytes twice."""

from pathlib import Path

import pandas as pd
import pytest

from weakreid.report import figures
from weakreid.report.learning_curve import learning_curve


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
        figure = learning_curve({"official-1": history(20)}, "title", None)
        figures.save(figure, tmp_path / folder / name)
    data = (tmp_path / "one" / name).read_bytes()
    assert data == (tmp_path / "two" / name).read_bytes()
    assert b"<dc:date>" not in data
    assert [path.name for path in (tmp_path / "one").iterdir()] == [name]


def test_a_panel_per_term_and_the_rate_last() -> None:
    runs = {"official-1": history(20), "official-2": history(20)}
    figure = learning_curve(runs, "title", None)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["loss of bags", "CPAL loss", "learning rate"]
    assert {axis.get_xlabel() for axis in figure.axes} == {"training step"}
    assert [axis.get_ylabel() for axis in figure.axes] == ["loss", "loss", "learning rate"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["run official-1", "run official-2"]
    assert figure.get_suptitle().strip() == "title: learning curve"
    # what was measured, and its running mean, of each run
    assert len(figure.axes[0].lines) == 4


def test_the_loss_of_bags_has_its_name() -> None:
    for base, shown in (("mil", "MIL"), ("mine", "mine")):
        figure = learning_curve({"official-1": history(3)}, "title", base)
        assert figure.axes[0].get_title() == f"loss of bags: {shown}"


def test_many_terms_stand_in_lines_and_clusters_elsewhere() -> None:
    names = (
        "identity",
        "soft_identity",
        "triplet",
        "soft_triplet",
        "loss",
        "clusters",
        "eps",
        "lr",
    )
    rows = [(0, step, term, 1.0) for step in range(3) for term in names]
    frame = pd.DataFrame(rows, columns=["epoch", "step", "term", "value"])
    figure = learning_curve({"official-1": frame}, "title", None)
    assert [axis.get_title() for axis in figure.axes if axis.axison] == [
        "identity loss (cross-entropy)",
        "soft identity loss",
        "triplet loss",
        "soft triplet loss",
        "total loss",
        "learning rate",
    ]
    # inches; a picture of 100 dots each is not wider than a screen
    assert figure.get_figwidth() <= 12


def test_no_epoch_at_all(tmp_path: Path) -> None:
    figure = learning_curve({"official-1": history(0)}, "title", None)
    figures.save(figure, tmp_path / "curve.svg")
    assert [axis.get_title() for axis in figure.axes] == ["learning rate"]
