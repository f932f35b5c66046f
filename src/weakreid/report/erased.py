"""Whether attention falls on frames that lost a patch, and on frames that show less (ATTN-CL).

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from weakreid.report.figures import LABEL, PALETTE, Canvas, Mark, bare, mark_box, style
from weakreid.report.markdown import markdown
from weakreid.report.runs import mean
from weakreid.report.temporal_weights import ALL

Run = Mapping[str, Any]
Frames = Callable[[Mapping[str, Any], Mapping[str, Any]], NDArray[np.uint8]]
"""Gives the frames of an example, erased as they were, from it and from how it was drawn."""

ERASED = PALETTE[1]
_FRAME = 0.6, 1.2  # inches, width and height
_NAMES = 1.35  # inches, left of the frames
_BAR = 0.55  # inches, height of a row of bars
_CLIPS = 3
"""Examples side by side, at most."""


def attention_table(
    title: str,
    rows: Mapping[str, tuple[Sequence[Run], Sequence[Run]]],
    notes: Sequence[str] = (),
) -> str:
    """Return a Markdown table: weights of erased and of hidden frames, experiments side by side.

    Args:
        title: of the table.
        rows: by label, of each run what the stages erased_attention and visibility found; none of
            the second where nobody knows what is visible.
        notes: what else is to be said, a paragraph each.
    """
    heads = ["", "runs", "erased", "before", "not erased", "fall", "falls in"]
    known = any(visible for _, visible in rows.values())
    heads += ["hidden", "seen", "ρ visible"] if known else []
    lines = []
    for label, (erased, visible) in rows.items():
        shown = ("erased", "before", "kept", "fall")
        cells = [mean([run[name]["value"] for run in erased], 3) for name in shown]
        cells.append(mean([run["follows"] for run in erased]) + " %")
        if known:
            found = [run["groups"][ALL] for run in visible]
            for name in ("hidden", "seen", "within"):
                cells.append(mean([run[name] and run[name]["value"] for run in found], 3))
        lines.append([label, str(len(erased)), *cells])
    first = next(iter(rows.values()))[0][0]
    text = (
        f"Weight of a frame times T, mean over frames of {first['clips']} clips of query and "
        f"gallery ({first['erased_frames']} frames erased); 1: all frames of a clip count alike. "
        "With several runs, mean ± standard deviation. Erased: frames that lost a patch, as in "
        "training; before: the same frames without that; fall: the difference of the two. Falls "
        "in: clips in which erased frames weigh less than the others."
    )
    if known:
        text += (
            " Hidden: less than half of the body is visible; seen: the other frames; ρ visible: "
            "Spearman's correlation of weight and visible share within clips, empty where all "
            "weights of a clip are equal."
        )
    still = [label for label, (erased, _) in rows.items() if all(map(_still, erased))]
    if still:
        text += f" All frames of a clip weigh the same in: {', '.join(still)}."
    return "\n".join([f"# {title}\n", markdown(heads, lines), text, *notes]) + "\n"


def _still(run: Run) -> bool:
    """Return whether no weight differs from the others in any example."""
    return all(np.ptp(one["weights"]) < 1e-5 for one in run["examples"])


def picture(
    title: str,
    rows: Mapping[str, tuple[Run, Run | None]],
    frames: Frames,
) -> Figure:
    """Draw example clips with each frame's weight as bars, and the mean weights below them.

    Args:
        title: of the figure.
        rows: by label, of one run what the stages erased_attention and visibility found; all
            drew the same clips.
        frames: of an example, uint8 [T, H, W, 3].
    """
    first = next(iter(rows.values()))[0]
    examples = first["examples"][:_CLIPS]
    length = len(examples[0]["weights"])
    wide = length * _FRAME[0] + 0.3
    above, below = 0.25 + _FRAME[1] + 0.05, 2.3
    width = _NAMES + max(len(examples) * wide, 6.0)
    notes = [
        Mark("frames of test clips, some with an erased patch (boxed)", ERASED),
        Mark("bars: the weight of each frame times T; dotted line, 1: all frames count alike"),
        Mark("an erased frame should weigh less"),
    ]
    still = [label for label, (run, _) in rows.items() if _still(run)]
    if still:
        notes.append(Mark(f"all frames of a clip weigh the same in: {'; '.join(still)}"))
    body = above + len(rows) * (_BAR + 0.14) + 0.35 + below
    canvas = Canvas(title, notes, width=width, body=body)
    highest = max(
        max(one["weights"]) * length for run, _ in rows.values() for one in run["examples"][:_CLIPS]
    )
    for place in range(len(examples)):
        left, top = _NAMES + place * wide, canvas.top
        canvas.text(left, top + 0.05, f"tracklet {examples[place]['tracklet_id']}", LABEL)
        shown = frames(examples[place], first["drawing"])
        strip = canvas.strip(left, top + 0.25, _FRAME, list(shown))
        for lost in np.flatnonzero(examples[place]["erased"]):
            mark_box(strip, int(lost), (shown.shape[1], shown.shape[2]), ERASED)
        for number, (label, (run, _)) in enumerate(rows.items()):
            at = top + above + number * (_BAR + 0.14)
            axis = canvas.axes(left, at, length * _FRAME[0], _BAR)
            _bars(axis, run["examples"][place], highest)
            axis.set_yticks([0, 1], labels=["0", "1"] if place == 0 else ["", ""], fontsize=5.5)
            if place == 0:
                words = label.replace(", ", ",\n")
                canvas.text(_NAMES - 0.2, at + 0.1, words, LABEL, ha="right")
    at = canvas.top + body - below
    known = all(visible is not None for _, visible in rows.values())
    half = (width - 1.6) / 2 if known else width - 0.8
    _means(canvas.axes(0.6, at, half, below - 0.55), rows)
    if known:
        _visible(canvas.axes(0.6 + half + 0.8, at, half, below - 0.55), rows)
    return canvas.figure


def _bars(axis: Axes, example: Mapping[str, Any], highest: float) -> None:
    weights = np.array(example["weights"]) * len(example["weights"])
    colours = [ERASED if erased else "#8a8a8a" for erased in example["erased"]]
    axis.bar(np.arange(len(weights)) + 0.5, weights, width=0.6, color=colours)
    axis.axhline(1.0, color="#444444", linestyle=":", linewidth=0.8)
    axis.set_xlim(0, len(weights))
    axis.set_ylim(0, 1.08 * max(highest, 1.0))
    axis.set_xticks([])
    axis.spines[["top", "right"]].set_visible(False)


def _means(axis: Axes, rows: Mapping[str, tuple[Run, Run | None]]) -> None:
    """Draw the mean weights of erased frames, the same before, and the other frames."""
    kinds = {"before": "the same frames before", "erased": "erased frames", "kept": "other frames"}
    colours = {"before": "#bbbbbb", "erased": ERASED, "kept": "#8a8a8a"}
    for number, (kind, words) in enumerate(kinds.items()):
        found = [run[kind] for run, _ in rows.values()]
        value = np.array([one["value"] for one in found])
        bounds = np.array([[one["low"], one["high"]] for one in found]).T
        bars = np.maximum([value - bounds[0], bounds[1] - value], 0)
        at = np.arange(len(rows)) + 0.27 * (number - 1)
        axis.bar(
            at, value, 0.25, yerr=bars, label=words, color=colours[kind], capsize=2,
            error_kw={"elinewidth": 0.8},
        )  # fmt: skip
    axis.axhline(1.0, color="#444444", linestyle=":", linewidth=0.8)
    names = [label.replace(", ", ",\n") for label in rows]
    axis.set_xticks(np.arange(len(rows)), labels=names)
    axis.set_xlim(-0.6, len(rows) - 0.4)
    axis.set_ylabel("mean weight x T", fontsize=7.5)
    axis.set_ylim(0, 1.35 * axis.get_ylim()[1])
    axis.legend(fontsize=6.5, frameon=False, ncols=3, loc="upper left", columnspacing=1.0)
    axis.set_title("frames that lost a patch (95 % intervals)", fontsize=8)
    bare(axis)


def _visible(axis: Axes, rows: Mapping[str, tuple[Run, Run | None]]) -> None:
    """Draw the mean weight by how much of the body is really visible, frames as they are."""
    for number, (label, (_, visible)) in enumerate(rows.items()):
        assert visible is not None
        bins = [
            one
            for one in visible["groups"][ALL]["bins"]
            if one["weight"] is not None and one["tracklets"] > 1
        ]
        middles = [(one["visible_from"] + one["visible_to"]) / 2 for one in bins]
        value, low, high = (
            np.array([one["weight"][name] for one in bins]) for name in ("value", "low", "high")
        )
        bars = np.maximum([value - low, high - value], 0)
        axis.errorbar(
            middles, value, bars, markersize=4, linewidth=1.2, capsize=2, elinewidth=0.8,
            label=label, **style(number),
        )  # fmt: skip
    axis.axhline(1.0, color="#444444", linestyle=":", linewidth=0.8)
    axis.set_xlim(0, 1)
    axis.xaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_xlabel("visible share of the body (truth of the generator)", fontsize=7.5)
    axis.set_ylabel("mean weight x T", fontsize=7.5)
    axis.legend(fontsize=6.5, frameon=False)
    axis.set_title("frames as they are, by what is hidden", fontsize=8)
    bare(axis)
