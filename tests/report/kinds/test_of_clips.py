"""Where networks of clips look: masks, and attention."""

from pathlib import Path
from typing import Any

import pytest
from tests.report.kinds.helpers import inputs_of, job_of, make, make_images, rows_of, write
from tests.report.test_erased import UNEVEN, run_of, visible_of
from tests.report.test_mask_shares import run_of as shares_of

from weakreid.errors import ReidError

OF_STUDY = {"study": "mini_attr", "datasets": ["walkers_tiny"]}
MASKS = {"kind": "masks", **OF_STUDY, "rows": {"without": "a", "COSAM": "agree"}}
ATTENTION = {"kind": "attention", **OF_STUDY, "rows": {"attention": "agree", "again": "agree"}}


def of_run(row: str, name: str) -> str:
    return f"results/mini_attr_walkers_tiny_{row}/runs/official-1/{name}"


def test_masks(tmp_path: Path) -> None:
    job = job_of(MASKS)
    paths = [of_run(row, "mask_shares.json") for row in ("a", "agree")]
    assert job.inputs == {"shares": paths}
    write(tmp_path, paths, shares_of(30.0, cosam=False), shares_of(50.0))
    rows = rows_of(make(job, "table.md", tmp_path))
    assert rows["COSAM: COSAM after layer3"][:3] == ["trained", "1", "50.0"]
    # of the first row with COSAM
    plot = job_of(MASKS, "plot.svg")
    assert plot.paths() == [of_run("agree", "mask_curve.svg")]


def test_attention(tmp_path: Path) -> None:
    job = job_of(ATTENTION)
    erased, visible = of_run("agree", "erased_attention.json"), of_run("agree", "visibility.json")
    assert job.inputs == {"erased": [erased], "visible": [visible], "images": []}
    write(tmp_path, [erased, visible], run_of(0.4, UNEVEN), visible_of(0.5))
    rows = rows_of(make(job, "table.md", tmp_path))
    assert rows["again"][:2] == ["1", "0.400"]
    assert len(rows["again"]) == 9
    # nobody knows what is visible
    assert not job_of(ATTENTION, dataset="mars").inputs["visible"]


def test_the_picture_of_attention(tmp_path: Path) -> None:
    job = job_of(ATTENTION, "attention.png")
    paths = inputs_of(job)
    found = run_of(0.4, UNEVEN)
    found["drawing"]["image"] = {"height": 32, "width": 16}
    write(tmp_path, paths["erased"], found)
    write(tmp_path, paths["visible"], visible_of(0.5))
    make_images(tmp_path / paths["images"][0], 4)
    data = make(job, "attention.png", tmp_path).read_bytes()
    assert data.startswith(b"\x89PNG")
    del found["drawing"]
    write(tmp_path, paths["erased"], found)
    with pytest.raises(ReidError, match=r"erased_attention\.json: lacks 'drawing'"):
        make(job, "attention.png", tmp_path)


@pytest.mark.parametrize(
    ("block", "dataset", "message"),
    [
        (MASKS, "mars", "nobody knows where people are in the pictures of dataset mars; ask for"),
        ({**MASKS, "study": "mini", "rows": {"k": "k_1"}}, "", "rows.k: .* learns from no clips"),
        ({**ATTENTION, "rows": {"A": "a"}}, "", "rows.A: .*_a attends to no frames, or its train"),
    ],
)
def test_refused(block: dict[str, Any], dataset: str, message: str) -> None:
    with pytest.raises(ReidError, match=message):
        job_of(block, dataset=dataset)
    with pytest.raises(ReidError, match="rows: none has COSAM, whose masks the plot is of"):
        job_of({**MASKS, "rows": {"without": "a"}}, "plot.svg")
