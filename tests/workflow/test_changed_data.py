"""Data that changed after it was read: said at the next call, and read again when asked to."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from tests.data import test_rap as rap_annotation
from tests.workflow.conftest import SIDE_BY_SIDE, Project

from weakreid.artifacts import schemas
from weakreid.datasets.walkers import layout

pytestmark = pytest.mark.slow

MADE = {
    "datasets.people": "results/datasets/people/tracklets.parquet",
    "datasets.film": "results/datasets/film/cropped.json",
    "attribute_sources.rap": "results/sources/rap/pictures.parquet",
}
TARGETS = (*MADE.values(), "results/datasets/film/tracklets.parquet")


def call(project: Project, *options: str) -> str:
    done = project.snakemake(
        *("--cores", "2", "--configfile", "tiny.yaml", "more.yaml", *SIDE_BY_SIDE),
        *options,
        "--",
        *TARGETS,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def warnings_in(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith("warning: "))


@pytest.fixture
def project(empty: Project) -> Project:
    """Data of three kinds, all read; a person of MARS's layout is not there yet."""
    folder = empty.folder
    layout.generate(folder / "people", layout.SIZES["tiny"], seed=1, style="street", workers=1)
    (folder / "people/bbox_train/0002").rename(folder / "aside")
    rap_annotation.save(folder / "rap", rap_annotation.content())
    (folder / "rap/RAP_dataset").mkdir()
    for row in range(rap_annotation.ROWS - 1):
        save_picture(folder / f"rap/RAP_dataset/CAM01_{row}.png")
    leave_out = {"on_bad_frame": "leave_out"}
    config = {
        "datasets": {"people": {"kind": "mars", "root": "people", **leave_out}},
        "attribute_sources": {"rap": {"kind": "rap", "root": "rap", **leave_out}},
    }
    (folder / "more.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert "changed since" not in call(empty)
    return empty


def save_picture(path: Path) -> None:
    _, data = cv2.imencode(".png", np.full((8, 4, 3), 99, np.uint8))
    path.write_bytes(data.tobytes())


def test_it_is_said_and_read_again_when_asked_to(project: Project) -> None:
    folder = project.folder
    assert warnings_in(call(project, "-n")) == []
    # what was missing is put right, and a file comes in another's place with an older time
    (folder / "aside").rename(folder / "people/bbox_train/0002")
    save_picture(folder / f"rap/RAP_dataset/CAM01_{rap_annotation.ROWS - 1}.png")
    boxes = folder / "film/boxes.txt"
    boxes.write_text("".join(boxes.read_text().splitlines(keepends=True)[:-1]))
    os.utime(boxes, (1, 1))
    said = call(project)
    assert "Nothing to be done" in said
    found = warnings_in(said)
    assert [line.split(": ")[1] for line in found] == sorted(MADE)
    for line in found:
        made = MADE[line.split(": ")[1]]
        assert line.endswith(f"to read it again: snakemake --forcerun {made} -- TARGET")
    assert "people/bbox_train and " in found[2]
    assert "film/boxes.txt changed" in found[1]
    again = call(project, "--forcerun", *MADE.values())
    assert warnings_in(again) == []
    read = schemas.read_frame(folder / MADE["datasets.people"], "tracklets")
    assert 2 in read["person_id"].tolist()
    said = call(project)
    assert "Nothing to be done" in said
    assert warnings_in(said) == []
    # results of before there was such a record stay as they are
    for place in ("datasets/people", "datasets/film", "sources/rap"):
        shutil.rmtree(folder / "results" / place / "read")
    boxes.write_text(boxes.read_text() + "\n")
    os.utime(boxes, (1, 1))
    said = call(project)
    assert "Nothing to be done" in said
    assert warnings_in(said) == []
    # a folder of pictures is an input: a newer one is read again by itself
    shutil.copy(folder / "film/pictures/000008.jpg", folder / "film/pictures/000009.jpg")
    assert "crops" in call(project, "-n", "-q", "rules")
