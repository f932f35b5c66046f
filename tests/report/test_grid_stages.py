"""The stages of noise levels and of pseudo-labels, from their command lines."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.stages import cluster_curve, grid_plot, grid_table, noise_counts_table

PUBLISHED = Path(__file__).parents[2] / "workflow" / "resources" / "published.csv"
LEVELS = ("MARS 1.7 1.2", "MARS 2.5 1.2", "MARS 2.5 1.5")


def run(stage: Any, *options: object, **block: Any) -> None:
    """Call a stage as its command line does; its errors come through."""
    app = typer.Typer()
    app.command()(stage.main)
    words = [*map(str, options), "--params", json.dumps(block)]
    CliRunner().invoke(app, words, catch_exceptions=False, standalone_mode=False)


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def metrics(path: Path, first: float) -> Path:
    figures = {"mAP": first / 2, "cmc": {"1": first}}
    spread = {"mAP": 1.0, "cmc": {"1": 1.5}}
    found = {**figures, "standard_deviation": spread, "chance": figures, "queries": 15}
    runs = {"a": {}, "b": {}}
    return write(path, {"dataset": "mars", "runs": runs, "fine": {**found, "gallery": 40}})


def table4(folder: Path, names: list[str]) -> tuple[dict[str, Any], list[object]]:
    """TMC's Table 4 (Figure 7) with figures of ours, and the options of its files."""
    options: list[object] = []
    rows, isolation = [], []
    for number, eps in enumerate(("0.4", "0.5", "0.6", "0.7")):
        options += ["--metrics", metrics(folder / f"{eps}.json", 50.0 + number)]
        report = {"kept": 95.0, "after": {"noise": 1.0 + number, "tracklets": 900 - number}}
        options += ["--isolation", write(folder / f"isolation-{eps}.json", report)]
        label = f"eps = {eps}"
        rows.append({"label": label, "cells": {"mars": [{"metrics": number}, {}, {"why": "no"}]}})
        isolation.append({"dataset": "mars", "row": label, "column": 0, "report": number})
    block = {
        "title": "Table 4",
        "paper": "TMC",
        "table": "4",
        "axis": "eps",
        "metrics": names,
        "columns": [{"label": name[5:], "published": name} for name in LEVELS],
        "datasets": [{"name": "mars", "own": True}],
        "rows": rows,
        "isolation": isolation,
    }
    return block, options


def test_grid_table(tmp_path: Path) -> None:
    block, options = table4(tmp_path, ["noise", "clusters", "mAP", "R-1"])
    out = tmp_path / "tables" / "table.md"
    run(grid_table, *options, "--published", PUBLISHED, "--out", out, **block)
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# Table 4", "## 1.7 1.2", "## 2.5 1.2", "## 2.5 1.5",
    ]  # fmt: skip
    row = [line for line in lines if line.startswith("| eps = 0.6")]
    assert [[cell.strip() for cell in line.split("|")[2:-1]] for line in row] == [
        ["2", "1.4", "3.00", "8963", "898", "50.8", "26.0 ± 1.0", "62.0", "52.0 ± 1.5"],
        ["", "2.6", "", "9383", "", "52.5", "", "66.5", ""],
        ["", "3.9", "(1)", "9401", "(1)", "53.4", "(1)", "63.7", "(1)"],
    ]
    assert any(line.startswith("1. eps = 0.4 (2.5 1.5), eps = 0.5 (2.5 1.5), ") for line in lines)


def test_grid_plot(tmp_path: Path) -> None:
    block, options = table4(tmp_path, ["noise", "clusters", "mAP", "R-1"])
    for name in ("one.svg", "two.svg"):
        run(grid_plot, *options, "--published", PUBLISHED, "--out", tmp_path / name, **block)
    data = (tmp_path / "one.svg").read_bytes()
    assert data == (tmp_path / "two.svg").read_bytes()
    assert b"TMC, Table 4" in data
    assert b"tracklets after isolation" in data


