"""Where networks of clips look: masks, attention, and weights of what is visible."""

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


VISIBILITY = {"kind": "visibility", **OF_STUDY, "rows": {"as printed": "f", "learnt": "truth"}}


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


def of_groups(within: float | None, difference: float) -> dict[str, Any]:
    """What the stage visibility found of a run whose frames show shoes."""
    bounds = {"low": None, "high": None}
    found = None if within is None else {"value": within, **bounds}
    own = {"within": found, "difference": {"value": difference, **bounds}}
    return {"hidden_below": 0.5, "groups": {"shoes": own}}


def test_visibility(tmp_path: Path) -> None:
    job = job_of(VISIBILITY)
    printed = "results/mini_attr_walkers_tiny/runs/official-1/visibility.json"
    paths = [printed, of_run("truth", "visibility.json")]
    assert job.inputs == {"measured": paths}
    write(tmp_path, paths, of_groups(None, 0.0), of_groups(0.5, 0.25))
    rows = rows_of(make(job, "table.md", tmp_path))
    assert rows["as printed"] == ["1", "", "0.00"]
    assert rows["learnt"] == ["1", "0.50", "0.25"]


@pytest.mark.parametrize(
    ("block", "dataset", "message"),
    [
        (VISIBILITY, "mars", "nobody knows what the frames of dataset mars show; ask for"),
        ({**VISIBILITY, "rows": {"A": "a"}}, "", "rows.A: .*_a has no groups of attributes; take"),
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
