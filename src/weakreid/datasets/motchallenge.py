"""Files of the MOTChallenge: what a tracker found, what is true, and which of the two meet.

A file has a line per box and no header. A tracker's output has 6 columns or more: frame, id, left,
top, width, height, confidence, and what else there is (x, y, z), which is not read. A confidence of
-1 means that none is given. Frames count from 1 or from what a reader is told
(`first_frame_number`), boxes are in pixels, the left upper corner of the image is 0, 0.

Ground truth comes in two formats, told apart by the number of columns:

    MOT15   10 columns or more: ..., flag, x, y, z. The last three are a place in the world, so no
            column is a class: each box is a pedestrian. PETS09 is such a file.
    MOT16   9 columns, also of MOT17, MOT20 and DanceTrack: ..., flag, class, visibility. The class
            is a whole number from 1 (1: pedestrian), the visibility lies in 0 to 1; a file where
            they are not is refused.

Fewer columns are read as far as they go: a flag in the 7th, a class in the 8th. Boxes whose flag
is 0 are not to be judged (`truth_rows`).

A box without size (width or height 0 or less, or one of the four numbers nan or inf, as Kalman
filters write them) is refused, or read as 0, 0, 0, 0 and marked `bad` (`on_bad_box`).
"""

import math
from collections.abc import Collection
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from weakreid.artifacts.files import read_fault
from weakreid.errors import ReidError

BOX = ("left", "top", "width", "height")
COLUMNS = ("frame", "track_id", *BOX)
PEDESTRIAN = 1
NOT_GIVEN = -1
"""Of a confidence."""

# above what any tracker counts, and within the int32 of the tables
_LARGEST = 2**31 - 1
# of rounding, at the gate
_EPS = 1e-9
# columns of files of which the 8th is a class
_CLASSED = (8, 9)

Floats: TypeAlias = npt.NDArray[np.float64]


# ------------------------------------------------------------------ files


def read_boxes(path: Path, *, first_number: int, on_bad_box: str) -> pd.DataFrame:
    """Read a tracker's output.

    Args:
        path: the file.
        first_number: what the file calls the first frame; it is frame 1 of what is returned.
        on_bad_box: "stop" at a box without size, or "clip": mark it.

    Returns:
        frame (from 1), track_id (from 0), left, top, width, height (float, pixels), confidence
        (NaN where none is given), bad (bool: a box without size) and line (of the file, from 1), by
        frame and track_id.

    Raises:
        ReidError: the file is missing, empty or not such a file; its line and what to do are named.
    """
    values, lines = _read_numbers(path, on_bad_box)
    table = _boxes(path, values, lines, 0, first_number, "first_frame_number", on_bad_box)
    given = values[:, 6] if values.shape[1] > 6 else np.full(len(values), float(NOT_GIVEN))
    table["confidence"] = np.where(given == NOT_GIVEN, np.nan, given)
    return _sorted(path, table, lines)


def read_truth(path: Path, *, first_number: int, on_bad_box: str) -> pd.DataFrame:
    """Read ground truth of either format (see the head of this module).

    Args:
        path: the file.
        first_number: what the file calls the first frame; it is frame 1 of what is returned.
        on_bad_box: "stop" at a box without size, or "clip": mark it.

    Returns:
        frame (from 1), track_id (the person, from 1), left, top, width, height (float, pixels),
        bad (bool: a box without size), confidence (the 7th column as it stands), consider (bool:
        the flag is not 0), kind (class; 1 where the file has none), visibility (NaN where it has
        none) and line, by frame and track_id.

    Raises:
        ReidError: the file is missing, empty or not such a file; its line and what to do are named.
    """
    values, lines = _read_numbers(path, on_bad_box)
    table = _boxes(path, values, lines, 1, first_number, "truth_first_frame_number", on_bad_box)
    width = values.shape[1]
    table["confidence"] = values[:, 6] if width > 6 else 1.0
    table["consider"] = table["confidence"] != 0
    has_class = width in _CLASSED
    kind = values[:, 7] if has_class else np.full(len(values), float(PEDESTRIAN))
    _stop_at(
        path, lines, (kind != np.floor(kind)) | (kind < 1), kind, "class", "a whole number from 1"
    )
    table["kind"] = kind.astype(np.int64)
    seen = values[:, 8] if width == 9 else np.full(len(values), np.nan)
    _stop_at(path, lines, (seen < 0) | (seen > 1), seen, "visibility", "within 0 and 1")
    table["visibility"] = seen
    return _sorted(path, table, lines)


