"""What isolation would do to a dataset's tracklets, before anything is trained with it.

A page of numbers, beside how many people a tracklet shows (rSW) where somebody knows, and a sheet:
the tracklets that are cut most, piece beside piece, and some at random, whole, to guess rSW by. A
sheet shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from weakreid.report.identities import Row, Shown, inner
from weakreid.report.markdown import markdown
from weakreid.seeding import numpy_generator

MEASURED = (1.1, 1.3)
"""rSW of the trackers in docs/noise.md, from the lowest to the highest."""
TOO_MANY = 1.5
"""More pieces than so many times the people that tracklets show are cuts within people."""

_WIDTH = 12  # pictures in a row
_GAP = 6  # white pixels between two pieces
_MANY = 5  # pieces of a tracklet that are drawn
_LISTED = 10

_CUT = (
    "Cut most. A piece: its frames, and between which frames of the tracklet they lie. "
    "Two people side by side: a good cut. One person: a cut that harms."
)
_WHOLE = "At random, as the tracker gave them. Count where one person follows another."

Whole = NDArray[np.int64]


def cuts(tracks: pd.DataFrame, isolated: pd.DataFrame) -> pd.DataFrame:
    """Return what became of every tracklet, those that lose most frames to small pieces first.

    Args:
        tracks: table "tracks" before isolation.
        isolated: the same after it.

    Returns:
        tracklet_id; frames; pieces; largest, the frames of its largest piece; apart, those in its
        other pieces; gone, those that were left out.
    """
    of = tracks.set_index("image")["tracklet_id"]
    pieces = isolated.groupby("tracklet_id").agg(first=("image", "first"), size=("image", "size"))
    by = pieces["size"].groupby(of.reindex(pieces["first"]).to_numpy())
    table = pd.DataFrame({"frames": tracks.groupby("tracklet_id").size()})
    kept = by.sum().reindex(table.index, fill_value=0)
    table["pieces"] = by.size().reindex(table.index, fill_value=0)
    table["largest"] = by.max().reindex(table.index, fill_value=0)
    table["apart"] = kept - table["largest"]
    table["gone"] = table["frames"] - kept
    table = table.rename_axis("tracklet_id").reset_index()
    order = ["apart", "pieces", "tracklet_id"]
    return table.sort_values(order, ascending=[False, False, True]).reset_index(drop=True)


def headline(table: pd.DataFrame) -> str:
    """Return in one line what isolation does.

    Args:
        table: of `cuts`.
    """
    cut, all_of, pieces = int((table["pieces"] > 1).sum()), len(table), int(table["pieces"].sum())
    frames = int(table["frames"].sum())
    return (
        f"{cut} of {all_of} tracklets are cut ({100 * cut / all_of:.0f} %), all together into "
        f"{pieces} pieces ({pieces / all_of:.2f} a tracklet); "
        f"{100 * (1 - table['gone'].sum() / frames):.1f} % of {frames:,} frames are kept, "
        f"{100 * table['apart'].sum() / frames:.1f} % are outside their tracklet's largest piece"
    )


def verdict(tracklets: int, pieces: int, rsw: float | None, whose: str) -> str:
    """Say how many pieces the people in tracklets explain, and what to do.

    Args:
        tracklets: before isolation.
        pieces: after it.
        rsw: people per tracklet, None where nobody knows.
        whose: where rSW is from.
    """
    low, high = MEASURED if rsw is None else (rsw, rsw)
    if rsw is None:
        text = (
            "How many people a tracklet shows (rSW) is not known here. Trackers that were measured "
            f"have {low:g} to {high:g} (docs/noise.md): cuts between people alone would make about "
            f"{tracklets * low:.0f} to {tracklets * high:.0f} pieces"
        )
    else:
        text = (
            f"A tracklet shows {rsw:.2f} people on average (rSW, {whose}): cuts between people "
            f"alone would make about {tracklets * rsw:.0f} pieces"
        )
    text += f", and this makes {pieces}. "
    if pieces > TOO_MANY * high * tracklets:
        return text + (
            "That is far more: most cuts are within one person. Learn without it (`isolation: "
            "null`), or raise `min_frames`."
        )
    if pieces == tracklets:
        return text + "It changes nothing."
    return text + "Whether the cuts are between people, the picture shows."


def page(
    title: str,
    table: pd.DataFrame,
    quality: Mapping[str, Any],
    names: Mapping[int, str],
    *,
    rsw: float | None,
    whose: str,
) -> str:
    """Return the page of numbers, Markdown.

    Args:
        title: dataset, noise and isolation.
        table: of `cuts`.
        quality: of `isolation_quality`.
        names: of tracklets, for people.
        rsw: people per tracklet; None: not known.
        whose: where it is from.
    """
    pieces = table["pieces"].value_counts().sort_index()
    parts = [
        f"# Isolation before training: {title}\n\n{headline(table)}.\n",
        verdict(len(table), int(table["pieces"].sum()), rsw, whose) + "\n",
        markdown(["pieces", "tracklets"], [[f"{n}", f"{count:,}"] for n, count in pieces.items()]),
    ]
    most = table[table["pieces"] > 1].head(_LISTED)
    if len(most):
        columns = ["frames", "pieces", "largest", "apart"]
        heads = ["cut most", "frames", "pieces", "frames of the largest", "frames in others"]
        rows = [[names[row["tracklet_id"]], *(f"{row[c]:,}" for c in columns)]
                for row in most.to_dict("records")]  # fmt: skip
        parts.append(markdown(heads, rows))
    old, new = quality["before"], quality["after"]
    if old["purity"] is not None:
        heads = ["against the truth", "before", "after"]
        rows = [
            ["tracklets", f"{old['tracklets']:,}", f"{new['tracklets']:,}"],
            *(
                [words, _number(old[name]), _number(new[name])]
                for name, words in (
                    ("rsw", "people per tracklet (rSW)"),
                    ("impurity", "frames of others than the main person, %, mean"),
                    ("purity", "frames of their tracklet's person, %"),
                )
            ),
        ]
        parts.append(markdown(heads, rows))
        if quality["whole"] is not None:
            parts.append(f"Of the tracklets of one person {quality['whole']:.0f} % stay whole.\n")
    if rsw is None:
        parts.append(
            "To guess rSW, look at the tracklets at random in the picture: it is about 1 + the "
            "changes from one person to another in them / the tracklets looked at. Isolation is "
            "worth trying from about 1.2 on.\n"
        )
    return "\n".join(parts)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def lines(
    table: pd.DataFrame,
    tracks: pd.DataFrame,
    isolated: pd.DataFrame,
    names: Mapping[int, str],
    *,
    count: int,
    seed: int,
) -> tuple[list[Row], list[Row]]:
    """Choose what the sheet shows: tracklets that are cut most, and others at random, whole.

    Args:
        table: of `cuts`.
        tracks: before isolation.
        isolated: after it.
        names: of tracklets, for people.
        count: so many of each, fewer where there are no more.
        seed: draws the random ones.
    """
    images = {key: own.to_numpy() for key, own in tracks.groupby("tracklet_id")["image"]}
    part = isolated.set_index("image")["tracklet_id"]
    cut = table.loc[table["pieces"] > 1, "tracklet_id"].head(count)
    found = [_cut_line(names[name], images[name], part) for name in cut]
    generator = numpy_generator(seed, "isolation preview")
    drawn = np.sort(generator.permutation(table["tracklet_id"].to_numpy())[:count])
    whole = [
        Row(
            f"{names[name]}\n{len(images[name])} frames",
            (Shown("whole, in time", inner(images[name], _WIDTH)),),
        )
        for name in drawn.tolist()
    ]
    return found, whole


def _cut_line(name: str, images: Whole, part: "pd.Series[int]") -> Row:
    """Return a tracklet's largest pieces, each with its frames' places in the tracklet."""
    of = part.reindex(images).fillna(-1).to_numpy(np.int64)
    pieces, sizes = np.unique(of[of >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:_MANY]
    room = np.maximum(1, _WIDTH // len(order))
    strips = []
    for number, piece in enumerate(pieces[order].tolist()):
        places = np.flatnonzero(of == piece)
        shown = inner(images[places], room)
        caption = f"piece {number + 1}: {len(places)}\nin {places[0] + 1} to {places[-1] + 1}"
        strips.append(Shown(caption, shown))
    more = f"\n{len(order)} shown" if len(order) < len(pieces) else ""
    return Row(f"{name}\n{len(images)} frames\n{len(pieces)} pieces{more}", tuple(strips))


def sheet(
    cut: Sequence[Row],
    whole: Sequence[Row],
    picture: Callable[[int], NDArray[np.uint8]],
    title: str,
) -> Figure:
    """Draw the tracklets that are cut most above those at random.

    Args:
        cut, whole: of `lines`.
        picture: gives an image as uint8 [H, W, 3], all of one size.
        title: of the figure.
    """
    heads = [(cut, _CUT), (whole, _WHOLE)]
    height = 0.6 + sum(0.35 + 1.3 * len(rows) for rows, _ in heads if rows)
    width = 1.2 + 0.52 * _WIDTH
    figure = Figure(figsize=(width, height))
    figure.text(0.01, 1 - 0.1 / height, title, fontsize=9, va="top", wrap=True)
    top = 0.6
    for rows, text in heads:
        if not rows:
            continue
        figure.text(0.01, 1 - (top + 0.1) / height, text, fontsize=7, va="top", color="#4a5568")
        top += 0.35
        for row in rows:
            box = (1.1 / width, 1 - (top + 1.28) / height, 1 - 1.1 / width, 1.0 / height)
            _draw(figure, box, row, picture)
            top += 1.3
    return figure


def _draw(
    figure: Figure,
    box: tuple[float, float, float, float],
    row: Row,
    picture: Callable[[int], NDArray[np.uint8]],
) -> None:
    axis = figure.add_axes(box)
    parts: list[NDArray[np.uint8]] = []
    left = 0
    for strip in row.shown:
        pictures = [picture(image) for image in strip.images]
        height, width, _ = pictures[0].shape
        axis.text(left, -3, strip.caption, fontsize=5.5, va="bottom", linespacing=1.05)
        parts += [*pictures, np.full((height, _GAP, 3), 255, np.uint8)]
        left += width * len(pictures) + _GAP
    axis.imshow(np.concatenate(parts, axis=1))
    axis.set_xlim(-0.5, _WIDTH * width + _MANY * _GAP)
    axis.set_anchor("W")
    axis.text(-8, height / 2, row.label, fontsize=6.5, ha="right", va="center")
    axis.set_axis_off()
