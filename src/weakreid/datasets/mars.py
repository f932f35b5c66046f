"""MARS in its official layout: `bbox_train/`, `bbox_test/` and the `info/` of MARS-evaluation.

The tables of `info/` hold a row per tracklet: first frame, last frame (1-based, inclusive, rows of
the name list), person, camera. Person -1 (folder `00-1`) is junk, person 0 a distractor.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from weakreid.artifacts.files import read_text
from weakreid.config.datasets import Reading as HowToRead
from weakreid.console import warn
from weakreid.datasets import layout, matlab
from weakreid.datasets.layout import Reading
from weakreid.errors import ReidError

NAME = "MARS"
REQUIRED: tuple[str, ...] = (
    "bbox_train",
    "bbox_test",
    "info/train_name.txt",
    "info/test_name.txt",
    "info/tracks_train_info.mat",
    "info/tracks_test_info.mat",
    "info/query_IDX.mat",
)
OPTIONAL: tuple[str, ...] = ()
HOW_TO_GET = (
    "get bbox_train.zip and bbox_test.zip from the official page"
    " http://zheng-lab.cecs.anu.edu.au/Project/project_mars.html and the folder info of its"
    " MARS-evaluation program, and put all three into that folder"
)
OFFICIAL = {
    "train_tracklets": 8298,
    "query_tracklets": 1980,
    "gallery_tracklets": 9330,
    "junk_tracklets": 870,
    "distractor_tracklets": 3248,
    "train_persons": 625,
    "cameras": 6,
}

_IMAGE = r"(?:[0-9]{4}|00-1)C[0-9]T[0-9]{4}F[0-9]{3,}\.jpg"


def read(root: Path, how: HowToRead) -> Reading:
    """Read MARS from `root`.

    Args:
        root: the folder that holds bbox_train, bbox_test and info.
        how: what to do about named images that are missing and counts that are not the
            official ones.

    Raises:
        ReidError: something is missing, or the tables, name lists and images do not fit.
    """
    root = Path(root)
    layout.require(root, REQUIRED, NAME, HOW_TO_GET)
    tracklets, files = read_info(root / "info")
    reading = Reading(tracklets, files, layout.single_partition(tracklets))
    reading = layout.checked(reading, NAME, OFFICIAL if how.official else None)
    missing = layout.missing_files(root, files)
    what = "that the name lists hold are missing"
    why = layout.why_missing(root, files, missing)
    left = layout.settle_bad_frames(reading, missing, NAME, what, how.on_bad_frame, why)
    _say_unlisted(root, int((~missing).sum()))
    return left


def read_info(info: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the tracklets and their files from the official tables alone; no image is needed.

    Train rows come first, then test rows, each in the order of its table.

    Raises:
        ReidError: a file is missing or damaged, or the tables and name lists do not fit.
    """
    rows, files = [], []
    for side in ("train", "test"):
        names = _read_names(info / f"{side}_name.txt")
        table = matlab.read_matrix(info / f"tracks_{side}_info.mat", f"track_{side}_info")
        order = _check_rows(table, names, info / f"tracks_{side}_info.mat", f"{side}_name.txt")
        taken = names.iloc[order]
        rows.append(table)
        files.append((f"bbox_{side}/" + taken.str[:4] + "/" + taken).tolist())
    train, test = rows
    if (train[:, 2] < 1).any():
        row = int(np.flatnonzero(train[:, 2] < 1)[0]) + 1
        raise ReidError(
            f"{info / 'tracks_train_info.mat'}: row {row} has person {train[row - 1, 2]}, but a"
            " train person is 1 or more; get the official file"
        )
    role = np.concatenate(
        [np.full(len(train), "train", object), _test_split(test, info / "query_IDX.mat")]
    )
    both = np.concatenate(rows)
    tracklets = layout.tracklet_table(both[:, 2], both[:, 3], role, both[:, 1] - both[:, 0] + 1)
    return tracklets, files[0] + files[1]


