"""The learning curve: the terms of the loss and the learning rate over the steps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from weakreid.report.clusters import TERMS as OF_CLUSTERS
from weakreid.report.figures import DASHES, PALETTE, named

ABREAST = 4
"""Panels side by side, at most."""

TERMS = {
    "base": "loss of bags",
    "cpal": "CPAL loss",
    "identity": "identity loss (cross-entropy)",
    "soft_identity": "soft identity loss",
    "triplet": "triplet loss",
    "soft_triplet": "soft triplet loss",
    "attributes": "attribute loss",
    "accuracy": "training accuracy",
    "loss": "total loss",
    "lr": "learning rate",
}
"""A term of a history: the title of its panel."""
LOSSES = {
    "mil": "MIL",
    "wsddn": "WSDDN",
    "hslr": "HSLR",
    "sslr": "SSLR",
    "frame_ce": "cross-entropy of frames",
}
"""The losses of bags, by their name in the config; any other is called by that."""
UNITS = {"lr": "learning rate", "accuracy": "per cent"}
"""What the numbers of a term are; of all others, a loss."""
_LEFT_OUT = {*OF_CLUSTERS, "eps", "images_per_s"}


def learning_curve(histories: Mapping[str, pd.DataFrame], title: str, base: str | None) -> Figure:
    """Draw the terms of the loss and the learning rate over the steps, a line per run.

    What clustering found has a figure of its own (`report.clusters`).

    Args:
        histories: by run, rows (epoch, step, term, value).
        title: of the figure.
        base: the loss of bags that the method learns by, None where it has none.
    """
    rows = pd.concat([frame.assign(run=run) for run, frame in histories.items()], ignore_index=True)
    rows = rows[~rows["term"].isin(_LEFT_OUT)]
    terms = [term for term in dict.fromkeys(rows["term"]) if term != "lr"] + ["lr"]
    across = min(ABREAST, len(terms))
    lines = -(-len(terms) // across)
    figure = Figure(figsize=(max(5.0, 3.0 * across), 2.5 * lines + 0.7), layout="constrained")
    axes = figure.subplots(lines, across, squeeze=False).ravel()
    for spare in axes[len(terms) :]:
        spare.axis("off")
    for axis, term in zip(axes, terms, strict=False):
        for number, run in enumerate(histories):
            line = rows[(rows["term"] == term) & (rows["run"] == run)]
            colour = PALETTE[number % len(PALETTE)]
            values = line["value"].to_numpy()
            axis.plot(line["step"], values, color=colour, alpha=0.3, linewidth=0.7)
            axis.plot(
                line["step"], _smooth(values), color=colour, linewidth=1.6, label=f"run {run}",
                linestyle=DASHES[number % len(DASHES)],
            )  # fmt: skip
        name = TERMS.get(term, term)
        if term == "base" and base:
            name = f"{name}: {LOSSES.get(base, base)}"
        named(axis, name, "training step", UNITS.get(term, "loss"))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=6, fontsize=7.5, frameon=False)
    figure.suptitle(f"{title}: learning curve\n", fontsize=10)
    figure.text(
        0.5, 0.985 - 0.25 / figure.get_figheight(), "thin: single steps; thick: their running mean",
        fontsize=7.5, ha="center", va="top",
    )  # fmt: skip
    return figure


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the running mean over a twentieth of the steps."""
    width = max(1, len(values) // 20)
    frame = pd.Series(values).rolling(width, min_periods=1, center=True).mean()
    return frame.to_numpy()
