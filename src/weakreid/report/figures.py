"""What all figures share: colours, text that fits, strips of pictures, and how they are saved.

matplotlib draws them without a screen; the same input gives the same bytes.
"""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from weakreid.artifacts.files import replacing
from weakreid.artifacts.image_store import ImageStore, Pixels

mpl.rcParams["svg.hashsalt"] = "weakreid"
mpl.rcParams["svg.fonttype"] = "none"

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that people tell apart whose eyes mix up red and green (Okabe and Ito)."""
MARKERS = "osD^vPX<>phd"
DASHES = ("-", "--", "-.", ":")
RIGHT, WRONG = PALETTE[0], PALETTE[1]
RIGHT_MARK, WRONG_MARK = "✓", "✗"

DPI = 150
WIDEST, TALLEST = 2400, 2000
"""Pixels of a PNG at most; what is larger at `DPI` is drawn smaller."""
TITLE, NOTE, LABEL = 9.0, 7.0, 6.5
"""Points of a figure's title, of what explains it, and of what names a picture in it."""

IMAGE = 128, 64
"""Height and width of images of people in figures, in pixels."""

_LETTER = 0.58  # of a letter's points, its width at most in most texts
_LEADING = 1.3


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG or PNG, by the file's ending, without a date in it."""
    kind = path.suffix.lstrip(".")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    width, height = figure.get_size_inches()
    dpi = min(DPI, WIDEST / width, TALLEST / height)
    with replacing(path) as aside:
        figure.savefig(aside, format=kind, bbox_inches="tight", metadata=metadata, dpi=dpi)


def style(number: int) -> dict[str, Any]:
    """Return the colour, the marker and the dash of a line; any two of the first 84 differ."""
    return {
        "color": PALETTE[number % len(PALETTE)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number // len(PALETTE) % len(DASHES)],
    }


def bare(axis: Axes) -> None:
    """Take away the frame's upper and right edges, and make the numbers small."""
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def named(panel: Axes, title: str, x: str, y: str) -> None:
    """Name a panel and its axes, of which the first counts in whole numbers; and make it bare."""
    panel.set_title(title, fontsize=9)
    panel.set_xlabel(x, fontsize=8)
    panel.set_ylabel(y, fontsize=8)
    panel.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    bare(panel)


def ruled(panel: Axes) -> None:
    """Draw faint lines at the numbers of the upright axis, behind everything."""
    panel.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    panel.set_axisbelow(True)


def letters_in(inches: float, points: float) -> int:
    """Return how many letters of a size fit a width."""
    return max(1, int(72 * inches / (_LETTER * points)))


def shorten(text: str, most: int) -> str:
    """Return a text of so many letters at most, with … for what is left out of its end."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def camera_name(camera: Any) -> str:
    """Return a camera as pictures name it, where it is known."""
    return "camera unknown" if camera is None or camera != camera else f"camera {int(camera)}"


def images_of(store: ImageStore) -> Callable[[int], Pixels]:
    """Return what gives a row of an image store as figures show it."""
    return lambda row: store.batch([row], *IMAGE)[0]


class Mark(NamedTuple):
    """An entry of a legend of words: the text in its colour."""

    text: str
    colour: str = "#222222"


class Canvas:
    """A figure laid out in inches from its upper left corner: a title, a legend, then pictures.

    Attributes:
        figure: what is drawn on.
        top: where the title and the legend end.
    """

    def __init__(self, title: str, notes: Sequence[Mark], *, width: float, body: float) -> None:
        """Write the title and the legend.

        Args:
            title: broken into lines where it is too long.
            notes: of the legend, one after the other.
            width: of the figure.
            body: height of what comes below.
        """
        lines = _wrapped(title, width, TITLE)
        placed, rows = _placed(notes, width)
        head = 0.05 + len(lines) * _line(TITLE) + rows * _line(NOTE) + 0.1
        self.width, self.height, self.top = width, head + body, head
        self.figure = Figure(figsize=(self.width, self.height))
        self.text(0, 0.05, "\n".join(lines), TITLE)
        above = 0.05 + len(lines) * _line(TITLE)
        for mark, left, row in placed:
            self.text(left, above + row * _line(NOTE), mark.text, NOTE, color=mark.colour)

    def text(self, left: float, top: float, text: str, points: float = LABEL, **more: Any) -> None:
        """Write a text below and to the right of a place."""
        more = {"va": "top", "linespacing": 1.1, "fontsize": points, **more}
        self.figure.text(left / self.width, 1 - top / self.height, text, **more)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes whose upper left corner is at a place."""
        across, down = self.width, self.height
        return self.figure.add_axes(
            (left / across, 1 - (top + height) / down, width / across, height / down)
        )

    def strip(
        self,
        left: float,
        top: float,
        size: tuple[float, float],
        pictures: Sequence[NDArray[np.uint8]],
    ) -> Axes:
        """Draw pictures side by side; return axes in their pixels.

        Args:
            left: of the first one.
            top: of all.
            size: width and height of each.
            pictures: uint8 [H, W, 3], all of one size.
        """
        axis = self.axes(left, top, size[0] * len(pictures), size[1])
        axis.imshow(np.concatenate(pictures, axis=1), aspect="auto")
        axis.set_axis_off()
        return axis


def _placed(notes: Sequence[Mark], width: float) -> tuple[list[tuple[Mark, float, int]], int]:
    """Return a legend's entries with their place and line, long ones broken; and how many lines."""
    gap = 0.25
    found, left, row = [], 0.0, 0
    for mark in notes:
        span = _width(mark.text, NOTE)
        if left and left + span > width:
            left, row = 0.0, row + 1
        if span <= width:
            found.append((mark, left, row))
            left += span + gap
            continue
        for line in _wrapped(mark.text, width, NOTE):
            found.append((Mark(line, mark.colour), 0.0, row))
            row += 1
        left = 0.0
    return found, row + (left > 0)


def _width(text: str, points: float) -> float:
    """Return how wide a text is in inches."""
    return float(TextPath((0, 0), text, size=points).get_extents().width) / 72


def _wrapped(text: str, width: float, points: float) -> list[str]:
    """Return a text in lines that are no wider than so many inches."""
    letters = letters_in(width, points)
    while True:
        lines = textwrap.wrap(text, letters, break_on_hyphens=False)
        if letters == 1 or all(_width(line, points) <= width for line in lines):
            return lines
        letters -= 1


def _line(points: float) -> float:
    """Return the height of a line of text in inches."""
    return _LEADING * points / 72


def mark_box(axis: Axes, place: int, shape: tuple[int, int], colour: str) -> None:
    """Draw a box, with a white rim, around one picture of a strip.

    Args:
        axis: of `Canvas.strip`.
        place: of the picture, from 0.
        shape: height and width of a picture in pixels.
        colour: of the box.
    """
    height, width = shape
    box = (place * width + 1, 1), width - 3, height - 3
    for edge, thickness in (("white", 2.6), (colour, 1.6)):
        axis.add_patch(Rectangle(*box, fill=False, edgecolor=edge, linewidth=thickness))
