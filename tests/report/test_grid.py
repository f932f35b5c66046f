"""Rows by noise levels: the table letter by letter, what the figure draws, what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.grid import (
    Block,
    Column,
    Grid,
    Line,
    grid_table,
    rank_of,
    read_grid,
    read_isolation,
)
from weakreid.report.grid_figures import grid_figure
from weakreid.report.published import Published
from weakreid.report.study import Cell

PAPER = Published(
    Path("published.csv"),
    {
        ("P", "3", row, dataset, f"fine {name}"): value - 10 * (name == "mAP")
        for row, values in (("x", (70.0, 60.0)), ("y", (72.0, 20.0)))
        for dataset, value in zip(("A", "A 2"), values, strict=True)
        for name in ("R-1", "mAP")
    }
    | {
        ("P", "4", f"eps = {eps}", "A 2", metric): value
        for eps, values in (("0.5", (0.84, 13847.0, 54.5)), ("0.6", (1.4, 8963.0, 50.8)))
        for metric, value in zip(("noise", "clusters", "fine mAP"), values, strict=True)
    }
    | {
        ("P", "4", "of the data", "A 2", metric): value
        for metric, value in (("eps", 0.55), ("fine mAP", 60.0))
    },
)  # fmt: skip
CLEAN, NOISY = Column("clean", "A"), Column("rFM 2, rSW 1", "A 2")


def metrics(first: float, deviation: float | None = 1.0, dataset: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = {
        "mAP": first / 2,
        "cmc": {"1": first},
        "chance": {"mAP": 2.5, "cmc": {"1": 1.0}},
        "queries": 15,
        "gallery": 40,
    }
    runs = {"official-1": {}} | ({} if deviation is None else {"official-2": {}})
    if deviation is not None:
        found["standard_deviation"] = {"mAP": deviation / 2, "cmc": {"1": deviation}}
    return {"dataset": dataset, "runs": runs, "fine": found}


def cell(what: Any) -> Cell:
    """A number is rank-1 of two runs, a pair has the deviation too, a text is a reason."""
    if what is None or isinstance(what, str):
        return Cell(why=what)
    return Cell(metrics=metrics(*what) if isinstance(what, tuple) else metrics(what))


def grid(there: dict[str, list[Any]], /, **changes: Any) -> Grid:
    """Rows by label, what there is at each noise level of dataset a."""
    values: dict[str, Any] = {
        "title": "Title",
        "paper": "P",
        "table": "3",
        "axis": None,
        "metrics": ["R-1", "mAP"],
        "columns": [CLEAN, NOISY],
        "blocks": [Block("a")],
        "rows": [Line(label, {"a": [cell(what) for what in of]}) for label, of in there.items()],
    }
    return Grid(**{**values, **changes})


def cells_of(text: str, label: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {label} "))
    return [cell.strip() for cell in line.split("|")[2:-1]]


# --- the table -----------------------------------------------------------------------------------


def test_a_table_beside_a_paper() -> None:
    rows = {"x": [50.0, (45.0, 3.0)], "y": [40.0, (47.0, None)], "z": [30.0, "too little"]}
    assert grid_table(grid(rows), PAPER) == (
        "# Title\n"
        "\n"
        "|        |   runs | clean: R-1 paper | clean: R-1 ours | clean: mAP paper |"
        " clean: mAP ours | rFM 2, rSW 1: R-1 paper | rFM 2, rSW 1: R-1 ours |"
        " rFM 2, rSW 1: mAP paper | rFM 2, rSW 1: mAP ours |\n"
        "|--------|-------:|-----------------:|----------------:|-----------------:|"
        "----------------:|------------------------:|-----------------------:|"
        "------------------------:|-----------------------:|\n"
        "| chance |        |                  |             1.0 |                  |"
        "             2.5 |                         |                    1.0 |"
        "                         |                    2.5 |\n"
        "| x      |      2 |             70.0 |      50.0 ± 1.0 |             60.0 |"
        "      25.0 ± 0.5 |                    60.0 |             45.0 ± 3.0 |"
        "                    50.0 |             22.5 ± 1.5 |\n"
        "| y      | 1 or 2 |             72.0 |      40.0 ± 1.0 |             62.0 |"
        "      20.0 ± 0.5 |                    20.0 |                   47.0 |"
        "                    10.0 |                   23.5 |\n"
        "| z      |      2 |                  |      30.0 ± 1.0 |                  |"
        "      15.0 ± 0.5 |                         |                    (1) |"
        "                         |                    (1) |\n"
        "\n"
        "1. z (rFM 2, rSW 1): too little\n"
        "- Per cent, fine protocol. Paper: P, Table 3. Ours: a; with several runs, mean ±"
        " standard deviation.\n"
        "- The paper's datasets. clean: A; rFM 2, rSW 1: A 2.\n"
        "- fine: 15 queries, 40 in the gallery.\n"
        "- Points of R-1 lost from clean to rFM 2, rSW 1, the worst level of every row, ± the root"
        " sum of squares of the two deviations, the least first: y -7.0 (paper 52.0),"
        " x 5.0 ± 3.2 (paper 10.0).\n"
        "- clean. Order by fine R-1. Paper: y > x. Ours: x > y. Neighbours of the paper's order"
        " that are reversed with us: x above y by 10.0 (more than 1.4, the deviations' root sum of"
        " squares).\n"
        "- rFM 2, rSW 1. Order by fine R-1. Paper: x > y. Ours: y > x. Neighbours of the paper's"
        " order that are reversed with us: y above x by 2.0 (one run, no deviation).\n"
    )


def test_a_board_without_a_paper() -> None:
    columns = [Column("clean"), Column("some"), Column("much")]
    rows = {"x": [50.0, 40.0, 45.0], "y": [50.04, 39.0, "no"], "z": [None, 41.0, 46.0]}
    board = grid(rows, paper=None, table=None, columns=columns)
    text = grid_table(board, PAPER)
    heads = cells_of(text, " ")
    assert heads == ["runs"] + [
        f"{level}: {name}" for level in ("clean", "some", "much") for name in ("R-1", "mAP")
    ]
    # what is printed alike is bold alike, and chance never is
    first = [cells_of(text, label)[1] for label in ("x", "y", "z", "chance")]
    assert first == ["**50.0 ± 1.0**", "**50.0 ± 1.0**", "", "1.0"]
    assert [cells_of(text, label)[3] for label in "xyz"] == [
        "40.0 ± 1.0",
        "39.0 ± 1.0",
        "**41.0 ± 1.0**",
    ]
    assert cells_of(text, "y")[5:] == ["(1)", "(1)"]
    assert "- Bold: the best mean of its column, be it by less than the deviations.\n" in text
    assert "- z (clean): no figure of ours: there is no experiment of it at this noise" in text
    assert "Paper" not in text
    assert "Order" not in text
    # z has no clean figure to lose from
    assert (
        "from clean to some, the worst level of every row, ± the root sum of squares of the two "
        "deviations, the least first: x 10.0 ± 1.4, y 11.0 ± 1.4.\n"
    ) in text


def test_the_worst_level_is_named_by_row_where_they_differ() -> None:
    columns = [Column("clean"), Column("some"), Column("much")]
    rows = {"x": [50.0, 40.0, 45.0], "y": [50.0, 49.0, 30.0]}
    text = grid_table(grid(rows, paper=None, table=None, columns=columns), PAPER)
    assert "to the worst level of each row, ± " in text
    assert "first: x 10.0 ± 1.4 (some), y 20.0 ± 1.4 (much).\n" in text


def test_a_block_per_dataset_and_what_is_no_target() -> None:
    rows = [
        Line("x", {"a": [cell(30.0), cell(20.0)], "b": [cell(25.0), Cell()]}),
        Line("y", {"a": [cell(31.0), cell(21.0)], "b": [Cell(), Cell()]}),
        Line("w", {}),
    ]
    blocks = [Block("a", own=False), Block("b")]
    text = grid_table(grid({}, rows=rows, blocks=blocks), PAPER)
    parts = text.split("## ")
    assert [part.splitlines()[0] for part in parts] == ["# Title", "a", "b"]
    warning = "The paper's figures are of other data than a, and no target for it.\n"
    assert [warning in part for part in parts] == [False, True, False]
    assert "- w: no figure of ours: not part of this project yet\n" in parts[1]
    assert "- y: no figure of ours: there is no experiment of it on this dataset\n" in parts[2]
    assert "- x (rFM 2, rSW 1): no figure of ours: there is no experiment of it at" in parts[2]
    assert "Points" not in parts[2]


REPORT = {"noise": 0.912, "clusters": 610.0, "kept": 97.25}
SWEEP: dict[str, list[Any]] = {"eps = 0.6": [30.0], "eps = 0.5": [40.0]}


def sweep(**changes: Any) -> Grid:
    isolation = {("a", "eps = 0.5", 0): REPORT}
    block = {
        "table": "4",
        "axis": "eps",
        "metrics": ["noise", "clusters", "mAP"],
        "columns": [NOISY],
        "isolation": isolation,
    }
    return grid(changes.pop("of", SWEEP), **{**block, **changes})


def test_what_isolation_left() -> None:
    text = grid_table(sweep(), PAPER)
    assert cells_of(text, " ") == ["runs"] + [
        f"{name} {whose}" for name in ("noise", "clusters", "mAP") for whose in ("paper", "ours")
    ]
    assert cells_of(text, "eps = 0.5") == [
        "2", "0.84", "0.91", "13847", "610", "54.5", "20.0 ± 0.5",
    ]  # fmt: skip
    assert cells_of(text, "eps = 0.6") == ["2", "1.4", "", "8963", "", "50.8", "15.0 ± 0.5"]
    assert cells_of(text, "chance") == ["", "", "", "", "", "", "2.5"]
    assert "Isolation kept 97.2 to 97.2 % of the frames.\n" in text
    assert "Order by fine mAP. Paper: eps = 0.5 > eps = 0.6. Ours: eps = 0.5 > eps = 0.6." in text
    # a sweep loses nothing from its first level
    assert "Points" not in text


def test_noise_is_left_empty_where_nobody_is_known(tmp_path: Path) -> None:
    report = {"kept": 97.25, "after": {"noise": None, "tracklets": 610}}
    path = tmp_path / "isolation.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    unknown = sweep(isolation={("a", "eps = 0.5", 0): read_isolation(path)})
    cells = cells_of(grid_table(unknown, PAPER), "eps = 0.5")
    assert cells == ["2", "0.84", "", "13847", "610", "54.5", "20.0 ± 0.5"]
    # of every row: the figure has nothing of ours to draw there
    assert len(grid_figure(unknown, PAPER).axes) == len(grid_figure(sweep(), PAPER).axes)


def test_isolation_alone_needs_no_experiment() -> None:
    alone = sweep(of={"eps = 0.5": [None], "eps = 0.7": ["one cluster"]}, metrics=["noise"])
    text = grid_table(alone, PAPER)
    assert cells_of(text, "eps = 0.5") == ["", "0.84", "0.91"]
    assert cells_of(text, "eps = 0.7") == ["", "", "(1)"]
    assert "no figure of ours" not in text
    assert "chance" not in text


def test_a_wide_table_is_cut_into_one_per_level() -> None:
    columns = [Column(f"level {i}") for i in range(9)]
    rows = {"x": [float(i) for i in range(9)]}
    whole = grid_table(grid(rows, paper=None, table=None, columns=columns[:8]), PAPER)
    assert "##" not in whole
    cut = grid_table(grid(rows, paper=None, table=None, columns=columns), PAPER)
    assert [line for line in cut.splitlines() if line.startswith("#")] == [
        "# Title",
        *(f"## level {i}" for i in range(9)),
    ]
    assert cut.count("| x ") == 9
    assert cut.count("- Per cent") == 1


def test_a_paper_without_a_figure_of_a_level() -> None:
    columns = [Column("clean", "A"), Column("tracked"), Column("odd", "Z")]
    text = grid_table(grid({"x": [1.0, 2.0, 3.0]}, columns=columns), PAPER)
    assert "- The paper's datasets. clean: A.\n" in text
    assert "- The paper has no figure for tracked; odd here.\n" in text
    assert "tracked: R-1 paper" not in text


def test_an_unknown_table_is_refused() -> None:
    for draw in (grid_table, grid_figure):
        with pytest.raises(ReidError, match="no figure of table 'V' of paper 'P'"):
            draw(grid({"x": [1.0, 2.0]}, table="V"), PAPER)


# --- the figure ----------------------------------------------------------------------------------


def points(line: Any) -> list[list[float]]:
    return np.asarray(line.get_xydata()).round(6).tolist()


def heights(line: Any) -> list[float]:
    return np.asarray(line.get_ydata(), float).tolist()


def test_a_line_per_row_over_the_levels() -> None:
    columns = [*(CLEAN, NOISY), Column("much")]
    rows = {"x": [50.0, "no", 30.0], "y": [40.0, (20.0, None), 10.0], "w": [None, None, None]}
    figure = grid_figure(grid(rows, columns=columns), PAPER)
    first, second = figure.axes
    assert [panel.get_title() for panel in figure.axes] == [
        "fine R-1",
        "fine mAP",
    ]
    assert {panel.get_ylabel() for panel in figure.axes} == {"per cent"}
    assert {panel.get_xlabel() for panel in figure.axes} == {"noise of the tracklets"}
    assert [text.get_text() for text in first.get_xticklabels()] == [
        "clean",
        "rFM 2\nrSW 1",
        "much",
    ]
    x, y = (container.lines[0] for container in first.containers)
    # side by side, in the rows' order, broken where there is no figure
    assert x.get_xdata()[0] < y.get_xdata()[0] < 0.1
    np.testing.assert_equal(heights(x), [50.0, np.nan, 30.0])
    assert y.get_ydata().tolist() == [40.0, 20.0, 10.0]
    assert second.containers[0].lines[0].get_ydata()[0] == 25.0
    assert x.get_color() != y.get_color()
    assert x.get_marker() != y.get_marker()
    # a single run has no bar
    bars = first.containers[1].lines[2][0].get_segments()
    assert [len(bar) for bar in bars] == [2, 0, 2]
    # the paper's, open, of the same colour and at the same place; those of w alone are none
    theirs = [line for line in first.lines if line.get_markerfacecolor() == "none"]
    assert [line.get_ydata().tolist() for line in theirs] == [[70.0, 60.0], [72.0, 20.0]]
    assert theirs[0].get_markeredgecolor() == x.get_color()
    assert theirs[0].get_xdata()[0] == x.get_xdata()[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "x", "y", "chance", "P, Table 3",
    ]  # fmt: skip


def test_fourteen_rows_differ_by_more_than_colour() -> None:
    rows = {f"row {i}": [50.0 + i, 40.0 + i] for i in range(14)}
    figure = grid_figure(grid(rows, paper=None, table=None), PAPER)
    lines = [container.lines[0] for container in figure.axes[0].containers]
    # colours come again after seven, so that every eye tells them apart; markers and dashes differ
    assert len({line.get_marker() for line in lines[:12]}) == 12
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
    assert len(looks) == 14
    # within their level
    ends = [line.get_xdata()[1] for line in lines]
    assert 0.5 < min(ends) < max(ends) < 1.5


def test_a_line_of_panels_per_dataset() -> None:
    rows = [Line("x", {name: [cell(9.0), cell(8.0)] for name in "ab"})]
    blocks = [Block("a"), Block("b", own=False)]
    figure = grid_figure(grid({}, rows=rows, blocks=blocks), PAPER)
    assert [panel.get_title() for panel in figure.axes] == [
        f"{name}: fine {metric}" for name in "ab" for metric in ("R-1", "mAP")
    ]
    assert figure.legends[0].get_texts()[-1].get_text() == "P, Table 3 (other data)"


def test_a_line_per_level_over_a_swept_value() -> None:
    columns = [Column("none"), NOISY]
    rows = {"eps = 0.6": [30.0, 28.0], "eps = 0.5": [40.0, 38.0], "of the data": [45.0, 44.0]}
    reports = {("a", "eps = 0.6", 1): REPORT}
    metrics_of = ["noise", "clusters", "mAP", "R-1"]
    swept = sweep(of=rows, columns=columns, metrics=metrics_of, isolation=reports)
    figure = grid_figure(swept, PAPER)
    noise, clusters, average, _ = figure.axes
    assert [panel.get_title() for panel in figure.axes] == [
        "noise after isolation",
        "tracklets after isolation",
        "fine mAP",
        "fine R-1",
    ]
    assert {panel.get_xlabel() for panel in figure.axes} == {"eps"}
    assert average.get_xticks().tolist() == [0.5, 0.6]
    # in the order of the axis
    assert [points(own.lines[0]) for own in average.containers] == [
        [[0.5, 20.0], [0.6, 15.0]],
        [[0.5, 19.0], [0.6, 14.0]],
    ]
    ours = noise.containers[0].lines[0]
    np.testing.assert_equal(heights(ours), [np.nan, 0.912])
    theirs = next(line for line in noise.lines if line.get_markerfacecolor() == "none")
    assert points(theirs) == [[0.5, 0.84], [0.6, 1.4]]
    assert theirs.get_markeredgecolor() == ours.get_color()
    # 13847 beside 610
    assert clusters.get_yscale() == "log"
    # a row without a value is a horizontal line; the paper says where its own is
    level = [line for line in average.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata() for line in level] == [[22.5, 22.5], [22.0, 22.0]]
    star = next(line for line in average.lines if line.get_marker() == "*")
    assert points(star) == [[0.55, 60.0]]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [
        "none", "rFM 2, rSW 1", "of the data, none", "of the data, rFM 2, rSW 1", "P, Table 4",
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["eps = five", "eps = ", "eps = 0.5.5"])
def test_a_label_without_a_number_is_refused(label: str) -> None:
    with pytest.raises(ReidError, match=f"row '{label}' has no place on an axis"):
        grid_figure(sweep(of={**SWEEP, label: [1.0]}), PAPER)
    with pytest.raises(ReidError, match="row 'TMC' has no place on an axis"):
        grid_figure(sweep(of={"TMC": [1.0]}), PAPER)


def test_without_any_experiment_the_paper_stands_alone() -> None:
    rows: dict[str, list[Any]] = {"x": [None, "why"], "y": [None, None]}
    figure = grid_figure(grid(rows), PAPER)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["P, Table 3"]
    assert not grid_figure(grid(rows, paper=None, table=None), PAPER).legends
    text = grid_table(grid(rows), PAPER)
    assert cells_of(text, "x")[:3] == ["", "70.0", ""]
    assert cells_of(text, "x")[6] == "(1)"


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    for number, shown in enumerate((grid({"x": [50.0, 40.0]}), sweep())):
        data = []
        for folder in ("one", "two"):
            path = tmp_path / folder / f"{number}-{name}"
            figures.save(grid_figure(shown, PAPER), path)
            data.append(path.read_bytes())
        assert data[0] == data[1]


# --- what is read --------------------------------------------------------------------------------


BLOCK: dict[str, Any] = {
    "title": "Title",
    "paper": None,
    "table": None,
    "axis": None,
    "metrics": ["R-1", "noise"],
    "columns": [{"label": "clean", "published": None}, {"label": "noisy", "published": None}],
    "datasets": [{"name": "a", "own": True}],
    "rows": [
        {"label": "x", "cells": {"a": [{"metrics": 1}, {"why": "no"}]}},
        {"label": "y", "cells": {"a": [{}, {"metrics": 0}]}},
    ],
    "isolation": [{"dataset": "a", "row": "y", "column": 1, "report": 0}],
}


def files(folder: Path, dataset: str = "a") -> tuple[list[Path], list[Path]]:
    paths = []
    for number in range(2):
        paths.append(folder / f"{number}.json")
        paths[-1].write_text(json.dumps(metrics(10.0 * number, dataset=dataset)))
    report = folder / "isolation.json"
    report.write_text(json.dumps({"kept": 90, "after": {"noise": 1.5, "tracklets": 70}}))
    return paths, [report]


def test_cells_count_off_their_files(tmp_path: Path) -> None:
    found = read_grid(BLOCK, *files(tmp_path))
    x, y = found.rows
    first = x.on("a", 0).metrics
    assert first is not None
    assert first["fine"]["mAP"] == 5.0
    assert x.on("a", 1) == Cell(why="no")
    assert y.on("a", 0) == x.on("b", 0) == Cell()
    assert found.isolation == {("a", "y", 1): {"noise": 1.5, "clusters": 70.0, "kept": 90.0}}


def changed(**changes: Any) -> dict[str, Any]:
    return {**BLOCK, **changes}


def row(label: str, *cells: Any) -> list[dict[str, Any]]:
    return [{"label": label, "cells": {"a": list(cells)}}]


ENTRY = BLOCK["isolation"][0]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (changed(metrics=["R1"]), "metric 'R1' is unknown; ask for some of R-1, .*, noise, clus"),
        (changed(metrics=["R-5"]), "fine.cmc has no rank 5; ask for some of 1"),
        (changed(columns=[{"label": "clean"}] * 2), "column 'clean' stands twice"),
        (changed(rows=BLOCK["rows"][:1] * 2), "row 'x' stands twice"),
        (changed(rows=row("x", {})), "row 'x': 1 cells on a, but there are 2 noise levels"),
        (changed(rows=row("x", {}, {"metrics": 2})), "row 'x': counts metrics.json number 2, but"),
        (changed(rows=row("x", {}, {"metrics": -1})), "row 'x': counts metrics.json number -1"),
        (changed(isolation=[{**ENTRY, "dataset": "b"}]), "no place b, 'y', column 1"),
        (changed(isolation=[{**ENTRY, "row": "z"}]), "no place a, 'z', column 1"),
        (changed(isolation=[{**ENTRY, "column": 2}]), "no place a, 'y', column 2"),
        (changed(isolation=[ENTRY, ENTRY]), "isolation of a, 'y', column 1: two reports"),
        (changed(isolation=[{**ENTRY, "report": 1}]), "column 1: counts report number 1, but 1"),
    ],
)
def test_a_wrong_block_is_refused(block: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ReidError, match=message) as caught:
        read_grid(block, *files(tmp_path))
    assert "\n" not in str(caught.value)


def test_metrics_of_another_dataset_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReidError, match=r"1\.json: of dataset b, but it is to stand under a"):
        read_grid(BLOCK, *files(tmp_path, "b"))


GOOD = {"kept": 90.0, "after": {"noise": 1.5, "tracklets": 70}}


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ({"kept": 90.0}, "lacks 'after'"),
        ({"after": GOOD["after"]}, "lacks 'kept'"),
        ({**GOOD, "after": {"noise": 1.5}}, "after lacks 'tracklets'"),
        ({**GOOD, "after": [1.5, 70]}, "after lacks 'noise'"),
        ({**GOOD, "kept": 101}, "kept is 101; delete the file"),
        ({**GOOD, "after": {"noise": 1.5, "tracklets": None}}, r"after\.tracklets is None"),
        ({**GOOD, "after": {"noise": 100.5, "tracklets": 70}}, r"after\.noise is 100\.5"),
        ({**GOOD, "after": {"noise": 1.5, "tracklets": -1}}, r"after\.tracklets is -1"),
        ({**GOOD, "after": {"noise": 1.5, "tracklets": float("inf")}}, r"tracklets is inf"),
        ({**GOOD, "after": {"noise": True, "tracklets": 70}}, r"after\.noise is True"),
    ],
)
def test_a_damaged_report_is_refused(report: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "isolation.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    with pytest.raises(ReidError, match=message) as caught:
        read_isolation(path)
    assert str(caught.value).startswith(str(path))


def test_rank_of() -> None:
    names = ["R-1", "R-20", "mAP", "noise", "clusters"]
    assert [rank_of(name) for name in names] == [1, 20, None, None, None]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_the_highest_figure_is_bold(values: list[float]) -> None:
    rows: dict[str, list[Any]] = {f"row {i}": [value] for i, value in enumerate(values)}
    text = grid_table(grid(rows, paper=None, table=None, columns=[Column("clean")]), PAPER)
    bold = [cells_of(text, label)[1].startswith("**") for label in rows]
    # what is printed like the highest is bold too
    printed = [f"{value:.1f}" for value in values]
    highest = f"{max(values):.1f}"
    assert bold == [text == highest for text in printed]
