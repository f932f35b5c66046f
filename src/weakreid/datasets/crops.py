"""A tracker's output and the frames it saw become a folder of crops and tables of tracklets.

    ROOT/SEQUENCE/TRACK/FRAME.jpg   a crop: the track's id and the video's frame, six digits each
    ROOT/tracklets.csv              tracklet_id, sequence, track_id, person_id, camera_id, role,
                                    first_frame, last_frame, frame_count
    ROOT/frames.csv                 tracklet_id, frame, file, person_id; a row per crop
    ROOT/videos.csv, ROOT/names.csv where names are given (`weakreid.datasets.names`)

`weakreid.datasets.mot` reads the folder. What counts:

A track is a tracklet from its first frame in the sequence to its last. A gap is left a gap: a
tracker that gives an id back after an absence says that it is the same person, and that claim, true
or not, is what noisy tracklets are about. A track of fewer than `min_frames` boxes is dropped.
A box in a frame that the video does not have is a fault, also in a track that is dropped.

A box is rounded to whole pixels and cut off at the edge of the image. One that lies outside, has
less than 2 x 2 pixels left or no size at all is a fault ("stop") or dropped ("clip").

Persons are known where ground truth is given, and serve for measuring alone: a box shows the person
that it is matched with (`motchallenge.match_boxes`, among the boxes that were kept), 0 where none.
A tracklet's person is the one of most of its boxes if that is at least half of all of them, else 0.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import simplejpeg

from weakreid.artifacts.files import replacing_folder
from weakreid.artifacts.image_store import Pixels
from weakreid.config.datasets import Tracked
from weakreid.console import progress, say
from weakreid.datasets import crop_sheet, fit, motchallenge, tracks, truth, video
from weakreid.datasets.crop_tables import FRAME_COLUMNS, FRAMES, TRACKLET_COLUMNS, TRACKLETS
from weakreid.datasets.footage import Footage, footage_of
from weakreid.datasets.majority import main_persons
from weakreid.datasets.names import NAMES, VIDEOS, read_names, write_windows
from weakreid.datasets.notices import Notices, slack
from weakreid.datasets.tracks import Tracks
from weakreid.datasets.video import About, EndedError, Frames
from weakreid.errors import ReidError

PERSONS_PER_FILE = 100_000
QUALITY = 95
COUNTS = ("dropped_tracks", "dropped_boxes", "unsure_boxes")


def make(
    root: Path, dataset: Tracked, *, sheet: Path | None = None, title: str = ""
) -> dict[str, int]:
    """Cut out every track's boxes and write the tables, whole or not at all.

    Args:
        root: the folder to make; what was made there before is replaced.
        dataset: where the files are, and how they are read. With truth_ids "per_file" the k-th
            truth file's persons get k * 100,000 added. Whatever a file calls the first frame, it is
            frame 1 in everything else: windows, names and the names of crops.
        sheet: the PNG to draw for looking at, or None.
        title: of the sheet.

    Returns:
        Counts: tracklets, crops, known_tracklets (with a person), dropped_tracks (too short),
        dropped_boxes (outside the image or without size), unsure_boxes (below min_confidence).

    Raises:
        ReidError: a file is missing or wrong, a box is outside, frames end too early, no tracklet
            is left, a sequence has the name of a table, or `root` holds something else.
    """
    data, found = Path(dataset.root), footage_of(dataset)
    for item in found:
        if item.name.lower() in (TRACKLETS, FRAMES, VIDEOS, NAMES):
            raise ReidError(f"sequence {item.name}: the name is taken; choose another")
    notices = Notices()
    windows = read_names(data / dataset.names, found, notices) if dataset.names else None
    offsets = _truth_offsets(dataset)
    seqinfo = fit.seqinfo_of(found, data)
    shown = crop_sheet.some_of(found, data) if sheet is not None else set()
    bands: list[crop_sheet.Band] = []
    total: dict[str, int] = {}
    with replacing_folder(root, (TRACKLETS, FRAMES)) as aside:
        tables = []
        for item in found:
            about = video.about(item, data, notices)
            held = tracks.read(item, dataset, about, notices)
            boxes = held.kept.assign(person_id=np.int64(0))
            if item.truth is not None:
                path, number = data / item.truth, dataset.truth_first_frame_number
                people, words = truth.read_people(
                    path,
                    classes=dataset.truth_classes,
                    first_number=item.first_frame_number if number is None else number,
                    on_bad_box=dataset.on_bad_box,
                )
                boxes = _with_persons(held.kept, people, path, dataset.iou, offsets)
                say(f"{path}: {words}")
                truth.compare(data / item.boxes, boxes, path, people, words, dataset.iou, notices)
            boxes["file"] = [
                f"{item.name}/{track:06d}/{frame:06d}.jpg"
                for track, frame in zip(boxes["track_id"], boxes["frame"], strict=True)
            ]
            frames = Frames(item, data)
            wanted = crop_sheet.frames_to_show(boxes) if item.name in shown else []
            images = _cut_out(boxes, held, about, frames, item, data, aside, wanted)
            fit.compare_lengths(item, data / item.boxes, held.last, about, frames, notices)
            if item.name in seqinfo:
                fit.compare_seqinfo(seqinfo[item.name], held.last, about, frames, notices)
            if item.name in shown and len(boxes):
                bands.append(crop_sheet.band(item, about, boxes, images, aside))
            losses = ", ".join(f"{count} {why}" for why, count in held.lost.items())
            say(
                f"{item.name}: {boxes['track_id'].nunique()} tracklets, {len(boxes)} crops; dropped"
                f" {held.dropped_tracks} tracks and {sum(held.lost.values())} boxes ({losses})"
            )
            tables.append(boxes)
            unsure, outside, _ = held.lost.values()
            counts = (held.dropped_tracks, outside, unsure)
            for name, count in zip(COUNTS, counts, strict=True):
                total[name] = total.get(name, 0) + count
        tracklets, crops = _tables(found, tables)
        if tracklets.empty:
            raise ReidError(
                f"no track of {dataset.min_frames} frames or more in any sequence"
                f" ({total['dropped_tracks']} shorter tracks, {total['unsure_boxes']} boxes below"
                f" min_confidence {dataset.min_confidence:g}, {total['dropped_boxes']} outside the"
                " image or without size); lower min_frames or min_confidence, or give others"
            )
        tracklets.to_csv(aside / TRACKLETS, index=False, lineterminator="\n")
        crops.to_csv(aside / FRAMES, index=False, lineterminator="\n")
        if windows is not None:
            write_windows(aside, windows, found, tracklets, crops, notices)
        if sheet is not None:
            crop_sheet.draw(bands, title, len(found), sheet)
    notices.close()
    return {
        "tracklets": len(tracklets),
        "crops": len(crops),
        "known_tracklets": int((tracklets["person_id"] > 0).sum()),
        **total,
    }


def _truth_offsets(dataset: Tracked) -> dict[Path, int]:
    """Return what is added to the persons of every truth file."""
    files: dict[Path, int] = {}
    for item in dataset.sequences:
        if item.truth is not None:
            files.setdefault((Path(dataset.root) / item.truth).resolve(), len(files))
    step = PERSONS_PER_FILE if dataset.truth_ids == "per_file" else 0
    return {path: number * step for path, number in files.items()}


def _with_persons(
    boxes: pd.DataFrame,
    truth: pd.DataFrame,
    path: Path,
    iou: float,
    offsets: Mapping[Path, int],
) -> pd.DataFrame:
    """Return the boxes with person_id, 0 where nobody knows."""
    offset = offsets[path.resolve()]
    largest = int(truth["track_id"].max())
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
            who = (item.name, track, person, item.camera, item.role)
            frames.append(own.assign(tracklet_id=len(rows))[list(FRAME_COLUMNS)])
            rows.append((len(rows), *who, *span, len(own)))
    tracklets = pd.DataFrame(rows, columns=list(TRACKLET_COLUMNS))
    empty = pd.DataFrame(columns=list(FRAME_COLUMNS))
    return tracklets, pd.concat(frames, ignore_index=True) if frames else empty


def _cut_out(
    boxes: pd.DataFrame,
    held: Tracks,
    about: About,
    frames: Frames,
    item: Footage,
    data: Path,
    root: Path,
    to_show: Sequence[int],
) -> dict[int, Pixels]:
    """Write the crops of one sequence, frame by frame.

    Args:
        boxes: to cut out.
        held: all boxes of the window, those of tracks that are dropped among them.
        about: what is known of the frames.
        frames: to read.
        item: the sequence.
        data: the folder that its files are below.
        root: the folder of the crops.
        to_show: frames of which the whole image is wanted.

    Returns:
        Those images, made smaller, by frame.

    Raises:
        ReidError: the video ends before a box's frame, or an image is unreadable or of another
            size.
    """
    for track in boxes["track_id"].unique():
        (root / item.name / f"{track:06d}").mkdir(parents=True)
    of_frame = boxes.groupby("frame", sort=True).indices
    wanted = np.unique(boxes["frame"].to_numpy()).tolist()
    corners = boxes[["x0", "y0", "x1", "y1"]].to_numpy()
    files = boxes["file"].tolist()
    whole: dict[int, Pixels] = {}
    last = int(held.seen["frame"].max())
    # where other boxes follow, the tracker says that the video goes on
    beyond = slack(last) + 1 if last == held.last else 0
    made = frames.images(wanted, last, beyond)
    images = progress(made, total=len(wanted), label=item.name, unit="frames")
    try:
        # with strict, the images are asked once more behind the last: whether the video goes on
        for frame, image in zip(wanted, images, strict=True):
            if image.shape[:2] != (about.height, about.width):
                raise ReidError(
                    f"{about.path}: frame {frame} has {image.shape[1]} x {image.shape[0]}"
                    f" pixels, the first one {about.width} x {about.height}; give frames of one"
                    " size"
                )
            for row in of_frame[frame]:
                x0, y0, x1, y1 = corners[row]
                crop = np.ascontiguousarray(image[y0:y1, x0:x1])
                data_of_crop = simplejpeg.encode_jpeg(crop, quality=QUALITY, colorsubsampling="444")
                (root / files[row]).write_bytes(data_of_crop)
            if frame in to_show:
                whole[frame] = crop_sheet.smaller(image)
    except EndedError as error:
        raise tracks.beyond(data / item.boxes, held.seen, error.length, about) from error
    return whole