def test_a_board_without_any_metrics(tmp_path: Path) -> None:
    block, _ = table4(tmp_path, ["R-1", "mAP"])
    rows = [{"label": "TMC", "cells": {"mars": [{}, {"why": "no"}, {}]}}]
    block |= {"paper": None, "table": None, "axis": None, "rows": rows, "isolation": []}
    out = tmp_path / "table.md"
    run(grid_table, "--published", PUBLISHED, "--out", out, **block)
    assert "1. TMC (2.5 1.2): no\n" in out.read_text(encoding="utf-8")
    run(grid_plot, "--published", PUBLISHED, "--out", tmp_path / "plot.svg", **block)
    assert (tmp_path / "plot.svg").stat().st_size > 1000


@pytest.mark.parametrize("stage", [grid_table, grid_plot])
def test_metrics_that_lack_a_figure_leave_nothing_behind(stage: Any, tmp_path: Path) -> None:
    block, options = table4(tmp_path, ["R-5"])
    out = tmp_path / "out.svg"
    with pytest.raises(ReidError, match=r"0\.4\.json: fine\.cmc has no rank 5"):
        run(stage, *options, "--published", PUBLISHED, "--out", out, **block)
    assert not out.exists()


def test_noise_counts_table(tmp_path: Path) -> None:
    options: list[object] = []
    rows = []
    for number, (name, tracklets) in enumerate(zip(LEVELS, (2770, 4073, 3258), strict=True)):
        found = {"rfm": 1.7, "rsw": 1.2, "tracklets": tracklets}
        more = {"persons": 625, "pairs": 1955, "frames": 509914}
        options += ["--summary", write(tmp_path / f"{number}.json", {**found, **more})]
        about = {"published": name, "dataset": "mars", "asked": {"rfm": 1.7, "rsw": 1.2}}
        rows.append({"label": name, **about, "summary": number})
    block = {"title": "Table 1", "paper": "TMC", "table": "1", "rows": rows}
    out = tmp_path / "table.md"
    run(noise_counts_table, *options, "--published", PUBLISHED, "--out", out, **block)
    lines = out.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[8:11]] for line in lines[4:7]]
    assert cells == [["2835", "2770", "-2.3"], ["4023", "4073", "+1.2"], ["3272", "3258", "-0.4"]]
    rows[0]["summary"] = 3
    with pytest.raises(ReidError, match="counts summary number 3, but 3 are given"):
        run(noise_counts_table, *options, "--published", PUBLISHED, "--out", out, **block)


def test_cluster_curve(tmp_path: Path) -> None:
    options: list[object] = []
    for number in range(2):
        rows = [
            (epoch, 10 * epoch, term, 0.1 * epoch + number)
            for epoch in range(4)
            for term in ("clusters", "unclustered", "nmi", "loss")
        ]
        frame = pd.DataFrame(rows, columns=["epoch", "step", "term", "value"])
        schemas.write(tmp_path / f"{number}.parquet", "history", frame, {})
        options += ["--history", tmp_path / f"{number}.parquet"]
    block = {"experiment": "tmc_walkers", "runs": ["official-1", "official-2"]}
    for name in ("one.svg", "two.svg"):
        run(cluster_curve, *options, "--out", tmp_path / name, **block)
    data = (tmp_path / "one.svg").read_bytes()
    assert data == (tmp_path / "two.svg").read_bytes()
    for text in (b"tmc_walkers", b"official-2", b"NMI"):
        assert text in data
    assert b"ARI" not in data
    schemas.write(tmp_path / "0.parquet", "history", frame[frame["term"] == "loss"], {})
    with pytest.raises(ReidError, match="no run's history has any of clusters"):
        run(cluster_curve, *options[:2], "--out", tmp_path / "no.svg", **{**block, "runs": ["a"]})
    assert not (tmp_path / "no.svg").exists()
