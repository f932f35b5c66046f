"""What every reader returns, and the checks that they share."""

import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.io

from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.tables import SPLITS

OnBadFrame: TypeAlias = Literal["stop", "leave_out"]
ON_BAD_FRAME: tuple[OnBadFrame, ...] = ("stop", "leave_out")

TRACKLET_TYPES = {
    "tracklet_id": "int32",
    "person_id": "int32",
    "camera_id": "int32",
    "split": "object",
    "first_frame": "int64",
    "frame_count": "int32",
}


_NUMBER = re.compile("([0-9]+)")

# what scipy lets through of the many ways in which a MATLAB file can be damaged
_MAT_DAMAGE = (
    scipy.io.matlab.MatReadError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    NotImplementedError,
    zlib.error,
)


@dataclass(frozen=True)
class Reading:
    """A dataset as its reader found it, before a picture is opened.

    Attributes:
        tracklets: tracklet_id (0, 1, ...), person_id (-1 junk, 0 distractor), camera_id (from 1),
            split (that of partition 0), first_frame (a row of `files`), frame_count.
        files: a path per frame, relative to the dataset's folder, with `/`; the frames of a
            tracklet follow each other in time order.
        partitions: partition, tracklet_id, split: the role of a tracklet in each numbered split.
        left_out_frames: files that were named but are not in `files`.
        left_out_tracklets: how many tracklets have no frame left.
        frame_persons: the person of every file where a tracklet may show several (a tracker's), in
            the numbers of `tracklets`; None: each shows its tracklet's.
    """

    tracklets: pd.DataFrame
    files: list[str]
    partitions: pd.DataFrame
    left_out_frames: tuple[str, ...] = ()
    left_out_tracklets: int = 0
    frame_persons: npt.NDArray[np.int32] | None = None


@dataclass(frozen=True)
class Tracklet:
    """One tracklet of a reader that walks folders; `files` in time order."""

    person_id: int
    camera_id: int
    split: str
    files: Sequence[str]


# ------------------------------------------------------------------ messages


def name_some(names: Sequence[str], most: int = 3) -> str:
    """Return at most `most` of `names`, and how many there are when that is not all."""
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def require(root: Path, required: Iterable[str], dataset: str, how_to_get: str) -> None:
    """Check that the files and folders a reader needs are there.

    Raises:
        ReidError: some are not; the message says which, and where to get them.
    """
    absent = [name for name in required if not (root / name).exists()]
    if absent:
        raise ReidError(f"{dataset}: {root} lacks {name_some(absent)}; {how_to_get}")


def check_on_bad_frame(value: str) -> None:
    """Refuse a word that is not one of `ON_BAD_FRAME`."""
    if value not in ON_BAD_FRAME:
        raise ReidError(f"on_bad_frame: '{value}' is not one of {', '.join(ON_BAD_FRAME)}")


# ------------------------------------------------------------------ making a reading


def tracklet_table(
    person_id: npt.ArrayLike,
    camera_id: npt.ArrayLike,
    split: npt.ArrayLike,
    frame_count: npt.ArrayLike,
) -> pd.DataFrame:
    """Return a tracklets frame numbered from 0, frames following each other in that order."""
    count = np.asarray(frame_count, np.int64)
    columns = {
        "tracklet_id": np.arange(len(count)),
        "person_id": person_id,
        "camera_id": camera_id,
        "split": np.asarray(split, object),
        "first_frame": np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])[: len(count)],
        "frame_count": count,
    }
    return pd.DataFrame(columns).astype(TRACKLET_TYPES)


def single_partition(tracklets: pd.DataFrame) -> pd.DataFrame:
    """Return the partitions of a dataset with one official split."""
    return pd.DataFrame(
        {
            "partition": np.zeros(len(tracklets), np.int32),
            "tracklet_id": tracklets["tracklet_id"].to_numpy(),
            "split": tracklets["split"].to_numpy(object),
        }
    )


