"""Matching examples, as in WL's Fig. 5: a query and the nearest items of the gallery."""

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
from weakreid.report.looks import differences, looks

FRAMES_OF_TRACKLET, FRAMES_OF_BAG = 4, 8
_LETTERS = 30  # of a caption's line
RIGHT, WRONG, SAME_PERSON = "#2b6cb0", "#c53030", "#ecc94b"


@dataclass(frozen=True)
class Item:
    """A query or a gallery item in a picture.

    Attributes:
        title: what stands above it.
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


def with_looks(
    lines: Sequence[Sequence[Item]],
    rankings: Sequence[dict[str, Any]],
    votes: Mapping[int, Sequence[float]],
    names: Sequence[str],
    threshold: float,
) -> list[list[Item]]:
    """Return rows of tracklets with captions: how the query looks, how each match differs.

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
        captions = [", ".join(looks(query, names, threshold))]
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
    rankings: Sequence[dict[str, Any]], frames_of: pd.Series, items: int
) -> list[list[Item]]:
    """Return a row of tracklets per query.

    Args:
        rankings: rows of the rankings table.
        frames_of: tracklet_id to rows of the image store.
        items: gallery items per query.
    """
    return [
        [
            Item(f"query: person {row['person_id']}", spread(frames_of[row["query"]])),
            *(
                Item(f"tracklet {name}", spread(frames_of[name]), bool(match))
                for name, match in _first(items, row["gallery"], row["matches"])
            ),
        ]
        for row in rankings
    ]


def coarse_examples(
    rankings: Sequence[dict[str, Any]], frames_of: pd.Series, person_of: pd.Series, items: int
) -> list[list[Item]]:
    """Return a row of bags per probe.

    Args:
        rankings: rows of the rankings table.
        frames_of: bag_id to rows of the image store.
        person_of: row of the image store to the person who is there.
        items: gallery bags per probe.
    """
    lines = []
    for row in rankings:
        person = row["person_id"]
        line = [Item(f"probe: person {person}", spread(frames_of[row["query"]]))]
        for name, match, nearest in _first(items, row["gallery"], row["matches"], row["frames"]):
            shown = spread(frames_of[name], FRAMES_OF_BAG, keep=int(nearest))
            marked = frozenset(frame for frame in shown if person_of[frame] == person)
            line.append(Item(f"bag {name}", shown, bool(match), marked, int(nearest)))
        lines.append(line)
    return lines


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


def matching_examples(
    rows: Sequence[Sequence[Item]], picture: Callable[[int], np.ndarray], title: str
) -> Figure:
    """Draw a row per query: the query, then the gallery items nearest to it.

    Blue stands for a correct item, red for a wrong one; a yellow dot marks a frame of the query's
    person, a box the frame that is most similar to the query. Captions, where items have some,
    stand below them.

    Args:
        rows: per query, the query and its nearest items.
        picture: gives a frame as uint8 [H, W, 3].
        title: of the figure.
    """
    columns = max(len(row) for row in rows)
    shown = max(len(item.frames) for row in rows for item in row)
    captioned = any(item.caption for row in rows for item in row)
    figure = Figure(
        figsize=(0.34 * shown * columns + 0.6, (1.25 if captioned else 1.0) * len(rows) + 0.6)
    )
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, line in zip(rows, axes, strict=True):
        for axis in line:
            axis.set_axis_off()
        for item, axis in zip(row, line, strict=False):
            _draw(axis, item, picture)
    figure.suptitle(title, fontsize=9, y=0.94)
    figure.subplots_adjust(wspace=0.08, hspace=0.55 if captioned else 0.28)
    return figure


def _draw(axis: Axes, item: Item, picture: Callable[[int], np.ndarray]) -> None:
    pictures = [picture(frame) for frame in item.frames]
    height, width, _ = pictures[0].shape
    axis.imshow(np.concatenate(pictures, axis=1))
    colour = "black" if item.right is None else RIGHT if item.right else WRONG
    axis.set_title(item.title, fontsize=6, color=colour, pad=2)
    total = width * len(pictures)
    if item.caption:
        text = "\n".join(textwrap.wrap(item.caption, _LETTERS, break_on_hyphens=False))
        axis.text(0, height + 6, text, fontsize=4.5, va="top", linespacing=1.05)
    axis.add_patch(
        Rectangle((-0.5, -0.5), total, height, fill=False, edgecolor=colour, linewidth=1.6)
    )
    for place, frame in enumerate(item.frames):
        left = place * width
        if frame == item.boxed:
            box = (left + 2, 2), width - 5, height - 5
            for edge, thickness in (("white", 2.4), (colour, 1.4)):
                axis.add_patch(Rectangle(*box, fill=False, edgecolor=edge, linewidth=thickness))
        if frame in item.marked:
            axis.plot(left + 0.85 * width, 0.07 * height, "o", color=SAME_PERSON, markersize=3)
