"""When a frame of a tracker's output was seen, and which tracklets are seen at the same time.

The table "frames" does not say which frame of a video a row is; the name of its file does:
SEQUENCE/TRACK/FRAME.jpg, where the sequence is the video.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from weakreid.errors import ReidError

_FILE = r"^(?P<video>[^/]+)/\d+/(?P<frame>\d+)\.[A-Za-z]+$"


def moments_of(files: "pd.Series[str]") -> pd.DataFrame:
    """Return the video and the frame of it (int64) that crops show, by the names of their files.

    Raises:
        ReidError: a file is not SEQUENCE/TRACK/FRAME.jpg.
    """
    told = files.str.extract(_FILE)
    silent = told["frame"].isna()
    if silent.any():
        raise ReidError(
            f"file '{files[silent].iloc[0]}' is not SEQUENCE/TRACK/FRAME.jpg, so its frame in the "
            "video is unknown; only a tracker's output tells it"
        )
    return told.assign(frame=told["frame"].astype(np.int64))


def seen_together(tracks: pd.DataFrame, files: "pd.Series[str]") -> NDArray[np.int64]:
    """Return the pairs of tracklets that share a frame of a video: two people, for its tracker.

    Args:
        tracks: tracklet_id, numbered from 0 without gaps, and image, a row per frame.
        files: the file of every image, by its row in the image store.

    Returns:
        [P, 2], i < j, in order.

    Raises:
        ReidError: see `moments_of`.
    """
    moments = moments_of(tracks["image"].map(files))
    moment = moments.groupby(["video", "frame"]).ngroup().to_numpy()
    rows = tracks["tracklet_id"].to_numpy()
    shape = (rows.max() + 1, moment.max() + 1)
    seen = sparse.csr_array((np.ones(len(rows), np.int32), (rows, moment)), shape)
    first, second = sparse.triu(seen @ seen.T, 1).nonzero()
    order = np.lexsort((second, first))
    return np.stack([first[order], second[order]], axis=1).astype(np.int64)
