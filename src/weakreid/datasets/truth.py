"""Ground truth of a tracker's output: the boxes that count, and whether the two belong together."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from weakreid.datasets import motchallenge
from weakreid.datasets.notices import Notices
from weakreid.errors import ReidError

# of mean overlap: by so much boxes fit better a frame earlier or later. On seven MOT17 videos and
# PETS09 (two trackers each) it is 0.0024 at most where numbers are right; one frame off, on PETS09,
# it is 0.2 and more
_BETTER = 0.02
_FRAMES = 500  # that are compared


def read_people(
    path: Path, *, classes: Sequence[int], first_number: int, on_bad_box: str
) -> tuple[pd.DataFrame, str]:
    """Read the boxes of ground truth that count, at least one.

    Args:
        path: the file.
        classes: those that are people.
        first_number: what the file calls the first frame.
        on_bad_box: "stop" at a box without size, or "clip": leave it out.

    Returns:
        The rows of `motchallenge.read_truth` that count, and in words which boxes there are.

    Raises:
        ReidError: as `motchallenge.read_truth`, or no box counts.
    """
    truth = motchallenge.read_truth(path, first_number=first_number, on_bad_box=on_bad_box)
    rows = motchallenge.truth_rows(truth[~truth["bad"]], classes)
    flagged = truth[truth["consider"]]
    unflagged = len(truth) - len(flagged)
    kinds = flagged["kind"].value_counts().sort_index()
    found = [f"{count} of class {kind}" for kind, count in kinds.items()]
    found += [f"{unflagged} with flag 0 (the 7th column)"] * bool(unflagged)
    found += [f"{int(truth['bad'].sum())} without size"] * bool(truth["bad"].any())
    about = f"{len(truth)} boxes: {', '.join(found)}"
    if rows.empty:
        others = [int(kind) for kind in kinds.index if kind not in classes]
        if others:
            remedy = f"truth_classes is {list(classes)}: set truth_classes: {others}, or those of"
            remedy += " them that are people"
        else:
            remedy = "flag 0 says that a box is not to be judged: write 1 where it is"
        raise ReidError(
            f"{path}: no box of this ground truth counts. It has {about}. {remedy}, or leave the"
            " truth out"
        )
    return rows, about


def compare(
    path: Path,
    boxes: pd.DataFrame,
    truth_path: Path,
    truth: pd.DataFrame,
    words: str,
    iou: float,
    notices: Notices,
) -> None:
    """Warn where few of a tracker's boxes match a true one.

    Args:
        path: the tracker's output.
        boxes: its boxes with person_id, 0 where none matches.
        truth_path: the ground truth.
        truth: its boxes that count.
        words: which boxes there are.
        iou: the least overlap of a match.
        notices: told of it.
    """
    matched = int((boxes["person_id"] > 0).sum())
    if len(boxes) and matched < len(boxes) / 2:
        notices.add(
            "boxes that match no truth",
            f"{path}: only {matched:,} of {len(boxes):,} boxes match a true one of {truth_path} at"
            f" iou {iou:g} ({len(truth):,} true boxes count, of {words}): is it the truth of this"
            " video, with the same numbers of frames and classes (truth_first_frame_number,"
            " truth_classes)?",
        )
    off = _frames_off(boxes, truth)
    if off:
        notices.add(
            "frames counted otherwise",
            f"{path}: its boxes fit those of {truth_path} better 1 frame"
            f" {'earlier' if off > 0 else 'later'}: does one of the two files count from 0"
            " (first_frame_number, truth_first_frame_number), or did it lose its first frame?",
        )


def _frames_off(boxes: pd.DataFrame, truth: pd.DataFrame) -> int:
    """Return by how many frames the truth must be moved to fit the boxes: -1, 0 or 1."""
    numbers = np.unique(boxes["frame"].to_numpy())[:_FRAMES]
    names = list(motchallenge.BOX)
    found, true = boxes[names].to_numpy(np.float64), truth[names].to_numpy(np.float64)
    of_frame, of_truth = (frame.groupby("frame").indices for frame in (boxes, truth))
    means = []
    for off in (-1, 0, 1):
        best = [
            motchallenge.overlap(found[of_frame[number]], true[of_truth[number - off]]).max(axis=1)
            for number in numbers
            if number - off in of_truth
        ]
        means.append(float(np.concatenate(best).mean()) if best else 0.0)
    off = int(np.argmax(means)) - 1
    return off if means[off + 1] > means[1] + _BETTER else 0
