"""Tables of attributes: groups, examples, how right labels are, retrieval by attribute."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.report.kinds.helpers import inputs_of, job_of, make, make_images, rows_of, write
from tests.report.test_attribute_examples import BCE, FRAMES, NAMES, TRACKLETS, TRUE, WBCE, labels
from tests.report.test_by_attribute import measured
from tests.report.test_label_table import RIGHT, WRONG
from tests.report.test_ratios import FEW, LABELS

from weakreid.artifacts import schemas
from weakreid.datasets.annotated import Annotation, write_annotation
from weakreid.errors import ReidError

OF_STUDY = {"study": "mini_attr", "datasets": ["walkers_tiny"]}
EXAMPLES = {"kind": "examples", **OF_STUDY, "rows": {"BCE": "bce", "WBCE": "f"}}
OF_LABELS = {"kind": "labels", **OF_STUDY, "rows": {**EXAMPLES["rows"], "true": "truth"}}
BY_ATTRIBUTE = {"kind": "by_attribute", **OF_STUDY, "rows": {"A": "a", "F": "f", "again": "f"}}


def of_transfer(transfer: str, name: str) -> str:
    return f"results/attributes/{transfer}/walkers_tiny/official-1/{name}"


def test_groups(tmp_path: Path) -> None:
    job = job_of({"kind": "groups", "source": "tiny"})
    (annotation,) = job.paths()
    split = ["train", "train", "train", "test", "test"]
    files = [f"{row}.png" for row in range(5)]
    found = Annotation(FEW, files, split, np.zeros(5, np.int32), LABELS)
    (tmp_path / annotation).parent.mkdir(parents=True)
    write_annotation(tmp_path / annotation, found, {})
    rows = rows_of(make(job, "table.md", tmp_path))
    assert rows["Attach"] == ["attach-Box", "1", "attach-Box 0.4000", "attach-Box 0.4000", "0"]


def test_examples(tmp_path: Path) -> None:
    job = job_of(EXAMPLES, "sheet.png")
    paths = inputs_of(job)
    assert paths["labels"] == [of_transfer(t, "labels.parquet") for t in ("tiny_bce", "tiny")]
    assert paths["truth"] == ["results/datasets/walkers_tiny/attributes.parquet"]
    for path in (tmp_path / path for path in job.paths()):
        path.parent.mkdir(parents=True, exist_ok=True)
    make_images(tmp_path / paths["images"][0], 15)
    schemas.write(tmp_path / paths["tracklets"][0], "tracklets", TRACKLETS, {})
    schemas.write(tmp_path / paths["frames"][0], "frames", FRAMES, {})
    of = [*paths["labels"], *paths["truth"]]
    for path, own in zip(of, (BCE, WBCE, TRUE), strict=True):
        schemas.write(tmp_path / path, "attribute_labels", labels(own), {"attributes": NAMES})
    data = make(job, "sheet.png", tmp_path).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert make(job, "sheet.png", tmp_path).read_bytes() == data
    assert not job_of(EXAMPLES, "sheet.png", "mars").inputs["truth"]


def test_labels(tmp_path: Path) -> None:
    job = job_of(OF_LABELS)
    paths = [of_transfer(t, "quality.json") for t in ("tiny_bce", "tiny")]
    # nobody has to measure the truth
    assert job.inputs == {"quality": paths}
    write(tmp_path, paths, WRONG, RIGHT)
    out = make(job, "table.md", tmp_path)
    assert out.read_text(encoding="utf-8").startswith("# Title: walkers_tiny\n")
    assert rows_of(out)["WBCE"][:2] == ["1", "100.0"]
    write(tmp_path, paths[:1], {"train": {}})
    with pytest.raises(ReidError, match=r"quality\.json: lacks 'attributes'"):
        make(job, "table.md", tmp_path)
    with pytest.raises(ReidError, match="nobody knows the true attributes of dataset mars; ask fo"):
        job_of(OF_LABELS, dataset="mars")


def test_by_attribute(tmp_path: Path) -> None:
    job = job_of(BY_ATTRIBUTE)
    paths = [
        f"results/mini_attr_walkers_tiny{row}/runs/official-1/by_attribute/tiny.json"
        for row in ("_a", "")
    ]
    # a file of two rows is read once
    assert job.inputs == {"metrics": paths, "published": []}
    write(tmp_path, paths, measured(), measured(4.0))
    out = make(job, "table.md", tmp_path)
    assert "| again | 56.0 / 46.0 (10) | 54.0 / 44.0 (4) |" in out.read_text(encoding="utf-8")
    beside = job_of({**BY_ATTRIBUTE, "study": "mini_attr", "paper": "ATTR", "paper_table": "4"})
    assert beside.here == set(inputs_of(beside)["published"])
    assert "## ATTR, Table 4, on MARS" in make(beside, "table.md", tmp_path).read_text("utf-8")
    write(tmp_path, paths[:1], {})
    with pytest.raises(ReidError, match=r"tiny\.json: lacks 'queries'"):
        make(job, "table.md", tmp_path)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {**EXAMPLES, "rows": {"A": "agree"}},
            "rows.A: mini_attr_walkers_tiny_agree learns no",
        ),
        ({**OF_LABELS, "rows": {"A": "b"}}, "rows.A: 'b' does not exist; allowed: a, agree, bce"),
        ({**BY_ATTRIBUTE, "transfer": "rap"}, "shown.transfer: 'rap' does not exist"),
        (
            {**BY_ATTRIBUTE, "study": "mini", "rows": {"k": "k_1"}},
            "the study mini has no attributes; name a transfer",
        ),
    ],
)
def test_refused(block: dict[str, Any], message: str) -> None:
    output = "sheet.png" if block["kind"] == "examples" else "table.md"
    with pytest.raises(ReidError, match=message):
        job_of(block, output)
