"""PRID-2011 in its official layout: prid_2011/multi_shot/cam_{a,b}/person_NNNN/*.png.

The first 200 persons were seen by both cameras. Most protocols take the 178 of them with more than
21 frames in both, of whom `splits_prid2011.json` holds ten splits of 89 / 89; others all 200.
"""

import json
import re
from pathlib import Path
from typing import Any

from weakreid.artifacts.files import read_text
from weakreid.config.datasets import Reading as HowToRead
from weakreid.console import warn
from weakreid.datasets import layout
from weakreid.datasets.layout import Reading, Tracklet
from weakreid.errors import ReidError

NAME = "PRID-2011"
SHOTS = "prid_2011/multi_shot"
SPLITS = "splits_prid2011.json"
MINIMUM_FRAMES = {178: 22, 200: 1}
"""By the number of persons, the frames that a person has in both cameras."""
REQUIRED: tuple[str, ...] = (f"{SHOTS}/cam_a", f"{SHOTS}/cam_b")
OPTIONAL: tuple[str, ...] = (SPLITS,)
HOW_TO_GET = (
    "get prid_2011.zip from https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/"
    "PRID11/ and unpack it there into the folder prid_2011, with splits_prid2011.json beside it"
)
OFFICIAL = {
    persons: {
        "train_tracklets": persons,
        "query_tracklets": persons // 2,
        "gallery_tracklets": persons // 2,
    }
    for persons in MINIMUM_FRAMES
}

_PERSON = re.compile("person_([0-9]{4})")
_CORRECT = "correct it, or get the official file"


def read(root: Path, how: HowToRead) -> Reading:
    """Read PRID-2011 from the folder that holds `prid_2011/`.

    Only persons that a split names are read.

    Args:
        root: the folder.
        how: what to do about tracklets without an image and counts that are not the official
            ones; with a `split_seed`, half splits are drawn, over the persons with the
            `MINIMUM_FRAMES` of how.persons, else those of splits_prid2011.json are read.

    Raises:
        ReidError: a folder or the file of splits is missing, or they do not fit each other.
    """
    root = Path(root)
    layout.require(root, REQUIRED, NAME, HOW_TO_GET)
    walk = layout.Walk(root, NAME)
    files: dict[int, dict[int, list[str]]] = {1: {}, 2: {}}
    for camera, letter in ((1, "a"), (2, "b")):
        base = f"{SHOTS}/cam_{letter}"
        for person, folder in walk.persons(base, _PERSON, "person_0001").items():
            files[camera][person] = walk.ordered(f"{base}/{folder}", (".png", ".jpg", ".jpeg"))
    walk.say_strays()
    if how.split_seed is None:
        splits = _read_splits(root / SPLITS)
    else:
        least = MINIMUM_FRAMES[how.persons]
        long = [
            {person for person, names in files[camera].items() if len(names) >= least}
            for camera in (1, 2)
        ]
        taken = long[0] & long[1]
        both = files[1].keys() & files[2].keys()
        if len(taken) < len(files[1].keys() | files[2].keys()):
            warn(
                f"{NAME}: {len(taken)} persons are taken: {len(files[1].keys() ^ files[2].keys())}"
                f" are seen by one camera alone, and {len(both - taken)} in fewer than"
                f" {least} images by one of two"
            )
        splits = layout.half_splits(sorted(taken), how.split_seed, NAME)
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
    reading = layout.assemble(found, NAME, how.on_bad_frame)
    layout.settle_one_camera(reading, NAME)
    reading = layout.with_two_camera_partitions(reading, splits)
    return layout.checked(reading, NAME, OFFICIAL[how.persons] if how.official else None)


def _read_splits(path: Path) -> list[tuple[set[int], set[int]]]:
    absent = "put the file of splits there, or set split_seed to draw splits"
    text = read_text(path, "a list of splits", absent)
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        raise ReidError(
            f"{path}: not JSON (line {error.lineno}: {error.msg}); {_CORRECT}"
        ) from error
    if not isinstance(held, list) or not held:
        raise ReidError(f"{path}: not a list of splits; {_CORRECT}")
    return [
        (_ids(path, n, split, "train"), _ids(path, n, split, "test"))
        for n, split in enumerate(held)
    ]


def _ids(path: Path, number: int, split: Any, side: str) -> set[int]:
    names = split.get(side) if isinstance(split, dict) else None
    if not isinstance(names, list) or not names:
        raise ReidError(f"{path}: split {number} has no list '{side}'; {_CORRECT}")
    result = set()
    for name in names:
        match = _PERSON.fullmatch(str(name))
        if match is None:
            raise ReidError(
                f"{path}: split {number} {side} names '{name}', not a person such as person_0001"
            )
        result.add(int(match[1]))
    if len(result) != len(names):
        raise ReidError(f"{path}: split {number} {side} names a person twice; {_CORRECT}")
    if side == "test" and result & _ids(path, number, split, "train"):
        raise ReidError(f"{path}: split {number} has persons in train and test; {_CORRECT}")
    return result
