"""Results: which experiments stand where, and what the stage makes of them."""

from pathlib import Path
from typing import Any

import pytest
from tests.report.kinds.helpers import inputs_of, job_of, make, rows_of, write
from tests.report.test_results import metrics

from weakreid.errors import ReidError

OF_K = {
    "kind": "results",
    "study": "mini",
    "datasets": ["mars", "walkers_tiny"],
    "paper": "WL",
    "paper_table": "IV",
    "axis": "k",
    "metrics": ["R-1", "mAP"],
    "rows": {"k = 1": "k_1", "k = 5": "k_5", "k = 10": None, "k = 20": "k_20"},
}
LEVELS = {
    "kind": "results",
    "study": "mini_tmc",
    "datasets": ["walkers_tiny"],
    "levels": ["clean", "noisy"],
    "metrics": ["impurity", "R-1"],
    "rows": {"TMC": "intra_50", "TMC-": "minus", "names": "majority"},
}
EXPERIMENTS = {
    "kind": "results",
    "protocols": ["fine", "coarse"],
    "rows": {"tiny": "wl_tiny", "k = 5": "mini_mars_k_5", "again": "wl_tiny"},
}


def cells(job: Any) -> dict[tuple[str, str, int], str | None]:
    """Of every place of a table the experiment, or why there is none."""
    found = {}
    for block in job.params.blocks:
        for row in block.rows:
            for number, cell in enumerate(row.cells):
                path = None if cell.metrics is None else job.inputs["metrics"][cell.metrics]
                found[block.dataset, row.label, number] = path or cell.why
    return found


def test_rows_of_a_study() -> None:
    job = job_of(OF_K)
    found = cells(job)
    assert list(found) == [(d, row, 0) for d in OF_K["datasets"] for row in OF_K["rows"]]
    assert found["walkers_tiny", "k = 1", 0] == "results/mini_walkers_tiny_k_1/metrics.json"
    # k = 5 is what the method has already
    assert found["walkers_tiny", "k = 5", 0] == "results/mini_walkers_tiny/metrics.json"
    assert found["mars", "k = 10", 0] is None
    why = found["walkers_tiny", "k = 20", 0]
    assert why is not None
    assert why.startswith("loss.k = 20 is larger than the 6 frames")
    assert [row.at for row in job.params.blocks[0].rows] == [1, 5, 10, 20]
    columns = [block.columns[0].published for block in job.params.blocks]
    assert (columns, [block.own for block in job.params.blocks]) == (["WL-MARS"] * 2, [True, False])
    assert job.here == {*inputs_of(job)["published"]}
    assert [path for path in job.paths() if path.endswith("published.csv")]
    one = job_of(OF_K, dataset="mars")
    assert list(cells(one)) == [("mars", row, 0) for row in OF_K["rows"]]


def test_levels_and_what_isolation_left() -> None:
    job = job_of(LEVELS)
    found = cells(job)
    assert found["walkers_tiny", "TMC", 0] == "results/mini_tmc_walkers_tiny_intra_50/metrics.json"
    noisy = "results/mini_tmc_walkers_tiny_intra_50_noisy/metrics.json"
    assert found["walkers_tiny", "TMC", 1] == noisy
    folder = "results/datasets/walkers_tiny/official/isolated"
    # a row without isolation has no report
    reports = [f"{folder}/{noise}-tiny_near.json" for noise in ("clean", "tiny")]
    assert job.inputs["isolation"] == reports
    first, second = job.params.blocks[0].rows[:2]
    assert [cell.isolation for cell in first.cells] == [0, 1]
    assert [cell.isolation for cell in second.cells] == [None, None]
    assert [column.label for column in job.params.blocks[0].columns] == ["clean", "noisy"]
    assert not job.inputs["published"]
    alone = job_of({**LEVELS, "metrics": ["clusters"]})
    assert not alone.inputs["metrics"]
    assert job_of({**LEVELS, "metrics": ["R-1"]}).inputs["isolation"] == []


def test_experiments_stand_under_their_datasets() -> None:
    job = job_of(EXPERIMENTS)
    found = cells(job)
    own = "results/wl_tiny/metrics.json"
    assert found["walkers_tiny", "tiny", 0] == found["walkers_tiny", "again", 0] == own
    assert [block.dataset for block in job.params.blocks] == ["walkers_tiny", "mars"]
    assert len(job.inputs["metrics"]) == 2
    with pytest.raises(ReidError, match="shown has no datasets to choose from; ask for results/"):
        job_of(EXPERIMENTS, dataset="mars")


def test_the_table_and_the_plot(tmp_path: Path) -> None:
    job = job_of(OF_K, dataset="mars")
    paths = inputs_of(job)["metrics"]
    write(tmp_path, paths, *(metrics(10.0 + i, dataset="mars") for i in range(len(paths))))
    rows = rows_of(make(job, "table.md", tmp_path))
    assert rows["k = 1"] == ["2", "61.0", "10.0 ± 1.0", "42.0", "5.0 ± 0.5"]
    assert rows["k = 20"][2] == "(1)"
    assert (tmp_path / "made" / "table.html").exists()
    plot = job_of(OF_K, "plot.svg", "mars")
    text = make(plot, "plot.svg", tmp_path).read_text(encoding="utf-8")
    assert "WL, Table IV" in text
    write(tmp_path, paths[:1], {"dataset": "mars"})
    with pytest.raises(ReidError, match="lacks 'runs'"):
        make(job, "table.md", tmp_path)


def test_there_is_a_plot_where_something_is_varied() -> None:
    with pytest.raises(ReidError, match=r"plot.svg: the table shown has only table\.md"):
        job_of(EXPERIMENTS, "plot.svg")
    assert job_of(LEVELS, "plot.svg").params == job_of(LEVELS).params


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"study": "maxi"}, "shown.study: 'maxi' does not exist; allowed: mini, mini_attr"),
        ({"datasets": ["marz"]}, "shown.datasets: 'marz' does not exist; did you mean 'mars'"),
        ({"rows": {"k = 1": "k_l"}}, "shown.rows.k = 1: 'k_l' does not exist; did you mean 'k_5'"),
        ({"levels": ["clean"]}, "shown.levels: 'clean' does not exist"),
        ({"paper_table": "XI"}, "tables.shown: .*no figure of table 'XI' of paper 'WL'; it has WL"),
        ({"paper": "TMC", "paper_table": "5"}, "no figure of dataset 'WL-MARS' of paper 'TMC'"),
    ],
)
def test_names_that_are_not_there(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ReidError, match=message):
        job_of({**OF_K, **change})
    with pytest.raises(ReidError, match=r"shown\.rows\.x: 'tiny_wl' does not exist"):
        job_of({"kind": "results", "rows": {"x": "tiny_wl"}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": {"k = five": "k_5"}}, "row 'k = five' has no place on the axis k; call it 'k ="),
        ({"rows": {"MIL": "k_5"}}, "row 'MIL' has no place on the axis k"),
        ({"paper": None}, "give paper and paper_table, or neither"),
        ({"paper": None, "paper_table": None}, "a row that is null shows published results"),
        ({"study": None}, "datasets, levels and paper need a study"),
        ({"datasets": []}, "datasets is missing"),
        ({"metrics": ["noise"]}, "'impurity'"),
    ],
)
def test_blocks_that_make_no_sense(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        job_of({**OF_K, **change})
