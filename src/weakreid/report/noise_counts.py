"""What a simulation of noisy tracklets gives, beside what was asked and the paper's counts.

TMC, Table 1: a row per noise level, with the rates of Eqs. 7 and 8 (rFM, rSW) and the number of
tracklets.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from weakreid.artifacts.files import read_json
from weakreid.config.base import Strict
from weakreid.errors import ReidError
from weakreid.report.markdown import page
from weakreid.report.published import Published

RATES = {"rfm": "rFM", "rsw": "rSW"}
COUNTS = ("tracklets", "persons", "pairs", "frames")
_HEADS = (
    "", "rFM asked", "measured", "off by %", "rSW asked", "measured", "off by %",
    "tracklets paper", "ours", "off by %", "people", "pairs", "frames",
)  # fmt: skip


class Level(Strict):
    """A row: the tracklets of a dataset at a noise level.

    Attributes:
        label: as it is shown.
        dataset: ours.
        published: the paper's name of its set, None where it has none of this data.
        rfm, rsw: as asked, None for the tracklets as they are.
        summary: the place of its summary.
    """

    label: str
    dataset: str
    published: str | None = None
    rfm: float | None = None
    rsw: float | None = None
    summary: int


Summary = Mapping[str, float | None]
"""Of tracklets: "rfm" and "rsw" as measured (None where nobody is known), "tracklets", "persons",
"pairs" (a person and a camera), "frames"."""


def read_summary(path: Path) -> Summary:
    """Read what noisy tracklets are like.

    Raises:
        ReidError: the file is missing or damaged, or lacks a figure, or one cannot be.
    """
    summary = read_json(path, [*RATES, *COUNTS])
    found: dict[str, float | None] = {}
    for name in (*RATES, *COUNTS):
        value = summary[name]
        # nobody is known in a tracker's tracklets
        if value is not None or name not in RATES:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 0 <= value < math.inf:
                raise ReidError(f"{path}: {name} is {value!r}; delete the file and run again")
        found[name] = value
    return found


def noise_counts_table(
    title: str,
    levels: Sequence[Level],
    summaries: Sequence[Summary],
    published: Published,
    *,
    paper: str,
    table: str,
) -> str:
    """Return the noise levels as Markdown, ours beside the paper's.

    Args:
        title: of the table.
        levels: the rows.
        summaries: that the rows count.
        published: the papers' figures.
        paper: whose; its rows are named as its datasets.
        table: of the paper.

    Raises:
        ReidError: the published figures have no such table.
    """
    published.rows(paper, table)
    rows = []
    for level in levels:
        name = level.published
        theirs = None if name is None else published.value(paper, table, name, name, "tracklets")
        rows.append(_Row(level, summaries[level.summary], theirs))
    datasets = list(dict.fromkeys(level.dataset for level in levels))
    beside = {row.level.dataset for row in rows if row.theirs is not None}
    notes = [
        (
            f"Paper: {paper}, Table {table}. Ours: {', '.join(datasets)}, training tracklets. "
            "Off by: of what was asked, or of the paper's count, in per cent."
        ),
        (
            "rFM: tracklets that show a pair of person and camera, mean over pairs (Eq. 7). "
            "rSW: people whom a tracklet shows, mean over tracklets (Eq. 8)."
        ),
    ]
    other = [name for name in datasets if name not in beside]
    if other:
        notes.append(f"The paper has no count for {', '.join(other)}: other data.")
    if text := _largest(rows):
        notes.append(text)
    return page(title, _HEADS, [_line(row) for row in rows], notes)


class _Row(NamedTuple):
    """A level, what was found, and the paper's number of tracklets."""

    level: Level
    found: Summary
    theirs: float | None

    def asked(self, name: str) -> float | None:
        """Return a rate as it was asked."""
        value: float | None = getattr(self.level, name)
        return value

    def off(self, name: str) -> float | None:
        """Return how far a rate, or the number of tracklets, is from what it should be."""
        return off_by(self.found[name], self.theirs if name == "tracklets" else self.asked(name))


def off_by(found: float | None, wanted: float | None) -> float | None:
    """Return how far a figure is from what it should be, in per cent; None where one is unknown."""
    return None if found is None or not wanted else 100 * (found - wanted) / wanted


def _line(row: _Row) -> list[str]:
    texts = [row.level.label]
    for name in RATES:
        texts.append(_text(row.asked(name), "g"))
        texts += [_text(row.found[name], ".3f"), _text(row.off(name), "+.1f")]
    texts += [_text(row.theirs, ".0f"), _text(row.found["tracklets"], ".0f")]
    texts.append(_text(row.off("tracklets"), "+.1f"))
    return texts + [_text(row.found[name], ".0f") for name in COUNTS[1:]]


def _text(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _largest(rows: Sequence[_Row]) -> str | None:
    """Say how far ours are from what was asked, and from the paper, at the most."""
    texts = []
    for name, shown in {**RATES, "tracklets": "tracklets"}.items():
        known = [abs(value) for row in rows if (value := row.off(name)) is not None]
        if known:
            texts.append(f"{shown} {max(known):.2f} %")
    return f"Farthest off: {', '.join(texts)}." if texts else None
