"""What every reader returns, and the checks that they share."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from weakreid.artifacts.files import read_fault, there
from weakreid.artifacts.schemas import ROLES
from weakreid.config.datasets import Reading as HowToRead
from weakreid.console import warn
from weakreid.datasets.litter import entries
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator

HALF_SPLITS = 10
"""Splits that are drawn of a dataset of two cameras, as many as are published."""

TRACKLET_TYPES = {
    "tracklet_id": "int32",
    "person_id": "int32",
    "camera_id": "int32",
    "role": "object",
    "first_frame": "int64",
    "frame_count": "int32",
}


_NUMBER = re.compile("([0-9]+)")

# formats of images, so that frames in a format that is not read are not passed over
_IMAGES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".jp2", ".heic", ".avif"),
)
# a dataset that loses more than this share of a role is another dataset
_MOST = 0.5


@dataclass(frozen=True)
class Reading:
    """A dataset as its reader found it, before an image is opened."""

    # tracklet_id (0, 1, ...), person_id (-1 junk, 0 distractor), camera_id (from 1), role (that of
    # partition 0), first_frame (a row of `files`), frame_count
    tracklets: pd.DataFrame
    # a path per frame, relative to the dataset's folder, with `/`; the frames of a tracklet follow
    # each other in time order
    files: list[str]
    partitions: pd.DataFrame  # partition, tracklet_id and role: that in each numbered split
    left_out_frames: tuple[str, ...] = ()  # files that were named but are not in `files`
    left_out_tracklets: int = 0  # how many tracklets have no frame left
    # the person of every file where a tracklet may show several (a tracker's), in the numbers of
    # `tracklets`; None: each shows its tracklet's
    frame_persons: npt.NDArray[np.int32] | None = None


class Reader(Protocol):
    """A reader of a layout: a module of this package, named as `kind` is in the config.

    Attributes:
        REQUIRED: folders and files that it needs, below the dataset's folder.
        OPTIONAL: those that it reads if they are there.
        HOW_TO_GET: where people get the data and how they put it there; the end of a message.
    """

    REQUIRED: tuple[str, ...]
    OPTIONAL: tuple[str, ...]
    HOW_TO_GET: str

    def read(self, root: Path, how: HowToRead) -> Reading:
        """Read the names below a dataset's folder; pictures are opened later.

        Args:
            root: the folder.
            how: what to do about bad frames and about counts that are not the official ones.

        Raises:
            ReidError: something is missing, or not as the layout says.
        """


@dataclass(frozen=True)
class Tracklet:
    """One tracklet of a reader that walks folders; `files` in time order."""

    person_id: int
    camera_id: int
    role: str
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
    absent = [name for name in required if not there(root / name)]
    if absent:
        raise ReidError(f"{dataset}: {root} lacks {name_some(absent)}; {how_to_get}")


# ------------------------------------------------------------------ making a reading


def tracklet_table(
    person_id: npt.ArrayLike,
    camera_id: npt.ArrayLike,
    role: npt.ArrayLike,
    frame_count: npt.ArrayLike,
) -> pd.DataFrame:
    """Return a tracklets frame numbered from 0, frames following each other in that order."""
    count = np.asarray(frame_count, np.int64)
    columns = {
        "tracklet_id": np.arange(len(count)),
        "person_id": person_id,
        "camera_id": camera_id,
        "role": np.asarray(role, object),
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
            "role": tracklets["role"].to_numpy(object),
        }
    )


def assemble(found: Sequence[Tracklet], dataset: str, on_bad_frame: str) -> Reading:
    """Put tracklets together into a reading with one partition.

    Raises:
        ReidError: there is none, or one has no image and `on_bad_frame` is "stop", or most of
            them have none.
    """
    kept = [item for item in found if item.files]
    empty = [f"person {t.person_id} camera {t.camera_id} ({t.role})" for t in found if not t.files]
    if empty:
        text = f"{dataset}: {len(empty)} of {len(found)} tracklets have no image:"
        text += f" {name_some(empty)}"
        before, after = (
            Counter(f"tracklets of role {t.role}" for t in items) for items in (found, kept)
        )
        settle_loss(before, after, text, on_bad_frame)
        warn(f"{text}; left out")
    table = tracklet_table(
        [item.person_id for item in kept],
        [item.camera_id for item in kept],
        [item.role for item in kept],
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
        old["role"].to_numpy(object)[keep],
        counts[keep],
    )
    renumbered = np.where(keep, np.cumsum(keep) - 1, -1)
    partitions = reading.partitions.copy()
    partitions["tracklet_id"] = renumbered[partitions["tracklet_id"].to_numpy()].astype(np.int32)
    partitions = partitions[partitions["tracklet_id"] >= 0].reset_index(drop=True)
    gone = tuple(reading.files[index] for index in np.flatnonzero(bad))
    persons = reading.frame_persons
    return Reading(
        table,
        [reading.files[index] for index in np.flatnonzero(~bad)],
        partitions,
        reading.left_out_frames + gone,
        reading.left_out_tracklets + int((~keep).sum()),
        None if persons is None else persons[~bad],
    )


# ------------------------------------------------------------------ images on disk


def list_names(folder: Path) -> set[str]:
    """Return the names in a folder (none if it is not there), without asking for each one's size.

    What systems leave in folders (`.DS_Store`, `._x.jpg`, `Thumbs.db`) is left out.

    Raises:
        ReidError: it cannot be told, as there is no right to look.
    """
    return set(_entries(folder))


def list_images(folder: Path, suffixes: Sequence[str]) -> list[str]:
    """Return the names of a folder's images, sorted.

    Raises:
        ReidError: there are images of a format that is none of `suffixes`, or there is no right
            to look.
    """
    names = sorted(list_names(folder))
    ends = tuple(suffixes)
    other = [n for n in names if n.lower().endswith(_IMAGES) and not n.lower().endswith(ends)]
    if other:
        raise ReidError(
            f"{folder}: {len(other)} images are not {' or '.join(ends)}: {name_some(other)};"
            " convert them, or move them elsewhere if they are no frames"
        )
    return [name for name in names if name.lower().endswith(ends)]


def _entries(folder: Path) -> dict[str, "os.DirEntry[str]"]:
    found = {entry.name: entry for entry in entries(folder)}
    for name in found:
        if not name.isascii() and name != name.encode("utf-8", "replace").decode("utf-8"):
            raise ReidError(
                f"{folder}: the name {name!a} is not in UTF-8; rename it (convmv does it for a"
                " whole tree)"
            )
    return found


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Return whether it is a folder or a link to one; most systems know without another look."""
    try:
        return entry.is_dir()
    except OSError as error:
        raise read_fault(Path(entry.path), error, "put it there") from error


