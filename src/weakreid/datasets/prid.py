"""PRID-2011 in its official layout: prid_2011/multi_shot/cam_{a,b}/person_NNNN/*.png.

The first 200 persons were seen by both cameras. The protocol takes the 178 of them with more than
21 frames in both; `splits_prid2011.json` holds ten splits of 89 / 89.
"""

import re
from pathlib import Path
from typing import Any

from weakreid.datasets import layout
from weakreid.datasets.layout import Reading, Tracklet
from weakreid.errors import ReidError
from weakreid.files import read_json

NAME = "PRID-2011"
SHOTS = "prid_2011/multi_shot"
SPLITS = "splits_prid2011.json"
REQUIRED: tuple[str, ...] = (f"{SHOTS}/cam_a", f"{SHOTS}/cam_b")
HOW_TO_GET = (
    "get prid_2011.zip from https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/"
    "PRID11/ and unpack it there into the folder prid_2011, with splits_prid2011.json beside it"
)
OFFICIAL = {"train_tracklets": 178, "query_tracklets": 89, "gallery_tracklets": 89}

_PERSON = re.compile(r"person_(\d{4})")


def read(
    root: Path,
    *,
    on_bad_frame: str = "stop",
    official: bool = False,
    seed: int | None = None,
    repeats: int = 10,
    minimum_frames: int = 22,
) -> Reading:
    """Read PRID-2011 from the folder that holds `prid_2011/`.

    Only persons that a split names are read.

    Args:
        root: the folder.
        on_bad_frame: "stop" at tracklets without a picture, or "leave_out".
        official: refuse counts other than those of the whole dataset.
        seed: draw `repeats` half splits from this seed, over the persons with `minimum_frames` in
            both cameras; None takes those of splits_prid2011.json.
        repeats: how many splits to draw.
        minimum_frames: for drawn splits only.

    Raises:
        ReidError: a folder or the file of splits is missing, or they do not fit each other.
    """
    root = Path(root)
    layout.require(root, REQUIRED, NAME, HOW_TO_GET)
    files = {
        camera: _files(root, f"{SHOTS}/cam_{letter}") for camera, letter in ((1, "a"), (2, "b"))
    }
    if seed is None:
        splits = _read_splits(root / SPLITS)
    else:
        long = [
            {person for person, names in files[camera].items() if len(names) >= minimum_frames}
            for camera in (1, 2)
        ]
        splits = layout.half_splits(sorted(long[0] & long[1]), repeats, seed, NAME)
    wanted = sorted(set().union(*(train | test for train, test in splits)))
    absent = [
        f"cam_{letter}/person_{person:04d}"
        for person in wanted
        for camera, letter in ((1, "a"), (2, "b"))
        if person not in files[camera]
    ]
    if absent:
        raise ReidError(
            f"{NAME}: {len(absent)} folders that {SPLITS} names are missing in {root / SHOTS}:"
            f" {layout.name_some(absent)}; unpack the dataset whole"
        )
    found = [
        Tracklet(person, camera, "train", files[camera][person])
        for camera in (1, 2)
        for person in wanted
    ]
    reading = layout.assemble(found, NAME, on_bad_frame)
    reading = layout.with_two_camera_partitions(reading, splits)
    layout.check(reading, NAME, OFFICIAL if official else None)
    return reading


def _files(root: Path, base: str) -> dict[int, list[str]]:
    result = {}
    for folder in sorted(layout.list_names(root / base)):
        match = _PERSON.fullmatch(folder)
        if match is None:
            raise ReidError(
                f"{NAME}: {root / base / folder}: not a person's folder such as person_0001;"
                " move it elsewhere"
            )
        names = layout.list_pictures(root / base / folder, (".png", ".jpg"))
        result[int(match[1])] = [f"{base}/{folder}/{name}" for name in names]
    return result


def _read_splits(path: Path) -> list[tuple[set[int], set[int]]]:
    if not path.exists():
        raise ReidError(
            f"{NAME}: no {path}; put the file of splits there, or give a seed to draw splits"
        )
    held = read_json(path)
    if not isinstance(held, list) or not held:
        raise ReidError(f"{path}: not a list of splits; get the file again")
    return [
        (_ids(path, n, split, "train"), _ids(path, n, split, "test"))
        for n, split in enumerate(held)
    ]


def _ids(path: Path, number: int, split: Any, side: str) -> set[int]:
    names = split.get(side) if isinstance(split, dict) else None
    if not isinstance(names, list) or not names:
        raise ReidError(f"{path}: split {number} has no list '{side}'; get the file again")
    result = set()
    for name in names:
        match = _PERSON.fullmatch(str(name))
        if match is None:
            raise ReidError(
                f"{path}: split {number} {side} names '{name}', not a person such as person_0001"
            )
        result.add(int(match[1]))
    if len(result) != len(names):
        raise ReidError(f"{path}: split {number} {side} names a person twice; get the file again")
    if side == "test" and result & _ids(path, number, split, "train"):
        raise ReidError(f"{path}: split {number} has persons in train and test; get the file again")
    return result
