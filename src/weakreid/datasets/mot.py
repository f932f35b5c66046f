"""Tracklets of a tracker, as `weakreid.datasets.crops` cuts them out: the reader of its folder.

`tracklets.csv` and `frames.csv` say what there is. A tracklet may show several persons or, where
nobody knows, person 0; so may one of role `train`, since a tracker knows no persons. A query of
person 0 stays a query: it can be searched with, and is skipped where answers are measured.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from weakreid.artifacts.csv import read_csv
from weakreid.artifacts.files import read_fault
from weakreid.config.datasets import Reading as HowToRead
from weakreid.console import say
from weakreid.datasets import layout
from weakreid.datasets.crop_tables import FRAME_COLUMNS, FRAMES, TRACKLET_COLUMNS, TRACKLETS
from weakreid.datasets.layout import Reading
from weakreid.errors import ReidError

NAME = "tracker output"
REQUIRED: tuple[str, ...] = (TRACKLETS, FRAMES)
HOW_TO_GET = (
    "the stage crops makes it of a tracker's output and its frames; docs/tracker_output.md says how"
)

_AGAIN = "delete the folder and run again"


def read(root: Path, how: HowToRead) -> Reading:
    """Read a folder of crops.

    Args:
        root: the folder.
        how: what to do about crops that are missing; there are no official counts.

    Returns:
        The reading with `frame_persons`: whom each crop shows, 0 where nobody knows.

    Raises:
        ReidError: a table or a crop is missing, or the tables do not fit each other.
    """
    root = Path(root)
    layout.require(root, REQUIRED, NAME, HOW_TO_GET)
    held = _read(root / TRACKLETS, TRACKLET_COLUMNS, ("sequence", "role"))
    frames = _read(root / FRAMES, FRAME_COLUMNS, ("file",))
    owners = np.repeat(held["tracklet_id"], held["frame_count"])
    if not np.array_equal(frames["tracklet_id"], owners):
        raise ReidError(f"{root / FRAMES}: its rows are not those of {TRACKLETS}; {_AGAIN}")
    queries = held["role"] == "query"
    nobody = int((queries & (held["person_id"] == 0)).sum())
    if nobody:
        say(f"{NAME}: of {int(queries.sum())} queries {nobody} are of somebody unknown")
    tracklets = layout.tracklet_table(
        held["person_id"], held["camera_id"], held["role"].to_numpy(object), held["frame_count"]
    )
    files = frames["file"].tolist()
    reading = Reading(
        tracklets,
        files,
        layout.single_partition(tracklets),
        frame_persons=frames["person_id"].to_numpy(np.int32),
    )
    layout.check(reading, NAME)
    missing = layout.missing_files(root, files)
    why = layout.why_missing(root, files, missing)
    return layout.settle_bad_frames(reading, missing, NAME, "are missing", how.on_bad_frame, why)


def _read(path: Path, columns: tuple[str, ...], texts: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the tables; what is no text is a whole number."""
    types = {column: "str" if column in texts else "int64" for column in columns}
    try:
        return read_csv(path.read_text(encoding="utf-8"), dtype=types)[list(columns)]
    except OSError as error:
        raise read_fault(path, error, _AGAIN) from error
    except (ValueError, KeyError) as error:
        names = ",".join(columns)
        raise ReidError(f"{path}: not a table of {names} ({error}); {_AGAIN}") from error
