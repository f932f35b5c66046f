"""Figures of a grid: over the levels of noise, or over the value that its rows sweep."""

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from weakreid.report import figures
from weakreid.report.figures import bare
from weakreid.report.grid import (
    ISOLATED,
    PROTOCOL,
    Block,
    Grid,
    Line,
    chance_of,
    check_paper,
    ours,
    papers,
)
from weakreid.report.published import Published
from weakreid.report.sweeps import is_logarithmic, swept

_TITLES = {"noise": "noise after isolation", "clusters": "tracklets after isolation"}


def grid_figure(grid: Grid, published: Published) -> Figure:
    """Draw a grid: over the noise levels, or over the swept value where the grid has an axis.

    A line of panels per dataset, a panel per metric. Over the noise levels every row is a line;
    over a swept value every noise level is one, and a row without a value (a label without "=")
    is a horizontal line. Bars are standard deviations; the paper's figures are open markers of
    the same colour.

    Raises:
        ReidError: a label that is to be placed has no number after "=", no row has one, or the
            published figures have no such table.
    """
    check_paper(grid, published)
    if grid.axis is None:
        return _over_levels(grid, published)
    return _over_values(grid, published, grid.axis)


def _panels(grid: Grid, width: float) -> tuple[Figure, list[tuple[Block, str, Axes]]]:
    """Return an empty figure and its panels with what each shows."""
    blocks, metrics = len(grid.blocks), len(grid.metrics)
    # four panels of one dataset make a square
    lines, across = (2, 2) if (blocks, metrics) == (1, 4) else (blocks, metrics)
    size = (width * across + 1.6, 2.5 * lines + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(lines, across, squeeze=False).ravel()
    shows = [(block, metric) for block in grid.blocks for metric in grid.metrics]
    panels = [(*show, panel) for show, panel in zip(shows, axes, strict=True)]
    for block, metric, panel in panels:
        title = _TITLES.get(metric, f"{PROTOCOL} {metric}")
        panel.set_title(f"{block.name}: {title}" if blocks > 1 else title, fontsize=9)
        panel.set_ylabel("number" if metric == "clusters" else "per cent", fontsize=8)
        bare(panel)
        panel.grid(axis="y", color="#e6e6e6", linewidth=0.6)
        panel.set_axisbelow(True)
    figure.suptitle("\n".join(textwrap.wrap(grid.title, int(11 * size[0]))), fontsize=10)
    return figure, panels


def _over_levels(grid: Grid, published: Published) -> Figure:
    figure, panels = _panels(grid, 0.75 * len(grid.columns) + 0.8)
    levels = range(len(grid.columns))
    # side by side, so that the bars of one level do not hide each other
    step = min(0.07, 0.5 / len(grid.rows))
    theirs = False
    for block, metric, panel in panels:
        for number, row in enumerate(grid.rows):
            shift = step * (number - (len(grid.rows) - 1) / 2)
            x = [level + shift for level in levels]
            found = [ours(grid, block.name, row, level, metric) for level in levels]
            _draw(panel, x, found, figures.style(number), row.label)
            points = [papers(grid, published, row, column, metric) for column in grid.columns]
            theirs |= _draw_papers(panel, x, points, figures.style(number))
        chance = chance_of(grid, block, None, metric)
        if chance is not None:
            panel.axhline(chance, color="#555555", linestyle=":", linewidth=1.0, label="chance")
        panel.set_xticks(
            list(levels), labels=[column.label.replace(", ", "\n") for column in grid.columns]
        )
        panel.set_xlabel("noise of the tracklets", fontsize=8)
        panel.set_xlim(-0.5, len(grid.columns) - 0.5)
        if metric not in ISOLATED:
            panel.set_ylim(bottom=0)
    _legend(grid, figure, panels, theirs)
    return figure


def _over_values(grid: Grid, published: Published, axis: str) -> Figure:
    # a label without "=" names a row that has no value; one with a wrong value is refused
    placed = [row for row in grid.rows if "=" in row.label]
    lines = [row for row in grid.rows if "=" not in row.label]
    if not placed:
        swept(grid.rows[0].label if grid.rows else "")
    placed.sort(key=lambda row: swept(row.label)[1])
    x = [swept(row.label)[1] for row in placed]
    figure, panels = _panels(grid, 2.9)
    theirs = False
    for block, metric, panel in panels:
        shown: list[float] = []
        for number, column in enumerate(grid.columns):
            style = figures.style(number)
            found = [ours(grid, block.name, row, number, metric) for row in placed]
            points = [papers(grid, published, row, column, metric) for row in placed]
            _draw(panel, x, found, style, column.label)
            theirs |= _draw_papers(panel, x, points, style)
            shown += [value[0] for value in found if value is not None]
            shown += [value for value in points if value is not None]
            for row in lines:
                theirs |= _draw_level(grid, published, panel, block, row, number, metric, axis)
        if metric == "clusters" and shown and is_logarithmic(shown):
            panel.set_yscale("log")
        panel.set_xlabel(axis, fontsize=8)
        close = min((b - a for a, b in itertools.pairwise(x)), default=math.inf) < 0.15 * (
            x[-1] - x[0]
        )
        panel.set_xticks(x, labels=[f"{value:g}" for value in x], rotation=45 if close else 0)
        if metric != "clusters":
            panel.set_ylim(bottom=0)
    _legend(grid, figure, panels, theirs)
    return figure


def _draw(
    panel: Axes,
    x: Sequence[float],
    found: Sequence[tuple[float, float | None] | None],
    style: Mapping[str, Any],
    label: str,
) -> None:
    """Draw figures of ours; the line is broken where there is none."""
    if all(value is None for value in found):
        return
    y = [math.nan if value is None else value[0] for value in found]
    bars = [math.nan if value is None or value[1] is None else value[1] for value in found]
    panel.errorbar(
        x, y, bars, **style, markersize=4, linewidth=1.3, capsize=2, elinewidth=0.8, label=label
    )


def _draw_papers(
    panel: Axes, x: Sequence[float], points: Sequence[float | None], style: Mapping[str, Any]
) -> bool:
    """Draw figures of the paper; say whether there are any."""
    known = [(place, point) for place, point in zip(x, points, strict=True) if point is not None]
    if known:
        places, values = zip(*known, strict=True)
        panel.plot(
            places, values, linestyle="none", marker=style["marker"], markersize=6.5,
            markerfacecolor="none", markeredgecolor=style["color"], markeredgewidth=1.0,
        )  # fmt: skip
    return bool(known)


def _draw_level(
    grid: Grid, published: Published, panel: Axes, block: Block, row: Line, number: int,
    metric: str, axis: str,
) -> bool:  # fmt: skip
    """Draw a row without a value: ours as a horizontal line, the paper's where it says its value.

    Say whether there is one of the paper.
    """
    column, style = grid.columns[number], figures.style(number)
    found = ours(grid, block.name, row, number, metric)
    if found is not None:
        name = row.label if len(grid.columns) == 1 else f"{row.label}, {column.label}"
        panel.axhline(found[0], color=style["color"], linestyle="--", linewidth=1.0, label=name)
    if grid.paper is None or grid.table is None or column.published is None:
        return False
    value = published.value(grid.paper, grid.table, row.label, column.published, axis)
    point = papers(grid, published, row, column, metric)
    if value is None or point is None:
        return False
    return _draw_papers(panel, [value], [point], {**style, "marker": "*"})


def _legend(
    grid: Grid, figure: Figure, panels: Sequence[tuple[Block, str, Axes]], theirs: bool
) -> None:
    """Name every line once, beside the panels."""
    named: dict[str, Any] = {}
    for _, _, panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            # of points with bars, the line alone
            named.setdefault(label, getattr(handle, "lines", [handle])[0])
    order = [row.label for row in grid.rows] if grid.axis is None else []
    order += [column.label for column in grid.columns] if grid.axis is not None else []
    labels = [label for label in order if label in named]
    labels += [label for label in named if label not in labels]
    handles = [named[label] for label in labels]
    if theirs:
        own = all(block.own for block in grid.blocks)
        labels.append(grid.place if own else f"{grid.place} (other data)")
        handles.append(
            Line2D(
                [], [], linestyle="none", marker="o", markersize=6.5, markerfacecolor="none",
                markeredgecolor="#333333",
            )
        )  # fmt: skip
    if handles:
        figure.legend(handles, labels, loc="outside right upper", fontsize=7.5, frameon=False)
