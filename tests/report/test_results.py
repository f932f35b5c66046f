"""Results tables: letter by letter, what the plot draws, what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.report import figures, results
from weakreid.report.published import Published
from weakreid.report.results import Block, Cell, Column, Found, Results, Row
from weakreid.report.results_plot import is_logarithmic, plot

TABLES = {
    # WL's kind: two protocols, one column
    ("P", "II", row, dataset, f"{protocol} {name}"): value + 5 * number + 10 * (dataset == "B")
    for row, value in (("x", 60.0), ("y", 50.0), ("z", 50.0), ("w", 40.0))
    for dataset in ("A", "B")
    for protocol in ("fine", "coarse")
    for number, name in enumerate(("R-1", "R-5", "mAP"))
} | {
    # TMC's kind: a dataset of the paper per noise level
    ("P", "3", row, dataset, f"fine {name}"): value - 10 * (name == "mAP")
    for row, values in (("x", (70.0, 60.0)), ("y", (72.0, 20.0)))
    for dataset, value in zip(("A", "A 2"), values, strict=True)
    for name in ("R-1", "mAP")
}
SWEEPS = {
    ("P", "4", f"eps = {eps}", "A 2", metric): value
    for eps, values in (("0.5", (0.84, 13847.0, 54.5)), ("0.6", (1.4, 8963.0, 50.8)))
    for metric, value in zip(("noise", "clusters", "fine mAP"), values, strict=True)
} | {
    ("P", "4", "of the data", "A 2", metric): value
    for metric, value in (("eps", 0.55), ("fine mAP", 60.0))
}
OF_K = {
    ("P", "IV", f"k = {k}", "A", f"fine {name}"): 50.0 + k
    for k in (1, 20)
    for name in ("R-1", "mAP")
}
PAPER = Published(Path("published.csv"), {**TABLES, **SWEEPS, **OF_K})
CLEAN, NOISY = Column(label="clean", published="A"), Column(label="rFM 2, rSW 1", published="A 2")


def protocol(first: float, deviation: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "mAP": first / 2,
        "cmc": {"1": first, "5": first + 10},
        "chance": {"mAP": 2.5, "cmc": {"1": 1.0, "5": 5.0}},
        "queries": 15,
        "gallery": 40,
        "skipped": 0,
    }
    if deviation is not None:
        spread = {"1": deviation, "5": deviation}
        found["standard_deviation"] = {"mAP": deviation / 2, "cmc": spread}
    return found


def metrics(first: float, deviation: float | None = 1.0, dataset: str = "a") -> dict[str, Any]:
    runs = {"official-1": {}} | ({} if deviation is None else {"official-2": {}})
    both = {"fine": protocol(first, deviation), "coarse": protocol(first + 1, deviation)}
    config = {"method": {"evaluation": {"rules": "later"}}, "dataset": {"kind": "mars"}}
    return {"dataset": dataset, "runs": runs, "config": config, **both}


class Made:
    """A table on its way: its rows hold figures, reasons or nothing, and become cells."""

    def __init__(self) -> None:
        self.metrics: list[dict[str, Any]] = []
        self.isolation: list[dict[str, float | None]] = []

    def cell(self, what: Any) -> Cell:
        """A number is rank-1 of two runs, a pair has the deviation too, a text is a reason."""
        if what is None or isinstance(what, str):
            return Cell(why=what)
        left = None
        if isinstance(what, list):
            what, report = what
            self.isolation.append(report)
            left = len(self.isolation) - 1
        if what is None:
            return Cell(isolation=left)
        own = what if isinstance(what, dict) else metrics(*np.atleast_1d(np.array(what, object)))
        self.metrics.append(own)
        return Cell(metrics=len(self.metrics) - 1, isolation=left)

    def block(self, rows: dict[str, list[Any]], dataset: str = "a", **more: Any) -> Block:
        def at(label: str) -> float | None:
            return float(label.partition("=")[2]) if "=" in label else None

        found = [
            Row(label=label, at=at(label), cells=[self.cell(what) for what in cells])
            for label, cells in rows.items()
        ]
        return Block(dataset=dataset, rows=found, **{"columns": [Column(published="A")], **more})

    def found(self, *blocks: Block, **changes: Any) -> Found:
        values: dict[str, Any] = {
            "title": "Title",
            "paper": "P",
            "paper_table": "II",
            "protocols": ["fine"],
            "metrics": ["R-1", "mAP"],
            "blocks": list(blocks),
        }
        shows = Results(**{**values, **changes})
        paper = None if shows.paper is None else PAPER
        return Found(shows, self.metrics, self.isolation, paper)


def one(rows: dict[str, list[Any]], columns: list[Column] | None = None, **changes: Any) -> Found:
    """A table of one dataset: by row, what there is at each level."""
    made = Made()
    more = {} if columns is None else {"columns": columns}
    return made.found(made.block(rows, **more), **changes)


def text_of(rows: dict[str, Any], **changes: Any) -> str:
    """The table of rows that have one column."""
    return results.table(one({label: [what] for label, what in rows.items()}, **changes))


def at_levels(rows: dict[str, list[Any]], **changes: Any) -> Found:
    return one(rows, changes.pop("columns", [CLEAN, NOISY]), **{"paper_table": "3", **changes})


def board(rows: dict[str, list[Any]], columns: list[Column], **changes: Any) -> Found:
    return one(rows, columns, paper=None, paper_table=None, **changes)


def cells_of(text: str, label: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {label} "))
    return [cell.strip() for cell in line.split("|")[2:-1]]


# --- one column -----------------------------------------------------------------------------------


def test_a_table() -> None:
    rows = {
        "x": (30.0, 3.0),
        "y": (42.04, 4.0),
        "v": (9.0, None),
        "z": "k is too large",
        "w": None,
    }
    assert text_of(rows) == (
        "# Title\n"
        "\n"
        "|        | runs | R-1 paper |   R-1 ours | mAP paper |   mAP ours |\n"
        "|--------|-----:|----------:|-----------:|----------:|-----------:|\n"
        "| chance |      |           |        1.0 |           |        2.5 |\n"
        "| x      |    2 |      60.0 | 30.0 ± 3.0 |      70.0 | 15.0 ± 1.5 |\n"
        "| y      |    2 |      50.0 | 42.0 ± 4.0 |      60.0 | 21.0 ± 2.0 |\n"
        "| v      |    1 |           |        9.0 |           |        4.5 |\n"
        "| z      |      |      50.0 |        (1) |      60.0 |        (1) |\n"
        "| w      |      |      40.0 |            |      50.0 |            |\n"
        "\n"
        "1. z: k is too large\n"
        "- w: the paper's figures alone; not part of this project.\n"
        "- Per cent, fine protocol; several runs: mean ± std. Ours: a.\n"
        "- Paper: P, Table II (A).\n"
        "- fine: 15 queries, 40 in the gallery.\n"
        "- Order by fine R-1. Paper: x > y. Ours: y > x. Adjacent rows that we rank the other way:"
        " y above x by 12.0 (more than 5.0, the root sum of squares of both std).\n"
    )


def test_both_protocols_name_theirs_in_every_column() -> None:
    rows = {"x": (30.0, None), "y": (40.0, None)}
    text = text_of(rows, protocols=["coarse", "fine"], metrics=["R-1", "R-5", "mAP"])
    assert cells_of(text, " ") == ["runs"] + [
        f"{protocol} {name} {whose}"
        for protocol in ("coarse", "fine")
        for name in ("R-1", "R-5", "mAP")
        for whose in ("paper", "ours")
    ]
    assert cells_of(text, "x") == [
        "1", "60.0", "31.0", "65.0", "41.0", "70.0", "15.5",
        "60.0", "30.0", "65.0", "40.0", "70.0", "15.0",
    ]  # fmt: skip
    assert "- Order by coarse R-1. " in text
    assert "- Order by fine R-1. " in text
    assert text.count("y above x by 10.0 (a single run, no std).") == 2


def test_datasets_that_are_not_the_papers() -> None:
    made = Made()
    blocks = [
        made.block({"x": [30.0], "y": [20.0]}, own=False),
        made.block({"x": [metrics(50.0, dataset="b")]}, "b", columns=[Column(published="B")]),
    ]
    parts = results.table(made.found(*blocks)).split("## ")
    assert [part.splitlines()[0] for part in parts] == ["# Title", "a", "b"]
    warning = "The paper's figures are of other data, and no target for a.\n"
    assert [warning in part for part in parts] == [False, True, False]
    assert "| x      |    2 |      60.0 |" in parts[1]
    assert "| x      |    2 |      70.0 |" in parts[2]
    assert "Paper: x > y. Ours: x > y. We rank no adjacent rows the other way." in parts[1]
    assert "Order by" not in parts[2]


def test_without_any_experiment_the_paper_stands_alone() -> None:
    text = text_of({"x": None, "y": None})
    assert "chance" not in text
    assert "| x |      |      60.0 |" in text
    assert "- x, y: the paper's figures alone; not part of this project.\n" in text
    assert "queries" not in text
    assert "Order" not in text


def test_rows_of_one_reason_share_its_number() -> None:
    text = text_of({"x": "first", "y": "second", "z": "first"}, metrics=["R-1"])
    assert [cells_of(text, label)[2] for label in "xyz"] == ["(1)", "(2)", "(1)"]
    assert "\n1. x, z: first\n2. y: second\n- " in text


def test_equal_figures_of_the_paper_are_no_order() -> None:
    rows: dict[str, Any] = {"y": 10.0, "z": 20.0, "w": (15.0, 4.0), "x": (20.0, None)}
    order = text_of(rows).splitlines()[-1]
    assert "Paper: x > y = z > w. Ours: z = x > w > y. " in order
    # z and x are equal with us, y and z with the paper; w is compared with both of them
    assert order.endswith(
        "the other way: w above y by 5.0 (more than 4.1, the root sum of squares of both std)."
    )
    rows["w"] = (12.0, 4.0)
    assert "w above y by 2.0 (within 4.1, " in text_of(rows)


@given(st.permutations(["w", "x", "y", "z"]), st.lists(st.integers(1, 99), min_size=4, max_size=4))
def test_the_order_of_the_rows_decides_no_verdict(order: list[str], own: list[int]) -> None:
    ours = dict(zip("wxyz", map(float, own), strict=True))

    def verdict(labels: list[str]) -> set[str]:
        text = text_of({label: ours[label] for label in labels})
        _, found, pairs = text.splitlines()[-1].rpartition("the other way: ")
        return set(pairs.removesuffix(".").split("; ")) if found else set()

    assert verdict(order) == verdict(list("wxyz"))


def test_splits_of_different_sizes() -> None:
    few, other = metrics(30.0), metrics(40.0)
    few["fine"]["queries"] = [15, 17]
    other["fine"]["gallery"] = 39
    text = text_of({"x": few, "y": other})
    assert "- fine: 15 or 17 queries, 39 or 40 in the gallery.\n" in text


def test_a_dataset_of_which_the_paper_has_nothing() -> None:
    made = Made()
    block = made.block({"x": [30.0]}, own=False, columns=[Column(published="C")])
    text = results.table(made.found(block))
    assert "- P, Table II has no figure for C.\n" in text
    assert "no target" not in text
    assert cells_of(text, " ") == ["runs", "R-1 ours", "mAP ours"]


def test_a_figure_is_not_called_a_table() -> None:
    assert Results(title="", paper="P", paper_table="Figure 4", protocols=[], metrics=[],
                   blocks=[]).place == "P, Figure 4"  # fmt: skip


def test_an_experiment_alone() -> None:
    ten = metrics(50.04, None)
    for name in ("fine", "coarse"):
        ten[name]["cmc"]["10"] = ten[name]["chance"]["cmc"]["10"] = 70.0
    assert results.table_of("ours", ten) == (
        "# ours: retrieval\n"
        "\n"
        "|        | runs | fine R-1 | fine R-5 | fine R-10 | fine mAP "
        "| coarse R-1 | coarse R-5 | coarse R-10 | coarse mAP |\n"
        "|--------|-----:|---------:|---------:|----------:|---------:"
        "|-----------:|-----------:|------------:|-----------:|\n"
        "| chance |      |      1.0 |      5.0 |      70.0 |      2.5 "
        "|        1.0 |        5.0 |        70.0 |        2.5 |\n"
        "| ours   |    1 |     50.0 |     60.0 |      70.0 |     25.0 "
        "|       51.0 |       61.0 |        70.0 |       25.5 |\n"
        "\n"
        "- Per cent; several runs: mean ± std. Ours: a.\n"
        "- fine: 15 queries, 40 in the gallery.\n"
        "- coarse: 15 queries, 40 in the gallery.\n"
    )


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6))
def test_without_a_paper_the_highest_figure_is_bold(values: list[float]) -> None:
    rows: dict[str, list[Any]] = {f"row {i}": [value] for i, value in enumerate(values)}
    text = results.table(board(rows, [Column()]))
    bold = [cells_of(text, label)[1].startswith("**") for label in rows]
    # what is printed like the highest is bold too
    printed = [f"{value:.1f}" for value in values]
    assert bold == [text == f"{max(values):.1f}" for text in printed]


# --- noise levels ---------------------------------------------------------------------------------


def test_levels_beside_a_paper() -> None:
    rows = {"x": [50.0, (45.0, 3.0)], "y": [40.0, (47.0, None)], "z": [30.0, "too little"]}
    text = results.table(at_levels(rows))
    assert cells_of(text, " ") == ["runs"] + [
        f"{level}: {name} {whose}"
        for level in ("clean", "rFM 2, rSW 1")
        for name in ("R-1", "mAP")
        for whose in ("paper", "ours")
    ]
    assert cells_of(text, "chance") == ["", "", "1.0", "", "2.5", "", "1.0", "", "2.5"]
    assert cells_of(text, "x") == [
        "2", "70.0", "50.0 ± 1.0", "60.0", "25.0 ± 0.5", "60.0", "45.0 ± 3.0", "50.0", "22.5 ± 1.5",
    ]  # fmt: skip
    assert cells_of(text, "y")[0] == "1 or 2"
    assert cells_of(text, "z") == ["2", "", "30.0 ± 1.0", "", "15.0 ± 0.5", "", "(1)", "", "(1)"]
    assert text.partition("\n\n1. ")[2] == (
        "z (rFM 2, rSW 1): too little\n"
        "- Per cent, fine protocol; several runs: mean ± std. Ours: a.\n"
        "- Paper: P, Table 3 (clean: A; rFM 2, rSW 1: A 2).\n"
        "- fine: 15 queries, 40 in the gallery.\n"
        "- Points of fine R-1 lost from clean to rFM 2, rSW 1, the worst level of every row, ± the"
        " root sum of squares of both std, the least first: y -7.0 (paper 52.0), x 5.0 ± 3.2"
        " (paper 10.0).\n"
        "- clean. Order by fine R-1. Paper: y > x. Ours: x > y. Adjacent rows that we rank the"
        " other way: x above y by 10.0 (more than 1.4, the root sum of squares of both std).\n"
        "- rFM 2, rSW 1. Order by fine R-1. Paper: x > y. Ours: y > x. Adjacent rows that we rank"
        " the other way: y above x by 2.0 (a single run, no std).\n"
    )


def levels(*labels: str) -> list[Column]:
    return [Column(label=label) for label in labels]


def test_a_board_without_a_paper() -> None:
    rows = {"x": [50.0, 40.0, 45.0], "y": [50.04, 39.0, "no"], "z": ["no", 41.0, 46.0]}
    text = results.table(board(rows, levels("clean", "some", "much"), notes=["A note."]))
    assert cells_of(text, " ") == ["runs"] + [
        f"{level}: {name}" for level in ("clean", "some", "much") for name in ("R-1", "mAP")
    ]
    # what is printed alike is bold alike, and chance never is
    first = [cells_of(text, label)[1] for label in ("x", "y", "z", "chance")]
    assert first == ["**50.0 ± 1.0**", "**50.0 ± 1.0**", "(1)", "1.0"]
    second = [cells_of(text, label)[3] for label in "xyz"]
    assert second == ["40.0 ± 1.0", "39.0 ± 1.0", "**41.0 ± 1.0**"]
    assert cells_of(text, "y")[5:] == ["(1)", "(1)"]
    assert "1. y (much), z (clean): no\n" in text
    assert "- Bold: the best mean of a column, even if by less than the std.\n" in text
    assert text.endswith("\n- A note.\n")
    assert "Paper" not in text
    assert "Order" not in text
    # z has no clean figure to lose from
    assert (
        "from clean to some, the worst level of every row, ± the root sum of squares of both std, "
        "the least first: x 10.0 ± 1.4, y 11.0 ± 1.4.\n"
    ) in text


def test_the_worst_level_is_named_by_row_where_they_differ() -> None:
    rows = {"x": [50.0, 40.0, 45.0], "y": [50.0, 49.0, 30.0]}
    text = results.table(board(rows, levels("clean", "some", "much")))
    assert "to the worst level of each row, ± " in text
    assert "first: x 10.0 ± 1.4 (some), y 20.0 ± 1.4 (much).\n" in text


def test_a_paper_without_a_figure_of_a_level() -> None:
    columns = [CLEAN, Column(label="tracked"), Column(label="odd", published="Z")]
    text = results.table(at_levels({"x": [1.0, 2.0, 3.0]}, columns=columns))
    assert "- Paper: P, Table 3 (clean: A).\n" in text
    assert "- P, Table 3 has no figure for tracked; odd.\n" in text
    assert "tracked: R-1 paper" not in text


def test_a_wide_table_is_cut_into_one_per_level() -> None:
    columns = levels(*(f"level {i}" for i in range(9)))
    assert "##" not in results.table(board({"x": [float(i) for i in range(8)]}, columns[:8]))
    cut = results.table(board({"x": [float(i) for i in range(9)]}, columns))
    heads = [line for line in cut.splitlines() if line.startswith("#")]
    assert heads == ["# Title", *(f"## level {i}" for i in range(9))]
    assert cut.count("| x ") == 9
    assert cut.count("- Per cent") == 1


LEFT = {"impurity": 0.912, "clusters": 610.0, "kept": 97.25}


def sweep(rows: dict[str, list[Any]] | None = None, **changes: Any) -> Found:
    there = rows or {"eps = 0.6": [30.0], "eps = 0.5": [[40.0, LEFT]]}
    block = {"axis": "eps", "metrics": ["impurity", "clusters", "mAP"], "columns": [NOISY]}
    return at_levels(there, **{**block, "paper_table": "4", **changes})


def test_what_isolation_left() -> None:
    text = results.table(sweep())
    assert cells_of(text, " ") == ["runs"] + [
        f"{name} {whose}" for name in ("impurity", "clusters", "mAP") for whose in ("paper", "ours")
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


def test_impurity_is_left_empty_where_nobody_is_known(tmp_path: Path) -> None:
    report = {"kept": 97.25, "after": {"impurity": None, "tracklets": 610}}
    path = tmp_path / "isolation.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    unknown = sweep({"eps = 0.5": [[40.0, results.read_isolation(path)]]})
    cells = cells_of(results.table(unknown), "eps = 0.5")
    assert cells == ["2", "0.84", "", "13847", "610", "54.5", "20.0 ± 0.5"]
    # the plot has nothing of ours to draw there
    assert len(plot(unknown).axes) == len(plot(sweep()).axes)


def test_isolation_alone_needs_no_experiment() -> None:
    rows: dict[str, list[Any]] = {"eps = 0.5": [[None, LEFT]], "eps = 0.7": ["one cluster"]}
    text = results.table(sweep(rows, metrics=["impurity"]))
    assert cells_of(text, "eps = 0.5") == ["", "0.84", "0.91"]
    assert cells_of(text, "eps = 0.7") == ["", "", "(1)"]
    assert "chance" not in text


# --- the plot -------------------------------------------------------------------------------------


def points(line: Any) -> list[list[float]]:
    return np.asarray(line.get_xydata()).round(6).tolist()


def heights(line: Any) -> list[float]:
    return np.asarray(line.get_ydata(), float).tolist()


def names_of(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def of_papers(panel: Any) -> list[Any]:
    return [line for line in panel.lines if line.get_markerfacecolor() == "none"]


def test_a_line_per_row_over_the_levels() -> None:
    columns = [*(CLEAN, NOISY), Column(label="much")]
    rows = {"x": [50.0, "no", 30.0], "y": [40.0, (20.0, None), 10.0], "w": ["no", "no", "no"]}
    figure = plot(at_levels(rows, columns=columns))
    first, second = figure.axes
    assert [panel.get_title() for panel in figure.axes] == ["fine R-1", "fine mAP"]
    assert {panel.get_ylabel() for panel in figure.axes} == {"per cent"}
    assert {panel.get_xlabel() for panel in figure.axes} == {"noise of the tracklets"}
    ticks = [text.get_text() for text in first.get_xticklabels()]
    assert ticks == ["clean", "rFM 2\nrSW 1", "much"]
    x, y = (container.lines[0] for container in first.containers)
    # side by side, in the rows' order, broken where there is no figure
    assert x.get_xdata()[0] < y.get_xdata()[0] < 0.1
    np.testing.assert_equal(heights(x), [50.0, np.nan, 30.0])
    assert heights(y) == [40.0, 20.0, 10.0]
    assert heights(second.containers[0].lines[0])[0] == 25.0
    assert x.get_color() != y.get_color()
    assert x.get_marker() != y.get_marker()
    # a single run has no bar
    bars = first.containers[1].lines[2][0].get_segments()
    assert [len(bar) for bar in bars] == [2, 0, 2]
    # the paper's, open, of the same colour and at the same place; those of w alone are none
    theirs = of_papers(first)
    assert [heights(line) for line in theirs] == [[70.0, 60.0], [72.0, 20.0]]
    assert theirs[0].get_markeredgecolor() == x.get_color()
    assert theirs[0].get_xdata()[0] == x.get_xdata()[0]
    assert names_of(figure) == ["x", "y", "chance", "P, Table 3"]


def test_fourteen_rows_differ_by_more_than_colour() -> None:
    rows: dict[str, list[Any]] = {f"row {i}": [50.0 + i, 40.0 + i] for i in range(14)}
    figure = plot(board(rows, levels("clean", "much")))
    lines = [container.lines[0] for container in figure.axes[0].containers]
    # colours come again after seven, so that every eye tells them apart; markers and dashes differ
    assert len({line.get_marker() for line in lines[:12]}) == 12
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
    assert len(looks) == 14
    # within their level
    ends = [line.get_xdata()[1] for line in lines]
    assert 0.5 < min(ends) < max(ends) < 1.5


def test_a_line_of_panels_per_dataset() -> None:
    made = Made()
    blocks = [
        made.block({"x": [9.0, 8.0]}, columns=[CLEAN, NOISY]),
        made.block(
            {"x": [metrics(9.0, dataset="b"), "no"]}, "b", columns=[CLEAN, NOISY], own=False
        ),
    ]
    figure = plot(made.found(*blocks, paper_table="3", protocols=["fine", "coarse"]))
    assert [panel.get_title() for panel in figure.axes] == [
        f"{name}: {protocol} {metric}"
        for name in "ab"
        for protocol in ("fine", "coarse")
        for metric in ("R-1", "mAP")
    ]
    assert names_of(figure)[-1] == "P, Table 3 (other data)"


def test_a_line_per_level_over_a_value() -> None:
    rows: dict[str, list[Any]] = {
        "eps = 0.6": [30.0, 28.0],
        "of the data": [45.0, 44.0],
        "eps = 0.5": [40.0, [38.0, LEFT]],
    }
    found = sweep(rows, columns=[Column(label="none"), NOISY])
    figure = plot(found)
    impurity, clusters, average = figure.axes
    assert [panel.get_title() for panel in figure.axes] == [
        "impurity after isolation", "tracklets after isolation", "fine mAP",
    ]  # fmt: skip
    assert clusters.get_ylabel() == "number"
    assert {panel.get_xlabel() for panel in figure.axes} == {"eps"}
    # in the order of the axis
    assert [points(own.lines[0]) for own in average.containers] == [
        [[0.5, 20.0], [0.6, 15.0]],
        [[0.5, 19.0], [0.6, 14.0]],
    ]
    ours = impurity.containers[0].lines[0]
    np.testing.assert_equal(heights(ours), [0.912, np.nan])
    theirs = of_papers(impurity)[0]
    assert points(theirs) == [[0.5, 0.84], [0.6, 1.4]]
    assert theirs.get_markeredgecolor() == ours.get_color()
    # 13847 beside 610
    assert clusters.get_yscale() == "log"
    # a row without a value is a horizontal line; the paper says where its own is
    level = [line for line in average.lines if line.get_linestyle() == "--"]
    assert [heights(line) for line in level] == [[22.5, 22.5], [22.0, 22.0]]
    star = next(line for line in average.lines if line.get_marker() == "*")
    assert points(star) == [[0.55, 60.0]]
    assert names_of(figure) == [
        "none", "rFM 2, rSW 1", "of the data, none", "of the data, rFM 2, rSW 1", "P, Table 4",
    ]  # fmt: skip


def over_k(values: dict[str, Any], **changes: Any) -> Found:
    rows = {label: [what] for label, what in values.items()}
    return one(rows, **{"paper_table": "IV", "axis": "k", **changes})


OF_ONE_LEVEL = {"k = 5": (30.0, 2.0), "k = 1": (20.0, None), "k = 20": "k is too large"}


def test_the_one_level_over_a_value() -> None:
    figure = plot(over_k(OF_ONE_LEVEL, metrics=["R-1", "R-5", "mAP"]))
    # of the CMC the first rank alone
    assert [panel.get_title() for panel in figure.axes] == ["fine R-1", "fine mAP"]
    first, second = figure.axes
    ours, theirs = first.containers[0].lines[0], of_papers(first)[0]
    np.testing.assert_equal(points(ours), [[1, 20], [5, 30], [20, np.nan]])
    assert points(theirs) == [[1, 51], [20, 70]]
    assert points(second.containers[0].lines[0])[:2] == [[1, 10], [5, 15]]
    assert theirs.get_linestyle() == "None"
    # one run has no bar
    bars = first.containers[0].lines[2][0].get_segments()
    assert [np.asarray(bar).tolist() for bar in bars][:2] == [[], [[5, 28], [5, 32]]]
    assert names_of(figure) == ["ours", "P, Table IV"]
    assert first.get_xticks().tolist() == [1, 5, 20]
    assert [text.get_text() for text in first.get_xticklabels()] == ["1", "5", "20"]
    assert first.get_xscale() == "log"


def test_without_any_experiment_the_paper_is_drawn_alone() -> None:
    rows: dict[str, list[Any]] = {"x": ["no", "why"], "y": ["no", "no"]}
    assert names_of(plot(at_levels(rows))) == ["P, Table 3"]
    assert not plot(board(rows, levels("clean", "much"))).legends


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    for number, found in enumerate((at_levels({"x": [50.0, 40.0]}), sweep(), over_k(OF_ONE_LEVEL))):
        paths = [tmp_path / folder / f"{number}-{name}" for folder in ("one", "two")]
        for path in paths:
            figures.save(plot(found), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()


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
    panel = plot(over_k({f"k = {value}": 30.0 for value in values})).axes[0]
    assert panel.get_xscale() == ("log" if logarithmic else "linear")
    assert panel.get_xticks().tolist() == sorted(values)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1), st.floats(0.1, 10))
def test_the_axis_does_not_depend_on_the_unit(values: list[float], unit: float) -> None:
    ends = max(values) / min(values)
    if abs(ends - 8) > 1e-6:
        assert is_logarithmic(values) == is_logarithmic([unit * value for value in values])


# --- what is read ---------------------------------------------------------------------------------


def shows(**changes: Any) -> Results:
    row = Row(label="x", cells=[Cell(metrics=1, isolation=0), Cell(why="no")])
    block = Block(dataset="a", columns=[CLEAN, NOISY], rows=[row])
    values = {"title": "T", "protocols": ["fine"], "metrics": ["R-1", "R-5"], "blocks": [block]}
    return Results(**{**values, **changes})


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


GOOD = {"kept": 90.0, "after": {"impurity": 1.5, "tracklets": 70}}


def test_cells_count_their_files(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.json", metrics(10.0 * i)) for i in range(2)]
    report = write(tmp_path / "isolation.json", GOOD)
    found = results.read(shows(), paths, [report], None)
    own = found.metrics_of(found.shows.blocks[0].rows[0], 0)
    assert own == metrics(10.0)
    assert found.isolation == [{"impurity": 1.5, "clusters": 70.0, "kept": 90.0}]
    write(paths[1], metrics(10.0, dataset="b"))
    with pytest.raises(ReidError, match=r"1\.json: of dataset b, but it is to stand under a"):
        results.read(shows(), paths, [report], None)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(ReidError, match="no figure of table 'V' of paper 'P'; it has P II, P 3"):
        results.read(shows(paper="P", paper_table="V"), [], [], PAPER)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (["dataset"], "lacks 'dataset'"),
        (["runs"], "lacks 'runs'"),
        (["fine"], "lacks 'fine'"),
        (["fine", "mAP"], "fine lacks 'mAP'"),
        (["fine", "cmc"], "fine lacks 'cmc'"),
        (["fine", "chance"], "fine lacks 'chance'"),
        (["fine", "queries"], "fine lacks 'queries'"),
        (["fine", "gallery"], "fine lacks 'gallery'"),
        (["fine", "chance", "cmc"], "fine.chance lacks 'cmc'"),
        (["fine", "standard_deviation"], "fine lacks 'standard_deviation'"),
        (["fine", "standard_deviation", "mAP"], "fine.standard_deviation lacks 'mAP'"),
        (["fine", "cmc", "5"], "fine.cmc has no rank 5; ask for some of 1"),
    ],
)
def test_metrics_without_a_figure_are_refused(
    place: list[str], message: str, tmp_path: Path
) -> None:
    found = metrics(30.0)
    block = found
    for key in place[:-1]:
        block = block[key]
    del block[place[-1]]
    path = write(tmp_path / "metrics.json", found)
    with pytest.raises(ReidError, match=message) as caught:
        results.read_metrics(path, shows())
    assert str(caught.value).startswith(str(path))


def test_one_run_needs_no_deviation_and_one_protocol_not_the_other(tmp_path: Path) -> None:
    found = metrics(30.0, None)
    del found["coarse"]
    assert results.read_metrics(write(tmp_path / "metrics.json", found), shows()) == found


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ({"kept": 90.0}, "lacks 'after'"),
        ({"after": GOOD["after"]}, "lacks 'kept'"),
        ({**GOOD, "after": {"impurity": 1.5}}, "after lacks 'tracklets'"),
        ({**GOOD, "after": [1.5, 70]}, "after lacks 'impurity'"),
        ({**GOOD, "kept": 101}, "kept is 101; delete the file"),
        ({**GOOD, "after": {"impurity": 1.5, "tracklets": None}}, r"after\.tracklets is None"),
        ({**GOOD, "after": {"impurity": 100.5, "tracklets": 70}}, r"after\.impurity is 100\.5"),
        ({**GOOD, "after": {"impurity": 1.5, "tracklets": -1}}, r"after\.tracklets is -1"),
        ({**GOOD, "after": {"impurity": 1.5, "tracklets": float("inf")}}, r"tracklets is inf"),
        ({**GOOD, "after": {"impurity": True, "tracklets": 70}}, r"after\.impurity is True"),
    ],
)
def test_a_damaged_report_is_refused(report: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "isolation.json", report)
    with pytest.raises(ReidError, match=message) as caught:
        results.read_isolation(path)
    assert str(caught.value).startswith(str(path))


def test_what_is_skipped_and_by_whose_rules_stands_below() -> None:
    made = Made()
    rows = [Row(label="x", cells=[made.cell(60.0)]), Row(label="y", cells=[made.cell(50.0)])]
    for of in made.metrics:
        of["fine"]["skipped"] = 3
        of["coarse"]["skipped"] = 1
    made.metrics[0]["config"]["method"]["evaluation"]["rules"] = "official"
    made.metrics[0]["config"]["dataset"] = {"kind": "prid", "split_seed": 7, "persons": 200}
    made.metrics[1]["config"]["dataset"] = {"kind": "ilids", "split_seed": None}
    shows = Results(title="T", blocks=[], protocols=["fine", "coarse"], metrics=["R-1"])
    block = Block(dataset="a", own=False, columns=[Column(label="")], rows=rows)
    text = "\n".join(results._facts(Found(shows, made.metrics, made.isolation, None), block))
    assert "fine: 3 more queries are skipped: no other camera of the gallery sees" in text
    assert "coarse: 1 more queries are skipped: no bag of the gallery has their person." in text
    assert "fine: some rows by MARS's official rules (queries are in the gallery, all count" in text
    assert "Halves of 200 persons: drawn with seed 7." in text
    assert "Halves: of the published file." in text
