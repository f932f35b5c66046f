"""The tables of the config beside those that the papers print."""

from pathlib import Path

import pytest

from weakreid.config import load
from weakreid.config.sources import default_files, read_merged
from weakreid.config.tables import ResultsTable, WithPaper
from weakreid.report.published import read_ours

ROOT = Path(__file__).parents[3]
TABLES = load.read(read_merged(default_files(ROOT))).tables
FIGURES = read_ours().figures
RESULTS = {
    name: table
    for name, table in TABLES.items()
    if isinstance(table, ResultsTable) and table.paper is not None
}


@pytest.mark.parametrize("name", RESULTS)
def test_rows_and_columns_are_those_of_the_paper(name: str) -> None:
    table = RESULTS[name]
    of_paper = [key for key in FIGURES if key[:2] == (table.paper, table.paper_table)]
    labels = {key[2] for key in of_paper}
    # a sweep may go through more values than the paper prints, or around other ones
    assert table.axis is not None or labels == set(table.rows)
    names = {key[4].replace("noise", "impurity") for key in of_paper} - {table.axis}
    by_protocol = {metric.split()[0] for metric in names if " " in metric}
    assert by_protocol == set(table.protocols)
    printed = {metric.split()[-1] for metric in names}
    # Figure 4 is a plot: of its points the text gives some, and those are Table VIII's
    assert set(table.metrics) == printed | {"mAP"} or table.axis == "λ"


def test_every_table_of_a_paper_is_in_the_config() -> None:
    found = {
        (table.paper, table.paper_table)
        for table in TABLES.values()
        if isinstance(table, WithPaper) and table.paper is not None
    }
    assert found == {key[:2] for key in FIGURES}


def test_every_row_that_the_papers_compare_with_is_there_and_empty() -> None:
    empty = {label for table in RESULTS.values() for label, row in table.rows.items() if not row}
    of_wl, of_tmc = {"BUC", "EUG", "UGA", "CV-MIML", "CV-MIML*"}, {"DAL", "RACE", "UTAL"}
    of_tmc |= {"DGM", "DGM+", "STAN", "SDM"}
    of_attr = {"ASTPN", "Joint-ST", "Seq-Decision", "Set2set", "TriNet", "DRSA", "Snippet"}
    of_attr |= {"k-reciprocal (CaffeNet)", "k-reciprocal (Res-50)"}
    of_cosam = {"LOMO+XQDA", "JST-RNN", "QAN", "Context Aware Parts", "IDE+XQDA+ReRanking"}
    of_cosam |= {"Region QEN", "Comp. Snippet Sim.", "Part-Aligned", "ETAP-Net"}
    of_attn_cl = {"SOTA", "SOTA without re-ranking", "SOTA with re-ranking"}
    assert empty == of_wl | of_tmc | of_attr | of_cosam | of_attn_cl
