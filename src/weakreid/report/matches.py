"""Matching examples, as in WL's Fig. 5: a query and the nearest items of the gallery.

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from weakreid.errors import ReidError
from weakreid.report.attribute_words import appearance, differences
from weakreid.report.figures import (
    LABEL,
    RIGHT,
    RIGHT_MARK,
    WRONG,
    WRONG_MARK,
    Canvas,
    Mark,
    camera_name,
    letters_in,
    mark_box,
    shorten,
)

FRAMES_OF_TRACKLET, FRAMES_OF_BAG = 4, 8
SAME_PERSON = "#f0e442"
_FRAME = 0.35, 0.7  # inches, width and height
_GAP = 0.12  # between two items, and below a row
_LEAST = 1.4  # of an item, for its title
_TITLE = 0.25  # inches, two lines above an item
_LINE = 0.1  # of a caption below it
_CAPTION = 6.0  # points


@dataclass(frozen=True)
class Item:
    """A query or a gallery item in a picture.

    Attributes:
        title: what stands above it, two lines.
        frames: rows of the image store to show.
        right: whether it is a correct answer; None for a query.
        marked: frames of the query's person (yellow dots).
        boxed: the frame that is most similar to the query, None for no box.
        caption: what stands below it.
    """

    title: str
    frames: Sequence[int]
    right: bool | None = None
    marked: frozenset[int] = frozenset()
    boxed: int | None = None
    caption: str = ""


def with_attributes(
    lines: Sequence[Sequence[Item]],
    rankings: Sequence[dict[str, Any]],
    votes: Mapping[int, Sequence[float]],
    names: Sequence[str],
    threshold: float,
) -> list[list[Item]]:
    """Return rows of tracklets with captions: the query's attributes, and how each match differs.

    A tracklet without votes (a distractor) gets none.

    Args:
        lines: of `fine_examples`.
        rankings: the rows of the rankings table that they were made of.
        votes: by tracklet, the probabilities of its attributes.
        names: of the attributes.
        threshold: from which an attribute counts as there.

    Raises:
        ReidError: a query has no votes.
    """
    found = []
    for line, row in zip(lines, rankings, strict=True):
        query = votes.get(row["query"])
        if query is None:
            raise ReidError(
                f"the votes have no tracklet {row['query']}, a query; give those of this dataset"
            )
        captions = [", ".join(appearance(query, names, threshold))]
        for other in row["gallery"][: len(line) - 1]:
            probabilities = votes.get(other)
            if probabilities is None:
                captions.append("")
            else:
                differ = differences(query, probabilities, names, threshold)
                captions.append(", ".join(differ) or "looks the same")
        found.append(
            [replace(item, caption=text) for item, text in zip(line, captions, strict=True)]
        )
    return found


def fine_examples(
    rankings: Sequence[dict[str, Any]],
    tracklets: pd.DataFrame,
    frames_of: Mapping[Any, Sequence[int]],
    items: int,
) -> list[list[Item]]:
    """Return a row of tracklets per query.

    Args:
        rankings: rows of the rankings table.
        tracklets: table "tracklets", indexed by tracklet_id.
        frames_of: tracklet_id to rows of the image store.
        items: gallery items per query.
    """
    people, cameras = tracklets["person_id"].to_dict(), tracklets["camera_id"].to_dict()
    lines = []
    for row in rankings:
        query = row["query"]
        where = f"{camera_name(cameras.get(query))}, tracklet {query}"
        line = [Item(f"query: {_who(row['person_id'])}\n{where}", spread(frames_of[query]))]
        first = _first(items, row["gallery"], row["distances"], row["matches"])
        for rank, (name, distance, match) in enumerate(first, start=1):
            title = (
                f"{rank}. {distance:.3f}, {_who(people[name])}\n"
                f"{camera_name(cameras.get(name))}, tracklet {name}"
            )
            line.append(Item(title, spread(frames_of[name]), bool(match)))
        lines.append(line)
    return lines


def coarse_examples(
    rankings: Sequence[dict[str, Any]], bags: pd.DataFrame, person_of: pd.Series, items: int
) -> list[list[Item]]:
    """Return a row of bags per probe.

    Args:
        rankings: rows of the rankings table.
        bags: table "bags" of the coarse test set, indexed by bag_id.
        person_of: row of the image store to the person who is there.
        items: gallery bags per probe.
    """
    frames_of, cameras = bags["frames"].to_dict(), bags["camera_id"].to_dict()
    lines = []
    for row in rankings:
        person, probe = row["person_id"], row["query"]
        where = f"{camera_name(cameras.get(probe))}, bag {probe}"
        line = [Item(f"probe: {_who(person)}\n{where}", spread(frames_of[probe]))]
        first = _first(items, row["gallery"], row["distances"], row["matches"], row["frames"])
        for rank, (name, distance, match, nearest) in enumerate(first, start=1):
            shown = spread(frames_of[name], FRAMES_OF_BAG, keep=int(nearest))
            marked = frozenset(frame for frame in shown if person_of[frame] == person)
            title = f"{rank}. {distance:.3f}\n{camera_name(cameras.get(name))}, bag {name}"
            line.append(Item(title, shown, bool(match), marked, int(nearest)))
        lines.append(line)
    return lines


def _who(person: int) -> str:
    """Return a person as pictures name it: 0 is a distractor, as in MARS."""
    return f"person {person}" if person > 0 else "distractor"


def _first(count: int, *columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*columns, strict=True))[:count]


def spread(
    frames: Sequence[int], count: int = FRAMES_OF_TRACKLET, keep: int | None = None
) -> list[int]:
    """Return `count` frames evenly spread over those given, with `keep` among them.

    A bag may hold a part of a tracklet, and a clip of it another frame: then `keep` stands in the
    place of the frame that is nearest in the image store.
    """
    rows = [int(frame) for frame in frames]
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    shown = [rows[place] for place in places]
    if keep is not None and keep not in shown:
        far = places - rows.index(keep) if keep in rows else np.array(shown) - keep
        shown[int(np.abs(far).argmin())] = keep
    return shown


def legend(rows: Sequence[Sequence[Item]], numbers: str) -> list[Mark]:
    """Return what the marks in a picture mean, of those that are in it.

    Args:
        rows: of the picture.
        numbers: what the number above an item is.
    """
    items = [item for row in rows for item in row]
    in_bags = any(item.boxed is not None for item in items)
    asked = "probe" if in_bags else "query"
    found = [Mark(f"left: the {asked}; then the nearest, nearest first, with their {numbers}")]
    if any(item.right is not None for item in items):
        right, wrong = f"the {asked}'s person", "somebody else"
        if in_bags:
            right, wrong = f"{right} is in the bag", f"{right} is not in the bag"
        found.append(Mark(f"{RIGHT_MARK} blue, solid: {right}", RIGHT))
        found.append(Mark(f"{WRONG_MARK} orange, dashed: {wrong}", WRONG))
    if in_bags:
        found.append(Mark(f"box: the frame nearest to the {asked}"))
        found.append(Mark(f"yellow dot: a frame of the {asked}'s person"))
    if any(item.caption for item in items):
        found.append(
            Mark(
                "below: what the query seems to look like, and what only the match, +, or only the "
                "query, −, seems to have"
            )
        )
    return found


def matching_examples(
    rows: Sequence[Sequence[Item]],
    picture: Callable[[int], np.ndarray],
    title: str,
    numbers: str,
) -> Figure:
    """Draw a row per query: the query, then the gallery items nearest to it.

    Captions, where items have some, stand below them; `legend` says what the marks mean.

    Args:
        rows: per query, the query and its nearest items.
        picture: gives a frame as uint8 [H, W, 3], all of one size.
        title: of the figure.
        numbers: what the number above an item is, such as "cosine distance".
    """
    columns = max(len(row) for row in rows)
    spans = [
        max(_LEAST, _FRAME[0] * max(len(row[column].frames) for row in rows if column < len(row)))
        for column in range(columns)
    ]
    captions = [
        [_wrapped(item.caption, span) for item, span in zip(row, spans, strict=False)]
        for row in rows
    ]
    heights = [_TITLE + _FRAME[1] + _LINE * max(map(len, row)) + _GAP for row in captions]
    # room for the title, however little is shown
    width = max(sum(spans) + _GAP * (columns - 1), 5.0)
    canvas = Canvas(title, legend(rows, numbers), width=width, body=sum(heights))
    top = canvas.top
    for row, own, height in zip(rows, captions, heights, strict=True):
        left = 0.0
        for item, lines, span in zip(row, own, spans, strict=False):
            _draw(canvas, item, left, top, span, picture)
            below = top + _TITLE + _FRAME[1] + 0.04
            canvas.text(left, below, "\n".join(lines), _CAPTION)
            left += span + _GAP
        top += height
    return canvas.figure


def _wrapped(caption: str, inches: float) -> list[str]:
    return textwrap.wrap(caption, letters_in(inches, _CAPTION), break_on_hyphens=False)


def _draw(
    canvas: Canvas,
    item: Item,
    left: float,
    top: float,
    span: float,
    picture: Callable[[int], np.ndarray],
) -> None:
    pictures = [picture(frame) for frame in item.frames]
    height, width, _ = pictures[0].shape
    colour, mark = "#222222", ""
    if item.right is not None:
        colour = RIGHT if item.right else WRONG
        mark = f"{RIGHT_MARK if item.right else WRONG_MARK} "
    title = "\n".join(
        shorten(line, letters_in(span, LABEL)) for line in f"{mark}{item.title}".split("\n")
    )
    canvas.text(left, top, title, LABEL, color=colour)
    axis = canvas.strip(left, top + _TITLE, _FRAME, pictures)
    edge = Rectangle(
        (-0.5, -0.5), width * len(pictures), height, fill=False, edgecolor=colour, linewidth=1.8,
        linestyle="--" if item.right is False else "-",
    )  # fmt: skip
    axis.add_patch(edge)
    _mark(axis, item, (height, width))


def _mark(axis: Axes, item: Item, shape: tuple[int, int]) -> None:
    height, width = shape
    for place, frame in enumerate(item.frames):
        if frame == item.boxed:
            mark_box(axis, place, shape, RIGHT if item.right else WRONG)
        if frame in item.marked:
            axis.plot(
                (place + 0.85) * width, 0.07 * height, "o", color=SAME_PERSON, markersize=4,
                markeredgecolor="black", markeredgewidth=0.6,
            )  # fmt: skip
