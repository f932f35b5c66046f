"""Examples of transferred attributes (ATTR, Fig. 5): a person, and what each transfer sees.

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from weakreid.attributes import GROUPS, NAMES, UNSURE
from weakreid.errors import ReidError
from weakreid.report.attribute_words import word
from weakreid.report.figures import (
    LABEL,
    RIGHT,
    RIGHT_MARK,
    WRONG,
    WRONG_MARK,
    Canvas,
    Mark,
    letters_in,
    shorten,
)
from weakreid.report.matches import spread
from weakreid.retrieval.by_attribute import label_table

Truth = Literal["right", "wrong", "open", "unknown"]

_MARKS: Mapping[Truth, str] = {
    "right": RIGHT_MARK,
    "wrong": WRONG_MARK,
    "open": "?",
    "unknown": "",
}
_COLOURS: Mapping[Truth, str] = {
    "right": RIGHT,
    "wrong": WRONG,
    "open": "#666666",
    "unknown": "#222222",
}
_FONT = "DejaVu Sans Mono"  # of one width per letter: words are placed by counting them
_SIZE = 6.5  # points
_LETTER = 0.6021 * _SIZE / 72  # inches
_LINE = 0.125  # inches
_LETTERS = 38  # of a transfer's column
_FRAME = 0.5, 1.0  # inches, width and height
_NAME, _GAP = 0.13, 0.15
_HEADS = 0.2


@dataclass(frozen=True)
class Word:
    """An attribute that a transfer found.

    Attributes:
        text: as it is shown.
        everywhere: whether every transfer found it.
        truth: what the truth says of it; "open": it was left open, "unknown": no truth.
    """

    text: str
    everywhere: bool
    truth: Truth = "unknown"

    @property
    def marked(self) -> str:
        """The text with the truth's mark before it."""
        return _MARKS[self.truth] + self.text


@dataclass(frozen=True)
class Example:
    """A person: some frames, and by column the words of each group."""

    person: int
    images: tuple[int, ...]
    columns: tuple[tuple[tuple[Word, ...], ...], ...]


