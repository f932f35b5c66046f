"""The noise of a tracker's tracklets, as a table and a figure (TMC, Eqs. 7 and 8)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weakreid.config.params import MeasureNoise
from weakreid.report.figures import PALETTE, bare
from weakreid.report.markdown import page
from weakreid.supervision.noise_rates import NoiseRates

HEADS = (
    "", "boxes", "matched", "tracklets, N", "of nobody", "people, M", "missed", "rFM", "rFM, seen",
    "rSW",
)  # fmt: skip

_BAR, _POINT = PALETTE[0], PALETTE[1]


def noise_table(
    how: MeasureNoise, rates: Sequence[NoiseRates], pools: Mapping[str, NoiseRates]
) -> str:
    """Return rFM and rSW as a page of Markdown.

    Args:
        how: the page's title, how the rates were measured, and published ones.
        rates: a row each, by name.
        pools: the rows below them: sequences together.
    """
    lines = [_line(own.sequence, own) for own in rates]
    lines += [_line(name, own) for name, own in pools.items()]
    for row in how.reference:
        empty = [""] * (len(HEADS) - 4)
        lines.append([row.name, *empty, f"{row.rfm:g}", "", f"{row.rsw:g}"])
    of_m = "count as 0 tracklets in rFM" if how.missed == "count" else "are not in M"
    together = how.counting == "together"
    fragments = "tracklets that show a person" if together else "runs of a person"
    box = "one to one in each frame" if together else "each box with the one it overlaps most"
    boxes = f"{how.min_run} boxes" if together else f"{how.min_run} boxes in neighbouring frames"
    notes = [
        (
            f"rFM: {fragments}, mean over people (M). rSW: people whom a tracklet "
            "shows, mean over tracklets (N)."
        ),
        f"Counting: {how.counting}.",
        f"Matched: boxes with a true box of IoU {how.iou:g} or more, {box}.",
        f"A person with fewer than {boxes} in a tracklet is not one of its people."
        if how.min_run > 1
        else "A single box is enough for a person to be one of a tracklet's people.",
        (
            "Tracklets that show nobody are in no rate. Missed: people of the ground truth whom no "
            f'tracklet shows; they {of_m}, and are never in "rFM, seen".'
        ),
    ]
    return page(how.title, HEADS, lines, notes)


def _line(name: str, own: NoiseRates) -> list[str]:
    counts = (own.tracklets, own.nobody, own.persons, own.missed)
    return [
        name,
        f"{own.boxes:,}",
        f"{100 * own.matched / own.boxes:.1f} %",
        *(f"{count:,}" for count in counts),
        f"{own.rfm:.2f}",
        f"{own.rfm_seen:.2f}",
        f"{own.rsw:.2f}",
    ]


def noise_figure(title: str, rates: Sequence[NoiseRates], together: NoiseRates) -> Figure:
    """Draw how many people a tracklet shows, and how many tracklets show a person.

    Bars are all sequences together, with their counts; points are single sequences.

    Args:
        title: of the figure.
        rates: the sequences.
        together: the same, pooled.
    """
    figure = Figure(figsize=(7.2, 2.9), layout="constrained")
    panels = figure.subplots(1, 2)
    mixed = f"rSW {together.rsw:.2f}: how mixed up tracklets are"
    pieces = f"rFM {together.rfm:.2f}: in how many pieces people are"
    for panel, measure, unit, of, rate in (
        (panels[0], "persons_per_tracklet", "people", "tracklets", mixed),
        (panels[1], "tracklets_per_person", "tracklets", "people", pieces),
    ):
        _draw(panel, measure, rates, together)
        panel.set_xlabel(f"{unit} per {'tracklet' if of == 'tracklets' else 'person'}", fontsize=8)
        panel.set_ylabel(f"per cent of {of}", fontsize=8)
        panel.set_title(rate, fontsize=9)
    if len(rates) > 1:
        panels[1].legend(fontsize=7, frameon=False)
    figure.suptitle(f"{title}: noise of the tracklets (on the bars: how many)", fontsize=10)
    return figure


def _draw(panel: Axes, measure: str, rates: Sequence[NoiseRates], together: NoiseRates) -> None:
    counts: Mapping[int, int] = getattr(together, measure)
    numbers, shares = _shares(counts)
    bars = panel.bar(numbers, shares, color=_BAR, width=0.6, label="all together")
    panel.bar_label(bars, [str(count) for count in counts.values()], fontsize=7, padding=2)
    if len(rates) > 1:
        for place, own in enumerate(rates):
            x, y = _shares(getattr(own, measure))
            # beside the bar, whose count stands on it
            panel.plot(
                np.add(x, 0.38), y, linestyle="none", marker="o", markersize=2.5, color=_POINT,
                alpha=0.7, label="a sequence" if place == 0 else None,
            )  # fmt: skip
    panel.set_xticks(_ticks(min(counts), max(counts)))
    panel.margins(y=0.12)
    bare(panel)


def _shares(counts: Mapping[int, int]) -> tuple[list[int], list[float]]:
    total = sum(counts.values())
    return list(counts), [100 * count / total for count in counts.values()]


def _ticks(least: int, largest: int) -> list[int]:
    """Return whole numbers between two, at most twelve of them."""
    return np.arange(least, largest + 1, 1 + (largest - least) // 12).tolist()
