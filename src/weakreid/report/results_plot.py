"""The plot of a results table: over the levels of noise, or over the value that its rows vary."""

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from weakreid.report.figures import bare, ruled, style
from weakreid.report.results import Block, Found, Measure, Row

_TITLES = {"impurity": "impurity after isolation", "clusters": "tracklets after isolation"}
OURS = "ours"
WIDE = 8
"""An axis whose ends differ by more than this factor is logarithmic."""


class _Point(NamedTuple):
    """Where a cell is drawn."""

    x: float
    row: Row
    column: int


def plot(found: Found) -> Figure:
    """Draw a results table.

    A line of panels per dataset, a panel per measure, of the CMC the first rank alone. Over the
    noise levels every row is a line; over a value every level is one, and a row without a value is
    a horizontal line. Bars are standard deviations, the paper's figures open markers of the same
    colour.
    """
    shows = found.shows
    measures = [
        measure
        for measure in shows.measures
        if not measure.metric.startswith("R-") or measure == shows.leading(measure.protocol)
    ]
    figure, panels = _panels(found, measures)
    theirs = False
    for block, measure, panel in panels:
        series = _over_levels(block) if shows.axis is None else _over_values(block)
        for number, (label, points) in enumerate(series.items()):
            theirs |= _draw(found, panel, block, measure, label, points, style(number))
        if shows.axis is None:
            _levels(found, panel, block, measure)
        else:
            theirs |= _across(found, panel, block, measure, shows.axis)
            _values(panel, series, shows.axis)
        if measure.metric != "clusters":
            panel.set_ylim(bottom=0)
        elif shows.axis is not None and is_logarithmic(_heights(panel)):
            panel.set_yscale("log")
    _legend(found, figure, [panel for *_, panel in panels], theirs)
    return figure


def is_logarithmic(values: Sequence[float]) -> bool:
    """Say whether values are spread so widely that a logarithmic axis shows them better."""
    return bool(values) and min(values) > 0 and max(values) > WIDE * min(values)


