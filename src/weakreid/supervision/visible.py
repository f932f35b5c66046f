"""What a training may see of its bags, by setting, and of its tracklets.

A setting is what an annotator or a tracker gave. The table of bags holds more than that: which
tracklet a frame came from, and, for measuring, who it shows. A training reads its bags through
`read_bags` alone, so that nothing which its setting hides can reach it.
"""

from pathlib import Path

import pandas as pd

from weakreid import tables
from weakreid.errors import ReidError

COLUMNS = {
    # WL, section III-B: person images without tracklets, and who is in the video
    "frames": ("split", "frames", "labels"),
    # WL, section IV-F: the same, and which images a tracker joined
    "tracklets": ("split", "frames", "labels", "frame_tracklets"),
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
    rows = tables.read_frame(path, "bags", list(COLUMNS[setting]))
    return rows[rows["split"] == "train"].drop(columns="split").reset_index(drop=True)


TRACKS = ("tracklet_id", "position", "image")
"""Columns of the table "tracks" that learning from tracklets sees: no person, no camera."""


def read_tracks(path: Path) -> pd.DataFrame:
    """Return the training tracklets of a table "tracks", a row per frame, as a training sees them.

    Raises:
        ReidError: the file is not what is expected, or holds no tracklet.
    """
    rows = tables.read_frame(path, "tracks", list(TRACKS))
    if rows.empty:
        raise ReidError(f"{path}: no tracklet; the split has no training tracklets")
    return rows