def assemble(found: Sequence[Tracklet], dataset: str, on_bad_frame: str) -> Reading:
    """Put tracklets together into a reading with one partition.

    Raises:
        ReidError: there is none, or one has no picture and `on_bad_frame` is "stop".
    """
    check_on_bad_frame(on_bad_frame)
    kept = [item for item in found if item.files]
    empty = [f"person {t.person_id} camera {t.camera_id} ({t.split})" for t in found if not t.files]
    if empty and on_bad_frame == "stop":
        raise ReidError(
            f"{dataset}: {len(empty)} tracklets have no picture: {name_some(empty)}; unpack the"
            " dataset whole, or set on_bad_frame: leave_out"
        )
    table = tracklet_table(
        [item.person_id for item in kept],
        [item.camera_id for item in kept],
        [item.split for item in kept],
        [len(item.files) for item in kept],
    )
    files = [file for item in kept for file in item.files]
    reading = Reading(table, files, single_partition(table), left_out_tracklets=len(empty))
    check(reading, dataset)
    return reading


def leave_out(reading: Reading, bad: npt.NDArray[np.bool_]) -> Reading:
    """Return the reading without the frames marked in `bad` (bool, one per frame).

    A tracklet that loses its last frame goes too, and the rest are numbered anew.
    """
    if not bad.any():
        return reading
    old = reading.tracklets
    owner = np.repeat(np.arange(len(old)), old["frame_count"])
    counts = np.bincount(owner[~bad], minlength=len(old))
    keep = counts > 0
    table = tracklet_table(
        old["person_id"].to_numpy()[keep],
        old["camera_id"].to_numpy()[keep],
        old["split"].to_numpy(object)[keep],
        counts[keep],
    )
    renumbered = np.where(keep, np.cumsum(keep) - 1, -1)
    partitions = reading.partitions.copy()
    partitions["tracklet_id"] = renumbered[partitions["tracklet_id"].to_numpy()].astype(np.int32)
    partitions = partitions[partitions["tracklet_id"] >= 0].reset_index(drop=True)
    gone = tuple(reading.files[index] for index in np.flatnonzero(bad))
    return Reading(
        table,
        [file for file, lost in zip(reading.files, bad.tolist(), strict=True) if not lost],
        partitions,
        reading.left_out_frames + gone,
        reading.left_out_tracklets + int((~keep).sum()),
        None if reading.frame_persons is None else reading.frame_persons[~bad],
    )


# ------------------------------------------------------------------ pictures on disk


def list_names(folder: Path) -> set[str]:
    """Return the names in a folder (none if it is not there), without asking for each one's size.

    Hidden names (`.DS_Store`, `._x.jpg`) are left out.
    """
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if not entry.name.startswith(".")}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def list_pictures(folder: Path, suffixes: Sequence[str]) -> list[str]:
    """Return the names of a folder's pictures, sorted."""
    ends = tuple(suffixes)
    return sorted(name for name in list_names(folder) if name.lower().endswith(ends))


def in_time_order(folder: Path, names: Iterable[str], *, by_name: bool = False) -> list[str]:
    """Return the pictures of a folder in time order, which is that of the numbers in their names.

    Names that differ in one number alone are sure: 2.png comes before 10.png. Where they differ in
    several, the order by number must be the order by name, as it is with leading zeros.

    Args:
        folder: for the message.
        names: of the pictures.
        by_name: the order by name must be that of the numbers in any case, as somebody else may
            have counted the pictures by name.

    Raises:
        ReidError: the names do not tell the order.
    """
    found = sorted(names)
    # "a01_2.png": the texts "a", "_", "" and the numbers 1, 2
    parts = {name: _NUMBER.split(name.rpartition(".")[0] or name) for name in found}
    for name in found[1:]:
        if parts[name][::2] != parts[found[0]][::2]:
            raise ReidError(
                f"{folder}: the names {found[0]} and {name} do not tell which picture comes first;"
                " name all alike, with the frame's number and leading zeros, and move away what is"
                " no frame"
            )
    numbers = {name: tuple(int(part) for part in parts[name][1::2]) for name in found}
    ordered = sorted(found, key=lambda name: numbers[name])
    for name, after in pairwise(ordered):
        if numbers[name] == numbers[after]:
            raise ReidError(
                f"{folder}: {name} and {after} have one number; each frame must be there once"
            )
    columns = list(zip(*numbers.values(), strict=True))
    varying = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    # 12.5 lies behind 12.25
    fraction = any(parts[found[0]][2 * place] in (".", ",") for place in varying)
    if by_name or fraction or len(varying) > 1:
        for name, after in pairwise(found):
            if numbers[name] > numbers[after]:
                raise ReidError(
                    f"{folder}: by name {name} comes before {after}; number the frames with leading"
                    " zeros"
                )
    return ordered


