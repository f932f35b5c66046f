"""A search of values: the best ones as a piece of config, all trials as a table and a picture."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from weakreid.report.figures import PALETTE, bare
from weakreid.report.markdown import markdown
from weakreid.tuning.trials import DIVERGED, GIVEN_UP, WHOLE, Found

COLOURS = {WHOLE: PALETTE[0], GIVEN_UP: "#a0aec0", DIVERGED: PALETTE[1]}
_MARKS = {WHOLE: "o", GIVEN_UP: "x", DIVERGED: "^"}
_ABREAST = 4


def fragment(best: Found, place: Sequence[str], lines: Sequence[str]) -> str:
    """Return a piece of config that gives an experiment the values of a trial.

    Args:
        best: the trial.
        place: keys of the block that the values go into.
        lines: of the comment above.
    """
    values: dict[str, Any] = {}
    for key, value in best.values.items():
        *above, last = key.split(".")
        block = values
        for part in above:
            block = block.setdefault(part, {})
        block[last] = value
    for key in reversed(place):
        values = {key: values}
    comment = "".join(f"# {line}\n" for line in lines)
    return comment + yaml.safe_dump(values, sort_keys=False)


def trial_table(title: str, metric: str, trials: Sequence[Found], notes: Sequence[str]) -> str:
    """Return all trials as Markdown, the best first."""
    keys = list(trials[0].values)
    order = {WHOLE: 0, GIVEN_UP: 1, DIVERGED: 2}
    rows = [
        [
            str(trial.number),
            f"{trial.figure:.2f}",
            trial.outcome,
            str(trial.curve[-1][0] if trial.curve else 0),
            *(_said(trial.values[key]) for key in keys),
        ]
        for trial in sorted(trials, key=lambda t: (order[t.outcome], -t.figure, t.number))
    ]
    table = markdown(["trial", metric, "outcome", "epochs", *keys], rows)
    return f"# {title}\n\n{table}\n" + "".join(f"{note}\n" for note in notes)


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value).strip('"')


def search_figure(
    title: str, metric: str, trials: Sequence[Found], ranges: Sequence[Mapping[str, Any]]
) -> Figure:
    """Draw the figures of trials in their order, over epochs, and over each value.

    Args:
        title: of the figure.
        metric: what the figures are.
        trials: at least one.
        ranges: as in `weakreid.tuning.ranges.drawn`.
    """
    panels = 2 + len(ranges)
    across = min(_ABREAST, panels)
    lines = math.ceil(panels / across)
    figure = Figure(figsize=(2.9 * across, 2.4 * lines + 0.7), layout="constrained")
    axes = figure.subplots(lines, across, squeeze=False).ravel()
    for spare in axes[panels:]:
        spare.axis("off")
    best = max(trials, key=lambda t: (t.outcome == WHOLE, t.figure, -t.number))
    _draw_order(axes[0], trials)
    _draw_curves(axes[1], trials, best)
    for axis, of in zip(axes[2:], ranges, strict=False):
        _draw_range(axis, trials, best, of)
    for axis in axes[:panels]:
        axis.set_ylabel(metric, fontsize=8)
        bare(axis)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4, fontsize=7.5, frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure


def _scatter(axis: Axes, trials: Sequence[Found], places: Sequence[float]) -> None:
    for outcome, colour in COLOURS.items():
        chosen = [n for n, trial in enumerate(trials) if trial.outcome == outcome]
        if chosen:
            axis.scatter(
                [places[n] for n in chosen],
                [trials[n].figure for n in chosen],
                s=16, color=colour, marker=_MARKS[outcome], linewidths=1, label=outcome,
            )  # fmt: skip


def _draw_order(axis: Axes, trials: Sequence[Found]) -> None:
    numbers = [trial.number for trial in trials]
    _scatter(axis, trials, numbers)
    best, steps = -math.inf, []
    for trial in trials:
        best = max(best, trial.figure if trial.outcome == WHOLE else -math.inf)
        steps.append(best if math.isfinite(best) else math.nan)
    axis.step(numbers, steps, where="post", color=PALETTE[0], linewidth=1.2, label="best so far")
    axis.set_title("trials in their order", fontsize=9)
    axis.set_xlabel("trial", fontsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_curves(axis: Axes, trials: Sequence[Found], best: Found) -> None:
    for trial in trials:
        if trial.curve:
            epochs, figures = zip(*trial.curve, strict=True)
            axis.plot(
                epochs, figures,
                color=COLOURS[trial.outcome], marker=".", markersize=3,
                linewidth=2.0 if trial is best else 0.7, alpha=1.0 if trial is best else 0.6,
            )  # fmt: skip
    axis.set_title("learning curves (thick: the best)", fontsize=9)
    axis.set_xlabel("epochs", fontsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_range(axis: Axes, trials: Sequence[Found], best: Found, of: Mapping[str, Any]) -> None:
    key = of["key"]
    values = [trial.values[key] for trial in trials]
    if "choices" in of:
        places = [float(of["choices"].index(value)) for value in values]
        names = [_said(choice) for choice in of["choices"]]
        axis.set_xticks(range(len(names)), [name[:20] for name in names])
        axis.set_xlim(-0.5, len(names) - 0.5)
    else:
        places = [float(value) for value in values]
        if of["log"]:
            axis.set_xscale("log")
        axis.set_xlim(of["low"], of["high"])
        axis.margins(x=0.05)
    _scatter(axis, trials, places)
    axis.axvline(places[list(trials).index(best)], color=PALETTE[0], linewidth=0.8, linestyle=":")
    axis.set_title(key, fontsize=9)
