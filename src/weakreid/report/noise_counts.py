"""What a simulation of noisy tracklets gives, beside what was asked and the paper's counts.

TMC, Table 1: a row per noise level, with the rates of Eqs. 7 and 8 (rFM, rSW) and the number of
tracklets.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weakreid.artifacts.files import read_json
from weakreid.errors import ReidError
from weakreid.report.markdown import markdown
from weakreid.report.published import Published

RATES = {"rfm": "rFM", "rsw": "rSW"}
COUNTS = ("tracklets", "persons", "pairs", "frames")
_HEADS = (
    "", "rFM asked", "measured", "off by %", "rSW asked", "measured", "off by %",
    "tracklets paper", "ours", "off by %", "people", "pairs", "frames",
)  # fmt: skip


@dataclass(frozen=True)
class Level:
    """A row: the tracklets of a dataset at a noise level.

    Attributes:
        label: as it is shown.
        dataset: ours.
        published: the paper's name of its set, None where it has none of this data.
        asked: "rfm" and "rsw", None for the tracklets as they are.
        found: "rfm" and "rsw" as measured (None where nobody is known), "tracklets", "persons",
            "pairs" (a person and a camera), "frames"; None without ours.
    """

    label: str
    dataset: str
    published: str | None = None
    asked: Mapping[str, float] | None = None
    found: Mapping[str, float | None] | None = None


def read_levels(rows: Sequence[Mapping[str, Any]], summaries: Sequence[Path]) -> list[Level]:
    """Return the rows of a stage's params with the summaries that they count off.

    Args:
        rows: `label`, `dataset`, `published`, `asked` as of `Level`; `summary`, a number from 0
            or None.
        summaries: JSON files of the stage that makes noisy tracklets.

    Raises:
        ReidError: a number counts no file, or a summary lacks a figure or has one that cannot be.
    """
    levels = []
    for row in rows:
        number = row["summary"]
        if number is not None and not 0 <= number < len(summaries):
            raise ReidError(
                f"row '{row['label']}': counts summary number {number}, but {len(summaries)} are "
                "given, counted from 0; correct the table's rows"
            )
        found = None if number is None else read_summary(summaries[number])
        named = {name: row[name] for name in ("label", "dataset", "published", "asked")}
        levels.append(Level(**named, found=found))
    return levels


def read_summary(path: Path) -> dict[str, float | None]:
    """Read what noisy tracklets are like (see `Level.found`).

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
    title: str, levels: Sequence[Level], published: Published, *, paper: str, table: str
) -> str:
    """Return the noise levels as Markdown, ours beside the paper's.

    Args:
        title: of the table.
        levels: the rows.
        published: the papers' figures.
        paper: whose; its rows are named as its datasets.
        table: of the paper.

    Raises:
        ReidError: the published figures have no such table.
    """
    published.rows(paper, table)

    counts = [_of_paper(level, published, paper, table) for level in levels]
    lines = [_line(level, theirs) for level, theirs in zip(levels, counts, strict=True)]
    datasets = list(dict.fromkeys(level.dataset for level in levels))
    beside = {
        level.dataset for level, theirs in zip(levels, counts, strict=True) if theirs is not None
    }
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
    if text := _largest(levels, counts):
        notes.append(text)
    return f"# {title}\n\n{markdown(_HEADS, lines)}\n" + "".join(f"- {x}\n" for x in notes)


def _of_paper(level: Level, published: Published, paper: str, table: str) -> float | None:
    name = level.published
    return None if name is None else published.value(paper, table, name, name, "tracklets")


def off_by(found: float | None, wanted: float | None) -> float | None:
    """Return how far a figure is from what it should be, in per cent; None where one is unknown."""
    return None if found is None or not wanted else 100 * (found - wanted) / wanted


def _rate(level: Level, name: str) -> tuple[float | None, float | None]:
    """Return what was asked, and what was measured."""
    asked = None if level.asked is None else level.asked[name]
    return asked, None if level.found is None else level.found[name]


def _line(level: Level, theirs: float | None) -> list[str]:
    texts = [level.label]
    for name in RATES:
        asked, found = _rate(level, name)
        texts += ["" if asked is None else f"{asked:g}", "" if found is None else f"{found:.3f}"]
        texts.append(_signed(off_by(found, asked)))
    own = {} if level.found is None else level.found
    texts += ["" if theirs is None else f"{theirs:.0f}", *_whole(own, ["tracklets"])]
    texts.append(_signed(off_by(own.get("tracklets"), theirs)))
    return texts + _whole(own, COUNTS[1:])


def _whole(found: Mapping[str, float | None], names: Sequence[str]) -> list[str]:
    values = (found.get(name) for name in names)
    return ["" if value is None else f"{value:.0f}" for value in values]


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f}"


def _largest(levels: Sequence[Level], counts: Sequence[float | None]) -> str | None:
    """Say how far ours are from what was asked, and from the paper, at the most."""
    rates = {
        shown: [off_by(found, asked) for asked, found in (_rate(o, name) for o in levels)]
        for name, shown in RATES.items()
    }
    tracklets = [
        None if level.found is None else off_by(level.found["tracklets"], theirs)
        for level, theirs in zip(levels, counts, strict=True)
    ]
    texts = []
    for name, values in {**rates, "tracklets": tracklets}.items():
        known = [abs(value) for value in values if value is not None]
        if known:
            texts.append(f"{name} {max(known):.2f} %")
    return f"Farthest off: {', '.join(texts)}." if texts else None