def missing_files(root: Path, files: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which of `files` are not under `root` (bool, one per file); one listing per folder."""
    listings: dict[str, set[str]] = {}
    missing = np.zeros(len(files), np.bool_)
    for index, file in enumerate(files):
        folder, _, name = file.rpartition("/")
        names = listings.get(folder)
        if names is None:
            names = listings[folder] = list_names(root / folder)
        missing[index] = name not in names
    return missing


def settle_bad_frames(
    reading: Reading,
    bad: npt.NDArray[np.bool_],
    dataset: str,
    what: str,
    on_bad_frame: str,
    reason: str = "",
) -> Reading:
    """Stop because of bad frames, or leave them out, as `on_bad_frame` says.

    Args:
        reading: what was read.
        bad: bool, one per frame.
        dataset: its name, for the message.
        what: "missing" or "unreadable".
        on_bad_frame: "stop" or "leave_out".
        reason: what to add to the message.

    Raises:
        ReidError: there are bad frames and `on_bad_frame` is "stop", or no frame would be left.
    """
    check_on_bad_frame(on_bad_frame)
    if not bad.any():
        return reading
    names = [reading.files[index] for index in np.flatnonzero(bad)]
    text = f"{dataset}: {len(names)} of {len(reading.files)} pictures {what}: {name_some(names)}"
    if reason:
        text += f" ({reason})"
    if on_bad_frame == "stop":
        raise ReidError(f"{text}; put them right, or set on_bad_frame: leave_out")
    if bad.all():
        raise ReidError(f"{text}; none is left")
    return leave_out(reading, bad)


# ------------------------------------------------------------------ checks


def check(reading: Reading, dataset: str, official: Mapping[str, int] | None = None) -> None:
    """Check what no reader may get wrong, and the official counts if they are given.

    Args:
        reading: what was read.
        dataset: its name, for the message.
        official: counts by the names of `counts`.

    Raises:
        ReidError: no tracklet, a split or camera out of range, frames that do not add up, a file
            named twice, or a count that differs from the official one.
    """
    table = reading.tracklets
    if not len(table):
        raise ReidError(f"{dataset}: no tracklet was found; look at what its folder holds")
    unknown = sorted(set(table["split"]) - set(SPLITS))
    if unknown:
        raise ReidError(f"{dataset}: split {name_some(unknown)} is not one of {', '.join(SPLITS)}")
    for column, least in (("camera_id", 1), ("person_id", -1), ("frame_count", 1)):
        wrong = table[table[column] < least]
        if len(wrong):
            raise ReidError(
                f"{dataset}: {column} {wrong[column].iloc[0]} of tracklet"
                f" {wrong['tracklet_id'].iloc[0]} is below {least}; {len(wrong)} in all"
            )
    ends = (table["first_frame"] + table["frame_count"]).to_numpy()
    starts = table["first_frame"].to_numpy()
    if starts[0] != 0 or (starts[1:] != ends[:-1]).any() or ends[-1] != len(reading.files):
        raise ReidError(
            f"{dataset}: tracklets span {table['frame_count'].sum()} frames, but there are"
            f" {len(reading.files)} files, or they are out of order; this is a fault of the reader"
        )
    if len(set(reading.files)) != len(reading.files):
        twice = pd.Series(reading.files)
        names = twice[twice.duplicated()].tolist()
        raise ReidError(f"{dataset}: {len(names)} files belong to two frames: {name_some(names)}")
    if official is not None:
        found = counts(reading)
        for name, number in official.items():
            if found[name] != number:
                raise ReidError(
                    f"{dataset}: {found[name]} {name.replace('_', ' ')}, officially {number};"
                    " unpack the dataset whole, or set official: false for a part of it"
                )


def counts(reading: Reading) -> dict[str, int]:
    """Return the counts of a reading: tracklets per split, persons per side, cameras, frames."""
    table = reading.tracklets
    known = table[table["person_id"] > 0]
    sides = {"train": ["train"], "test": ["query", "gallery"]}
    result = {f"{split}_tracklets": int((table["split"] == split).sum()) for split in SPLITS}
    for side, splits in sides.items():
        persons = known.loc[known["split"].isin(splits), "person_id"]
        result[f"{side}_persons"] = int(persons.nunique())
    result["distractor_tracklets"] = int((table["person_id"] == 0).sum())
    result["cameras"] = int(table["camera_id"].nunique())
    result["frames"] = len(reading.files)
    return result


def read_mat(path: Path, name: str) -> npt.NDArray[np.int64]:
    """Return an integer matrix of a MATLAB file: the variable `name`, or the only one there is.

    Raises:
        ReidError: the file is missing, damaged, of a newer kind, or holds no such matrix.
    """
    try:
        held: dict[str, Any] = scipy.io.loadmat(path)
    except FileNotFoundError as error:
        raise ReidError(f"{path}: no such file") from error
    except _MAT_DAMAGE as error:
        raise ReidError(f"{path}: not a whole MATLAB file ({error}); get it again") from error
    public = [key for key in held if not key.startswith("__")]
    key = name if name in public else public[0] if len(public) == 1 else None
    if key is None:
        raise ReidError(f"{path}: no matrix '{name}', it holds {public}; get the official file")
    values = np.asarray(held[key])
    whole = values.dtype.kind in "iuf" and values.ndim == 2
    if not whole or not (values == np.floor(values)).all():
        raise ReidError(f"{path}: '{key}' is not a matrix of whole numbers; get the official file")
    return values.astype(np.int64)


# ------------------------------------------------------------------ two-camera datasets


def half_splits(
    persons: Sequence[int], repeats: int, seed: int, dataset: str
) -> list[tuple[set[int], set[int]]]:
    """Return (train persons, test persons) of `repeats` random half splits; an odd one trains.

    Each repeat has a generator of its own, so more repeats leave the first ones as they were.
    """
    ordered = np.sort(np.asarray(persons, np.int64))
    if len(ordered) < 2 or repeats < 1:
        raise ReidError(
            f"{dataset}: {len(ordered)} persons cannot be split {repeats} times; the dataset must"
            " have 2 or more persons in both cameras, and repeats be 1 or more"
        )
    splits = []
    for repeat in range(repeats):
        drawn = numpy_generator(seed, "half split", dataset, repeat).permutation(ordered).tolist()
        half = len(drawn) // 2
        splits.append((set(drawn[half:]), set(drawn[:half])))
    return splits


def with_two_camera_partitions(
    reading: Reading, splits: Sequence[tuple[set[int], set[int]]]
) -> Reading:
    """Return the reading with partition k made from the k-th (train persons, test persons).

    Train persons' tracklets are `train`; of the test persons' tracklets camera 1 is `query` and
    camera 2 `gallery`. A tracklet of neither has no row in that partition. The tracklets' own
    split is that of partition 0, `junk` where it has none.
    """
    table = reading.tracklets
    parts = []
    for number, (train, test) in enumerate(splits):
        tested = table["person_id"].isin(test)
        roles = np.where(table["camera_id"] == 1, "query", "gallery").astype(object)
        roles[table["person_id"].isin(train).to_numpy()] = "train"
        used = (tested | table["person_id"].isin(train)).to_numpy()
        part = pd.DataFrame({"tracklet_id": table["tracklet_id"], "split": roles})[used]
        part.insert(0, "partition", np.int32(number))
        parts.append(part)
    partitions = pd.concat(parts, ignore_index=True)
    first = parts[0].set_index("tracklet_id")["split"]
    split = table["tracklet_id"].map(first).fillna("junk").astype(object)
    return Reading(
        table.assign(split=split),
        reading.files,
        partitions,
        reading.left_out_frames,
        reading.left_out_tracklets,
    )