def label_matrix(labels: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return labels as `retrieval.by_attribute.label_table`, the attributes in ATTR's order.

    Raises:
        ReidError: see there.
    """
    table = label_table(labels, where)
    names = list(table.columns)
    return table[[name for name in NAMES if name in names] + [n for n in names if n not in NAMES]]


def disagreement(transfers: Sequence[pd.DataFrame], persons: Sequence[int]) -> NDArray[np.int64]:
    """Return, per person, of how many attributes that all transfers have they say different things.

    Args:
        transfers: of `label_matrix`.
        persons: rows that every one of them has.
    """
    shared = set.intersection(*(set(table.columns) for table in transfers))
    names = [name for name in transfers[0].columns if name in shared]
    stack = np.stack([table.loc[list(persons), names].to_numpy() for table in transfers])
    return (stack.max(axis=0) != stack.min(axis=0)).sum(axis=1)


def choose(transfers: Mapping[str, pd.DataFrame], tracklets: pd.DataFrame, count: int) -> list[int]:
    """Return the training persons on whom transfers disagree most, of equals the lower id.

    Args:
        transfers: of `label_matrix`, by name.
        tracklets: table "tracklets".
        count: so many at most.

    Raises:
        ReidError: there is no training person, or a transfer has no labels of one.
    """
    training = tracklets[(tracklets["role"] == "train") & (tracklets["person_id"] > 0)]
    persons = np.unique(training["person_id"])
    if not len(persons):
        raise ReidError("no tracklet of role 'train' has a person: there is nobody to show")
    for name, table in transfers.items():
        lacking = np.setdiff1d(persons, table.index.to_numpy())
        if len(lacking):
            raise ReidError(
                f"{name}: no labels of training person {lacking[0]} ({len(lacking)} such); give "
                "labels of this dataset"
            )
    order = np.argsort(-disagreement(list(transfers.values()), persons.tolist()), kind="stable")
    return [int(person) for person in persons[order][:count]]


def examples(
    transfers: Mapping[str, pd.DataFrame],
    persons: Sequence[int],
    images: Mapping[int, Sequence[int]],
    frames: int,
    truth: pd.DataFrame | None = None,
) -> list[Example]:
    """Return what the picture shows of persons; the truth, where known, is the last column.

    Args:
        transfers: of `label_matrix`, by name.
        persons: of `choose`.
        images: of every person, rows of the image store.
        frames: so many of them at most.
        truth: of `label_matrix`, or None.

    Raises:
        ReidError: the truth lacks a person.
    """
    found = []
    for person in persons:
        said = [_words(table, person) for table in transfers.values()]
        everywhere = set.intersection(*(set(words) for words in said))
        real: dict[str, int] = {}
        if truth is not None:
            if person not in truth.index:
                raise ReidError(f"the true labels lack person {person}; give those of this dataset")
            real = _labels(truth, person)
            said.append(_words(truth, person))
        columns = [_column(words, everywhere, real) for words in said]
        found.append(Example(person, tuple(spread(images[person], frames)), tuple(columns)))
    return found


def _labels(table: pd.DataFrame, person: int) -> dict[str, int]:
    return dict(zip(table.columns, table.loc[person].to_numpy().tolist(), strict=True))


def _words(table: pd.DataFrame, person: int) -> dict[tuple[str, int], str]:
    """Return the words of a person's labels, by attribute and label."""
    found = {}
    for name, label in _labels(table, person).items():
        said = None if label == UNSURE else word(name, label == 1)
        if said is not None:
            found[name, label] = said
    return found


def _column(
    words: Mapping[tuple[str, int], str],
    everywhere: set[tuple[str, int]],
    truth: Mapping[str, int],
) -> tuple[tuple[Word, ...], ...]:
    """Return words by group, in the groups' order; what is in no group comes last."""
    groups: dict[str, list[Word]] = {group: [] for group in GROUPS}
    group_of = {name: group for group, names in GROUPS.items() for name in names}
    for (name, label), text in words.items():
        one = Word(text, (name, label) in everywhere, _judged(label, truth.get(name)))
        groups.setdefault(group_of.get(name, ""), []).append(one)
    return tuple(tuple(group) for group in groups.values() if group)


def _judged(label: int, truth: int | None) -> Truth:
    if truth is None:
        return "unknown"
    if truth == UNSURE:
        return "open"
    return "right" if truth == label else "wrong"


def lines_of(group: Sequence[Word], letters: int = _LETTERS) -> list[list[Word]]:
    """Break a group's words into lines of so many letters at most."""
    lines: list[list[Word]] = []
    used = 0
    for one in group:
        length = len(one.marked) + 2
        if not lines or used + length > letters:
            lines.append([])
            used = 0
        lines[-1].append(one)
        used += length
    return lines


def sheet(
    found: Sequence[Example],
    heads: Sequence[str],
    picture: Callable[[int], NDArray[np.uint8]],
    title: str,
    *,
    truth: bool,
) -> Figure:
    """Draw a row per person: frames, and beside them a column of words per transfer.

    Args:
        found: of `examples`.
        heads: of the columns, without that of the truth.
        picture: gives an image as uint8 [H, W, 3], all of one size.
        title: of the figure.
        truth: whether the last column is the truth.
    """
    heads = [*heads, "truth"] if truth else list(heads)
    most = max(len(one.images) for one in found)
    strip, column = _FRAME[0] * most, _LETTER * _LETTERS + _GAP
    heights = [
        max(_FRAME[1] + _NAME, _LINE * max(_count(words) for words in one.columns)) + _GAP
        for one in found
    ]
    width = strip + _GAP + column * len(heads)
    notes = legend(found, len(heads) - truth)
    canvas = Canvas(title, notes, width=width, body=_HEADS + sum(heights))
    for place, head in enumerate(heads):
        left = strip + _GAP + place * column
        text = shorten(head, letters_in(column, 9))
        canvas.text(left, canvas.top, text, 8, weight="bold")
    top = canvas.top + _HEADS
    for one, own in zip(found, heights, strict=True):
        canvas.text(0, top, f"person {one.person}", LABEL)
        canvas.strip(0, top + _NAME, _FRAME, [picture(image) for image in one.images])
        for place, groups in enumerate(one.columns):
            _write(canvas, groups, strip + _GAP + place * column, top)
        top += own
    return canvas.figure


def legend(found: Sequence[Example], transfers: int) -> list[Mark]:
    """Return what the marks in a picture mean."""
    words = (said for one in found for column in one.columns for group in column for said in group)
    held = {said.truth for said in words}
    parts = [Mark("a column: the attributes that a transfer found in the person")]
    parts += [Mark("bold: not every transfer found it")] if transfers > 1 else []
    if "right" in held or "wrong" in held:
        parts += [
            Mark(f"{RIGHT_MARK} blue: right", RIGHT),
            Mark(f"{WRONG_MARK} orange: wrong", WRONG),
        ]
    if "open" in held:
        parts.append(Mark("? grey: the truth was left open", _COLOURS["open"]))
    return parts


def _count(groups: Sequence[Sequence[Word]]) -> int:
    return sum(len(lines_of(group)) for group in groups)


def _write(canvas: Canvas, groups: Sequence[Sequence[Word]], left: float, top: float) -> None:
    """Write groups of words below each other."""
    for line in (line for group in groups for line in lines_of(group)):
        at = left
        for place, one in enumerate(line):
            text = one.marked + ("," if place < len(line) - 1 else "")
            weight = "normal" if one.everywhere else "bold"
            colour = _COLOURS[one.truth]
            canvas.text(at, top, text, _SIZE, family=_FONT, weight=weight, color=colour)
            at += (len(text) + 1) * _LETTER
        top += _LINE


def images_of(
    frames: pd.DataFrame, tracklets: pd.DataFrame, persons: Sequence[int]
) -> dict[int, list[int]]:
    """Return the images of some training persons, tracklet by tracklet, in time order."""
    training = tracklets[(tracklets["role"] == "train") & tracklets["person_id"].isin(persons)]
    owner = training.set_index("tracklet_id")["person_id"]
    rows = frames[frames["tracklet_id"].isin(owner.index)]
    rows = rows.sort_values(["tracklet_id", "position"])
    of_person: dict[Any, pd.Series] = dict(
        iter(rows.groupby(rows["tracklet_id"].map(owner))["image"])
    )
    return {int(person): images.tolist() for person, images in of_person.items()}
