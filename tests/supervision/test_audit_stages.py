"""The stages of the label audit, from a trained network to its table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.helpers import BAGS, make_data, method, run_here, settings_put_back
from typer.testing import CliRunner

from weakreid.artifacts import schemas
from weakreid.console import program_of
from weakreid.errors import ReidError
from weakreid.report.audit import comparison
from weakreid.stages import audit, audit_score
from weakreid.supervision.audit import KINDS
from weakreid.supervision.planted import plant

ABOUT = {"experiment": "toy", "run": "official-3"}


def run(stage: Any, block: dict[str, Any], **options: object) -> None:
    """Call a stage as its command line does; its errors come through."""
    app = program_of(stage.main)
    words = ["--params", json.dumps(block)]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    with settings_put_back():
        CliRunner().invoke(app, words, catch_exceptions=False, standalone_mode=False)


def audited(folder: Path, data: Path, name: str, **block: Any) -> Path:
    out = folder / name
    run(
        audit,
        {"experiment": "toy", "frames": 64, "top": 3, **block},
        model=folder / "model.safetensors",
        bags=data / "bags.parquet",
        images=data / "images.arrow",
        device="cpu",
        threads=1,
        out=out / "audit.parquet",
        markdown=out / "audit.md",
        picture=out / "audit.png",
    )
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Bags with planted errors, and their images."""
    made = make_data(tmp_path_factory.mktemp("data"))
    path = made / "bags.parquet"
    bags = plant(schemas.read_frame(path, "bags", truth=True), seed=1, removed=0.2, added=0.1)
    schemas.write(path, "bags", bags, {})
    return made


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory) -> Path:
    """A network that was trained on them."""
    out = tmp_path_factory.mktemp("trained")
    return run_here(data, out, method(schedule__epochs=1))


@pytest.fixture(scope="module")
def out(data: Path, folder: Path) -> Path:
    """The audit of it."""
    return audited(folder, data, "one")


def test_from_a_network_to_the_table(data: Path, folder: Path, out: Path, tmp_path: Path) -> None:
    found = schemas.read_frame(out / "audit.parquet", "audit")
    bags = schemas.read_frame(data / "bags.parquet", "bags")
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert set(found["kind"]) == set(KINDS)
    assert set(found["bag_id"]) == set(range(BAGS))
    # four people: every tag, and everybody who is not tagged
    assert len(found) == 4 * BAGS
    assert found.groupby("bag_id")["bag_loss"].nunique().max() == 1
    frames = bags.set_index("bag_id")["frames"]
    for row in found.itertuples():
        assert set(row.evidence) <= set(frames[row.bag_id])
    assert (out / "audit.md").read_text().startswith("# toy: labels to check first\n")
    assert (out / "audit.md").read_text().count("\n|") == 2 + 3
    again = audited(folder, data, "two")
    for name in ("audit.parquet", "audit.md", "audit.png"):
        assert (again / name).read_bytes() == (out / name).read_bytes()

    paths = {"audit": out / "audit.parquet", "bags": data / "bags.parquet"}
    run(audit_score, ABOUT, **paths, out=tmp_path / "a.json")
    score = json.loads((tmp_path / "a.json").read_text())
    assert list(score) == ["experiment", "run", "bags", "kinds"]
    assert (score["bags"]["items"], score["bags"]["wrong"]) == (BAGS, 3)

    text = comparison("T", {"toy": [score]})
    assert "| label audit " in text


def test_the_truth_is_not_read(data: Path, folder: Path, out: Path, tmp_path: Path) -> None:
    bags = schemas.read_frame(data / "bags.parquet", "bags", truth=True)
    elsewhere = tmp_path / "bags.parquet"
    hidden = [np.full(len(of_bag), 99, np.int32) for of_bag in bags["truth_frame_persons"]]
    schemas.write(elsewhere, "bags", bags.assign(truth_frame_persons=hidden), {})
    (tmp_path / "images.arrow").symlink_to(data / "images.arrow")
    again = audited(folder, tmp_path, "hidden")
    assert (again / "audit.parquet").read_bytes() == (out / "audit.parquet").read_bytes()


def test_frames_are_those_asked_for(data: Path, folder: Path) -> None:
    few = schemas.read_frame(audited(folder, data, "few", frames=2) / "audit.parquet", "audit")
    assert few["evidence"].map(len).max() == 2


def test_bags_of_another_model_are_refused(data: Path, folder: Path, tmp_path: Path) -> None:
    bags = schemas.read_frame(data / "bags.parquet", "bags", truth=True)
    (tmp_path / "images.arrow").symlink_to(data / "images.arrow")
    labels = [of_bag + 40 for of_bag in bags["labels"]]
    schemas.write(tmp_path / "bags.parquet", "bags", bags.assign(labels=labels), {})
    with pytest.raises(ReidError, match=r"was not trained on these bags \(they have person 41"):
        audited(folder, tmp_path, "other")
    schemas.write(tmp_path / "bags.parquet", "bags", bags.assign(role="probe"), {})
    with pytest.raises(ReidError, match="no bag of role 'train'"):
        audited(folder, tmp_path, "none")


def test_right_labels_cannot_be_scored(data: Path, out: Path, tmp_path: Path) -> None:
    bags = schemas.read_frame(data / "bags.parquet", "bags", truth=True)
    labels = [np.unique(truth) for truth in bags["truth_frame_persons"]]
    schemas.write(tmp_path / "bags.parquet", "bags", bags.assign(labels=labels), {})
    paths = {"audit": out / "audit.parquet", "bags": tmp_path / "bags.parquet"}
    with pytest.raises(ReidError, match="nothing to score"):
        run(
            audit_score,
            ABOUT,
            **paths,
            out=tmp_path / "a.json",
        )
