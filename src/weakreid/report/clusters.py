"""The quality of pseudo-labels over the epochs: what a method believes, and what is true of it."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from weakreid.errors import ReidError
from weakreid.report.figures import named, ruled, style

TERMS = {
    "clusters": "clusters",
    "unclustered": "un-clustered tracklets",
    "nmi": "NMI of clustered tracklets",
    "ari": "ARI of clustered tracklets",
    "purity": "purity of clustered tracklets",
    "selected": "selected tracklets",
    "joins": "joined classes",
    "right": "right ones of them",
}
"""A term of a history: the title of its panel. NMI, ARI, purity and the right ones need the truth;
the former leave the un-clustered tracklets out, whose share is to be read beside them."""

AGREEMENT = ("nmi", "ari", "purity")
_LINES = (("clusters", "unclustered"), AGREEMENT, ("selected", "joins", "right"))
_AXES = {"unclustered": "per cent of tracklets", "right": "per cent"}
_AXES |= dict.fromkeys(("clusters", "selected", "joins"), "number")
"""What a panel's numbers are; of all others, from 0 or below to 1."""
_LEGEND = {"fontsize": 8, "frameon": False}


def cluster_figure(histories: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw what a method believed after so many epochs of training, a line per run.

    A term that no run has leaves its panel out. The eps of association, where a history has it,
    stands beside the run's name.

    Args:
        histories: by run, rows (epoch, step, term, value).
        title: of the figure.

    Raises:
        ReidError: no run has any of the terms, or a run has two values of one in an epoch.
    """
    curves = {run: _curves(run, history) for run, history in histories.items()}
    terms = [term for term in TERMS if any(term in own for own in curves.values())]
    if not terms:
        raise ReidError(
            f"{title}: no run's history has any of {', '.join(TERMS)}; only a training that "
            "makes pseudo-labels has this figure"
        )
    lines = [present for line in _LINES if (present := [term for term in line if term in terms])]
    across = max(map(len, lines))
    figure = Figure(figsize=(2.9 * across + 0.2, 2.4 * len(lines) + 0.3), layout="constrained")
    grid = figure.subplots(len(lines), across, squeeze=False)
    panels = [panel for line, own in zip(grid, lines, strict=True) for panel in line[: len(own)]]
    spare = [panel for line, own in zip(grid, lines, strict=True) for panel in line[len(own) :]]
    for panel in spare:
        panel.axis("off")
    last = max(curve.index.max() for own in curves.values() for curve in own.values())
    for panel, term in zip(panels, terms, strict=True):
        for number, (run, own) in enumerate(curves.items()):
            if term in own:
                panel.plot(
                    own[term].index, own[term].to_numpy(),
                    **style(number), linewidth=1.4, markersize=3, label=_named(run, own),
                )  # fmt: skip
        y = _AXES.get(term, "1: as the true identities")
        named(panel, TERMS[term], "epochs of training", y)
        panel.set_xlim(-0.03 * max(last, 1), 1.03 * max(last, 1))
        if term in AGREEMENT:
            # ARI is below 0 where clusters fit worse than chance
            low, high = panel.dataLim.intervaly
            panel.set_ylim(min(0.0, 1.1 * low), max(1.02, high))
        elif term in ("unclustered", "right"):
            panel.set_ylim(-2, 102)
        else:
            panel.set_ylim(bottom=0)
        ruled(panel)
    lines_of = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if spare:
        spare[0].legend(list(lines_of.values()), list(lines_of), loc="upper left", **_LEGEND)
    else:
        figure.legend(list(lines_of.values()), list(lines_of), loc="outside right upper", **_LEGEND)
    figure.suptitle(f"{title}: pseudo-labels over the epochs", fontsize=10)
    return figure


def _curves(run: str, history: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    """Return the finite values of every term by epoch."""
    found = {}
    for term in (*TERMS, "eps"):
        rows = history[(history["term"] == term) & history["value"].notna()]
        if rows["epoch"].duplicated().any():
            epoch = rows.loc[rows["epoch"].duplicated(), "epoch"].iloc[0]
            raise ReidError(
                f"run {run}: epoch {epoch} has two values of {term}; train it again from the start"
            )
        if len(rows):
            found[term] = rows.set_index("epoch")["value"].sort_index()
    return found


def _named(run: str, own: Mapping[str, "pd.Series[float]"]) -> str:
    eps = float(own["eps"].iloc[-1]) if "eps" in own else math.nan
    return f"run {run}" if math.isnan(eps) else f"run {run} (eps {eps:.3f})"
