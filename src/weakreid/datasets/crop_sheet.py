"""A sheet to look at once a tracker's boxes are cut out: whole frames with boxes, and crops.

Numbers cannot tell whether boxes lie on people: another video of the same size, or one that starts
some frames earlier, gives crops of walls and half people. Who looks at the sheet sees it at once.
It shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from weakreid.artifacts.files import replacing
from weakreid.artifacts.image_store import Pixels, decode_picture, resize_picture
from weakreid.datasets.footage import Footage
from weakreid.datasets.video import About

MOST_SEQUENCES, WHOLE_FRAMES, TRACKS, CROPS_OF_TRACK = 5, 3, 5, 3
_WIDEST = 900  # pixels of a whole frame
_WIDTH = 14.0  # inches
_COLOURS = ("#ffd23f", "#3bceac", "#ff6b6b", "#5fa8ff", "#ff9f1c", "#c77dff", "#9ef01a", "#f8f9fa")


@dataclass(frozen=True)
class Band:
    """One sequence on the sheet."""

    heading: str  # what stands above it
    # of whole frames the number, the image, and track_id, left, top, width, height of the boxes in
    # shares of the image
    frames: Sequence[tuple[int, Pixels, pd.DataFrame]]
    # of some tracks the track, and of each crop the frame and the image
    crops: Sequence[tuple[int, Sequence[tuple[int, Pixels]]]]


def some_of(footage: Sequence[Footage], data: Path) -> set[str]:
    """Return the names of the sequences to show: of different videos first, then the others."""
    first: dict[Path, Footage] = {}
    for item in footage:
        first.setdefault(item.source(data), item)
    chosen = list(first.values())
    if len(chosen) > MOST_SEQUENCES:
        places = np.linspace(0, len(chosen) - 1, MOST_SEQUENCES).round().astype(int)
        chosen = [chosen[place] for place in places]
    others = [item for item in footage if item not in chosen]
    return {item.name for item in (*chosen, *others)[:MOST_SEQUENCES]}


def frames_to_show(boxes: pd.DataFrame) -> list[int]:
    """Return some frames: those with most boxes at the beginning, in the middle and at the end."""
    if boxes.empty:
        return []
    counts = boxes.groupby("frame").size()
    numbers = counts.index.to_numpy()
    near = (numbers[-1] - numbers[0]) / (4 * WHOLE_FRAMES)
    places = np.linspace(numbers[0], numbers[-1], WHOLE_FRAMES)
    parts = [counts[np.abs(numbers - place) <= near] for place in places]
    return sorted({int(part.idxmax()) for part in parts if len(part)})


def smaller(image: Pixels) -> Pixels:
    """Return a whole frame as it goes on the sheet."""
    height, width = image.shape[:2]
    if width <= _WIDEST:
        return image.copy()
    return resize_picture(image, max(1, round(height * _WIDEST / width)), _WIDEST)


def band(
    item: Footage, about: About, boxes: pd.DataFrame, images: Mapping[int, Pixels], root: Path
) -> Band:
    """Return what the sheet shows of a sequence.

    Args:
        item: the sequence.
        about: its frames.
        boxes: those that were cut out, with their pixels and files.
        images: whole frames by number.
        root: the folder of the crops.
    """
    size = np.array([about.width, about.height] * 2, np.float64)
    frames = []
    for number, image in sorted(images.items()):
        own = boxes[boxes["frame"] == number]
        places = own[["x0", "y0", "x1", "y1"]].to_numpy(np.float64)
        places[:, 2:] -= places[:, :2]
        table = pd.DataFrame(places / size, columns=["left", "top", "width", "height"])
        frames.append((number, image, table.assign(track_id=own["track_id"].to_numpy())))
    lengths = boxes.groupby("track_id").size().sort_values(ascending=False, kind="stable")
    crops = []
    for track in sorted(lengths.index[:TRACKS]):
        own = boxes[boxes["track_id"] == track]
        places = np.linspace(0, len(own) - 1, CROPS_OF_TRACK).round().astype(int)
        shown = own.iloc[np.unique(places)]
        crops.append(
            (
                int(track),
                [
                    (int(frame), decode_picture((root / file).read_bytes()))
                    for frame, file in zip(shown["frame"], shown["file"], strict=True)
                ],
            )
        )
    source = item.video if item.video is not None else f"{item.frames}/"
    first, last = int(boxes["frame"].min()), int(boxes["frame"].max())
    heading = (
        f"{item.name}:  {source} ({about.say()})   +   {item.boxes} (frames {first:,} to {last:,},"
        f" {len(lengths):,} tracks, {len(boxes):,} boxes)"
    )
    return Band(heading, frames, crops)


def draw(bands: Sequence[Band], title: str, sequences: int, path: Path) -> None:
    """Draw the sheet; the same input gives the same bytes.

    Args:
        bands: the sequences that are shown.
        title: the dataset's name.
        sequences: how many there are.
        path: the PNG to write.
    """
    heights = [_heights(band) for band in bands]
    head = 1.15
    total = head + sum(heading + frames + crops for heading, frames, crops in heights)
    figure = Figure(figsize=(_WIDTH, total))
    count = f"{len(bands)} of {sequences} sequences" if len(bands) < sequences else "all sequences"
    figure.text(
        0.01, 1 - 0.3 / total, f"{title}: what was cut out of the tracker's boxes ({count})",
        fontsize=16, weight="bold", va="center", parse_math=False,
    )  # fmt: skip
    figure.text(
        0.01,
        1 - 0.75 / total,
        "Every box, and every crop below the frames, should hold one whole person, also in the last"
        " frame. Numbers at the boxes are the tracker's ids.\nPeople cut off at one side: frames"
        " are counted otherwise (from 0?). Boxes beside people: another video, rate or start.",
        fontsize=10.5,
        va="center",
        linespacing=1.4,
    )
    top = total - head
    for one, (heading, frames, crops) in zip(bands, heights, strict=True):
        figure.add_artist(
            Rectangle((0, (top - 0.02) / total), 1, 0.02 / total, facecolor="#888888", lw=0)
        )
        figure.text(
            0.01, (top - 0.22) / total, one.heading,
            fontsize=11, weight="bold", va="center", parse_math=False,
        )  # fmt: skip
        _draw_frames(figure, one, top - heading, frames, total)
        _draw_crops(figure, one, top - heading - frames, crops, total)
        top -= heading + frames + crops
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=100, metadata={"Software": None})


_MARGIN, _GAP, _CAPTION, _CROP = 0.14, 0.14, 0.3, 1.35


def _heights(one: Band) -> tuple[float, float, float]:
    """Return inches: of the heading, of the row of frames, of the row of crops."""
    image = one.frames[0][1]
    frame = _frame_width() * image.shape[0] / image.shape[1]
    return 0.4, _CAPTION + frame, _CAPTION + 0.15 + _CROP + 0.2


def _frame_width() -> float:
    return (_WIDTH - 2 * _MARGIN - (WHOLE_FRAMES - 1) * _GAP) / WHOLE_FRAMES


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes without ticks; inches from the lower left corner."""
    whole = figure.get_figheight()
    axes = figure.add_axes((left / _WIDTH, bottom / whole, width / _WIDTH, height / whole))
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def _draw_frames(figure: Figure, one: Band, top: float, height: float, total: float) -> None:
    width = _frame_width()
    for column, (number, image, boxes) in enumerate(one.frames):
        left = _MARGIN + column * (width + _GAP)
        axes = _axes(figure, left, top - height, width, height - _CAPTION)
        axes.imshow(image, aspect="auto", interpolation="antialiased")
        many = "box" if len(boxes) == 1 else "boxes"
        axes.set_title(f"frame {number:,}: {len(boxes)} {many}", fontsize=10, pad=3)
        high, wide = image.shape[:2]
        places = boxes[["left", "top", "width", "height"]].to_numpy()
        for track, place in zip(boxes["track_id"].tolist(), places, strict=True):
            colour = _COLOURS[track % len(_COLOURS)]
            x, y, w, h = place * (wide, high, wide, high)
            x, y = x - 0.5, y - 0.5
            axes.add_patch(Rectangle((x, y), w, h, fill=False, ec=colour, lw=1.6))
            axes.text(
                x, y, str(track), fontsize=7.5, color="black", va="bottom", ha="left",
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8}, clip_on=True,
            )  # fmt: skip
        axes.set_xlim(-0.5, wide - 0.5)
        axes.set_ylim(high - 0.5, -0.5)


def _draw_crops(figure: Figure, one: Band, top: float, height: float, total: float) -> None:
    group = (_WIDTH - 2 * _MARGIN - (TRACKS - 1) * _GAP) / TRACKS
    cell = group / CROPS_OF_TRACK
    for column, (track, shown) in enumerate(one.crops):
        left = _MARGIN + column * (group + _GAP)
        colour = _COLOURS[track % len(_COLOURS)]
        figure.text(
            (left + 0.03) / _WIDTH, (top - 0.17) / total, f"track {track}", fontsize=10,
            va="center", bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
        for place, (frame, image) in enumerate(shown):
            high, wide = image.shape[:2]
            scale = min(_CROP / high, (cell - 0.06) / wide)
            at = left + place * cell
            axes = _axes(figure, at, top - 0.5 - high * scale, wide * scale, high * scale)
            axes.imshow(image, aspect="auto", interpolation="antialiased")
            axes.set_title(f"frame {frame:,}", fontsize=7.5, pad=2, loc="left")
