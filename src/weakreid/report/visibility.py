"""Whether temporal weights go where a part is really visible; only generated data can tell.

A group of attributes is held against the part of the body that it is about (`PARTS`). A weight
alone says little: frames of a clip share 1, so it is compared within the clip, or times the number
of the clip's frames T, which makes it 1 where all frames count alike.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from weakreid.attributes import PARTS
from weakreid.errors import ReidError
from weakreid.report.figures import MARKERS, PALETTE, bare
from weakreid.report.markdown import markdown
from weakreid.report.runs import different, mean
from weakreid.report.temporal_weights import ALL, EQUAL, ordered_groups, title_of
from weakreid.seeding import numpy_generator
from weakreid.supervision.visible import shares_by_group

HIDDEN = 0.5
"""A part of which less is visible counts as hidden."""
EDGES = np.linspace(0, 1, 9)
"""Of the bins of visible shares."""
RESAMPLES = 1000
LEVEL = 95
_NAMES = {"head": "the head", "up": "the upper body", "low": "the lower body", "shoes": "the shoes"}
"""Of the parts, as axes name them; the mean of all is the whole body."""

Floats = NDArray[np.float64]


def joined(weights: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return weights with what is visible, groups without a part left out.

    Junk tracklets (person_id -1) are left out too: they may show nobody.

    Args:
        weights: table "frame_weights".
        shares: of `supervision.visible.read_shares`.

    Returns:
        tracklet_id, clip, group, weight (times T) and visible (0 to 1).

    Raises:
        ReidError: no group has a part, or an image is unknown.
    """
    rows = weights[weights["group"].isin([*PARTS, ALL])]
    if rows.empty:
        held = ", ".join(dict.fromkeys(weights["group"])) or "no group"
        raise ReidError(
            f"the weights are of {held}, the parts of {', '.join([*PARTS, ALL])}: none can be "
            "held against what is visible"
        )
    found = shares.reindex(rows["image"].to_numpy())
    lacking = found["person_id"].isna().to_numpy()
    if lacking.any():
        raise ReidError(
            f"the weights have image {rows['image'][lacking].iloc[0]}, which the frames have not; "
            "extract the features of clips again"
        )
    groups, column = np.unique(rows["group"], return_inverse=True)
    visible = shares_by_group(found, groups.tolist())[np.arange(len(rows)), column]
    count = rows.groupby(["tracklet_id", "clip", "group"])["weight"].transform("size")
    scaled = rows["weight"].to_numpy(np.float64) * count.to_numpy()
    table = pd.DataFrame(
        {
            "tracklet_id": rows["tracklet_id"].to_numpy(),
            "clip": rows["clip"].to_numpy(),
            "group": rows["group"].to_numpy(),
            # equal but for rounding: equal, for the ranks
            "weight": np.round(scaled / EQUAL) * EQUAL,
            "visible": visible,
        }
    )
    table = table[(found["person_id"] >= 0).to_numpy()]
    if table.empty:
        raise ReidError("only junk tracklets have weights; give those of a test set with people")
    return table.reset_index(drop=True)