def truth_rows(frame: pd.DataFrame, classes: Collection[int]) -> pd.DataFrame:
    """Return the boxes of ground truth that count: flagged, and of one of the classes.

    Args:
        frame: of `read_truth`.
        classes: MOT16's numbers; files of MOT15 hold pedestrians (1) only.
    """
    keep = frame["consider"] & frame["kind"].isin(list(classes))
    return frame[keep].reset_index(drop=True)


def _read_numbers(path: Path, on_bad_box: str) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return a file's numbers [rows, columns] and the line of each row; blank lines are skipped.

    Only a box's place and size may be nan or inf, and only where such boxes are not refused.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise read_fault(path, error, "put a MOTChallenge file there") from error
    except UnicodeDecodeError as error:
        raise ReidError(f"{path}: not a text file; give a MOTChallenge file") from error
    rows: list[list[float]] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        parts = line.split(",")
        if rows and len(parts) != len(rows[0]):
            raise ReidError(
                f"{path}: line {number} has {len(parts)} columns, but line {lines[0]} has"
                f" {len(rows[0])}; write the same columns in every line"
            )
        if len(parts) < len(COLUMNS):
            lacking = ", ".join(COLUMNS[len(parts) :])
            raise ReidError(
                f"{path}: line {number} has {len(parts)} columns and lacks {lacking}; write"
                f" {','.join(COLUMNS)},confidence, separated by commas"
            )
        try:
            row = [float(part) for part in parts]
        except ValueError:
            row = [math.nan]
        must = row if on_bad_box == "stop" else row[:2] + row[6:]
        # Python reads 1_000 as a number
        if not all(map(math.isfinite, must)) or "_" in line or len(row) < len(parts):
            raise _no_number(path, number, parts, on_bad_box)
        rows.append(row)
        lines.append(number)
    if not rows:
        raise ReidError(
            f"{path}: holds no box; give the tracker's output, a line per box, or leave the"
            " sequence out"
        )
    return np.array(rows, np.float64), np.array(lines, np.int64)


def _no_number(path: Path, line: int, parts: list[str], on_bad_box: str) -> ReidError:
    names = [*COLUMNS, "confidence"]
    for place, part in enumerate(parts):
        name = names[place] if place < len(names) else f"column {place + 1}"
        try:
            value = None if "_" in part else float(part)
        except ValueError:
            value = None
        loose = name in BOX and on_bad_box != "stop"
        if value is None or not (math.isfinite(value) or loose):
            break
    header = line == 1 and any(part.strip().isidentifier() for part in parts[:1])
    remedy = "the file must have no header, remove it" if header else "correct it"
    if name in BOX and value is not None:
        remedy += ", or set on_bad_box: clip to drop such boxes"
    return ReidError(f"{path}: line {line}: {name} is '{part.strip()}', not a number; {remedy}")


def _stop_at(
    path: Path,
    lines: npt.NDArray[np.int64],
    bad: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    name: str,
    must: str,
    remedy: str = "correct them",
) -> None:
    """Raise for the first line where `bad` holds."""
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ReidError(
            f"{path}: line {lines[at]}: {name} is {values[at]:g}, but must be {must};"
            f" {int(bad.sum())} such lines, {remedy}"
        )


def _boxes(
    path: Path,
    values: Floats,
    lines: npt.NDArray[np.int64],
    least_id: int,
    first_number: int,
    key: str,
    on_bad_box: str,
) -> pd.DataFrame:
    """Check and name the six columns that every file has."""
    frame, ident = values[:, 0], values[:, 1]
    whole = (frame == np.floor(frame)) & (frame <= _LARGEST)
    if first_number == 1 and (whole & (frame == 0)).any() and (whole & (frame >= 0)).all():
        zero = lines[frame == 0]
        raise ReidError(
            f"{path}: line {zero[0]}: frame is 0, but the first frame is 1 ({len(zero)} such"
            f" lines). If this file counts from 0, set {key}: 0, or add 1 to the frame of every"
            " line; do not delete the lines: all other boxes would come one frame late"
        )
    must = f"a whole number from {first_number}"
    if first_number != 1:
        must += f", as {key} says"
    _stop_at(path, lines, ~whole | (frame < first_number), frame, "frame", must)
    if (ident == -1).all():
        raise ReidError(
            f"{path}: every id is -1, so these are detections; run a tracker on them and give its"
            " output"
        )
    outside = (ident != np.floor(ident)) | (ident < least_id) | (ident > _LARGEST)
    _stop_at(path, lines, outside, ident, "id", f"a whole number from {least_id}")
    if on_bad_box == "stop":
        for column in (4, 5):
            size = values[:, column]
            remedy = "correct them, or set on_bad_box: clip to drop them"
            _stop_at(path, lines, size <= 0, size, COLUMNS[column], "above 0", remedy)
    table = pd.DataFrame(
        {"frame": frame.astype(np.int64) - (first_number - 1), "track_id": ident.astype(np.int64)}
    )
    boxes = values[:, 2:6]
    good = np.concatenate([np.isfinite(boxes), boxes[:, 2:] > 0], axis=1).all(axis=1)
    for column, name in enumerate(BOX):
        table[name] = np.where(good, boxes[:, column], 0.0)
    table["bad"] = np.logical_not(good)
    return table


