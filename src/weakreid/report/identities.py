"""Who is who: the identities that association found, as a table and as a contact sheet.

Neither reads a person: this is what somebody sees who has tracklets and no labels. A sheet shows
people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.report.figures import Canvas, Mark, shorten

COLUMNS = (
    "identity",
    "tracklet_id",
    "source_id",
    "camera_id",
    "first_file",
    "last_file",
    "frame_count",
)
TRACK_COLUMNS = ("sequence", "track_id")
"""Added where files are crops of a tracker's boxes."""
PROBABILITY = "probability"
"""That two tracklets show one person (`retrieval.calibration`)."""

_FRAME = 0.48, 0.96  # inches, width and height
_GAP = 0.06  # between two tracklets
_CAPTION, _BELOW = 0.21, 0.06  # above a row's pictures, and below them
_NAMES = 0.9  # left of them
_LETTERS = 11  # of a caption above one picture


@dataclass(frozen=True)
class Shown:
    """A tracklet on a sheet, or a piece of one.

    Attributes:
        caption: what stands above it, two lines.
        images: rows of the image store.
    """

    caption: str
    images: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """An identity, or a whole tracklet, on a sheet: what stands beside it, and parts of it."""

    label: str
    shown: tuple[Shown, ...]


def identity_table(
    clusters: pd.DataFrame, tracks: pd.DataFrame, files: pd.Series, *, tracked: bool
) -> pd.DataFrame:
    """Return which tracklets show the same person, a row per tracklet.

    Args:
        clusters: table "clusters"; a tracklet of label -1 stands alone.
        tracks: table "tracks" that the clusters were made of.
        files: the file of every image, by its row in the image store.
        tracked: the files are SEQUENCE/TRACK/FRAME.jpg (`datasets.crops`).

    Returns:
        `COLUMNS`, by identity, camera and tracklet. Identities count from 1, those of most
        frames first; a tracklet that stands alone has one of its own, after them. With `tracked`
        also `TRACK_COLUMNS`, as the files say; of a tracklet that was simulated of several tracks,
        all of them, with spaces between.

    Raises:
        ReidError: clusters and tracks are not of the same tracklets, or a file is of another form.
    """
    frames = tracks.sort_values(["tracklet_id", "position"])
    frames = frames.assign(file=frames["image"].map(files))
    of_tracklet = frames.groupby("tracklet_id")
    table = of_tracklet.agg(
        source_id=("source_id", "first"),
        camera_id=("camera_id", "first"),
        first_file=("file", "first"),
        last_file=("file", "last"),
        frame_count=("image", "size"),
    ).reset_index()
    labels = clusters.sort_values("tracklet_id")
    if not np.array_equal(table["tracklet_id"], labels["tracklet_id"]):
        raise ReidError(
            f"{len(table)} tracklets in the tracks, {len(labels)} in the clusters, or others; give "
            "the tracks that the training had"
        )
    if frames["file"].isna().any():
        raise ReidError("the tracks have images that the frames have not; give the dataset's own")
    identity = _numbered(labels["label"].to_numpy(np.int64), table["frame_count"].to_numpy())
    table.insert(0, "identity", identity)
    table = table[list(COLUMNS)]
    if tracked:
        table = table.merge(_tracks_of(frames), on="tracklet_id")
    return table.sort_values(["identity", "camera_id", "tracklet_id"], ignore_index=True)


