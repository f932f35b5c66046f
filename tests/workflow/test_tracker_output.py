"""From a tracker's files and videos of two cameras, without labels, to who is who; then names."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from tests.workflow.conftest import SIDE_BY_SIDE, Project, lay_out

from weakreid import tables

pytestmark = pytest.mark.slow

WIDTH, HEIGHT, LENGTH = 176, 272, 40
BOX = (16, 40)
# shirt and trousers, BGR
CLOTHES = (
    ((40, 40, 220), (40, 40, 40)),
    ((220, 80, 40), (60, 160, 200)),
    ((60, 200, 60), (160, 60, 60)),
    ((30, 220, 230), (30, 30, 160)),
    ((235, 235, 235), (120, 40, 120)),
    ((150, 40, 190), (200, 200, 60)),
)
# of the camera at the gate: from frame 21 on, tracks 1 and 2 have changed places (two switches),
# and person 3's track 3 goes on as 13 (a fragmentation)
SWITCHED = {1: 2, 2: 1, 3: 13}
CONFIG: dict[str, Any] = {
    "datasets": {
        "yard": {
            "source": "mot",
            "root": "footage",
            "names": "names.csv",
            "sequences": [
                {"name": "gate", "boxes": "gate.txt", "video": "gate.avi"},
                {"name": "door", "boxes": "door.txt", "video": "door.avi", "camera": 2},
                {"name": "door_again", "boxes": "door.txt", "video": "door.avi", "camera": 2}
                | {"split": "query", "first_frame": 21},
                {"name": "gate_again", "boxes": "gate.txt", "video": "gate.avi"}
                | {"split": "gallery", "last_frame": 20},
            ],
        },
        "gate": {
            "source": "mot",
            "root": "footage",
            "sequences": [{"name": "gate", "boxes": "gate.txt", "video": "gate.avi"}],
        },
    },
    "bags": {"yard": {"videos": True}},
    "isolation": {"yard": {"extractor": "tiny", "eps": 0.2, "min_samples": 2}},
    "experiments": {
        "yard": {"dataset": "yard", "noise": "clean", "isolation": "yard"}
        | {"method": "tiny_tracklets", "overrides": {"association": {"k1": 3, "share": 0.1}}},
        "yard_names": {"dataset": "yard", "bags": "yard", "method": "tiny"},
        "gate": {"dataset": "gate", "noise": "clean", "method": "tiny_tracklets"},
    },
}
NAMES = """video,name,first_frame,last_frame
gate,Ann,1,20
gate,Ben,1,20
gate,Cem,1,20
gate,Ann,21,40
gate,Dan,21,40
door,Ann,,
door,Ben,,
door,Dan,,
"""
RUN = "results/yard/runs/official-1"
TARGETS = (
    f"{RUN}/identities.csv",
    f"{RUN}/identities.png",
    f"{RUN}/search.csv",
    f"{RUN}/search.png",
    "results/yard_names/runs/official-1/model.safetensors",
)


def place(person: int, frame: int, camera: int) -> tuple[int, int]:
    """Return the left upper corner of a person: each walks to and fro in a lane of their own."""
    room = WIDTH - BOX[0]
    at = (person * 31 + (2 + person % 2) * frame + 17 * camera) % (2 * room)
    return min(at, 2 * room - at), 4 + 44 * person


def drawn(frame: int, camera: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 105 + 20 * camera, np.uint8)
    for person, (shirt, trousers) in enumerate(CLOTHES):
        x, y = place(person, frame, camera)
        cv2.circle(picture, (x + 8, y + 5), 4, (120, 160, 200), -1)
        cv2.rectangle(picture, (x + 3, y + 9), (x + 13, y + 23), shirt, -1)
        cv2.rectangle(picture, (x + 4, y + 24), (x + 12, y + 39), trousers, -1)
    return picture


def track_of(person: int, frame: int, camera: int) -> int:
    track = person + 1
    return SWITCHED.get(track, track) if camera == 1 and frame > 20 else track


def film(folder: Path) -> None:
    """Write two videos, what a tracker found in them, and who was in them."""
    folder.mkdir()
    for camera, name in enumerate(("gate", "door"), 1):
        code = cv2.VideoWriter_fourcc(*"MJPG")  # type: ignore[attr-defined]
        video = cv2.VideoWriter(str(folder / f"{name}.avi"), code, 10, (WIDTH, HEIGHT))
        lines = []
        for frame in range(1, LENGTH + 1):
            video.write(drawn(frame, camera))
            for person in range(len(CLOTHES)):
                x, y = place(person, frame, camera)
                track = track_of(person, frame, camera)
                lines.append(f"{frame},{track},{x},{y},{BOX[0]},{BOX[1]},1,-1,-1,-1")
        video.release()
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (folder / "names.csv").write_text(NAMES)


def call(project: Project, *arguments: str) -> Any:
    files = ("--configfile", "tiny.yaml", "yard.yaml")
    return project.snakemake(*arguments, "--cores", "2", *files, *SIDE_BY_SIDE)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All targets, made of two videos."""
    project = lay_out(tmp_path_factory.mktemp("yard"))
    film(project.folder / "footage")
    (project.folder / "yard.yaml").write_text(yaml.safe_dump(CONFIG))
    done = call(project, *TARGETS)
    assert done.returncode == 0, done.stdout[-4000:]
    return project


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
