"""A tracker's output and the frames it saw become a folder of crops and tables of tracklets.

    ROOT/SEQUENCE/TRACK/FRAME.jpg   a crop: the track's id and the video's frame, six digits each
    ROOT/tracklets.csv              tracklet_id, sequence, track_id, person_id, camera_id, split,
                                    first_frame, last_frame, frame_count
    ROOT/frames.csv                 tracklet_id, frame, file, person_id; a row per crop
    ROOT/videos.csv, ROOT/names.csv where names are given (`WINDOW_COLUMNS`): who is in which video

`weakreid.datasets.mot` reads the folder. What counts:

A track is a tracklet from its first frame in the sequence to its last. A gap is left a gap: a
tracker that gives an id back after an absence says that it is the same person, and that claim, true
or not, is what noisy tracklets are about. A track of fewer than `min_frames` boxes is dropped.
A box in a frame that the video does not have is a fault, also in a track that is dropped.

A box is rounded to whole pixels and cut off at the edge of the picture. One that lies outside or
has less than 2 x 2 pixels left is a fault ("stop") or dropped ("clip").

Persons are known where ground truth is given, and serve for measuring alone: a box shows the person
that it is matched with (`motchallenge.match_boxes`, among the boxes that were kept), 0 where none.
A tracklet's person is the one of most of its boxes if that is at least half of all of them, else 0.
"""

import csv
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import simplejpeg

from weakreid.console import progress, say
from weakreid.datasets import layout, motchallenge
from weakreid.datasets.majority import main_persons
from weakreid.errors import ReidError
from weakreid.files import replacing
from weakreid.images import Pixels, decode_picture

TRACKLETS = "tracklets.csv"
FRAMES = "frames.csv"
VIDEOS = "videos.csv"
NAMES = "names.csv"

TRACKLET_COLUMNS = (
    "tracklet_id",
    "sequence",
    "track_id",
    "person_id",
    "camera_id",
    "split",
    "first_frame",
    "last_frame",
    "frame_count",
)
FRAME_COLUMNS = ("tracklet_id", "frame", "file", "person_id")
WINDOW_COLUMNS = ("video", "first_frame", "last_frame", "camera_id", "labels", "tracklets")
"""A row per window of a video, both frames included: the numbers of who was named (`names.csv`) and
the tracklets with a crop in it, as numbers with spaces between; no label: nobody was named."""

SPLITS = ("train", "query", "gallery")
TRUTH_IDS = ("per_file", "global")
ON_BAD_BOX = ("stop", "clip")
PERSONS_PER_FILE = 100_000
QUALITY = 95
_LEAST_PIXELS = 2

# (video, first frame, last frame or None for its end): the names
Windows: TypeAlias = dict[tuple[str, int, int | None], set[str]]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Footage:
    """One camera's frames and the tracks in them; file names are below the data's folder.

    Attributes:
        name: of the sequence and of its folder of crops.
        boxes: a tracker's output, MOTChallenge format.
        video: a file, or None where `frames` is given.
        frames: a folder of JPEG or PNG pictures of one size; sorted by name, the first is frame 1.
        camera: from 1; retrieval never answers a query with the same camera's tracklets.
        first_frame: of the window that is used.
        last_frame: its end, included; None: to the last box.
        split: train, query or gallery.
        truth: ground truth, MOTChallenge format.
    """

    name: str
    boxes: str
    video: str | None = None
    frames: str | None = None
    camera: int = 1
    first_frame: int = 1
    last_frame: int | None = None
    split: str = "train"
    truth: str | None = None