def _sorted(path: Path, table: pd.DataFrame, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    table = table.assign(line=lines)
    twice = table.duplicated(["frame", "track_id"])
    if twice.any():
        again = table[twice].iloc[0]
        same = (table["frame"] == again["frame"]) & (table["track_id"] == again["track_id"])
        raise ReidError(
            f"{path}: line {int(again['line'])}: id {int(again['track_id'])} is in frame"
            f" {int(again['frame'])} already (line {int(table.loc[same, 'line'].iloc[0])});"
            f" {int(twice.sum())} such lines, an id may have one box in a frame"
        )
    return table.sort_values(["frame", "track_id"], ignore_index=True)


# ------------------------------------------------------------------ matching


def overlap(boxes: npt.ArrayLike, truth: npt.ArrayLike) -> Floats:
    """Return the intersection over union of every two boxes.

    Args:
        boxes: [N, 4], left, top, width, height.
        truth: [M, 4], the same.

    Returns:
        float64 [N, M], in 0 to 1.
    """
    one = np.asarray(boxes, np.float64).reshape(-1, 1, 4)
    two = np.asarray(truth, np.float64).reshape(1, -1, 4)
    corner = np.maximum(one[..., :2], two[..., :2])
    end = np.minimum(one[..., :2] + one[..., 2:], two[..., :2] + two[..., 2:])
    shared = np.prod(np.clip(end - corner, 0, None), axis=-1)
    both = np.prod(one[..., 2:], axis=-1) + np.prod(two[..., 2:], axis=-1) - shared
    return np.divide(shared, both, out=np.zeros_like(shared), where=both > 0)


def match_frame(
    boxes: npt.ArrayLike, truth: npt.ArrayLike, iou: float, one_to_one: bool = True
) -> npt.NDArray[np.int64]:
    """Match the boxes of one frame with its true boxes.

    One to one, the assignment has the largest sum of IoU among those whose every pair reaches
    `iou`. Else every box gets the true one that it overlaps most, if that reaches `iou`.

    Args:
        boxes: [N, 4], left, top, width, height.
        truth: [M, 4], the same; at least one.
        iou: the least intersection over union of a pair, above 0 and at most 1.
        one_to_one: whether two boxes may not get the same true one.

    Returns:
        int64 [N]: the row of `truth` that a box has got, -1 where it has none.
    """
    score = overlap(boxes, truth)
    score[score < iou - _EPS] = 0
    if one_to_one:
        rows, columns = linear_sum_assignment(score, maximize=True)
    else:
        rows, columns = np.arange(len(score)), score.argmax(axis=1)
    matched = np.full(len(score), -1, np.int64)
    good = score[rows, columns] > 0
    matched[rows[good]] = columns[good]
    return matched


def match_boxes(
    boxes: pd.DataFrame, truth: pd.DataFrame, iou: float, one_to_one: bool = True
) -> npt.NDArray[np.int64]:
    """Match every box with a true one of its frame (`match_frame`), each frame for itself.

    Args:
        boxes: columns frame, left, top, width, height; in any order.
        truth: the same and track_id, the person, from 1; of `truth_rows`.
        iou: the least intersection over union of a pair, above 0.
        one_to_one: whether two boxes of a frame may not show the same person.

    Returns:
        int64, one per row of `boxes`: the person that it shows, 0 where no true box fits.
    """
    persons = np.zeros(len(boxes), np.int64)
    names = list(BOX)
    found, true = boxes[names].to_numpy(np.float64), truth[names].to_numpy(np.float64)
    ids = truth["track_id"].to_numpy(np.int64)
    of_frame = truth.groupby("frame", sort=True).indices
    for frame, rows in boxes.groupby("frame", sort=True).indices.items():
        others = of_frame.get(frame)
        if others is None:
            continue
        matched = match_frame(found[rows], true[others], iou, one_to_one)
        good = matched >= 0
        persons[rows[good]] = ids[others[matched[good]]]
    return persons
