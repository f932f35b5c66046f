"""The plot of a sweep: what is drawn where, and the same bytes twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.published import Published
from weakreid.report.study import Cell, Dataset, Row, Study
from weakreid.report.sweeps import is_logarithmic, sweep_figure, swept

PAPER = Published(
    Path("published.csv"),
    {("P", "IV", f"k = {k}", "A", f"fine {name}"): 50.0 + k for k in (1, 20) for name in
     ("R-1", "mAP")},
)  # fmt: skip


def metrics(first: float, deviation: float | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"mAP": first / 2, "cmc": {"1": first}}
    if deviation is not None:
        found["standard_deviation"] = {"mAP": deviation / 2, "cmc": {"1": deviation}}
    return {"fine": found, "coarse": found}


def study(values: dict[str, Any], **changes: Any) -> Study:
    block: dict[str, Any] = {
        "title": "Title",
        "paper": "P",
        "table": "IV",
        "protocols": ["fine"],
        "ranks": [1],
        "datasets": [Dataset("a", "A")],
        "rows": [Row(label, {"a": Cell(metrics=found)}) for label, found in values.items()],
    }
    return Study(**{**block, **changes})


SWEEP = {"k = 5": metrics(30.0, 2.0), "k = 1": metrics(20.0), "k = 20": None}


def test_what_is_drawn() -> None:
    figure = sweep_figure(study(SWEEP), PAPER, "k")
    first, second = figure.axes
    assert [panel.get_title() for panel in figure.axes] == ["fine R-1", "fine mAP"]
    assert [panel.get_xlabel() for panel in figure.axes] == ["k", "k"]
    ours, theirs = first.containers[0].lines[0], first.lines[-1]
    # in the order of the axis, and only where there are figures
    assert ours.get_xydata().tolist() == [[1, 20], [5, 30]]
    assert theirs.get_xydata().tolist() == [[1, 51], [20, 70]]
    assert second.containers[0].lines[0].get_xydata().tolist() == [[1, 10], [5, 15]]
    assert theirs.get_markerfacecolor() == "none"
    assert theirs.get_linestyle() == "None"
    assert theirs.get_markeredgecolor() != ours.get_color()
    # one run has no bar
    bars = first.containers[0].lines[2][0].get_segments()
    assert [np.asarray(bar).tolist() for bar in bars] == [[], [[5, 28], [5, 32]]]
    # once for all panels, and beside them
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["P, A", "ours, a"]
    assert theirs.get_marker() != ours.get_marker()
    assert [panel.get_ylabel() for panel in figure.axes] == ["per cent"] * 2
    assert first.get_xticks().tolist() == [1, 5, 20]
    assert [text.get_text() for text in first.get_xticklabels()] == ["1", "5", "20"]
    assert first.get_xscale() == "log"


def test_a_line_of_panels_per_dataset_a_pair_per_protocol() -> None:
    datasets = [Dataset("a", "A"), Dataset("b", "B", own=False)]
    figure = sweep_figure(study(SWEEP, datasets=datasets, protocols=["coarse", "fine"]), PAPER)
    assert [panel.get_title() for panel in figure.axes] == [
        f"{dataset}: {protocol} {name}"
        for dataset in ("a", "b")
        for protocol in ("coarse", "fine")
        for name in ("R-1", "mAP")
    ]
    # named after the rows where no name is given
    assert figure.axes[0].get_xlabel() == "k"
    # nothing is known of b, by the paper or by us: panels without points or legend
    assert not figure.axes[4].lines
    assert figure.axes[0].lines[-1].get_markerfacecolor() != "none"


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        figures.save(sweep_figure(study(SWEEP), PAPER, "k"), tmp_path / folder / name)
    data = (tmp_path / "one" / name).read_bytes()
    assert data == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("k = 5", ("k", 5.0)),
        ("λ = 0.25", ("λ", 0.25)),
        ("λ=1", ("λ", 1.0)),
        ("a rate = 1e-3", ("a rate", 0.001)),
        ("x = -2", ("x", -2.0)),
    ],
)
def test_swept(label: str, found: tuple[str, float]) -> None:
    assert swept(label) == found


@pytest.mark.parametrize("label", ["MIL", "k = five", "k = ", "k = 1.2.3", "k = 1e999", "k = 5 x"])
def test_a_label_without_a_number_is_refused(label: str) -> None:
    with pytest.raises(ReidError, match=f"row '{label}' has no place on an axis"):
        sweep_figure(study({label: None}), PAPER)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(ReidError, match="no figure of table 'V'"):
        sweep_figure(study(SWEEP, table="V"), PAPER)


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [
        ([1, 5, 20], True),
        ([1, 8], False),
        ([1, 8.1], True),
        ([0, 1, 20], False),
        ([-1, 20], False),
        ([0.25, 1], False),
        ([3], False),
    ],
)
def test_the_axis(values: list[float], logarithmic: bool) -> None:
    assert is_logarithmic(values) is logarithmic
    labels = {f"k = {value}": metrics(30.0, 1.0) for value in values}
    panel = sweep_figure(study(labels), PAPER).axes[0]
    assert panel.get_xscale() == ("log" if logarithmic else "linear")
    assert panel.get_xticks().tolist() == sorted(values)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1), st.floats(0.1, 10))
def test_the_axis_does_not_depend_on_the_unit(values: list[float], unit: float) -> None:
    ends = max(values) / min(values)
    if abs(ends - 8) > 1e-6:
        assert is_logarithmic(values) == is_logarithmic([unit * value for value in values])
