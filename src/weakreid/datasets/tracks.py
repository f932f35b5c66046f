"""The boxes of a tracker's output that are cut out, and what is lost on the way.

More than a person expects goes to the terminal (`Notices`): a sequence of which nothing is left,
one that loses more than a tenth of its boxes, and a confidence that cannot be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from weakreid.config.datasets import Tracked
from weakreid.datasets import fit, motchallenge
from weakreid.datasets.footage import Footage
from weakreid.datasets.notices import SHARE, Notices
from weakreid.datasets.video import About
from weakreid.errors import ReidError

_LEAST_PIXELS = 2


@dataclass(frozen=True)
class Tracks:
    """The boxes of one sequence."""

    kept: pd.DataFrame  # those to cut out, by track and frame, with their pixels x0, y0, x1, y1
    seen: pd.DataFrame  # all boxes of the window, those that are dropped among them
    last: int  # the frame of the file's last box, in the window or not
    lost: Mapping[str, int]  # number of boxes by what they were dropped for
    dropped_tracks: int  # number of tracks that were too short


def read(item: Footage, dataset: Tracked, about: About, notices: Notices) -> Tracks:
    """Return the boxes of a sequence that are cut out.

    Args:
        item: the sequence.
        dataset: which boxes are kept; those below `min_confidence` are dropped first.
        about: its frames.
        notices: told of losses.

    Raises:
        ReidError: the file is missing or wrong, has no box in the window, or one is outside.
    """
    path, min_frames = Path(dataset.root) / item.boxes, dataset.min_frames
    min_confidence = dataset.min_confidence
    held = motchallenge.read_boxes(
        path, first_number=item.first_frame_number, on_bad_box=dataset.on_bad_box
    )
    last = int(held["frame"].max())
    if item.first_frame_number == 0 and int(held["frame"].min()) == 2:
        notices.add(
            "numbers of frames",
            f"{path}: the first box is in frame 1, and first_frame_number is 0: if the file counts"
            " from 1, leave the key out",
        )
    until = item.last_frame if item.last_frame is not None else last
    seen = held.loc[held["frame"].between(item.first_frame, until)]
    if seen.empty:
        raise ReidError(
            f"{path}: no box in frames {item.first_frame} to {until} of sequence {item.name};"
            " correct first_frame and last_frame"
        )
    _compare_confidence(path, held["confidence"], min_confidence, notices)
    if about.length is not None and (seen["frame"] > about.length).any():
        raise beyond(path, seen, about.length, about)
    boxes = seen.loc[~(seen["confidence"] < min_confidence)]
    places = boxes[list(motchallenge.BOX)].to_numpy(np.float64)
    corners = clip_boxes(places, about.width, about.height)
    left = (corners[:, 2:] - corners[:, :2]).min(axis=1)
    outside = pd.Series(left < _LEAST_PIXELS, index=boxes.index)
    if outside.any() and dataset.on_bad_box == "stop":
        raise _outside(path, seen, boxes.loc[outside], about)
    odd = fit.doubts(seen, about)
    if odd:
        notices.add("boxes that do not fit", f"{fit.question(about, path)} {odd}")
    inside = boxes.assign(
        x0=corners[:, 0], y0=corners[:, 1], x1=corners[:, 2], y1=corners[:, 3]
    ).loc[~outside]
    lengths = inside.groupby("track_id").size()
    long = inside["track_id"].isin(lengths.index[lengths >= min_frames])
    kept = inside.loc[long].sort_values(["track_id", "frame"], ignore_index=True)
    lost = {
        f"below min_confidence {min_confidence:g}": len(seen) - len(boxes),
        "outside the image or without size": int(outside.sum()),
        f"in tracks of fewer than {min_frames} frames": len(inside) - len(kept),
    }
    _tell(item, path, seen, kept, lost, notices)
    return Tracks(kept, seen, last, lost, int((lengths < min_frames).sum()))


def clip_boxes(boxes: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[np.int64]:
    """Return boxes in whole pixels, cut off at the edges of an image.

    Args:
        boxes: [N, 4], left, top, width, height.
        width: of the image.
        height: of the image.

    Returns:
        int64 [N, 4]: x0, y0, x1, y1, the last two excluded; nothing is left where x1 <= x0.
    """
    limits = np.array([width, height], np.float64)
    start = np.clip(np.rint(boxes[:, :2]), 0, limits)
    end = np.clip(np.rint(boxes[:, :2] + boxes[:, 2:]), 0, limits)
    return np.concatenate([start, end], axis=1).astype(np.int64)


def beyond(path: Path, seen: pd.DataFrame, length: int, about: About) -> ReidError:
    """Return the error of boxes after the last frame."""
    late = seen[seen["frame"] > length].sort_values("line")
    first = late.iloc[0]
    header = ""
    if about.stated and about.stated > length:
        header = f" that can be read (its header says {about.stated}: it may be cut short)"
    return ReidError(
        f"{path}: line {int(first['line'])} is a box in frame {int(first['frame'])}, but"
        f" {about.path} has {length} frames{header} ({len(late)} such boxes): is it the video that"
        " the tracker saw, at the same rate? If so, set last_frame"
    )


def _outside(path: Path, seen: pd.DataFrame, boxes: pd.DataFrame, about: About) -> ReidError:
    first = boxes.sort_values("line").iloc[0]
    box = ", ".join(f"{first[name]:g}" for name in motchallenge.BOX)
    odd = fit.doubts(seen, about)
    return ReidError(
        f"{path}: line {int(first['line'])}: the box {box} of frame {int(first['frame'])} leaves"
        f" less than {_LEAST_PIXELS} x {_LEAST_PIXELS} pixels inside the image of {about.width} x"
        f" {about.height} ({len(boxes)} such boxes of {len(seen)}): is {about.path} the video that"
        f" the tracker saw?{f' Of it, {odd}.' if odd else ''} If so, correct them, or set"
        " on_bad_box: clip to drop them"
    )


def _compare_confidence(
    path: Path, confidence: pd.Series, min_confidence: float, notices: Notices
) -> None:
    """Warn of, or refuse, a least confidence that means nothing for this file."""
    lacking = int(confidence.isna().sum())
    if lacking and min_confidence > 0:
        notices.add(
            "confidence not given",
            f"{path}: {lacking:,} of {len(confidence):,} boxes have no confidence (-1, or no 7th"
            f" column), so they stay whatever min_confidence {min_confidence:g} is",
        )
    if lacking == len(confidence):
        return
    least, most = float(confidence.min()), float(confidence.max())
    if min_confidence > 1 >= most:
        raise ReidError(
            f"{path}: the confidences lie in {least:g} to {most:g}, so min_confidence"
            f" {min_confidence:g} would drop all boxes; set it on the tracker's scale"
        )
    if 0 < min_confidence <= 1 < most:
        below = int((confidence < min_confidence).sum())
        notices.add(
            "confidence on another scale",
            f"{path}: the confidences lie in {least:g} to {most:g}, and min_confidence is"
            f" {min_confidence:g}: {below:,} of {len(confidence):,} boxes are below; set it on the"
            " tracker's scale",
        )


def _tell(
    item: Footage,
    path: Path,
    seen: pd.DataFrame,
    kept: pd.DataFrame,
    lost: Mapping[str, int],
    notices: Notices,
) -> None:
    """Warn of more losses than a person expects."""
    if kept.empty:
        what = ", ".join(f"{count:,} {why}" for why, count in lost.items() if count)
        notices.add(
            "nothing is left",
            f"sequence {item.name}: no tracklet is left of the {len(seen):,} boxes of {path}:"
            f" {what}",
        )
        return
    for why, count in lost.items():
        if count > SHARE * len(seen):
            notices.add(
                "many boxes are dropped",
                f"sequence {item.name}: {count:,} of {len(seen):,} boxes of {path} are dropped:"
                f" {why}",
            )
