"""A paper's table with ours beside it, letter by letter, and the order of its rows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.report.published import Published
from weakreid.report.study import (
    Cell,
    Dataset,
    Row,
    Study,
    read_metrics,
    read_study,
    study_table,
)

PAPER = Published(
    Path("published.csv"),
    {
        ("P", "II", row, dataset, f"{protocol} {name}"): value + 5 * number + 10 * (dataset == "B")
        for row, value in (("x", 60.0), ("y", 50.0), ("z", 50.0), ("w", 40.0))
        for dataset in ("A", "B")
        for protocol in ("fine", "coarse")
        for number, name in enumerate(("R-1", "R-5", "mAP"))
    },
)


def protocol(first: float, deviation: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "mAP": first / 2,
        "cmc": {"1": first, "5": first + 10},
        "chance": {"mAP": 1.25, "cmc": {"1": 1.0, "5": 5.0}},
        "queries": 15,
        "gallery": 40,
    }
    if deviation is not None:
        spread = {"1": deviation, "5": deviation}
        found["standard_deviation"] = {"mAP": deviation / 2, "cmc": spread}
    return found


def metrics(first: float, deviation: float | None = None, dataset: str = "a") -> dict[str, Any]:
    runs = {"official-1": {}} | ({} if deviation is None else {"official-2": {}})
    return {
        "dataset": dataset,
        "runs": runs,
        "fine": protocol(first, deviation),
        "coarse": protocol(first + 1, deviation),
    }


def study(rows: dict[str, dict[str, Any]], **changes: Any) -> Study:
    """Rows by label, of each dataset metrics, a reason, or nothing."""

    def cell(what: Any) -> Cell:
        if isinstance(what, str):
            return Cell(why=what)
        return Cell(metrics=what)

    values: dict[str, Any] = {
        "title": "Title",
        "paper": "P",
        "table": "II",
        "protocols": ["fine"],
        "ranks": [1],
        "datasets": [Dataset("a", "A")],
        "rows": [
            Row(label, {name: cell(what) for name, what in cells.items()})
            for label, cells in rows.items()
        ],
    }
    return Study(**{**values, **changes})


def test_a_table() -> None:
    rows: dict[str, dict[str, Any]] = {
        "x": {"a": metrics(30.0, 3.0)},
        "y": {"a": metrics(42.04, 4.0)},
        "v": {"a": metrics(9.0)},
        "z": {"a": "k is too large"},
        "w": {"a": None},
    }
    assert study_table(study(rows), PAPER) == (
        "# Title\n"
        "\n"
        "|        | runs | R-1 paper |   R-1 ours | mAP paper |   mAP ours |\n"
        "|--------|-----:|----------:|-----------:|----------:|-----------:|\n"
        "| chance |      |           |        1.0 |           |        1.2 |\n"
        "| x      |    2 |      60.0 | 30.0 ± 3.0 |      70.0 | 15.0 ± 1.5 |\n"
        "| y      |    2 |      50.0 | 42.0 ± 4.0 |      60.0 | 21.0 ± 2.0 |\n"
        "| v      |    1 |           |        9.0 |           |        4.5 |\n"
        "| z (1)  |      |      50.0 |            |      60.0 |            |\n"
        "| w      |      |      40.0 |            |      50.0 |            |\n"
        "\n"
        "1. z: k is too large\n"
        "- w: no figure of ours: not part of this project yet\n"
        "- Per cent. Paper: P, Table II, A. Ours: a; with several runs, mean ± standard"
        " deviation.\n"
        "- fine: 15 queries, 40 in the gallery.\n"
        "- Order by fine R-1. Paper: x > y. Ours: y > x. Neighbours of the paper's order that are"
        " reversed with us: y above x by 12.0 (more than 5.0, the deviations' root sum of"
        " squares).\n"
    )


def test_both_protocols_name_theirs_in_every_column() -> None:
    rows = {"x": {"a": metrics(30.0)}, "y": {"a": metrics(40.0)}}
    text = study_table(study(rows, protocols=["coarse", "fine"], ranks=[1, 5]), PAPER)
    heads = [head.strip() for head in text.splitlines()[2].split("|")[2:-1]]
    assert heads == ["runs"] + [
        f"{protocol} {name} {whose}"
        for protocol in ("coarse", "fine")
        for name in ("R-1", "R-5", "mAP")
        for whose in ("paper", "ours")
    ]
    cells = [cell.strip() for cell in text.splitlines()[5].split("|")[2:-1]]
    assert cells[0] == "1"
    assert cells[1:7] == ["60.0", "31.0", "65.0", "41.0", "70.0", "15.5"]
    assert cells[7:] == ["60.0", "30.0", "65.0", "40.0", "70.0", "15.0"]
    assert "- Order by coarse R-1. " in text
    assert "- Order by fine R-1. " in text
    assert text.count("y above x by 10.0 (one run, no deviation).") == 2


def test_datasets_that_are_not_the_papers() -> None:
    rows = {
        "x": {"a": metrics(30.0), "b": metrics(50.0, dataset="b")},
        "y": {"a": metrics(20.0)},
    }
    datasets = [Dataset("a", "A", own=False), Dataset("b", "B")]
    text = study_table(study(rows, datasets=datasets), PAPER)
    blocks = text.split("## ")
    assert [block.splitlines()[0] for block in blocks] == ["# Title", "a", "b"]
    warning = "The paper's figures are those of A: other data, and no target for a.\n"
    assert [warning in block for block in blocks] == [False, True, False]
    assert "| x      |    1 |      60.0 |" in blocks[1]
    assert "| x      |    1 |      70.0 |" in blocks[2]
    assert "- No neighbours" not in blocks[1]
    assert "Paper: x > y. Ours: x > y. No neighbours of the paper's order" in blocks[1]
    # y is measured on a, so it is not something that the project lacks
    assert "- y: no figure of ours: there is no experiment of it on this dataset\n" in blocks[2]
    assert "Order by" not in blocks[2]


def test_without_any_experiment_the_paper_stands_alone() -> None:
    text = study_table(study({"x": {}, "y": {"a": None}}), PAPER)
    assert "chance" not in text
    assert "| x |      |      60.0 |" in text
    assert "- x, y: no figure of ours: not part of this project yet\n" in text
    assert "queries" not in text
    assert "Order" not in text


def test_rows_of_one_reason_share_its_number() -> None:
    rows = {"x": {"a": "first"}, "y": {"a": "second"}, "z": {"a": "first"}}
    text = study_table(study(rows), PAPER)
    assert [line.split("|")[1].strip() for line in text.splitlines()[4:7]] == [
        "x (1)",
        "y (2)",
        "z (1)",
    ]
    assert "\n1. x, z: first\n2. y: second\n- " in text


def test_equal_figures_of_the_paper_are_no_order() -> None:
    rows = {
        "y": {"a": metrics(10.0, 1.0)},
        "z": {"a": metrics(20.0, 1.0)},
        "w": {"a": metrics(15.0, 4.0)},
        "x": {"a": metrics(20.0)},
    }
    text = study_table(study(rows), PAPER)
    order = text.splitlines()[-1]
    assert "Paper: x > y = z > w. Ours: z = x > w > y. " in order
    # z and x are equal with us, y and z with the paper; w is compared with both of them
    assert order.endswith(
        "reversed with us: w above y by 5.0 (more than 4.1, the deviations' root sum of squares)."
    )
    rows["w"] = {"a": metrics(12.0, 4.0)}
    assert "w above y by 2.0 (within 4.1, " in study_table(study(rows), PAPER)


@given(st.permutations(["w", "x", "y", "z"]), st.lists(st.integers(1, 99), min_size=4, max_size=4))
def test_the_order_of_the_rows_decides_no_verdict(order: list[str], figures: list[int]) -> None:
    ours = dict(zip("wxyz", map(float, figures), strict=True))

    def verdict(labels: list[str]) -> set[str]:
        text = study_table(study({x: {"a": metrics(ours[x], 1.0)} for x in labels}), PAPER)
        _, found, pairs = text.splitlines()[-1].rpartition("with us: ")
        return set(pairs.removesuffix(".").split("; ")) if found else set()

    assert verdict(order) == verdict(list("wxyz"))


def test_splits_of_different_sizes() -> None:
    one, other = metrics(30.0), metrics(40.0)
    one["fine"]["queries"] = [15, 17]
    other["fine"]["gallery"] = 39
    text = study_table(study({"x": {"a": one}, "y": {"a": other}}), PAPER)
    assert "- fine: 15 or 17 queries, 39 or 40 in the gallery.\n" in text


def test_a_dataset_of_which_the_paper_has_nothing() -> None:
    rows = {"x": {"a": metrics(30.0)}}
    text = study_table(study(rows, datasets=[Dataset("a", "C", own=False)]), PAPER)
    assert "- The paper has no figure for C here.\n" in text
    assert "no target" not in text


def test_a_figure_is_not_called_a_table() -> None:
    paper = Published(Path("p"), {("P", "Figure 4", "x", "A", "fine R-1"): 1.0})
    assert "Paper: P, Figure 4, A." in study_table(study({"x": {}}, table="Figure 4"), paper)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(ReidError, match="no figure of table 'IV' of paper 'P'; it has P II"):
        study_table(study({"x": {}}, table="IV"), PAPER)


BLOCK = {
    "title": "Title",
    "paper": "P",
    "table": "II",
    "protocols": ["fine"],
    "ranks": [1, 5],
    "datasets": [{"name": "a", "published": "A", "own": False}],
    "rows": [
        {"label": "x", "cells": {"a": {"metrics": 1}}},
        {"label": "y", "cells": {"a": {"why": "reason"}}},
        {"label": "z", "cells": {"a": {}}},
        {"label": "w", "cells": {}},
    ],
}


def test_a_study_is_read(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.json" for i in range(2)]
    for path, first in zip(paths, (10.0, 20.0), strict=True):
        path.write_text(json.dumps(metrics(first, 1.0)), encoding="utf-8")
    found = read_study(BLOCK, paths)
    assert found.place == "P, Table II"
    assert found.datasets == [Dataset("a", "A", own=False)]
    cells = [row.on("a") for row in found.rows]
    assert cells == [Cell(metrics(20.0, 1.0)), Cell(why="reason"), Cell(), Cell()]
    elsewhere = {**BLOCK, "rows": [{"label": "x", "cells": {"b": {"metrics": 0}}}]}
    with pytest.raises(ReidError, match=r"0\.json: of dataset a, but it is to stand under b"):
        read_study(elsewhere, paths)


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
    found = metrics(30.0, 1.0)
    block = found
    for key in place[:-1]:
        block = block[key]
    del block[place[-1]]
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(ReidError, match=message) as caught:
        read_metrics(path, ["fine"], [1, 5])
    assert str(caught.value).startswith(str(path))


def test_one_run_needs_no_deviation_and_one_protocol_not_the_other(tmp_path: Path) -> None:
    found = metrics(30.0)
    del found["coarse"]
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    assert read_metrics(path, ["fine"], [1]) == found
