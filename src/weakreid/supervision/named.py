"""Training bags of named videos: who is in a video, or in some of its frames, as people wrote down.

The names come with a tracker's output (`weakreid.datasets.names`, videos.csv): a row per window of
a video, with the numbers of those who were named. A window becomes one bag, whose label is that
list.

The numbers of names are not those of persons in ground truth: labels and `truth_frame_persons` of
these bags cannot be compared with each other.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from weakreid.artifacts.csv import read_csv
from weakreid.artifacts.files import read_fault
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.supervision.moments import moments_of

COLUMNS = ("video", "first_frame", "last_frame", "camera_id", "labels", "tracklets")


def read_videos(path: Path) -> pd.DataFrame:
    """Read videos.csv: a row per window; `labels` become int32 arrays, empty where nobody is named.

    Raises:
        ReidError: the file is missing or not such a table.
    """
    texts = {"video": "str", "labels": "str", "tracklets": "str"}
    try:
        table = read_csv(path.read_text(encoding="utf-8"), dtype=texts)
    except OSError as error:
        absent = "give names (a CSV file, video,name) with the tracker's output"
        raise read_fault(path, error, absent) from error
    except ValueError as error:
        raise ReidError(f"{path}: not a table ({error}); make the crops again") from error
    # its last column, the tracklets, can be cut anywhere and still be a list
    if not path.read_bytes().endswith(b"\n"):
        raise ReidError(f"{path}: its last line is cut short; make the crops again")
    if tuple(table.columns) != COLUMNS:
        raise ReidError(f"{path}: the columns are not {','.join(COLUMNS)}; make the crops again")
    try:
        labels = [np.array(text.split(), np.int32) for text in table["labels"]]
        whole = {"first_frame": np.int64, "last_frame": np.int64, "camera_id": np.int32}
        table = table.astype(whole)
    except (ValueError, OverflowError) as error:
        raise ReidError(
            f"{path}: not a table of windows ({error}); make the crops again"
        ) from error
    return table.assign(labels=pd.Series(labels, index=table.index, dtype=object))


def named_bags(
    videos: pd.DataFrame,
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
    *,
    seed: int,
    max_frames: int | None,
) -> pd.DataFrame:
    """Make a training bag of every window in which somebody is named and a tracklet is seen.

    Args:
        videos: of `read_videos`; its column "tracklets" is not used, since tracklets may have got
            other numbers when a bad picture was left out.
        tracklets: table "tracklets"; those of role "train" are used.
        frames: table "frames" with truth_person_id.
        seed: decides everything random.
        max_frames: at most so many random frames of a tracklet in a window; None for all.

    Returns:
        Table "bags", role "train", in the order of `videos`; shorter than that by the windows that
        are left out.

    Raises:
        ReidError: no bag is left, or a file's name tells no frame.
    """
    of_video = _training_frames(tracklets, frames)
    rows = []
    numbers = ("first_frame", "last_frame", "camera_id")
    spans = zip(*(videos[name].tolist() for name in numbers), strict=True)
    for video, named, (first, last, camera) in zip(
        videos["video"], videos["labels"], spans, strict=True
    ):
        own = of_video.get(video)
        labels = np.unique(np.asarray(named, np.int32))
        if own is None or len(labels) == 0:
            continue
        inside = own[own["frame"].between(first, last)]
        if len(inside):
            rows.append(_row(inside, camera, labels, seed, (video, first), max_frames))
    if not rows:
        named = sum(len(labels) > 0 for labels in videos["labels"])
        raise ReidError(
            f"none of the {len(videos)} windows has both a name and a training tracklet ({named}"
            " have a name): there is nothing to make training bags of; name people in videos of"
            f" role train, in frames where there are tracklets ({_where(of_video)})"
        )
    table = pd.DataFrame(rows)
    table.insert(0, "bag_id", np.arange(len(rows), dtype=np.int32))
    return table.astype({"camera_id": "int32"})


def left_out(videos: pd.DataFrame, bags: pd.DataFrame) -> dict[str, int]:
    """Count the windows without a bag: "unnamed", where nobody is named, and "empty", the others.

    Args:
        videos: of `read_videos`.
        bags: what `named_bags` made of it.
    """
    unnamed = sum(len(labels) == 0 for labels in videos["labels"])
    return {"unnamed": unnamed, "empty": len(videos) - unnamed - len(bags)}


def _training_frames(tracklets: pd.DataFrame, frames: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return the frames of the training tracklets by video, with the video's frame of each."""
    train = tracklets.loc[tracklets["role"] == "train", "tracklet_id"]
    own = frames[frames["tracklet_id"].isin(train)].sort_values(["tracklet_id", "position"])
    told = moments_of(own["file"])
    own = own.assign(frame=told["frame"])
    return {str(video): rows for video, rows in own.groupby(told["video"], sort=True)}


def _where(of_video: Mapping[str, pd.DataFrame], most: int = 3) -> str:
    """Say in which frames of which videos there are training tracklets."""
    if not of_video:
        return "there are none"
    spans = [
        f"{video} {own['frame'].min()} to {own['frame'].max()}"
        for video, own in list(of_video.items())[:most]
    ]
    return ", ".join([*spans, "..."] if len(of_video) > most else spans)


def _row(
    inside: pd.DataFrame,
    camera: int,
    labels: np.ndarray,
    seed: int,
    where: tuple[str, int],
    max_frames: int | None,
) -> dict[str, object]:
    ids, kept = [], []
    for tracklet, rows in inside.groupby("tracklet_id", sort=True).indices.items():
        number = int(str(tracklet))
        if max_frames is not None and len(rows) > max_frames:
            generator = numpy_generator(seed, "named bag frames", *where, number)
            rows = np.sort(generator.choice(rows, max_frames, replace=False))
        ids.append(number)
        kept.append(rows)
    chosen = inside.iloc[np.concatenate(kept)]
    return {
        "role": "train",
        "camera_id": camera,
        "tracklet_ids": np.array(ids, np.int32),
        "frames": chosen["image"].to_numpy(np.int64),
        "frame_tracklets": chosen["tracklet_id"].to_numpy(np.int32),
        "labels": labels,
        "truth_frame_persons": chosen["truth_person_id"].to_numpy(np.int32),
    }