class _EndedError(Exception):
    """The frames ended before the one that was wanted; there are `length`."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


def make(
    root: Path,
    data: Path,
    sequences: Sequence[Mapping[str, Any]],
    *,
    names: str | None = None,
    min_frames: int = 6,
    min_confidence: float = 0.0,
    iou: float = 0.5,
    truth_ids: str = "per_file",
    on_bad_box: str = "stop",
) -> dict[str, int]:
    """Cut out every track's boxes and write the tables, whole or not at all.

    Args:
        root: the folder to make; what was made there before is replaced.
        data: the folder that file names are relative to.
        sequences: the fields of `Footage`, one after another.
        names: a CSV file, `video,name[,first_frame,last_frame]`: who is in which video (a
            sequence's name), or in which frames of it.
        min_frames: shorter tracks are dropped.
        min_confidence: boxes below it are dropped, before anything else.
        iou: the least overlap of a box and a true one that it shows.
        truth_ids: "per_file" if each truth file counts its persons for itself (the k-th file's get
            k * 100,000 added), "global" if a person has one number in all of them.
        on_bad_box: "stop" at a box outside the picture, or "clip": drop it.

    Returns:
        Counts: tracklets, crops, known_tracklets (with a person), dropped_tracks (too short),
        dropped_boxes (outside the picture), unsure_boxes (below min_confidence).

    Raises:
        ReidError: a file is missing or wrong, a box is outside, frames end too early, no tracklet
            is left, a value is out of range, or `root` holds something else.
    """
    root, data = Path(root), Path(data)
    footage = [Footage(**item) for item in sequences]
    _check(footage, min_frames, truth_ids, on_bad_box)
    _refuse_foreign(root)
    windows = read_names(data / names, footage) if names is not None else None
    offsets = _truth_offsets(footage, data, truth_ids)
    total: dict[str, int] = {}
    with replacing(root) as aside:
        aside.mkdir(parents=True)
        tables = []
        for item in footage:
            boxes, seen, counts = _tracks(item, data, min_frames, min_confidence, on_bad_box)
            boxes = _with_persons(boxes, item, data, iou, offsets)
            boxes["file"] = [
                f"{item.name}/{track:06d}/{frame:06d}.jpg"
                for track, frame in zip(boxes["track_id"], boxes["frame"], strict=True)
            ]
            _cut_out(boxes, seen, item, data, aside)
            say(
                f"{item.name}: {boxes['track_id'].nunique()} tracklets, {len(boxes)} crops;"
                f" dropped {counts['dropped_tracks']} tracks of fewer than {min_frames} frames,"
                f" {counts['dropped_boxes']} boxes outside the picture,"
                f" {counts['unsure_boxes']} below confidence {min_confidence:g}"
            )
            tables.append(boxes)
            total = {name: total.get(name, 0) + number for name, number in counts.items()}
        tracklets, frames = _tables(footage, tables)
        if tracklets.empty:
            raise ReidError(
                f"no track of {min_frames} frames or more in any sequence; lower min_frames or"
                " min_confidence, or give other frames"
            )
        tracklets.to_csv(aside / TRACKLETS, index=False, lineterminator="\n")
        frames.to_csv(aside / FRAMES, index=False, lineterminator="\n")
        if windows is not None:
            _write_windows(aside, windows, footage, tracklets, frames)
        if root.exists():  # a folder cannot be renamed over one that holds something
            shutil.rmtree(root)
    return {
        "tracklets": len(tracklets),
        "crops": len(frames),
        "known_tracklets": int((tracklets["person_id"] > 0).sum()),
        **total,
    }


def _check(footage: Sequence[Footage], min_frames: int, truth_ids: str, on_bad_box: str) -> None:
    if not footage:
        raise ReidError("sequences is empty; name at least one")
    if min_frames < 1:
        raise ReidError(f"min_frames is {min_frames}; it must be at least 1")
    if truth_ids not in TRUTH_IDS:
        raise ReidError(f"truth_ids: '{truth_ids}' is not one of {', '.join(TRUTH_IDS)}")
    if on_bad_box not in ON_BAD_BOX:
        raise ReidError(f"on_bad_box: '{on_bad_box}' is not one of {', '.join(ON_BAD_BOX)}")
    seen: set[str] = set()
    for item in footage:
        where = f"sequence {item.name}"
        if not _NAME.fullmatch(item.name):
            raise ReidError(
                f"{where}: the name becomes a folder; use letters, digits, '_', '-' and '.', a"
                " letter or digit first"
            )
        # some disks take Hall and hall for one folder
        if item.name.lower() in seen or item.name.lower() in (TRACKLETS, FRAMES, VIDEOS, NAMES):
            raise ReidError(f"{where}: the name is taken; choose another")
        seen.add(item.name.lower())
        if (item.video is None) == (item.frames is None):
            raise ReidError(f"{where}: give either video (a file) or frames (a folder)")
        if item.split not in SPLITS:
            raise ReidError(f"{where}: split '{item.split}' is not one of {', '.join(SPLITS)}")
        if item.camera < 1:
            raise ReidError(f"{where}: camera is {item.camera}; cameras are numbered from 1")
        if item.first_frame < 1:
            raise ReidError(f"{where}: first_frame is {item.first_frame}; frames count from 1")
        if item.last_frame is not None and item.last_frame < item.first_frame:
            raise ReidError(
                f"{where}: last_frame {item.last_frame} is before first_frame {item.first_frame};"
                " exchange them"
            )


def _refuse_foreign(root: Path) -> None:
    """Make sure that nothing but an older folder of crops is replaced."""
    if not root.exists() or ((root / TRACKLETS).is_file() and (root / FRAMES).is_file()):
        return
    if not root.is_dir() or any(root.iterdir()):
        raise ReidError(
            f"{root}: holds something that was not made here; move it away or choose another folder"
        )


# ------------------------------------------------------------------ boxes


def _tracks(
    item: Footage, data: Path, min_frames: int, min_confidence: float, on_bad_box: str
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Return the boxes to cut out, all boxes of the window, and counts.

    Those to cut out come by track and frame, with their pixels x0, y0, x1, y1.
    """
    path = data / item.boxes
    held = motchallenge.read_boxes(path)
    last = item.last_frame if item.last_frame is not None else int(held["frame"].max())
    in_window = held.loc[held["frame"].between(item.first_frame, last)]
    if in_window.empty:
        raise ReidError(
            f"{path}: no box in frames {item.first_frame} to {last} of sequence {item.name};"
            " correct first_frame and last_frame"
        )
    boxes = in_window.loc[in_window["confidence"] >= min_confidence]
    width, height, length = _size(item, data)
    if length is not None and (in_window["frame"] > length).any():
        raise _beyond(path, in_window, length, _source(item, data))
    corners = clip_boxes(boxes[list(motchallenge.BOX)].to_numpy(np.float64), width, height)
    left = (corners[:, 2:] - corners[:, :2]).min(axis=1)
    outside = pd.Series(left < _LEAST_PIXELS, index=boxes.index)
    if outside.any() and on_bad_box == "stop":
        raise _outside(path, boxes.loc[outside], width, height)
    inside = boxes.assign(
        x0=corners[:, 0], y0=corners[:, 1], x1=corners[:, 2], y1=corners[:, 3]
    ).loc[~outside]
    lengths = inside.groupby("track_id").size()
    long = inside["track_id"].isin(lengths.index[lengths >= min_frames])
    kept = inside.loc[long].sort_values(["track_id", "frame"], ignore_index=True)
    counts = {
        "dropped_tracks": int((lengths < min_frames).sum()),
        "dropped_boxes": int(outside.sum()),
        "unsure_boxes": len(in_window) - len(boxes),
    }
    return kept, in_window, counts


def clip_boxes(boxes: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[np.int64]:
    """Return boxes in whole pixels, cut off at the edges of a picture.

    Args:
        boxes: [N, 4], left, top, width, height.
        width: of the picture.
        height: of the picture.

    Returns:
        int64 [N, 4]: x0, y0, x1, y1, the last two excluded; nothing is left where x1 <= x0.
    """
    limits = np.array([width, height], np.float64)
    start = np.clip(np.rint(boxes[:, :2]), 0, limits)
    end = np.clip(np.rint(boxes[:, :2] + boxes[:, 2:]), 0, limits)
    return np.concatenate([start, end], axis=1).astype(np.int64)


def _outside(path: Path, boxes: pd.DataFrame, width: int, height: int) -> ReidError:
    first = boxes.sort_values("line").iloc[0]
    box = ", ".join(f"{first[name]:g}" for name in motchallenge.BOX)
    return ReidError(
        f"{path}: line {int(first['line'])}: the box {box} of frame {int(first['frame'])} leaves"
        f" less than {_LEAST_PIXELS} x {_LEAST_PIXELS} pixels inside the picture of {width} x"
        f" {height} ({len(boxes)} such boxes); correct it, or set on_bad_box: clip to drop them"
    )


def _beyond(path: Path, boxes: pd.DataFrame, length: int, source: Path) -> ReidError:
    beyond = boxes[boxes["frame"] > length].sort_values("line")
    first = beyond.iloc[0]
    return ReidError(
        f"{path}: line {int(first['line'])} is a box in frame {int(first['frame'])}, but {source}"
        f" has {length} frames ({len(beyond)} such boxes); give the frames that the tracker saw,"
        " or set last_frame"
    )


# ------------------------------------------------------------------ persons


def _truth_offsets(footage: Sequence[Footage], data: Path, truth_ids: str) -> dict[Path, int]:
    """Return what is added to the persons of every truth file."""
    files: dict[Path, int] = {}
    for item in footage:
        if item.truth is not None:
            files.setdefault((data / item.truth).resolve(), len(files))
    step = PERSONS_PER_FILE if truth_ids == "per_file" else 0
    return {path: number * step for path, number in files.items()}


def _with_persons(
    boxes: pd.DataFrame, item: Footage, data: Path, iou: float, offsets: Mapping[Path, int]
) -> pd.DataFrame:
    """Return the boxes with person_id, 0 where nobody knows."""
    if item.truth is None:
        return boxes.assign(person_id=np.int64(0))
    path = data / item.truth
    truth = motchallenge.truth_rows(motchallenge.read_truth(path))
    offset = offsets[path.resolve()]
    largest = int(truth["track_id"].max()) if len(truth) else 0
    if len(set(offsets.values())) > 1 and largest >= PERSONS_PER_FILE:
        raise ReidError(
            f"{path}: person {largest} is {PERSONS_PER_FILE} or more, so persons of two truth files"
            " would meet; number them from 1, or set truth_ids: global"
        )
    persons = motchallenge.match_boxes(boxes, truth, iou)
    return boxes.assign(person_id=np.where(persons > 0, persons + offset, 0))


def _tables(
    footage: Sequence[Footage], boxes: Sequence[pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of tracklets and of frames, numbered in the order of the sequences."""
    rows: list[tuple[Any, ...]] = []
    frames = []
    for item, of_sequence in zip(footage, boxes, strict=True):
        _, tracks = np.unique(of_sequence["track_id"], return_inverse=True)
        people = main_persons(tracks, of_sequence["person_id"], half=True).tolist()
        grouped = of_sequence.groupby("track_id", sort=True)
        for person, (track, own) in zip(people, grouped, strict=True):
            span = (int(own["frame"].min()), int(own["frame"].max()))
            who = (item.name, track, person, item.camera, item.split)
            frames.append(own.assign(tracklet_id=len(rows))[list(FRAME_COLUMNS)])
            rows.append((len(rows), *who, *span, len(own)))
    tracklets = pd.DataFrame(rows, columns=list(TRACKLET_COLUMNS))
    empty = pd.DataFrame(columns=list(FRAME_COLUMNS))
    return tracklets, pd.concat(frames, ignore_index=True) if frames else empty


# ------------------------------------------------------------------ pictures


def _source(item: Footage, data: Path) -> Path:
    return data / cast(str, item.video if item.video is not None else item.frames)


def _open_video(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise ReidError(f"{path}: no such video; put it there, or correct its name")
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise ReidError(
            f"{path}: cannot be opened as a video; re-encode it (ffmpeg -i IN out.mp4), or give a"
            " folder of frames"
        )
    return video


def _list_frames(folder: Path) -> list[str]:
    """Return the names of a folder's pictures in time order."""
    found = layout.list_pictures(folder, (".jpg", ".jpeg", ".png"))
    if not found:
        raise ReidError(
            f"{folder}: no such folder, or no JPEG or PNG picture in it; put the frames there"
        )
    # the tracker may have counted them by name
    found = layout.in_time_order(folder, found, by_name=True)
    plain = [int(Path(name).stem) for name in found if Path(name).stem.isdecimal()]
    if len(plain) == len(found) and plain[-1] - plain[0] + 1 != len(plain):
        say(
            f"{folder}: {len(found)} pictures numbered {plain[0]} to {plain[-1]}, some are missing;"
            " frame k is the k-th picture that is there"
        )
    return found


def _size(item: Footage, data: Path) -> tuple[int, int, int | None]:
    """Return width and height of the first frame, and the number of frames where it is certain."""
    source = _source(item, data)
    if item.video is None:
        found = _list_frames(source)
        height, width = _decode(source / found[0]).shape[:2]
        return width, height, len(found)
    video = _open_video(source)
    good, picture = video.read()
    video.release()
    if not good:
        raise ReidError(f"{source}: not one frame can be read; re-encode it, or give frames")
    # what the header says of the length may be wrong: only reading tells
    return picture.shape[1], picture.shape[0], None


def _decode(path: Path) -> Pixels:
    try:
        return decode_picture(path.read_bytes())
    except (ValueError, OSError) as error:
        raise ReidError(f"{path}: cannot be read ({error}); replace the picture") from error


def _pictures(item: Footage, data: Path, wanted: Sequence[int], last: int) -> Iterator[Pixels]:
    """Yield the wanted frames (ascending) as uint8 [H, W, 3], RGB, one at a time.

    Raises:
        _EndedError: a video ends before frame `last`, wanted or not.
    """
    source = _source(item, data)
    if item.video is None:
        found = _list_frames(source)
        for number in wanted:
            yield _decode(source / found[number - 1])
        return
    video = _open_video(source)
    try:
        at = 0
        for number in wanted:
            while at < number:
                if not video.grab():
                    raise _EndedError(at)
                at += 1
            good, picture = video.retrieve()
            if not good:
                raise _EndedError(at - 1)
            yield cast(Pixels, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        while at < last:
            if not video.grab():
                raise _EndedError(at)
            at += 1
    finally:
        video.release()


def _cut_out(
    boxes: pd.DataFrame, seen: pd.DataFrame, item: Footage, data: Path, root: Path
) -> None:
    """Write the crops of one sequence, frame by frame.

    Args:
        boxes: to cut out.
        seen: all boxes of the window, those of tracks that are dropped among them.
        item: the sequence.
        data: the folder that its files are below.
        root: the folder of the crops.

    Raises:
        ReidError: the video ends before a box's frame, or a picture is unreadable or of another
            size.
    """
    for track in boxes["track_id"].unique():
        (root / item.name / f"{track:06d}").mkdir(parents=True)
    of_frame = boxes.groupby("frame", sort=True).indices
    wanted = np.unique(boxes["frame"].to_numpy()).tolist()
    corners = boxes[["x0", "y0", "x1", "y1"]].to_numpy()
    files = boxes["file"].tolist()
    size: tuple[int, ...] | None = None
    made = _pictures(item, data, wanted, int(seen["frame"].max()))
    pictures = progress(made, total=len(wanted), label=item.name, unit="frames")
    try:
        # with strict, the pictures are asked once more behind the last: whether the video goes on
        for frame, picture in zip(wanted, pictures, strict=True):
            size = size or picture.shape[:2]
            if picture.shape[:2] != size:
                raise ReidError(
                    f"{_source(item, data)}: frame {frame} has {picture.shape[1]} x"
                    f" {picture.shape[0]} pixels, earlier ones {size[1]} x {size[0]}; give frames"
                    " of one size"
                )
            for row in of_frame[frame]:
                x0, y0, x1, y1 = corners[row]
                crop = np.ascontiguousarray(picture[y0:y1, x0:x1])
                data_of_crop = simplejpeg.encode_jpeg(crop, quality=QUALITY, colorsubsampling="444")
                (root / files[row]).write_bytes(data_of_crop)
    except _EndedError as error:
        raise _beyond(data / item.boxes, seen, error.length, _source(item, data)) from error


# ------------------------------------------------------------------ names


def read_names(path: Path, footage: Sequence[Footage]) -> Windows:
    """Read who is in which video: {(video, first frame, last frame or None): names}.

    Where a row gives no frames, they are those of the sequence.

    Raises:
        ReidError: the file is missing, has no such columns, or a row makes no sense.
    """
    videos = {item.name: item for item in footage}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise ReidError(f"{path}: cannot be read ({error.strerror}); put it there") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReidError(f"{path}: not a CSV file in UTF-8 ({error}); save it as one") from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    known = ["video", "name", "first_frame", "last_frame"]
    if not {"video", "name"} <= set(header) <= set(known) or len(set(header)) != len(header):
        raise ReidError(
            f"{path}: the first line is '{','.join(header)}'; write video,name or"
            " video,name,first_frame,last_frame"
        )
    windows: Windows = {}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise ReidError(
                f"{path}: row {line} has {len(row)} cells, the header {len(header)}; correct it"
            )
        cells = {key: cell.strip() for key, cell in zip(header, row, strict=True)}
        video, name = cells["video"], cells["name"]
        if video not in videos:
            raise ReidError(
                f"{path}: row {line}: no sequence is named '{video}'; there are"
                f" {layout.name_some(sorted(videos), 8)}"
            )
        if not name:
            raise ReidError(f"{path}: row {line}: the name is empty; write one, or drop the row")
        first = _frame_cell(path, line, cells, "first_frame") or videos[video].first_frame
        last = _frame_cell(path, line, cells, "last_frame") or videos[video].last_frame
        if last is not None and first > last:
            raise ReidError(
                f"{path}: row {line}: frames {first} to {last} of video {video}; the first must"
                " not be after the last"
            )
        windows.setdefault((video, first, last), set()).add(name)
    if not windows:
        raise ReidError(f"{path}: holds no name; write a row per video and name, or leave it out")
    return windows


def _frame_cell(path: Path, row: int, cells: Mapping[str, str], key: str) -> int | None:
    text = cells.get(key, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise ReidError(
            f"{path}: row {row}: {key} is '{text}'; write a whole number from 1, or nothing for"
            " the whole video"
        )
    return int(text)


def _write_windows(
    root: Path,
    windows: Windows,
    footage: Sequence[Footage],
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
) -> None:
    """Write videos.csv and names.csv; a video without a name gets one window without a label."""
    names = sorted(set().union(*windows.values()))
    number_of = {name: number for number, name in enumerate(names, 1)}
    sequence = frames["tracklet_id"].map(tracklets.set_index("tracklet_id")["sequence"])
    rows: list[tuple[Any, ...]] = []
    for item in footage:
        own = frames[sequence == item.name]
        end = item.last_frame or max([item.first_frame, *own["frame"].tolist()])
        named: dict[tuple[int, int], set[str]] = {}
        for (video, first, until), people in windows.items():
            if video == item.name:
                named.setdefault((first, end if until is None else until), set()).update(people)
        if not named:
            if item.split == "train":
                say(f"{item.name}: nobody is named in it, so no bag is made of it")
            named = {(item.first_frame, end): set()}
        for (first, last), people in sorted(named.items()):
            inside = own.loc[own["frame"].between(first, last), "tracklet_id"].unique()
            if len(inside) == 0 and item.split == "train":
                say(f"{item.name}: no tracklet in frames {first} to {last}, no bag is made of them")
            labels = " ".join(str(number_of[name]) for name in sorted(people))
            held = " ".join(str(number) for number in sorted(inside.tolist()))
            rows.append((item.name, first, last, item.camera, labels, held))
    table = pd.DataFrame(rows, columns=list(WINDOW_COLUMNS))
    table.to_csv(root / VIDEOS, index=False, lineterminator="\n")
    numbered = pd.DataFrame({"number": list(number_of.values()), "name": names})
    numbered.to_csv(root / NAMES, index=False, lineterminator="\n")