class Walk:
    """Reads the folders of a layout in which folders say who is seen, and images are frames.

    What lies there and is neither is refused by its name, or counted: `say_strays`.
    """

    def __init__(self, root: Path, dataset: str) -> None:
        self._root = root
        self._dataset = dataset
        self._strays: list[str] = []

    def persons(self, place: str, pattern: re.Pattern[str], example: str) -> dict[int, str]:
        """Return the folders of persons below a place: number and name, in order of names.

        Args:
            place: a folder, relative to the root.
            pattern: of a person's folder; its group is the number, 1 or more.
            example: such a name.

        Raises:
            ReidError: something else lies there, or two folders are of one person.
        """
        found: dict[int, str] = {}
        for name in self.folders(place):
            match = pattern.fullmatch(name)
            if match is None or int(match[1]) == 0:
                raise ReidError(
                    f"{self._dataset}: {self._root / place / name}: not a person's folder such as"
                    f" {example}; {_remedy(self._root / place, name)}"
                )
            if int(match[1]) in found:
                raise ReidError(
                    f"{self._dataset}: {self._root / place}: {found[int(match[1])]} and {name} are"
                    " of one person; put their images into one folder"
                )
            found[int(match[1])] = name
        return found

    def folders(self, place: str) -> list[str]:
        """Return the names of the folders below a place, sorted.

        Raises:
            ReidError: something else than folders lies there.
        """
        folder = self._root / place
        inside = _entries(folder)
        for name in sorted(inside):
            if not _is_folder(inside[name]):
                nowhere = (folder / name).is_symlink() and not (folder / name).exists()
                what = "a link that leads nowhere" if nowhere else "a file"
                raise ReidError(
                    f"{self._dataset}: {folder / name}: {what}, but only folders belong there; move"
                    " it elsewhere"
                )
        return sorted(inside)

    def images(self, place: str, suffixes: Sequence[str]) -> list[str]:
        """Return the names of the images in a folder, sorted.

        Raises:
            ReidError: a folder lies there, or images of another format.
        """
        folder = self._root / place
        found = list_images(folder, suffixes)
        beside = _entries(folder)
        for name in found:
            beside.pop(name, None)
        for name in sorted(beside):
            if _is_folder(beside[name]):
                raise ReidError(
                    f"{self._dataset}: {folder / name}: a folder, but only images belong there;"
                    f" {_remedy(folder, name)}"
                )
        self._strays += [f"{place}/{name}" for name in sorted(beside)]
        return found

    def ordered(self, place: str, suffixes: Sequence[str]) -> list[str]:
        """Return the images of a folder in time order, with their folder.

        Raises:
            ReidError: as `images` and `in_time_order`.
        """
        names = in_time_order(self._root / place, self.images(place, suffixes))
        return [f"{place}/{name}" for name in names]

    def say_strays(self) -> None:
        """Say how many files were no images."""
        if self._strays:
            warn(
                f"{self._dataset}: {len(self._strays)} files beside the images are no images"
                f" and were not read: {name_some(self._strays)}"
            )