def clip_correlations(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's correlation of weight and visible share within every clip.

    Args:
        rows: of `joined`, one group's.

    Returns:
        tracklet_id and correlation, a row per clip; nan where one of the two does not vary.
    """
    keys = [rows["tracklet_id"], rows["clip"]]
    of_clip = rows.groupby(keys)
    ranks = of_clip[["weight", "visible"]].rank()
    ranks -= ranks.groupby(keys).transform("mean")
    products = pd.DataFrame(
        {
            "wv": ranks["weight"] * ranks["visible"],
            "ww": ranks["weight"] ** 2,
            "vv": ranks["visible"] ** 2,
        }
    )
    sums = products.groupby(keys).sum()
    scale = (sums["ww"] * sums["vv"]) ** 0.5
    found = sums["wv"] / scale.where(scale > 0)
    return found.rename("correlation").reset_index()[["tracklet_id", "correlation"]]


def relation(rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return how a group's weights relate to what is visible of its part.

    Bounds come from a bootstrap over tracklets, whose frames are alike. The pooled correlation
    keeps the ranks of the whole sample there, and correlates those of the resampled frames.

    Args:
        rows: of `joined`, one group's.
        seed: of the bootstrap.

    Returns:
        Numbers of tracklets, clips, clips_of_equal_weights, clips_without_variation (of weights or
        of what is visible), frames and hidden_frames; and "within" (mean Spearman correlation over
        clips), "pooled" (over frames), "hidden" and "seen" (mean weight times T) and "difference"
        (seen less hidden), each {"value", "low", "high"}, or None where it is undefined. A single
        tracklet gives no bounds (None). "bins": visible_from, visible_to, frames, tracklets and
        weight, the mean of each.
    """
    names = np.unique(rows["tracklet_id"])
    within = clip_correlations(rows)
    used = within.dropna()
    hidden = (rows["visible"] < HIDDEN).to_numpy()
    weight = rows["weight"].to_numpy()
    x = rows["weight"].rank().to_numpy()
    y = rows["visible"].rank().to_numpy()
    x, y = x - x.mean(), y - y.mean()
    places = np.searchsorted(names, rows["tracklet_id"])

    def per_tracklet(values: NDArray[Any], owner: NDArray[Any] = places) -> Floats:
        return np.bincount(owner, weights=values, minlength=len(names)).astype(np.float64)

    clip_places = np.searchsorted(names, used["tracklet_id"])
    sums = {
        "within": per_tracklet(used["correlation"].to_numpy(), clip_places),
        "clips": per_tracklet(np.ones(len(used)), clip_places),
        "n": per_tracklet(np.ones(len(rows))),
        "x": per_tracklet(x),
        "y": per_tracklet(y),
        "xx": per_tracklet(x * x),
        "yy": per_tracklet(y * y),
        "xy": per_tracklet(x * y),
        "hidden": per_tracklet(weight * hidden),
        "hidden_n": per_tracklet(hidden),
        "seen": per_tracklet(weight * ~hidden),
        "seen_n": per_tracklet(~hidden),
    }
    number = np.clip(np.searchsorted(EDGES, rows["visible"], side="right") - 1, 0, len(EDGES) - 2)
    for place in range(len(EDGES) - 1):
        inside = number == place
        sums[f"bin{place}"] = per_tracklet(weight * inside)
        sums[f"bin{place}_n"] = per_tracklet(inside)
    bounds = _bootstrap(sums, seed)
    equal = rows.groupby(["tracklet_id", "clip"])["weight"].agg(np.ptp) == 0
    bins = [
        {
            "visible_from": float(EDGES[place]),
            "visible_to": float(EDGES[place + 1]),
            "frames": int((number == place).sum()),
            "tracklets": int((sums[f"bin{place}_n"] > 0).sum()),
            "weight": bounds(_ratio(f"bin{place}", f"bin{place}_n"), f"bin{place}_n"),
        }
        for place in range(len(EDGES) - 1)
    ]
    return {
        "tracklets": len(names),
        "clips": len(within),
        "clips_of_equal_weights": int(equal.sum()),
        "clips_without_variation": int(within["correlation"].isna().sum()),
        "frames": len(rows),
        "hidden_frames": int(hidden.sum()),
        "within": bounds(_ratio("within", "clips"), "clips"),
        "pooled": bounds(_correlation, "n"),
        "hidden": bounds(_ratio("hidden", "hidden_n"), "hidden_n"),
        "seen": bounds(_ratio("seen", "seen_n"), "seen_n"),
        "difference": bounds(_difference, "hidden_n", "seen_n"),
        "bins": bins,
    }


Sums = Mapping[str, Floats]


def _ratio(over: str, under: str) -> Callable[[Sums], Floats]:
    def ratio(sums: Sums) -> Floats:
        return sums[over] / np.where(sums[under] > 0, sums[under], np.nan)

    return ratio


def _difference(sums: Sums) -> Floats:
    return _ratio("seen", "seen_n")(sums) - _ratio("hidden", "hidden_n")(sums)


def _correlation(sums: Sums) -> Floats:
    """Return Pearson's correlation from sums over frames."""
    n = sums["n"]
    x = sums["xx"] - sums["x"] ** 2 / n
    y = sums["yy"] - sums["y"] ** 2 / n
    scale = np.sqrt(np.maximum(x, 0) * np.maximum(y, 0))
    return (sums["xy"] - sums["x"] * sums["y"] / n) / np.where(scale > 0, scale, np.nan)


Bounds = Callable[..., dict[str, float | None] | None]


def _bootstrap(sums: Sums, seed: int) -> Bounds:
    """Return what gives a figure its bounds: from sums per tracklet, resampled.

    It takes the figure, a function of sums, and the names of the sums that count what it is of.
    """
    stacked = np.stack(list(sums.values()), axis=1)
    tracklets = len(stacked)
    generator = numpy_generator(seed, "visibility")
    resampled = np.stack(
        [
            stacked[generator.integers(tracklets, size=tracklets)].sum(axis=0)
            for _ in range(RESAMPLES)
        ]
    )
    whole = dict(zip(sums, stacked.sum(axis=0, keepdims=True).T, strict=True))
    drawn = dict(zip(sums, resampled.T, strict=True))

    def bounds(figure: Callable[[Sums], Floats], *counts: str) -> dict[str, float | None] | None:
        value = float(figure(whole)[0])
        if np.isnan(value):
            return None
        low = high = None
        if all((sums[name] > 0).sum() > 1 for name in counts):
            edge = (100 - LEVEL) / 2
            found = np.nanpercentile(figure(drawn), [edge, 100 - edge])
            low, high = (round(float(one), 6) for one in found)
        return {"value": round(value, 6), "low": low, "high": high}

    return bounds


def relations(weights: pd.DataFrame, shares: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return `relation` of every group that has a part, and which have none.

    Args:
        weights: table "frame_weights".
        shares: of `supervision.visible.read_shares`.
        seed: of the bootstraps.

    Raises:
        ReidError: see `joined`.
    """
    rows = joined(weights, shares)
    groups = ordered_groups(rows["group"])
    parts = {**PARTS, ALL: "mean of " + ", ".join(PARTS.values())}
    return {
        "hidden_below": HIDDEN,
        "resamples": RESAMPLES,
        "confidence": LEVEL,
        "left_out": [name for name in ordered_groups(weights["group"]) if name not in groups],
        "groups": {
            group: {"part": parts[group], **relation(rows[rows["group"] == group], seed)}
            for group in groups
        },
    }


def visibility_table(
    title: str, rows: Mapping[str, Sequence[Mapping[str, Any]]], notes: Sequence[str] = ()
) -> str:
    """Return a Markdown table: for each row and group, how weights relate to what is visible.

    Args:
        title: of the table.
        rows: by label, what `relations` found of each run.
        notes: what else is to be said, a paragraph each.
    """
    everything = [run for runs in rows.values() for run in runs]
    groups = ordered_groups(group for run in everything for group in run["groups"])
    lines = []
    for label, runs in rows.items():
        cells = []
        for group in groups:
            own = [run["groups"].get(group) for run in runs]
            for figure in ("within", "difference"):
                found = [None if of is None or of[figure] is None else of[figure] for of in own]
                cells.append(mean([None if of is None else of["value"] for of in found], 2))
        lines.append([label, str(len(runs)), *cells])
    heads = ["", "runs"]
    heads += [f"{title_of(group)}: {words}" for group in groups for words in ("ρ", "seen - hidden")]
    hidden = different(run["hidden_below"] for run in everything)
    text = (
        "ρ: Spearman's correlation of a frame's weight and the visible share of the group's part "
        "within a clip, mean over clips; with several runs, mean ± standard deviation. Seen - "
        "hidden: mean weight times the clip's frames, of frames that show the part less that of "
        f"frames that hide it (less than {hidden} visible). Both are 0 where weights do not follow "
        "what is visible; empty where a row has no such group, or weights do not vary."
    )
    return "\n".join([f"# {title}\n", markdown(heads, lines), text, *notes]) + "\n"


def plot(found: Mapping[str, Any], title: str) -> Figure:
    """Draw the mean weight times T by visible share, a panel per group.

    Open markers are bins with frames of one tracklet, of which nothing is said about others.

    Args:
        found: of `relations`.
        title: of the figure.
    """
    groups: Mapping[str, Any] = found["groups"]
    figure = Figure(figsize=(max(2.3 * len(groups) + 0.6, 5.5), 3.0), layout="constrained")
    axes = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    for number, (axis, (group, own)) in enumerate(zip(axes, groups.items(), strict=True)):
        colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
        bins = [one for one in own["bins"] if one["weight"] is not None]
        sure = [one for one in bins if one["tracklets"] > 1]
        values = np.array(
            [[one["weight"][name] for name in ("value", "low", "high")] for one in sure]
        )
        value, low, high = values.reshape(-1, 3).T
        # a bootstrap's bounds need not hold the value where frames are few
        bars = np.maximum([value - low, high - value], 0)
        axis.axhline(1.0, color="#999999", linestyle=":", linewidth=1.0)
        axis.errorbar(
            [_middle(one) for one in sure], value, bars, color=colour, marker=marker, markersize=4,
            linewidth=1.3, capsize=2, elinewidth=0.8,
        )  # fmt: skip
        alone = [one for one in bins if one["tracklets"] == 1]
        axis.plot(
            [_middle(one) for one in alone], [one["weight"]["value"] for one in alone], marker,
            color=colour, markerfacecolor="white", markersize=4,
        )  # fmt: skip
        within = own["within"]
        said = "weights do not vary" if within is None else f"ρ within clips {within['value']:.2f}"
        axis.set_title(f"{title_of(group)}\n{said}", fontsize=8)
        part = _NAMES.get(own["part"], "the whole body")
        axis.set_xlabel(f"visible share of {part}, per cent", fontsize=7.5)
        axis.set_xlim(0, 100)
        bare(axis)
    axes[0].set_ylabel("mean weight × T", fontsize=8)
    handles = [
        Line2D([], [], color="#333333", marker="o", markersize=4),
        Line2D([], [], color="#333333", marker="o", markerfacecolor="white", linestyle="none"),
        Line2D([], [], color="#999999", linestyle=":"),
    ]
    labels = [
        f"mean of frames, with its {LEVEL} % interval",
        "of one tracklet alone",
        "1: all T frames of a clip count alike",
    ]
    figure.legend(handles, labels, loc="outside lower left", ncols=3, fontsize=7, frameon=False)
    figure.suptitle("\n".join(textwrap.wrap(title, 14 * len(groups) + 20)), fontsize=10)
    return figure


def _middle(one: Mapping[str, Any]) -> float:
    """Return the middle of a bin, in per cent."""
    return 50 * (one["visible_from"] + one["visible_to"])
