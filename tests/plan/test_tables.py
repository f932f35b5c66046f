"""Tables of the config: names that must be there, rows that can be shown, the papers' figures."""

import csv
import functools
from typing import Any

import pytest
from tests import configs
from tests.configs import ROOT

from weakreid.config.tables import ResultsTable
from weakreid.errors import ReidError
from weakreid.plan.read import plan_of


@functools.cache
def own() -> dict[str, Any]:
    """Return the project's config; whoever changes something copies it."""
    return configs.own()


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return that with one key set."""
    return configs.changed(own(), key, value)


def refusal(raw: Any) -> str:
    """Return the line that refuses a config."""
    with pytest.raises(ReidError) as caught:
        plan_of(raw)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_a_row_of_no_experiment() -> None:
    assert refusal(changed("tables.demo.rows", {"a row": "wl_walker"})) == (
        "tables.demo.rows.a row: 'wl_walker' does not exist; did you mean 'wl_walkers'?"
    )


TABLES = {
    "results": "wl_table2",
    "counts": "wl_table1",
    "cost": "wl_cost",
    "audit": "wl_audit",
    "matches": "wl_figure5",
    "noise": "tmc_table1",
    "isolation": "tmc_figure3",
    "examples": "attr_figure5",
    "weights": "attr_figure6",
    "visibility": "attr_visibility",
    "labels": "attr_labels",
    "by_attribute": "attr_by_attribute",
    "masks": "cosam_masks",
    "attention": "attn_cl_attention",
}
"""Of every kind of table that shows a study, one."""


@pytest.mark.parametrize(
    ("table", "row", "line"),
    [
        ("cosam_masks", "frames_3", "'frames_3' does not exist; did you mean 'frames_8'?"),
        ("attn_cl_attention", "base", "attn_cl_walkers_base attends to no frames, or its training"),
        ("attn_cl_attention", "untrained", "attn_cl_walkers_untrained attends to no frames"),
    ],
)
def test_a_row_that_has_nothing_to_look_at(table: str, row: str, line: str) -> None:
    found = refusal(changed(f"tables.{table}.rows", {"one": row}))
    assert found.startswith(f"tables.{table}.rows.one: {line}")


def test_masks_of_what_learns_from_no_clips() -> None:
    found = refusal(
        changed("tables.cosam_masks", {**own()["tables"]["cosam_masks"], "study": "wl"})
    )
    assert "tables.cosam_masks.rows.TP: 'tp' does not exist" in found
    rows = {"MIL": "mil"}
    raw = {**own()["tables"]["cosam_masks"], "study": "wl", "rows": rows}
    line = "tables.cosam_masks.rows.MIL: wl_walkers_mil learns from no clips; take another row"
    assert refusal(changed("tables.cosam_masks", raw)) == line


def test_every_kind_of_table_is_in_the_config() -> None:
    found = plan_of(own())
    others = {"ratios", "groups"}
    assert {table.kind for table in found.config.tables.values()} == {*TABLES, *others}
    assert {kind: found.config.tables[name].kind for kind, name in TABLES.items()} == dict(
        zip(TABLES, TABLES, strict=True)
    )


@pytest.mark.parametrize("name", TABLES.values())
def test_a_table_of_no_study_or_no_dataset(name: str) -> None:
    place = f"tables.{name}"
    assert refusal(changed(f"{place}.study", "wll")) == (
        f"{place}.study: 'wll' does not exist; did you mean 'wl'?"
    )
    assert refusal(changed(f"{place}.datasets", ["marss"])) == (
        f"{place}.datasets: 'marss' does not exist; did you mean 'mars'?"
    )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("wl_table2.rows", {"MIL": "ml"}, "tables.wl_table2.rows.MIL: 'ml'{}"),
        ("wl_audit.row", "ml", "tables.wl_audit.row: 'ml'{}"),
    ],
)
def test_a_table_of_no_row(key: str, value: Any, line: str) -> None:
    assert refusal(changed(f"tables.{key}", value)) == line.format(
        " does not exist; did you mean 'mil'?"
    )


def test_a_table_of_a_refused_experiment_refuses_no_other() -> None:
    found = plan_of(changed("tables.demo.rows", {"a row": "wl_walkers_k_20"}))
    assert "wl_walkers_k_20" in found.refused
    # nor does one by another name
    raw = changed("tables.demo.rows", {"a row": "wl_walkers_lambda_50"})
    assert plan_of(raw).same["wl_walkers_lambda_50"] == "wl_walkers"


@pytest.mark.parametrize("row", ["ours", "noisy"])
def test_an_audit_of_labels_that_are_right(row: str) -> None:
    name = "wl_walkers" if row == "ours" else "wl_walkers_noisy"
    assert refusal(changed("tables.wl_audit.row", row)) == (
        f"tables.wl_audit.row: no label is wrong in the bags of {name}, so nothing can be scored; "
        "take a row whose bags have planted or missing"
    )


def test_a_row_without_a_place_on_its_table_s_axis() -> None:
    assert refusal(changed("tables.wl_table4.rows", {"five": "k_5"})) == (
        "config.yaml: 'tables.wl_table4': row 'five' has no place on the axis k; call it "
        "'k = NUMBER', or leave axis out"
    )


def test_the_command_line_s_text_in_a_table() -> None:
    raw = changed("tables.wl_table3.rows.Baseline", "null")
    raw["tables"]["attr_by_attribute"]["ranks"] = ["1"]
    tables = plan_of(raw).config.tables
    assert tables["wl_table3"].rows["Baseline"] is None
    assert tables["attr_by_attribute"].ranks == [1]


# --- the paper ------------------------------------------------------------------------------------


@functools.cache
def published() -> list[dict[str, str]]:
    path = ROOT / "workflow" / "resources" / "published.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


OF_PAPERS = [
    name
    for name, table in own()["tables"].items()
    if table["kind"] == "results" and "paper" in table and "levels" not in table
]


@pytest.mark.parametrize("name", OF_PAPERS)
def test_a_table_s_rows_and_columns_are_those_of_the_paper(name: str) -> None:
    table = plan_of(own()).config.tables[name]
    assert isinstance(table, ResultsTable)
    place = (table.paper, table.paper_table)
    of_paper = [row for row in published() if (row["paper"], row["table"]) == place]
    labels = {row["row"] for row in of_paper}
    assert labels <= set(table.rows)
    # a sweep may go through more values than the paper prints
    assert table.axis is not None or labels == set(table.rows)
    metrics = {row["metric"] for row in of_paper}
    kinds = {metric.split()[0] for metric in metrics if " " in metric}
    assert kinds == set(table.protocols)
    printed = {f"R-{metric.rpartition('-')[2]}" for metric in metrics if "R-" in metric}
    # Figure 4 is a plot: of its points the text gives some, and those are Table VIII's
    assert set(table.metrics) - {"mAP"} == printed or table.axis == "λ"


def test_every_table_of_the_paper_is_in_the_config() -> None:
    found = [table for table in own()["tables"].values() if "paper_table" in table]
    assert {(table["paper"], table["paper_table"]) for table in found} == {
        (row["paper"], row["table"]) for row in published()
    }


def test_every_comparison_row_is_in_the_tables_and_empty() -> None:
    rows = [table["rows"] for table in own()["tables"].values() if table["kind"] == "results"]
    empty = {label for of_table in rows for label, row in of_table.items() if row is None}
    # BUC: in Table VII, whose noise is another than that of the levels
    of_wl, of_tmc = {"BUC", "CV-MIML"}, {"DAL", "RACE", "UTAL"}
    of_tmc |= {"DGM", "DGM+", "STAN", "SDM"}
    of_attr = {"ASTPN", "Joint-ST", "Seq-Decision", "Set2set", "TriNet", "DRSA", "Snippet"}
    of_attr |= {"k-reciprocal (CaffeNet)", "k-reciprocal (Res-50)"}
    of_cosam = {"LOMO+XQDA", "JST-RNN", "QAN", "Context Aware Parts", "IDE+XQDA+ReRanking"}
    of_cosam |= {"Region QEN", "Comp. Snippet Sim.", "Part-Aligned", "ETAP-Net"}
    of_attn_cl = {"SOTA", "SOTA without re-ranking", "SOTA with re-ranking"}
    assert empty == of_wl | of_tmc | of_attr | of_cosam | of_attn_cl


def test_the_datasets_of_the_paper_are_those_that_a_study_stands_beside() -> None:
    found = plan_of(own()).config.studies["wl"]
    beside = {place.published for place in found.datasets.values() if place.published}
    assert beside == {row["dataset"] for row in published() if row["paper"] == "WL"}
    assert found.reference in beside