def _panels(
    found: Found, measures: Sequence[Measure]
) -> tuple[Figure, list[tuple[Block, Measure, Axes]]]:
    """Return an empty figure and its panels with what each shows."""
    blocks = found.shows.blocks
    most = max(len(block.columns) for block in blocks)
    width = 0.75 * most + 0.8 if found.shows.axis is None else 2.9
    lines, across = len(blocks), len(measures)
    if (lines, across) == (1, 4):
        lines, across = 2, 2
    size = (width * across + 1.6, 2.5 * lines + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(lines, across, squeeze=False).ravel()
    shows = list(itertools.product(blocks, measures))
    for (block, measure), panel in zip(shows, axes, strict=True):
        title = _TITLES.get(measure.metric, measure.name)
        panel.set_title(f"{block.dataset}: {title}" if len(blocks) > 1 else title, fontsize=9)
        panel.set_ylabel("number" if measure.metric == "clusters" else "per cent", fontsize=8)
        bare(panel)
        ruled(panel)
    figure.suptitle("\n".join(textwrap.wrap(found.shows.title, int(11 * size[0]))), fontsize=10)
    return figure, [(*show, panel) for show, panel in zip(shows, axes, strict=True)]


def _over_levels(block: Block) -> dict[str, list[_Point]]:
    """Return a line per row, side by side so that the bars of one level do not hide each other."""
    step = min(0.07, 0.5 / len(block.rows))
    return {
        row.label: [
            _Point(level + step * (number - (len(block.rows) - 1) / 2), row, level)
            for level in range(len(block.columns))
        ]
        for number, row in enumerate(block.rows)
    }


def _over_values(block: Block) -> dict[str, list[_Point]]:
    """Return a line per noise level."""
    placed = sorted((row.at, number) for number, row in enumerate(block.rows) if row.at is not None)
    return {
        column.label or OURS: [_Point(at, block.rows[number], level) for at, number in placed]
        for level, column in enumerate(block.columns)
    }


def _draw(
    found: Found,
    panel: Axes,
    block: Block,
    measure: Measure,
    label: str,
    points: Sequence[_Point],
    look: Mapping[str, Any],
) -> bool:
    """Draw figures of ours, the line broken where there is none; say whether the paper has any."""
    ours = [found.ours(row, column, measure) for _, row, column in points]
    if any(figure is not None for figure in ours):
        pairs = [(math.nan, None) if figure is None else figure for figure in ours]
        bars = [math.nan if spread is None else spread for _, spread in pairs]
        panel.errorbar(
            [point.x for point in points], [value for value, _ in pairs], bars, **look,
            markersize=4, linewidth=1.3, capsize=2, elinewidth=0.8, label=label,
        )  # fmt: skip
    theirs = [
        (x, value)
        for x, row, column in points
        if (value := found.papers(row, block.columns[column], measure)) is not None
    ]
    _draw_papers(panel, theirs, look)
    return bool(theirs)


def _draw_papers(
    panel: Axes, points: Sequence[tuple[float, float]], look: Mapping[str, Any]
) -> None:
    if points:
        panel.plot(
            *zip(*points, strict=True), linestyle="none", marker=look["marker"], markersize=6.5,
            markerfacecolor="none", markeredgecolor=look["color"], markeredgewidth=1.0,
        )  # fmt: skip


def _across(found: Found, panel: Axes, block: Block, measure: Measure, axis: str) -> bool:
    """Draw rows without a value: ours as a horizontal line, the paper's where it says its value.

    Say whether there is one of the paper.
    """
    theirs = False
    for row in (row for row in block.rows if row.at is None):
        for number, column in enumerate(block.columns):
            look = style(number)
            figure = found.ours(row, number, measure)
            if figure is not None:
                name = row.label if len(block.columns) == 1 else f"{row.label}, {column.label}"
                panel.axhline(
                    figure[0], color=look["color"], linestyle="--", linewidth=1.0, label=name
                )
            value = found.of_paper(row, column, axis)
            point = found.papers(row, column, measure)
            if value is not None and point is not None:
                _draw_papers(panel, [(value, point)], {**look, "marker": "*"})
                theirs = True
    return theirs


def _levels(found: Found, panel: Axes, block: Block, measure: Measure) -> None:
    """Name the noise levels below a panel, and draw chance."""
    levels = range(len(block.columns))
    chance = found.chance(block, levels, measure)
    if chance is not None:
        panel.axhline(chance, color="#555555", linestyle=":", linewidth=1.0, label="chance")
    panel.set_xticks(
        list(levels), labels=[column.label.replace(", ", "\n") for column in block.columns]
    )
    panel.set_xlabel("noise of the tracklets", fontsize=8)
    panel.set_xlim(-0.5, len(block.columns) - 0.5)


def _values(panel: Axes, series: Mapping[str, Sequence[_Point]], axis: str) -> None:
    """Name the values below a panel."""
    x = sorted({point.x for points in series.values() for point in points})
    if is_logarithmic(x):
        panel.set_xscale("log", base=2)
    gaps = [after - before for before, after in itertools.pairwise(x)]
    close = bool(gaps) and min(gaps) < 0.15 * (x[-1] - x[0]) and not is_logarithmic(x)
    panel.set_xticks(x, labels=[f"{value:g}" for value in x], rotation=45 if close else 0)
    panel.minorticks_off()
    panel.set_xlabel(axis, fontsize=8)


def _heights(panel: Axes) -> list[float]:
    """Return the values of what is drawn."""
    drawn = np.array([y for line in panel.lines for y in np.asarray(line.get_ydata(), float)])
    found: list[float] = drawn[np.isfinite(drawn)].tolist()
    return found


def _legend(found: Found, figure: Figure, panels: Sequence[Axes], theirs: bool) -> None:
    """Name every line once, beside the panels, those across them last."""
    named: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            # of points with bars, the line alone
            named.setdefault(label, getattr(handle, "lines", [handle])[0])
    shows = found.shows
    lines = [row.label for block in shows.blocks for row in block.rows]
    if shows.axis is not None:
        lines = [column.label or OURS for block in shows.blocks for column in block.columns]
    labels = list(dict.fromkeys([*(label for label in lines if label in named), *named]))
    handles = [named[label] for label in labels]
    if theirs:
        own = all(block.own for block in shows.blocks)
        labels.append(shows.place if own else f"{shows.place} (other data)")
        handles.append(
            Line2D(
                [], [], linestyle="none", marker="o", markersize=6.5, markerfacecolor="none",
                markeredgecolor="#333333",
            )
        )  # fmt: skip
    if handles:
        figure.legend(handles, labels, loc="outside right upper", fontsize=7.5, frameon=False)
