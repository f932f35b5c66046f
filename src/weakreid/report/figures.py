"""Figures, as matplotlib draws them without a screen; the same input gives the same bytes."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from weakreid.files import replacing

mpl.rcParams["svg.hashsalt"] = "weakreid"
mpl.rcParams["svg.fonttype"] = "none"

_COLOURS = ("#3b6fb6", "#d1495b", "#6a994e", "#8d6a9f", "#e09f3e", "#4d908e")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG or PNG, by the file's ending, without a date in it."""
    kind = path.suffix.lstrip(".")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with replacing(path) as aside:
        figure.savefig(aside, format=kind, bbox_inches="tight", metadata=metadata, dpi=150)


def learning_curve(histories: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw the terms of the loss and the learning rate over the steps, a line per run.

    Args:
        histories: by run, rows (epoch, step, term, value).
        title: of the figure.
    """
    rows = pd.concat([frame.assign(run=run) for run, frame in histories.items()], ignore_index=True)
    rows = rows[rows["term"] != "images_per_s"]
    terms = [term for term in dict.fromkeys(rows["term"]) if term != "lr"] + ["lr"]
    figure = Figure(figsize=(3.2 * len(terms), 2.6), layout="constrained")
    axes = figure.subplots(1, len(terms), squeeze=False)[0]
    for axis, term in zip(axes, terms, strict=True):
        for number, run in enumerate(histories):
            line = rows[(rows["term"] == term) & (rows["run"] == run)]
            colour = _COLOURS[number % len(_COLOURS)]
            values = line["value"].to_numpy()
            axis.plot(line["step"], values, color=colour, alpha=0.25, linewidth=0.8)
            axis.plot(line["step"], _smooth(values), color=colour, linewidth=1.6, label=run)
        axis.set_title(term, fontsize=9)
        axis.set_xlabel("step", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    if len(histories) > 1:
        axes[0].legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the running mean over a twentieth of the steps."""
    width = max(1, len(values) // 20)
    frame = pd.Series(values).rolling(width, min_periods=1, center=True).mean()
    return frame.to_numpy()
