"""The stages that set a paper's figures beside ours, from their command lines."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from tests.supervision.helpers import coarse_bags, training_bags
from typer.testing import CliRunner

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.stages import cost_table, counts_table, study_table, sweep_plot

PUBLISHED = Path(__file__).parents[2] / "workflow" / "resources" / "published.csv"


def run(stage: Any, *options: object, **block: Any) -> None:
    """Call a stage as its command line does; its errors come through."""
    app = typer.Typer()
    app.command()(stage.main)
    words = [*map(str, options), "--params", json.dumps(block)]
    CliRunner().invoke(app, words, catch_exceptions=False, standalone_mode=False)


def metrics(path: Path, first: float, ranks: tuple[int, ...] = (1, 5, 10)) -> Path:
    figures = {"mAP": first / 2, "cmc": {str(rank): first + rank for rank in ranks}}
    spread = {"mAP": 1.0, "cmc": dict.fromkeys(figures["cmc"], 1.5)}
    protocol = {**figures, "standard_deviation": spread, "chance": figures}
    found = {**protocol, "queries": 15, "gallery": 40, "skipped": 0}
    text = json.dumps({"dataset": "mars", "runs": {"a": {}, "b": {}}, "fine": found})
    path.write_text(text, encoding="utf-8")
    return path


TABLE4 = {
    "title": "Table IV",
    "paper": "WL",
    "table": "IV",
    "protocols": ["fine"],
    "ranks": [1, 5, 10],
    "datasets": [{"name": "mars", "published": "WL-MARS", "own": True}],
    "rows": [
        {"label": "k = 1", "cells": {"mars": {"metrics": 0}}},
        {"label": "k = 2", "cells": {"mars": {"metrics": 1}}},
        {"label": "k = 5", "cells": {"mars": {"metrics": 1}}},
        {"label": "k = 20", "cells": {"mars": {"why": "loss.k = 20 is too large"}}},
    ],
    "axis": "k",
}


def test_study_table(tmp_path: Path) -> None:
    options: list[object] = []
    for name, first in (("one", 40.0), ("two", 30.0)):
        options += ["--metrics", metrics(tmp_path / f"{name}.json", first)]
    out = tmp_path / "tables" / "table.md"
    run(study_table, *options, "--published", PUBLISHED, "--out", out, **TABLE4)
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Table IV"
    cells = [[cell.strip() for cell in line.split("|")[1:5]] for line in lines[5:9]]
    assert cells == [
        ["k = 1", "2", "61.0", "41.0 ± 1.5"],
        ["k = 2", "2", "", "31.0 ± 1.5"],
        ["k = 5", "2", "65.0", "31.0 ± 1.5"],
        ["k = 20 (1)", "", "57.5", ""],
    ]
    assert lines[10] == "1. k = 20: loss.k = 20 is too large"
    assert "k = 1 above k = 5 by 10.0 (more than 2.1, " in lines[-1]


def test_sweep_plot(tmp_path: Path) -> None:
    # ranks that the plot does not show need not be there
    paths = [metrics(tmp_path / f"{first}.json", first, (1,)) for first in (40.0, 30.0)]
    options = [word for path in paths for word in ("--metrics", path)]
    for name in ("one.svg", "two.svg"):
        out = ["--published", PUBLISHED, "--out", tmp_path / name]
        run(sweep_plot, *options, *out, **TABLE4)
    data = (tmp_path / "one.svg").read_bytes()
    assert data == (tmp_path / "two.svg").read_bytes()
    assert b"WL, WL-MARS" in data
    assert b"fine mAP" in data


def test_without_any_metrics(tmp_path: Path) -> None:
    block = {**TABLE4, "rows": [TABLE4["rows"][-1]], "axis": None}  # type: ignore[index]
    run(study_table, "--published", PUBLISHED, "--out", tmp_path / "table.md", **block)
    assert "| k = 20 (1) |      |      57.5 |" in (tmp_path / "table.md").read_text()
    run(sweep_plot, "--published", PUBLISHED, "--out", tmp_path / "plot.svg", **block)
    assert (tmp_path / "plot.svg").stat().st_size > 1000


@pytest.mark.parametrize("stage", [study_table, sweep_plot])
def test_metrics_that_lack_a_figure_leave_nothing_behind(stage: Any, tmp_path: Path) -> None:
    good, bad = metrics(tmp_path / "good.json", 40.0), metrics(tmp_path / "bad.json", 40.0, (5,))
    out = tmp_path / "out.svg"
    options = ["--metrics", good, "--metrics", bad, "--published", PUBLISHED, "--out", out]
    with pytest.raises(ReidError, match=r"bad\.json: fine\.cmc has no rank 1"):
        run(stage, *options, **TABLE4)
    assert not out.exists()


def write_dataset(folder: Path, parts: int) -> dict[str, Path]:
    rows = [(p % 6 + 1, p % 2 + 1, "train", 10 + p) for p in range(20)]
    rows += [(7, 1, "query", 5), (7, 2, "gallery", 5), (8, 1, "gallery", 5), (-1, 1, "junk", 2)]
    lengths = np.array([row[3] for row in rows])
    tracklets = pd.DataFrame(
        {
            "tracklet_id": np.arange(len(rows)),
            "person_id": [row[0] for row in rows],
            "camera_id": [row[1] for row in rows],
            "role": [row[2] for row in rows],
            "first_frame": np.cumsum(lengths) - lengths,
            "frame_count": lengths,
        }
    )
    owners = np.repeat(np.arange(len(rows)), lengths)
    frames = pd.DataFrame({"tracklet_id": owners, "image": np.arange(len(owners))})
    made = {
        "tracklets": tracklets,
        "bags": training_bags(tracklets, frames, seed=0, tracklet_parts=parts),
        "coarse": coarse_bags(tracklets, frames, seed=0),
    }
    paths = {}
    for name, table in made.items():
        paths[name] = folder / f"{name}-{parts}.parquet"
        kind = "tracklets" if name == "tracklets" else "bags"
        schemas.write(paths[name], kind, table, {})
    return paths


def options_of(datasets: list[dict[str, Path]], *names: str) -> list[object]:
    return [word for one in datasets for name in names for word in (f"--{name}", one[name])]


def rows_of(path: Path) -> dict[str, list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    split = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    return {cells[0]: cells[1:] for cells in split}


def test_counts_table(tmp_path: Path) -> None:
    datasets = [write_dataset(tmp_path, parts) for parts in (1, 2)]
    out = tmp_path / "table.md"
    run(
        counts_table,
        *options_of(datasets, "tracklets", "bags", "coarse"),
        *("--published", PUBLISHED, "--out", out),
        title="Table I",
        paper="WL",
        table="I",
        datasets=[
            {"name": "walkers", "published": "WL-MARS", "own": False},
            {"name": "dukev", "published": "WL-DukeV", "own": True},
        ],
    )
    rows = rows_of(out)
    assert rows[""] == ["WL-MARS, paper", "walkers", "WL-DukeV, paper", "dukev"]
    assert rows["coarse train IDs"] == ["625", "6", "702", "6"]
    assert rows["fine gallery tracklets"] == ["12180", "4", "2636", "4"]
    assert rows["fine gallery IDs"] == ["636", "3", "1110", "3"]
    assert rows["fine probe IDs"] == ["626", "1", "702", "1"]
    assert rows["coarse gallery bags"] == ["1867", "2", "483", "2"]
    assert len(rows) == 2 + 12
    text = out.read_text(encoding="utf-8")
    assert "those of WL-MARS: other data, and no target for walkers." in text
    assert "no target for dukev" not in text


def test_cost_table(tmp_path: Path) -> None:
    datasets = [write_dataset(tmp_path, parts) for parts in (1, 2)]
    named = [{"name": f"cut{parts}", "tracklet_parts": parts} for parts in (1, 2)]
    out = tmp_path / "table.md"
    options = options_of(datasets, "tracklets", "bags")
    run(cost_table, *options, "--out", out, title="Cost", datasets=named)
    rows = rows_of(out)
    assert rows[""] == ["cut1", "cut2"]
    images = sum(range(10, 30))
    assert rows["cost, strong: every person image, f·p·n·b"] == [str(images)] * 2
    assert rows["cost, a label per tracklet"] == ["20", "40"]
    assert rows["times cheaper, a label per tracklet"] == [f"{images / n:.1f}" for n in (20, 40)]
    n = [int(text) for text in rows["videos (bags), n"]]
    assert rows["person images per video, f·p"] == [f"{images / count:.1f}" for count in n]
    assert rows["times cheaper, weak: b' = b, a list costs as a box"] == [
        f"{images / count:.1f}" for count in n
    ]
    wrong = [{**about, "tracklet_parts": 1} for about in named]
    with pytest.raises(ReidError, match="none of the training tracklets"):
        run(cost_table, *options, "--out", tmp_path / "no.md", title="Cost", datasets=wrong)
    assert not (tmp_path / "no.md").exists()
