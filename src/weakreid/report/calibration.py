"""Whether distances mean what they are said to mean: of people whom the training has not seen."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weakreid.report.figures import DASHES, PALETTE, bare

LEAST = 10
"""Pairs of a class of probabilities, below which it is not shown: chance decides there."""


def calibration_figure(runs: Mapping[str, Mapping[str, Any]], title: str) -> Figure:
    """Draw a reliability diagram, and false-match rates as asked and as found; a line per run.

    Args:
        runs: by run, `calibration` of its metrics.json.
        title: of the figure.
    """
    figure = Figure(figsize=(7.4, 3.9), layout="constrained")
    reliability, rates = figure.subplots(1, 2)
    for number, (run, of) in enumerate(runs.items()):
        if "found" not in of:
            continue
        style: dict[str, Any] = {
            "color": PALETTE[number % len(PALETTE)],
            "linestyle": DASHES[number % len(DASHES)],
            "marker": "o",
            "markersize": 4,
            "label": f"run {run}",
        }
        groups = [group for group in of["found"]["reliability"] if group["pairs"] >= LEAST]
        said, found = ([100 * group[name] for group in groups] for name in ("said", "found"))
        reliability.plot(said, found, **style)
        pairs = [
            (float(rate), at["false_match_rate"])
            for rate, at in of["found"]["thresholds"].items()
            if at["distance"] is not None and at["false_match_rate"] > 0
        ]
        rates.plot(*np.transpose(pairs or [(np.nan, np.nan)]), **style)
    _finish(reliability, "probability said, per cent", "pairs of one person, per cent", (0, 100))
    reliability.set_title("Probability of the same person", fontsize=9)
    rates.set(xscale="log", yscale="log")
    _finish(rates, "false-match rate asked", "false-match rate found", (1e-5, 1))
    rates.set_title("False matches", fontsize=9)
    handles, labels = reliability.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles, labels, loc="outside lower left", ncols=6, fontsize=7.5, frameon=False
        )
    else:
        figure.text(0.5, 0.5, "no two training tracklets are taken for one person", ha="center")
    figure.suptitle(f"{title}: what distances mean, for people not seen in training", fontsize=10)
    return figure


def _finish(panel: Axes, x: str, y: str, limits: tuple[float, float]) -> None:
    panel.plot(limits, limits, color="#999999", linewidth=0.8, zorder=0)
    panel.set_xlabel(x, fontsize=8)
    panel.set_ylabel(y, fontsize=8)
    panel.set_xlim(*limits)
    panel.set_ylim(*limits)
    bare(panel)
