"""Plots of a swept value: ours as a line with its deviation, the paper's points beside it."""

import math
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weakreid.errors import ReidError
from weakreid.report.figures import PALETTE, bare
from weakreid.report.published import Published
from weakreid.report.study import Dataset, Study, measured, metric_name

OURS, PAPER = PALETTE[0], PALETTE[1]
FIRST_RANK = 1
WIDE = 8
"""A sweep whose ends differ by more than this factor has a logarithmic axis."""

_VALUE = re.compile(r"\s*(.*?)\s*=\s*([-+0-9.eE]+)\s*")


def sweep_figure(study: Study, published: Published, axis: str | None = None) -> Figure:
    """Draw rank-1 and mAP of every protocol over the number in the rows' labels.

    A line of panels per dataset. Ours is a line with the standard deviation as error bars, the
    paper's figures are open markers.

    Args:
        study: whose rows are labelled like "k = 5"; must have rank 1 where it has figures.
        published: the paper's figures.
        axis: what stands below the panels; None for what stands before "=" in the first label.

    Raises:
        ReidError: a label has no number after "=", or the published figures have no such table.
    """
    published.rows(study.paper, study.table)
    found = [swept(row.label) for row in study.rows]
    values = [value for _, value in found]
    panels = [(protocol, rank) for protocol in study.protocols for rank in (FIRST_RANK, None)]
    size = (3.2 * len(panels), 2.6 * len(study.datasets) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(study.datasets), len(panels), squeeze=False)
    for dataset, line in zip(study.datasets, grid, strict=True):
        for (protocol, rank), panel in zip(panels, line, strict=True):
            _draw(panel, study, published, dataset, values, protocol, rank)
            name = metric_name(protocol, rank)
            several = len(study.datasets) > 1
            panel.set_title(f"{dataset.name}: {name}" if several else name, fontsize=9)
            panel.set_xlabel(axis or found[0][0], fontsize=8)
            panel.set_ylabel("per cent", fontsize=8)
    named: dict[str, Any] = {}
    for panel in grid.ravel():
        named |= {
            label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
    if named:
        figure.legend(
            list(named.values()), list(named), loc="outside lower left", ncols=3, fontsize=7.5,
            frameon=False,
        )  # fmt: skip
    figure.suptitle("\n".join(textwrap.wrap(study.title, int(11 * size[0]))), fontsize=10)
    return figure


def swept(label: str) -> tuple[str, float]:
    """Return what a row sweeps and its value: "k = 5" is ("k", 5.0).

    Raises:
        ReidError: the label has no number after "=".
    """
    fits = _VALUE.fullmatch(label)
    try:
        value = float(fits[2]) if fits else math.nan
    except ValueError:
        value = math.nan
    if fits is None or not math.isfinite(value):
        raise ReidError(
            f"row '{label}' has no place on an axis; name it after its value, such as 'k = 5'"
        )
    return fits[1], value


def is_logarithmic(values: Sequence[float]) -> bool:
    """Say whether values are spread so widely that an axis to base 2 shows them better."""
    return min(values) > 0 and max(values) > WIDE * min(values)


def _draw(
    panel: Axes,
    study: Study,
    published: Published,
    dataset: Dataset,
    values: Sequence[float],
    protocol: str,
    rank: int | None,
) -> None:
    ours: list[tuple[float, float, float]] = []
    theirs: list[tuple[float, float]] = []
    for row, value in zip(study.rows, values, strict=True):
        metrics = row.on(dataset.name).metrics
        if metrics is not None:
            figure, spread = measured(metrics, protocol, rank)
            # no bar at all where there is no deviation
            ours.append((value, figure, math.nan if spread is None else spread))
        name = metric_name(protocol, rank)
        point = published.value(study.paper, study.table, row.label, dataset.published, name)
        if point is not None:
            theirs.append((value, point))
    if ours:
        x, y, spreads = zip(*sorted(ours), strict=True)
        panel.errorbar(
            x, y, spreads, color=OURS, marker="o", markersize=4, linewidth=1.4, capsize=2.5,
            label=f"ours, {dataset.name}",
        )  # fmt: skip
    if theirs:
        x, y = zip(*sorted(theirs), strict=True)
        panel.plot(
            x, y, linestyle="none", marker="D", markersize=6, markerfacecolor="none",
            markeredgecolor=PAPER, label=f"{study.paper}, {dataset.published}",
        )  # fmt: skip
    if is_logarithmic(values):
        panel.set_xscale("log", base=2)
    ticks = sorted(set(values))
    panel.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    panel.minorticks_off()
    bare(panel)
