"""Who is in which video, as somebody wrote it down: names.csv of a user, and what is made of it.

    ROOT/videos.csv   a row per window of a video (`WINDOW_COLUMNS`)
    ROOT/names.csv    number, name: in the order of the alphabet

A name is the same however it was typed: é is one letter whether a Mac or a PC wrote it (Unicode's
NFC), and any white space between two words is one space. Names that differ in capitals, spaces or
the form of a letter stay two people, and are said.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from weakreid.artifacts.files import read_fault
from weakreid.datasets import layout
from weakreid.datasets.footage import Footage
from weakreid.datasets.notices import Notices
from weakreid.errors import ReidError

VIDEOS = "videos.csv"
NAMES = "names.csv"

WINDOW_COLUMNS = ("video", "first_frame", "last_frame", "camera_id", "labels", "tracklets")
"""A row per window of a video, both frames included: the numbers of who was named (`names.csv`) and
the tracklets with a crop in it, as numbers with spaces between; no label: nobody was named."""

# (video, first frame, last frame or None for its end): the names
Windows: TypeAlias = dict[tuple[str, int, int | None], set[str]]

# without width: zero width space, marks of direction, word joiner, byte order mark, soft hyphen
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def normal(text: str) -> str:
    """Return a name as it is compared: composed letters (NFC), single plain spaces, none around."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def alike(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the groups of names that are one but for capitals, spaces or the form of letters."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        key = unicodedata.normalize("NFKC", name).casefold()
        groups.setdefault("".join(key.split()), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def read_names(path: Path, footage: Sequence[Footage], notices: Notices) -> Windows:
    """Read who is in which video: {(video, first frame, last frame or None): names}.

    Where a row gives no frames, they are those of the sequence. Names that look like one are said.

    Raises:
        ReidError: the file is missing, has no such columns, or a row makes no sense.
    """
    videos = {item.name: item for item in footage}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise read_fault(path, error, "put it there") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReidError(f"{path}: not a CSV file in UTF-8 ({error}); save it as one") from error
    header = [normal(cell) for cell in rows[0]] if rows else []
    known = ["video", "name", "first_frame", "last_frame"]
    if not {"video", "name"} <= set(header) <= set(known) or len(set(header)) != len(header):
        raise ReidError(
            f"{path}: the first line is '{','.join(header)}'; write video,name or"
            " video,name,first_frame,last_frame"
        )
    windows: Windows = {}
    for line, row in enumerate(rows[1:], 2):
        if not any(normal(cell) for cell in row):
            continue
        if len(row) != len(header):
            raise ReidError(
                f"{path}: row {line} has {len(row)} cells, the header {len(header)}; correct it"
            )
        cells = {key: normal(cell) for key, cell in zip(header, row, strict=True)}
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
    for group in alike(sorted(set().union(*windows.values()))):
        quoted = " and ".join(f"'{name}'" for name in group)
        notices.add(
            "names that look like one",
            f"{path}: {quoted} are taken for {len(group)} people; if they are one, write one of"
            " these names everywhere",
        )
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


def write_windows(
    root: Path,
    windows: Windows,
    footage: Sequence[Footage],
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
    notices: Notices,
) -> None:
    """Write videos.csv and names.csv; a video without a name gets one window without a label.

    Args:
        root: the folder to write to.
        windows: of `read_names`.
        footage: the sequences.
        tracklets: `crops.TRACKLET_COLUMNS`.
        frames: `crops.FRAME_COLUMNS`.
        notices: told of windows of which no bag can be made.
    """
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
            if item.role == "train":
                notices.add(
                    "videos without names",
                    f"{item.name}: nobody is named in it, so no bag is made of it",
                )
            named = {(item.first_frame, end): set()}
        for (first, last), people in sorted(named.items()):
            inside = own.loc[own["frame"].between(first, last), "tracklet_id"].unique()
            if people and len(inside) == 0 and item.role == "train":
                notices.add(
                    "names without tracklets",
                    f"{item.name}: no tracklet in frames {first} to {last}, so no bag is made of"
                    f" the {len(people)} named there",
                )
            labels = " ".join(str(number_of[name]) for name in sorted(people))
            held = " ".join(str(number) for number in sorted(inside.tolist()))
            rows.append((item.name, first, last, item.camera, labels, held))
    table = pd.DataFrame(rows, columns=list(WINDOW_COLUMNS))
    table.to_csv(root / VIDEOS, index=False, lineterminator="\n")
    numbered = pd.DataFrame({"number": list(number_of.values()), "name": names})
    numbered.to_csv(root / NAMES, index=False, lineterminator="\n")
