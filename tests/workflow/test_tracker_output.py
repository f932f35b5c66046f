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

from weakreid.artifacts import schemas

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
AGAIN = [
    {"name": "door_again", "boxes": "door.txt", "video": "door.avi", "camera": 2}
    | {"role": "query", "first_frame": 21},
    {"name": "gate_again", "boxes": "gate.txt", "video": "gate.avi"}
    | {"role": "gallery", "last_frame": 20},
]
CONFIG: dict[str, Any] = {
    "datasets": {
        "yard": {
            "kind": "mot",
            "root": "footage",
            "names": "names.csv",
            "sequences": [
                {"name": "gate", "boxes": "gate.txt", "video": "gate.avi"},
                {"name": "door", "boxes": "door.txt", "video": "door.avi", "camera": 2},
                *AGAIN,
            ],
        },
        # nothing to learn from
        "noon": {"kind": "mot", "root": "footage", "sequences": AGAIN},
        "gate": {
            "kind": "mot",
            "root": "footage",
            "sequences": [{"name": "gate", "boxes": "gate.txt", "video": "gate.avi"}],
        },
    },
    "bags": {"yard": {"videos": True}},
    "isolation": {"yard": {"extractor": "tiny", "eps": 0.15, "min_samples": 2}},
    "experiments": {
        "yard": {"dataset": "yard", "noise": "clean", "isolation": "yard"}
        | {"method": "tiny_tracklets", "overrides": {"association": {"k1": 3, "share": 0.2}}},
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
door,Ben,1,20
door,Dan,1,20
door,Ann,21,40
door,Ben,21,40
"""
RUN = "results/yard/runs/official-1"
TARGETS = (
    f"{RUN}/identities.csv",
    f"{RUN}/identities.png",
    f"{RUN}/search.csv",
    f"{RUN}/search.png",
    f"{RUN}/on/noon/search.csv",
    f"{RUN}/on/noon/search.png",
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
def yard(tmp_path_factory: pytest.TempPathFactory, warm_caller: str) -> Project:
    """All targets, made of two videos."""
    project = lay_out(tmp_path_factory.mktemp("yard"), warm_caller)
    film(project.folder / "footage")
    (project.folder / "yard.yaml").write_text(yaml.safe_dump(CONFIG))
    done = call(project, *TARGETS)
    assert done.returncode == 0, done.stdout[-4000:]
    return project


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def identities(yard: Project) -> dict[tuple[str, str, int], int]:
    """The identity of every tracklet, by sequence, track and first frame."""
    rows = rows_of(yard.folder / RUN / "identities.csv")
    found = {
        (row["sequence"], row["track_id"], int(Path(row["first_file"]).stem)): int(row["identity"])
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def test_every_track_is_in_the_table(yard, identities) -> None:
    rows = rows_of(yard.folder / RUN / "identities.csv")
    frames: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        frames[row["sequence"], row["track_id"]] += int(row["frame_count"])
        assert {row["first_file"].split("/")[0], row["sequence"]} < {"gate", "door"}
        assert row["camera_id"] == {"gate": "1", "door": "2"}[row["sequence"]]
    half = {("gate", track): LENGTH // 2 for track in ("3", "13")}
    whole = {("gate", str(track)): LENGTH for track in (1, 2, 4, 5, 6)}
    assert frames == half | whole | {("door", str(track)): LENGTH for track in range(1, 7)}
    assert [int(row["identity"]) for row in rows] == sorted(identities.values())
    assert set(identities.values()) == set(range(1, max(identities.values()) + 1))


def test_isolation_cuts_where_the_tracker_switched_and_nowhere_else(identities) -> None:
    cut = {key[:2] for key in identities if key[2] == 21} - {("gate", "13")}
    assert cut == {("gate", "1"), ("gate", "2")}
    assert len(identities) == 13 + 2


def test_who_is_who_over_switches_fragments_and_cameras(identities) -> None:
    """The clothes' colours do, for a network that has hardly learnt: what counts is the way."""
    second = {identities["gate", "2", 1], identities["gate", "1", 21], identities["door", "2", 1]}
    assert len(second) == 1
    third = {identities["gate", "3", 1], identities["gate", "13", 21], identities["door", "3", 1]}
    assert len(third) == 1
    first = {identities["gate", "1", 1], identities["gate", "2", 21]}
    assert len(first) == 1
    assert len(first | second | third) == 3


def test_search_finds_people_at_the_other_camera(yard) -> None:
    rows = rows_of(yard.folder / RUN / "search.csv")
    queries = defaultdict(list)
    for row in rows:
        assert (row["query_sequence"], row["query_camera_id"]) == ("door_again", "2")
        assert (row["sequence"], row["camera_id"]) == ("gate_again", "1")
        assert row["first_file"].startswith(f"gate_again/{int(row['track_id']):06d}/")
        queries[row["query_track_id"]].append(row)
    assert sorted(queries) == [str(track) for track in range(1, 7)]
    right = 0
    for track, found in queries.items():
        assert [row["rank"] for row in found] == [str(rank) for rank in range(1, 7)]
        assert sorted(row["track_id"] for row in found) == sorted(queries)
        distances = [float(row["distance"]) for row in found]
        assert distances == sorted(distances)
        likely = [float(row["probability"]) for row in found]
        assert 1 > likely[0] >= likely[-1] > 0
        assert likely == sorted(likely, reverse=True)
        # up to frame 20 the tracks at the gate have the numbers of those at the door
        right += found[0]["track_id"] == track
    assert right >= 5


def test_another_dataset_is_searched_with_the_same_network(yard) -> None:
    here = rows_of(yard.folder / RUN / "search.csv")
    there = rows_of(yard.folder / RUN / "on/noon/search.csv")
    # the same pictures, whose tracklets have other numbers
    numbers = {"query_id", "tracklet_id"}
    assert [{k: v for k, v in row.items() if k not in numbers} for row in there] == [
        {k: v for k, v in row.items() if k not in numbers} for row in here
    ]


def test_the_pictures(yard) -> None:
    for name in ("identities.png", "search.png", "on/noon/search.png"):
        picture = cv2.imread(str(yard.folder / RUN / name))
        assert picture.shape[0] > 300
        assert picture.std() > 10


def test_nobody_is_known_in_any_table(yard) -> None:
    folder = yard.folder / "results/datasets/yard"
    tracklets = schemas.read_frame(folder / "official/tracklets.parquet", "tracklets")
    assert set(tracklets["person_id"]) == {0}
    assert tracklets["role"].value_counts().to_dict() == {"train": 13, "query": 6, "gallery": 6}
    history = schemas.read_frame(yard.folder / RUN / "history.parquet", "history")
    assert not {"nmi", "ari", "purity"} & set(history["term"])


def test_names_of_videos_train_too(yard) -> None:
    path = yard.folder / "results/datasets/yard/official/bags/yard.parquet"
    bags = schemas.read_frame(path, "bags", truth=True)
    # Ann, Ben, Cem, Dan
    assert [sorted(labels) for labels in bags["labels"]] == [[1, 2, 3], [1, 4], [2, 4], [1, 2]]
    assert [len(frames) for frames in bags["frames"]] == [6 * LENGTH // 2] * 4
    assert {person for ids in bags["truth_frame_persons"] for person in ids} == {0}
    model = yard.folder / "results/yard_names/runs/official-1/model.safetensors"
    assert model.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "results/yard/metrics.json",
            (
                "datasets.yard: no sequence of role query has truth, so nothing can be measured",
                f"{RUN}/search.png or {RUN}/identities.png or {RUN}/model.safetensors",
            ),
        ),
        (
            "results/yard_names/metrics.json",
            ("official-1/search.png or results/yard_names/runs/official-1/model.safetensors",),
        ),
        (
            "results/gate/metrics.json",
            (
                "datasets.gate: no sequence has role: query, so nothing can be measured",
                "ask for results/gate/runs/official-1/identities.png or ",
            ),
        ),
        (
            f"{RUN}/on/gate/search.csv",
            ("datasets.gate: no sequence has role: query, so there is nothing to search",),
        ),
        (
            "results/gate/runs/official-1/search.csv",
            (
                "datasets.gate: no sequence has role: query, so there is nothing to search",
                "ask for results/gate/runs/official-1/identities.png or ",
            ),
        ),
    ],
)
def test_what_cannot_be_without_truth_is_said_at_once(
    target: str, words: tuple[str, ...], yard
) -> None:
    done = call(yard, target)
    assert done.returncode == 1
    (line,) = [text for text in done.stdout.splitlines() if text.startswith("error: ")]
    assert all(word in line for word in words)
    assert "Traceback" not in done.stdout
    assert not (yard.folder / "results/gate").exists()