def _remedy(folder: Path, name: str) -> str:
    if name.casefold() == folder.name.casefold():
        return f"{folder.name}/{name} is there: move what is in it one folder up"
    return "move it elsewhere"


def in_time_order(folder: Path, names: Iterable[str], *, by_name: bool = False) -> list[str]:
    """Return the images of a folder in time order, which is that of the numbers in their names.

    Names that differ in one number alone are sure: 2.png comes before 10.png. Where they differ in
    several, the order by number must be the order by name, as it is with leading zeros.

    Args:
        folder: for the message.
        names: of the images.
        by_name: the order by name must be that of the numbers in any case, as somebody else may
            have counted the images by name.

    Raises:
        ReidError: the names do not tell the order.
    """
    found = sorted(names)
    # "a01_2.png": the texts "a", "_", "" and the numbers 1, 2
    parts = {name: _NUMBER.split(name.rpartition(".")[0] or name) for name in found}
    for name in found[1:]:
        if parts[name][::2] != parts[found[0]][::2]:
            raise ReidError(
                f"{folder}: the names {found[0]} and {name} do not tell which image comes first;"
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


def why_missing(root: Path, files: Sequence[str], missing: npt.NDArray[np.bool_]) -> str:
    """Return what is known of files that are missing: where they lie, or what else they are called.

    Args:
        root: the folder that `files` are relative to.
        files: relative paths.
        missing: of `missing_files`.
    """
    lost = [files[index] for index in np.flatnonzero(missing).tolist()]
    for top in dict.fromkeys(file.partition("/")[0] if "/" in file else "" for file in lost):
        if (name := (root / top).name) in list_names(root / top):
            return f"{name}/{name} is there: move what is in it one folder up"
    folders = dict.fromkeys(file.rpartition("/")[0] for file in lost)
    alike = {
        folder: {_spelt_alike(name): name for name in list_names(root / folder)}
        for folder in folders
    }
    renamed = [
        alike[folder][_spelt_alike(name)]
        for folder, _, name in (file.rpartition("/") for file in lost)
        if _spelt_alike(name) in alike[folder]
    ]
    if renamed:
        return f"{len(renamed)} are there, spelt otherwise, such as {renamed[0]}: rename them"
    for folder in folders:
        if (root / folder).is_symlink() and not alike[folder]:
            return f"{folder} is a link to {(root / folder).readlink()}, where there is nothing"
    gone = [folder for folder in folders if folder and not alike[folder]]
    return f"nothing is in {name_some(gone)}" if gone else ""


def _spelt_alike(name: str) -> str:
    """Return what names have in common that differ in case or in how their accents are written."""
    return unicodedata.normalize("NFC", name).casefold()


def settle_bad_frames(
    reading: Reading,
    bad: npt.NDArray[np.bool_],
    dataset: str,
    what: str,
    on_bad_frame: str,
    reason: str = "",
) -> Reading:
    """Stop because of bad frames, or leave them out and say so, as `on_bad_frame` says.

    Args:
        reading: what was read.
        bad: bool, one per frame.
        dataset: its name, for the message.
        what: "missing" or "unreadable".
        on_bad_frame: "stop" or "leave_out".
        reason: what to add to the message.

    Raises:
        ReidError: there are bad frames and `on_bad_frame` is "stop", or most of a role's frames or
            tracklets would be left out.
    """
    if not bad.any():
        return reading
    names = [reading.files[index] for index in np.flatnonzero(bad)]
    text = f"{dataset}: {len(names)} of {len(reading.files)} images {what}: {name_some(names)}"
    if reason:
        text += f" ({reason})"
    left = leave_out(reading, bad)
    settle_loss(_split_sizes(reading), _split_sizes(left), text, on_bad_frame)
    before, after = _size(reading), _size(left)
    warn(
        f"{text}; left out, and with them {before[0] - after[0]} of {before[0]} tracklets and"
        f" {before[1] - after[1]} of {before[1]} persons"
    )
    return left


def settle_loss(
    before: Mapping[str, int],
    after: Mapping[str, int],
    text: str,
    on_bad_frame: str,
    remedy: str = "put them right",
) -> None:
    """Stop because of a loss, unless `on_bad_frame` says to go on and enough of all is left.

    Args:
        before: how many there are of each part, by the words for it ("images of role train").
        after: how many are left.
        text: what is lost.
        on_bad_frame: "stop" or "leave_out".
        remedy: what to do about it.

    Raises:
        ReidError: it stops; leaving out is advised only where it would go on.
    """
    shares = {part: 1 - after.get(part, 0) / number for part, number in before.items()}
    worst = max(shares, key=lambda part: shares[part], default="")
    too_much = shares.get(worst, 0) > _MOST
    if on_bad_frame == "stop":
        advice = "" if too_much else ", or set on_bad_frame: leave_out"
        raise ReidError(f"{text}; {remedy}{advice}")
    if too_much:
        lost = before[worst] - after.get(worst, 0)
        raise ReidError(
            f"{text}; on_bad_frame: leave_out stops where more than half would go, here {lost} of"
            f" {before[worst]} {worst}; {remedy}"
        )


def _split_sizes(reading: Reading) -> dict[str, int]:
    """Return how many images and tracklets each role has in each split that can be asked for.

    Junk counts nowhere: what measures leave out may be missing.
    """
    roles = reading.partitions.merge(
        reading.tracklets[["tracklet_id", "frame_count"]], on="tracklet_id"
    )
    several = bool((roles["partition"] != roles["partition"].min()).any())
    sizes: dict[str, int] = {}
    for (number, role), rows in roles.groupby(["partition", "role"], sort=True):
        if role != "junk":
            where = f"role {role}" + (f" of partition {number}" if several else "")
            sizes[f"images of {where}"] = int(rows["frame_count"].sum())
            sizes[f"tracklets of {where}"] = len(rows)
    return sizes


def _size(reading: Reading) -> tuple[int, int]:
    persons = reading.tracklets["person_id"]
    return len(persons), int(persons[persons > 0].nunique())


# ------------------------------------------------------------------ checks


def check(reading: Reading, dataset: str, official: Mapping[str, int] | None = None) -> None:
    """Check what no reader may get wrong, and the official counts if they are given.

    Args:
        reading: what was read.
        dataset: its name, for the message.
        official: counts by the names of `counts`.

    Raises:
        ReidError: no tracklet, a role or camera out of range, frames that do not add up, a file
            named twice, or a count that differs from the official one.
    """
    table = reading.tracklets
    if not len(table):
        raise ReidError(f"{dataset}: no tracklet was found; look at what its folder holds")
    unknown = sorted(set(table["role"]) - set(ROLES))
    if unknown:
        raise ReidError(f"{dataset}: role {name_some(unknown)} is not one of {', '.join(ROLES)}")
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


def checked(reading: Reading, dataset: str, official: Mapping[str, int] | None) -> Reading:
    """Return a reading whose splits have something to train on, to ask with and to find.

    Raises:
        ReidError: one lacks it; or as `check`.
    """
    check(reading, dataset, official)
    for number, rows in reading.partitions.groupby("partition", sort=True):
        held = set(rows["role"])
        lacking = [role for role in ("train", "query", "gallery") if role not in held]
        if lacking:
            raise ReidError(
                f"{dataset}: partition {number} has no tracklet of role {name_some(lacking)};"
                " unpack the dataset whole"
            )
    return reading


def counts(reading: Reading) -> dict[str, int]:
    """Return the counts of a reading: tracklets per role, persons per side, cameras, frames."""
    table = reading.tracklets
    known = table[table["person_id"] > 0]
    sides = {"train": ["train"], "test": ["query", "gallery"]}
    result = {f"{role}_tracklets": int((table["role"] == role).sum()) for role in ROLES}
    for side, roles in sides.items():
        persons = known.loc[known["role"].isin(roles), "person_id"]
        result[f"{side}_persons"] = int(persons.nunique())
    result["distractor_tracklets"] = int((table["person_id"] == 0).sum())
    result["cameras"] = int(table["camera_id"].nunique())
    result["frames"] = len(reading.files)
    return result


# ------------------------------------------------------------------ two-camera datasets


def half_splits(persons: Sequence[int], seed: int, dataset: str) -> list[tuple[set[int], set[int]]]:
    """Return (train persons, test persons) of `HALF_SPLITS` random halves; an odd one trains."""
    ordered = np.sort(np.asarray(persons, np.int64))
    if len(ordered) < 2:
        raise ReidError(
            f"{dataset}: {len(ordered)} persons cannot be split; the dataset must have 2 or more"
            " persons in both cameras"
        )
    splits = []
    for repeat in range(HALF_SPLITS):
        drawn = numpy_generator(seed, "half split", dataset, repeat).permutation(ordered).tolist()
        half = len(drawn) // 2
        splits.append((set(drawn[half:]), set(drawn[:half])))
    return splits


def settle_one_camera(reading: Reading, dataset: str) -> None:
    """Say how many persons lost all images of one of two cameras: nobody finds them there.

    Raises:
        ReidError: those are most of all.
    """
    cameras = reading.tracklets.groupby("person_id")["camera_id"].nunique()
    alone = cameras.index[cameras < 2].tolist()
    if not alone:
        return
    text = (
        f"{dataset}: {len(alone)} of {len(cameras)} persons have images of one camera alone:"
        f" {name_some([str(person) for person in alone])}"
    )
    if len(alone) > _MOST * len(cameras):
        raise ReidError(f"{text}; unpack the dataset whole")
    warn(f"{text}; in the other camera they cannot be found")


def with_two_camera_partitions(
    reading: Reading, splits: Sequence[tuple[set[int], set[int]]]
) -> Reading:
    """Return the reading with partition k made from the k-th (train persons, test persons).

    Train persons' tracklets are `train`; of the test persons' tracklets camera 1 is `query` and
    camera 2 `gallery`. A tracklet of neither has no row in that partition. The tracklets' own
    role is that of partition 0, `junk` where it has none.
    """
    table = reading.tracklets
    parts = []
    for number, (train, test) in enumerate(splits):
        tested = table["person_id"].isin(test)
        roles = np.where(table["camera_id"] == 1, "query", "gallery").astype(object)
        roles[table["person_id"].isin(train).to_numpy()] = "train"
        used = (tested | table["person_id"].isin(train)).to_numpy()
        part = pd.DataFrame({"tracklet_id": table["tracklet_id"], "role": roles})[used]
        part.insert(0, "partition", np.int32(number))
        parts.append(part)
    partitions = pd.concat(parts, ignore_index=True)
    first = parts[0].set_index("tracklet_id")["role"]
    role = table["tracklet_id"].map(first).fillna("junk").astype(object)
    return replace(reading, tracklets=table.assign(role=role), partitions=partitions)