def _read_names(path: Path) -> "pd.Series[str]":
    text = read_text(path, "a list of MARS image names", matlab.OFFICIAL)
    names = pd.Series(text.split("\n"), dtype="str").str.strip()
    while len(names) and names.iloc[-1] == "":
        names = names.iloc[:-1]
    fits = names.str.fullmatch(_IMAGE)
    if not fits.all():
        line = int(np.flatnonzero(~fits.to_numpy(bool))[0]) + 1
        raise ReidError(
            f"{path}: line {line} is {names.iloc[line - 1][:40]!r}, not a MARS image name such as"
            " 0001C1T0001F001.jpg; get the official file"
        )
    return names


def _check_rows(
    table: npt.NDArray[np.int64], names: "pd.Series[str]", path: Path, list_name: str
) -> npt.NDArray[np.int64]:
    """Check a table against its name list; return the list's rows in the order of the tracklets."""
    if table.shape[1] != 4:
        raise ReidError(f"{path}: {table.shape[1]} columns, expected 4; get the official file")
    first, last, person, camera = table.T
    outside = (first < 1) | (last < first) | (last > len(names))
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise ReidError(
            f"{path}: row {row + 1} spans frames {first[row]} to {last[row]}, but {list_name} has"
            f" {len(names)} names; the two files do not belong together"
        )
    count = last - first + 1
    start = np.cumsum(count) - count
    order = np.arange(count.sum()) + np.repeat(first - 1 - start, count)
    owner = np.repeat(np.arange(len(table)), count)
    used = np.bincount(order, minlength=len(names))
    if (used > 1).any():
        name = names.iloc[int(np.flatnonzero(used > 1)[0])]
        row = int(owner[np.flatnonzero(order == int(np.flatnonzero(used > 1)[0]))[1]])
        raise ReidError(f"{path}: row {row + 1} takes {name}, which an earlier row takes too")
    named_person = names.str[:4].replace("00-1", "-1").astype(np.int64).to_numpy()[order]
    named_camera = names.str[5].astype(np.int64).to_numpy()[order]
    wrong = (named_person != person[owner]) | (named_camera != camera[owner])
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        row = int(owner[at])
        rows = len(np.unique(owner[wrong]))
        raise ReidError(
            f"{path}: row {row + 1} says person {person[row]} camera {camera[row]}, but"
            f" {list_name} line {order[at] + 1} is {names.iloc[order[at]]} ({rows} such rows);"
            " the two files do not belong together"
        )
    return order


def _test_split(test: npt.NDArray[np.int64], path: Path) -> npt.NDArray[np.object_]:
    query = matlab.read_matrix(path, "query_IDX").reshape(-1)
    if len(query) == 0 or query.min() < 1 or query.max() > len(test):
        raise ReidError(
            f"{path}: query rows must lie in 1 to {len(test)}, the rows of tracks_test_info.mat;"
            " the two files do not belong together"
        )
    if len(np.unique(query)) != len(query):
        raise ReidError(f"{path}: a row is named twice; get the official file")
    role = np.where(test[:, 2] == -1, "junk", "gallery").astype(object)
    nobody = query[test[query - 1, 2] < 1]
    if len(nobody):
        raise ReidError(
            f"{path}: query row {nobody[0]} is person {test[nobody[0] - 1, 2]}, which is junk or a"
            f" distractor ({len(nobody)} such); the file does not fit tracks_test_info.mat"
        )
    role[query - 1] = "query"
    return role


def _say_unlisted(root: Path, present: int) -> None:
    """Say how many images lie beside the named ones: they are not read."""
    folders = {
        f"{side}/{person}"
        for side in ("bbox_train", "bbox_test")
        for person in layout.list_names(root / side)
    }
    there = sum(
        sum(name.lower().endswith(".jpg") for name in layout.list_names(root / folder))
        for folder in folders
    )
    if there > present:
        warn(
            f"{NAME}: {there - present} images beside the {present} that tracklets are made of"
            " were not read: no row of tracks_train_info.mat or tracks_test_info.mat takes them"
        )
