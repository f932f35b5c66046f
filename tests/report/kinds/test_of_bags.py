"""Counts and costs of labels, and the scores of label audits."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.report.kinds.helpers import job_of, make, rows_of, write

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.supervision import bags

COUNTS = {
    "kind": "counts",
    "study": "mini",
    "datasets": ["mars", "walkers_tiny"],
    "paper": "WL",
    "paper_table": "I",
}
COST = {"kind": "cost", "study": "mini", "datasets": ["mars", "walkers_tiny"]}
AUDIT = {"kind": "audit", "study": "mini", "datasets": ["mars", "walkers_tiny"], "row": "planted"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two datasets, the same people in both."""
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
        "bags/wl": bags.training_bags(
            tracklets,
            frames,
            seed=0,
            tracklets_per_bag=(2, 4),
            tracklet_parts=1,
            max_frames=None,
            missing=None,
            majority=False,
        ),
        "coarse": bags.coarse_bags(
            tracklets, frames, seed=0, tracklets_per_bag=(1, 4), max_frames=90
        ),
    }
    root = tmp_path_factory.mktemp("data")
    for dataset in ("mars", "walkers_tiny"):
        for name, table in made.items():
            path = root / f"results/datasets/{dataset}/official/{name}.parquet"
            schemas.write(path, "tracklets" if name == "tracklets" else "bags", table, {})
    return root


def test_counts(folder: Path) -> None:
    out = make(job_of(COUNTS), "table.md", folder)
    rows = rows_of(out)
    assert rows[""] == ["WL-MARS, paper", "mars", "WL-MARS, paper", "walkers_tiny"]
    assert rows["coarse train IDs"] == ["625", "6"] * 2
    assert rows["fine gallery tracklets"] == ["12180", "4"] * 2
    assert rows["fine gallery IDs"] == ["636", "3"] * 2
    assert rows["fine probe IDs"] == ["626", "1"] * 2
    assert rows["coarse gallery bags"] == ["1867", "2"] * 2
    assert len(rows) == 2 + 12
    text = out.read_text(encoding="utf-8")
    assert "those of WL-MARS: other data, and no target for walkers_tiny." in text
    assert "no target for mars" not in text


def test_cost(folder: Path) -> None:
    job = job_of(COST)
    rows = rows_of(make(job, "table.md", folder))
    assert rows[""] == ["mars", "walkers_tiny"]
    images = sum(range(10, 30))
    assert rows["cost, strong: every person image, f·p·n·b"] == [str(images)] * 2
    assert rows["cost, a label per tracklet"] == ["20"] * 2
    assert rows["times cheaper, a label per tracklet"] == [f"{images / 20:.1f}"] * 2
    number = int(rows["videos (bags), n"][0])
    assert rows["person images per video, f·p"] == [f"{images / number:.1f}"] * 2
    assert job.params is not None
    wrong = job.params.model_copy(update={"tracklet_parts": {"mars": 1, "walkers_tiny": 9}})
    with pytest.raises(ReidError, match="its labels are not the people of its tracklets"):
        make(dataclasses.replace(job, params=wrong), "table.md", folder)


def score(precision: float) -> dict[str, Any]:
    one = {"precision": precision, "recall": 20.0}
    found = {"all wrong": one, "shares": {"5": one}, "average_precision": 30.0}
    return {
        "bags": {"wrong": 3, "items": 9, "lists": {"label audit": found, "chance": found}},
        "kinds": {},
    }


def test_audit(tmp_path: Path) -> None:
    job = job_of(AUDIT)
    runs = [f"results/mini_{name}_planted/runs/official-1/audit.json" for name in AUDIT["datasets"]]
    assert job.inputs == {"scores": runs}
    write(tmp_path, runs, score(40.0), score(50.0))
    rows = rows_of(make(job, "table.md", tmp_path))
    assert rows["label audit (mars)"] == ["1", "3 of 9", "40.0", "40.0", "20.0", "30.0"]
    assert rows["chance (walkers_tiny)"][2] == "50.0"
    write(tmp_path, runs[:1], {"bags": {}})
    with pytest.raises(ReidError, match=r"audit\.json: lacks 'kinds'"):
        make(job, "table.md", tmp_path)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({**AUDIT, "row": "k_1"}, "shown.row: no label is wrong in the bags of mini_mars_k_1"),
        ({**AUDIT, "row": "plant"}, "shown.row: 'plant' does not exist; did you mean 'planted'"),
        ({**COST, "study": "mini_tmc"}, "mini_tmc_mars does not learn from bags, which a"),
        ({**COUNTS, "paper_table": "XI"}, "tables.shown: .*no figure of table 'XI'"),
    ],
)
def test_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ReidError, match=message):
        job_of(block)