def with_links(table: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return who is who with how sure it is.

    Args:
        table: of `identity_table`.
        links: per tracklet_id, `distance` from the nearest other tracklet of its identity, and the
            `probability` that the two show one person; NaN where it is alone.
    """
    return table.merge(links[["tracklet_id", "distance", PROBABILITY]], on="tracklet_id")


def _numbered(labels: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return identities from 1: most frames first, of equals the first tracklet's; then alone."""
    alone = labels < 0
    labels = np.where(alone, labels.max(initial=-1) + 1 + np.arange(len(labels)), labels)
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    seen = np.bincount(group, weights=frames, minlength=len(first))
    order = np.lexsort((first, -seen, alone[first]))
    place = np.empty(len(order), np.int64)
    place[order] = 1 + np.arange(len(order))
    return place[group]


def track_of(file: str) -> tuple[str, str]:
    """Return sequence and track id of a crop's file, SEQUENCE/TRACK/FRAME.jpg.

    Raises:
        ReidError: it is another file.
    """
    parts = file.split("/")
    if len(parts) != 3 or not parts[1].isdecimal():
        raise ReidError(f"{file}: not SEQUENCE/TRACK/FRAME.jpg; make the dataset again")
    return parts[0], str(int(parts[1]))


def _tracks_of(frames: pd.DataFrame) -> pd.DataFrame:
    """Return tracklet_id and `TRACK_COLUMNS` of tracklets, from the files of their frames."""
    named = pd.DataFrame([track_of(file) for file in frames["file"]], columns=list(TRACK_COLUMNS))
    named.insert(0, "tracklet_id", frames["tracklet_id"].to_numpy())
    return named.drop_duplicates().groupby("tracklet_id").agg(" ".join).reset_index()


def summary(table: pd.DataFrame) -> str:
    """Return in words how many tracklets became how many identities."""
    size = table["identity"].value_counts()
    joined = int(size[size > 1].sum())
    return (
        f"{joined} of {len(table)} tracklets in {int((size > 1).sum())} identities,"
        f" {int((size == 1).sum())} alone"
    )


def sheet_rows(table: pd.DataFrame, tracks: pd.DataFrame, *, rows: int, images: int) -> list[Row]:
    """Choose what the sheet shows: the first identities, each by tracklets of all its cameras.

    Cameras take turns, each with its longest tracklet first; where there are fewer tracklets than
    room for images, each is shown several times.

    Args:
        table: of `identity_table`.
        tracks: table "tracks".
        rows: identities at most.
        images: of each, at most.
    """
    of_tracklet = tracks.sort_values(["tracklet_id", "position"]).groupby("tracklet_id")["image"]
    found = []
    for identity in range(1, min(rows, int(table["identity"].max())) + 1):
        own = table[table["identity"] == identity]
        chosen = _in_turn(own, images)
        each = max(1, images // len(chosen))
        shown = tuple(
            Shown(
                caption_of(row, _LETTERS * min(each, row["frame_count"])),
                inner(of_tracklet.get_group(row["tracklet_id"]).to_numpy(), each),
            )
            for row in chosen.to_dict("records")
        )
        found.append(Row(_label(identity, own), shown))
    return found


def _in_turn(own: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many tracklets, of as many cameras as there are, by camera."""
    longest = own.sort_values(["frame_count", "tracklet_id"], ascending=[False, True])
    turn = longest.groupby("camera_id").cumcount().rename("turn")
    order = longest.join(turn).sort_values(["turn", "camera_id"]).index[:most]
    return own.loc[own.index.isin(order)]


def inner(images: NDArray[np.int64], count: int) -> tuple[int, ...]:
    """Return images spread over a tracklet without its ends, where people are half hidden."""
    count = min(count, len(images))
    places = ((np.arange(count) + 0.5) * len(images) / count).astype(int)
    return tuple(int(image) for image in images[places])


def caption_of(row: Mapping[Any, Any], letters: int) -> str:
    """Return two lines that name a tracklet: camera; sequence and track, or number."""
    if "sequence" in row:
        sequence, track = str(row["sequence"]), str(row["track_id"])
        room = max(1, letters - len(track) - 1)
        text = f"{shorten(sequence, room)} {track}"
    else:
        text = f"tracklet {row['tracklet_id']}"
    return f"camera {row['camera_id']}\n{text}"


def _label(identity: int, own: pd.DataFrame) -> str:
    count, cameras = len(own), own["camera_id"].nunique()
    frames = int(own["frame_count"].sum())
    lines = [
        f"identity {identity}",
        "alone" if count == 1 else f"{count} tracklets",
        f"{cameras} camera" + "s" * (cameras > 1),
        f"{frames} frame" + "s" * (frames > 1),
    ]
    return "\n".join(lines)


def contact_sheet(
    rows: Sequence[Row], picture: Callable[[int], NDArray[np.uint8]], title: str
) -> Figure:
    """Draw a row per identity.

    Args:
        rows: of `sheet_rows`.
        picture: gives an image as uint8 [H, W, 3], all of one size.
        title: of the figure.
    """
    most = max(sum(_FRAME[0] * len(shown.images) + _GAP for shown in row.shown) for row in rows)
    step = _CAPTION + _FRAME[1] + _BELOW
    # room for a title, however little is shown
    width = max(_NAMES + most, 5.0)
    notes = [
        Mark("a row: tracklets that the training takes for one person (nobody said who is who)"),
        Mark("above: camera; tracklet, or sequence and track"),
    ]
    canvas = Canvas(title, notes, width=width, body=step * len(rows))
    top = canvas.top
    for row in rows:
        canvas.text(0, top + _CAPTION + 0.2, row.label, 6.5, linespacing=1.3)
        left = _NAMES
        for shown in row.shown:
            canvas.text(left, top + _CAPTION - 0.02, shown.caption, 5.5, va="bottom")
            canvas.strip(left, top + _CAPTION, _FRAME, [picture(image) for image in shown.images])
            left += _FRAME[0] * len(shown.images) + _GAP
        top += step
    return canvas.figure
