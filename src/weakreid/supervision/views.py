"""What a training may see of its bags, by setting, and of its tracklets.

A setting is what an annotator or a tracker gave. The table of bags holds more than that: which
tracklet a frame came from, and, for measuring, who it shows. A training reads its bags through
`read_bags` alone, so that nothing which its setting hides can reach it.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.supervision.moments import seen_together

COLUMNS = {
    # WL, section III-B: person images without tracklets, and who is in the video
    "frames": ("role", "frames", "labels"),
    # WL, section IV-F: the same, and which images a tracker joined
    "tracklets": ("role", "frames", "labels", "frame_tracklets"),
}
"""Columns of the table "bags" that a setting shows."""


def read_bags(path: Path, setting: str) -> pd.DataFrame:
    """Return the training bags of a table, in the columns that a setting shows.

    Args:
        path: a table "bags".
        setting: a key of `COLUMNS`.

    Raises:
        ReidError: the setting is unknown, or the file is not what is expected.
    """
    if setting not in COLUMNS:
        raise ReidError(f"setting '{setting}' is unknown; choose {', '.join(COLUMNS)}")
    rows = schemas.read_frame(path, "bags", list(COLUMNS[setting]))
    return rows[rows["role"] == "train"].drop(columns="role").reset_index(drop=True)


TRACKS = ("tracklet_id", "position", "image")
"""Columns of the table "tracks" that learning from tracklets sees: no person, no camera."""


def read_tracks(path: Path, cameras: bool = False) -> pd.DataFrame:
    """Return the training tracklets of a table "tracks", a row per frame, as a training sees them.

    Args:
        path: a table "tracks".
        cameras: show `camera_id` too: to those whose labels hold within a camera, and to those who
            centre features.

    Raises:
        ReidError: the file is not what is expected, or holds no tracklet.
    """
    rows = schemas.read_frame(path, "tracks", [*TRACKS, *(["camera_id"] if cameras else [])])
    if rows.empty:
        raise ReidError(f"{path}: no tracklet; the split has no training tracklets")
    return rows


def read_together(tracks: Path, frames: Path) -> NDArray[np.int64]:
    """Return the pairs of training tracklets that are seen at the same time: [P, 2], i < j.

    Of a tracker's output alone, whose files say when: nothing else of them is looked at.

    Args:
        tracks: a table "tracks".
        frames: the table "frames" of the same dataset.

    Raises:
        ReidError: a file is not what is expected.
    """
    rows = schemas.read_frame(tracks, "tracks", ["tracklet_id", "image"])
    shown = schemas.read_frame(frames, "frames", ["image", "file"]).set_index("image")["file"]
    return seen_together(rows, shown)


def read_labels(path: Path, count: int) -> NDArray[np.int32]:
    """Return the label of each training tracklet: [N], classes from 0 without gaps, -1 for none.

    Args:
        path: a table "tracklet_labels".
        count: N, the tracklets of the table "tracks" that it was made of.

    Raises:
        ReidError: the file is not what is expected, or not of these tracklets.
    """
    rows = schemas.read_frame(path, "tracklet_labels", ["tracklet_id", "label"])
    rows = rows.sort_values("tracklet_id", kind="stable")
    ids, labels = rows["tracklet_id"].to_numpy(), np.array(rows["label"], np.int32)
    if not np.array_equal(ids, np.arange(count)):
        raise ReidError(
            f"{path}: labels are not of the {count} tracklets that are learnt from, each once; "
            "make them from the same tracks"
        )
    classes = np.unique(labels[labels != -1])
    if not np.array_equal(classes, np.arange(len(classes))):
        raise ReidError(f"{path}: classes are not numbered from 0 without gaps; make it again")
    return labels


def read_frames_only(tracklets: Path, frames: Path) -> NDArray[np.int64]:
    """Return the rows of the image store of a split's training frames, ascending, once each.

    What a network that learns attributes elsewhere sees of a dataset: pictures, without a person, a
    camera, or which of them are of one tracklet.

    Args:
        tracklets: a table "tracklets", of a split.
        frames: the table "frames" of the same dataset.

    Raises:
        ReidError: a file is not what is expected, or the split has no training frame.
    """
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "role"])
    training = rows.loc[rows["role"] == "train", "tracklet_id"]
    shown = schemas.read_frame(frames, "frames", ["tracklet_id", "image"])
    found = np.unique(shown.loc[shown["tracklet_id"].isin(training), "image"].to_numpy())
    if not len(found):
        raise ReidError(f"{tracklets}: no training frame; choose a split that has some")
    return found


ATTRIBUTE_LABELS = ("person_id", "attribute", "label")
"""Columns of the table "attribute_labels" that learning from clips sees."""


def read_attribute_labels(path: Path, persons: NDArray[np.int64]) -> pd.DataFrame:
    """Return the attributes of training persons alone, a row per person and attribute.

    Args:
        path: a table "attribute_labels".
        persons: ids of the training persons; the table may name others, who stay hidden.

    Raises:
        ReidError: the file is not what is expected, or has nothing of one of the persons.
    """
    rows = schemas.read_frame(path, "attribute_labels", list(ATTRIBUTE_LABELS))
    rows = rows[rows["person_id"].isin(persons)].reset_index(drop=True)
    without = np.setdiff1d(persons, rows["person_id"].to_numpy())
    if len(without):
        raise ReidError(
            f"{path}: no attribute labels of training person {without[0]} ({len(without)} of "
            f"{len(persons)} have none); make the labels from this dataset's own tracklets"
        )
    return rows
