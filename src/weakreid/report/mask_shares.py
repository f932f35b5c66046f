"""How much of COSAM's masks lies on the person: experiments side by side, and over the epochs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from weakreid.errors import ReidError
from weakreid.report.figures import named, style
from weakreid.report.markdown import markdown
from weakreid.report.runs import different, mean
from weakreid.retrieval.mask_shares import ACTIVATION

Run = Mapping[str, Any]
ON = {"person": "on the person", "carried": "on what is carried"}


def shares_table(title: str, rows: Mapping[str, Sequence[Run]], notes: Sequence[str] = ()) -> str:
    """Return a Markdown table of shares: the picture's own, then each row's maps in each state.

    Args:
        title: of the table.
        rows: by label, what the stage mask_shares found in each run.
        notes: what else is to be said, a paragraph each.

    Raises:
        ReidError: there is no row, or a row without a run.
    """
    if not rows or not all(rows.values()):
        raise ReidError("a row without a run: there is nothing to show; name experiments with runs")
    everything = [run for runs in rows.values() for run in runs]
    areas = {json.dumps(run["area"]): run for run in everything}.values()
    lines = [["share of the picture", "", "", *_cells([(run, run["area"]) for run in areas])]]
    for label, runs in rows.items():
        for name in runs[0]["states"][0]["shares"]:
            for number, state in enumerate(runs[0]["states"]):
                found = [(run, run["states"][number]["shares"][name]) for run in runs]
                lines.append([f"{label}: {_words(name)}", state["state"], str(len(runs))])
                lines[-1] += _cells(found)
    heads = ["", "network", "runs"]
    for words in ON.values():
        heads += [words, "times its area"]
    counts = [
        different(run[name] for run in everything)
        for name in ("clips", "frames", "carrying_frames")
    ]
    text = (
        "Per cent of a map's weight, mean over the frames of clips of query and gallery that were "
        f"drawn once ({counts[0]} clips, {counts[1]} frames that show the person, {counts[2]} that "
        "show something carried: a bag or a hat); with several runs, mean ± standard deviation. "
        "Times its area: that share over the share of the picture; 1 looks everywhere alike. "
        "COSAM: the spatial mask of the module after that stage. Activation: the sum of squares "
        "over the channels of the last map, which knows no class, as the people are no class of "
        "the classifier's. Untrained: the network that the training begins with."
    )
    return "\n".join([f"# {title}\n", markdown(heads, lines), text, *notes]) + "\n"


def _cells(found: Sequence[tuple[Run, Mapping[str, float | None]]]) -> list[str]:
    """Return the mean share and the mean of shares over areas, of each thing."""
    cells = []
    for name in ON:
        values = [own[name] for _, own in found]
        ratios = [
            None if value is None else value / run["area"][name]
            for value, (run, _) in zip(values, found, strict=True)
        ]
        known = [ratio for ratio in ratios if ratio is not None]
        cells += [mean(values), f"{sum(known) / len(known):.2f}" if known else ""]
    return cells


def _words(name: str) -> str:
    return "activation of the last map" if name == ACTIVATION else f"COSAM after {name}"


def curve(run: Run, title: str) -> Figure:
    """Draw the shares of each map over a run's epochs, beside the share of the picture.

    Args:
        run: what the stage mask_shares found, its states in the order of time.
        title: of the figure.
    """
    states = run["states"]
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots(1, len(ON))
    epochs = range(len(states))
    for axis, (thing, words) in zip(axes, ON.items(), strict=True):
        for number, name in enumerate(states[0]["shares"]):
            values = [state["shares"][name][thing] for state in states]
            if None not in values:
                axis.plot(epochs, values, **style(number), markersize=4, label=_words(name))
        even = run["area"][thing]
        if even is not None:
            axis.axhline(even, color="#777777", linestyle=":", label="share of the picture")
        x = "epochs of training (0: untrained)"
        named(axis, f"weight {words}", x, "per cent of the weight")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4, fontsize=7.5, frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure
