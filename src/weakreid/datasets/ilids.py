"""iLIDS-VID in its official layout: i-LIDS-VID/sequences/cam{1,2}/personNNN/*.png.

300 persons, each seen once by both cameras; ten half splits come with it in a MATLAB file.
"""

import re
from pathlib import Path

import numpy as np

from weakreid.config.datasets import Reading as HowToRead
from weakreid.datasets import layout, matlab
from weakreid.datasets.layout import Reading, Tracklet
from weakreid.errors import ReidError

NAME = "iLIDS-VID"
SEQUENCES = "i-LIDS-VID/sequences"
SPLITS = "train-test people splits/train_test_splits_ilidsvid.mat"
REQUIRED: tuple[str, ...] = (f"{SEQUENCES}/cam1", f"{SEQUENCES}/cam2")
OPTIONAL: tuple[str, ...] = (SPLITS,)
HOW_TO_GET = (
    "get iLIDS-VID.tar from https://xiatian-zhu.github.io/downloads_qmul_iLIDS-VID_ReID_dataset.html"
    " and put its folders i-LIDS-VID and 'train-test people splits' there"
)
OFFICIAL = {"train_tracklets": 300, "query_tracklets": 150, "gallery_tracklets": 150}

_PERSON = re.compile("person([0-9]+)")
_IMAGE = re.compile("cam([0-9])_person([0-9]+)_[0-9]+[.][a-z]+", re.IGNORECASE)


def read(root: Path, how: HowToRead) -> Reading:
    """Read iLIDS-VID from the folder that holds `i-LIDS-VID/`.

    Args:
        root: the folder.
        how: what to do about tracklets without an image and counts that are not the official
            ones; with a `split_seed`, half splits are drawn, else the official ones are read.

    Raises:
        ReidError: a folder or the file of splits is missing, or they do not fit each other.
    """
    root = Path(root)
    layout.require(root, REQUIRED, NAME, HOW_TO_GET)
    walk = layout.Walk(root, NAME)
    found: list[Tracklet] = []
    persons: dict[int, list[int]] = {1: [], 2: []}
    for camera in (1, 2):
        base = f"{SEQUENCES}/cam{camera}"
        for person, folder in walk.persons(base, _PERSON, "person001").items():
            persons[camera].append(person)
            files = walk.ordered(f"{base}/{folder}", (".png", ".jpg", ".jpeg"))
            for file in files:
                said = _IMAGE.fullmatch(file.rpartition("/")[2])
                if said is not None and (int(said[1]), int(said[2])) != (camera, person):
                    raise ReidError(
                        f"{NAME}: {root / file}: by its name of another person or camera; unpack"
                        " the dataset anew"
                    )
            found.append(Tracklet(person, camera, "train", files))
    walk.say_strays()
    one_sided = sorted(set(persons[1]) ^ set(persons[2]))
    if one_sided:
        some = layout.name_some([f"person{person:03d}" for person in one_sided])
        raise ReidError(
            f"{NAME}: {len(one_sided)} persons are in one camera only: {some}; unpack it whole"
        )
    reading = layout.assemble(found, NAME, how.on_bad_frame)
    layout.settle_one_camera(reading, NAME)
    splits = (
        _official_splits(root / SPLITS, sorted(persons[1]))
        if how.split_seed is None
        else layout.half_splits(persons[1], how.split_seed, NAME)
    )
    reading = layout.with_two_camera_partitions(reading, splits)
    return layout.checked(reading, NAME, OFFICIAL if how.official else None)


def _official_splits(path: Path, persons: list[int]) -> list[tuple[set[int], set[int]]]:
    """Read the official splits: a row each, of 1-based places in the sorted list of persons.

    The first half of a row is for testing, the second for training.
    """
    absent = "put the official file there, or set split_seed to draw splits"
    rows = matlab.read_matrix(path, "ls_set", absent)
    expected = np.arange(1, len(persons) + 1)
    for number, row in enumerate(rows):
        if len(row) != len(persons) or (np.sort(row) != expected).any():
            raise ReidError(
                f"{path}: row {number + 1} does not name each of the {len(persons)} persons once;"
                " the file and the images do not belong together"
            )
    named = np.asarray(persons)
    half = len(persons) // 2
    return [
        (set(named[row[half:] - 1].tolist()), set(named[row[:half] - 1].tolist())) for row in rows
    ]
