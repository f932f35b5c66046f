"""How often a source's people have each attribute: a plot (ATTR, Fig. 4), a table (Table 1)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from weakreid.attributes import GROUPS, NAMES, TITLES, UNSURE
from weakreid.report.figures import PALETTE, bare
from weakreid.report.markdown import page
from weakreid.supervision.ratios import positive_ratios

TEXT_COUNT = 68
"""Of the attributes, by ATTR's text (section 4.1); its Figure 4 names those of `NAMES`."""

_COLOURS = dict(zip(GROUPS, PALETTE, strict=False))
_HATCHES = dict(zip(GROUPS, ("", "///", "...", "\\\\\\", "xx", "--"), strict=True))
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


def figure_order(attributes: Sequence[str]) -> list[str]:
    """Return attributes in the order of ATTR's Figure 4, which is RAP's: colours stand last."""
    ordered = [name for name in NAMES if name in attributes]
    return sorted(ordered, key=lambda name: f"up-{name.partition('-')[2]}" in NAMES)


def ratio_figure(title: str, attributes: Sequence[str], labels: npt.NDArray[np.int8]) -> Figure:
    """Draw the positive ratio of every attribute as a bar (ATTR, Fig. 4).

    Bars stand in the order of `figure_order`, coloured by group. Unsure labels count nowhere; an
    attribute of which nothing is known has a question mark for a bar.

    Args:
        title: of the figure.
        attributes: names, of the columns of `labels`.
        labels: int8 [N, A], 1, 0 or -1.
    """
    ratios = dict(zip(attributes, positive_ratios(labels).tolist(), strict=True))
    names = figure_order(attributes)
    figure = Figure(figsize=(1.2 + 0.19 * len(names), 3.6), layout="constrained")
    axis = figure.subplots()
    for group, colour in _COLOURS.items():
        places = [place for place, name in enumerate(names) if _GROUP_OF[name] == group]
        if places:
            heights = [np.nan_to_num(ratios[names[place]]) for place in places]
            axis.bar(
                places, heights, width=0.75, color=colour, label=TITLES[group],
                hatch=_HATCHES[group], edgecolor="white", linewidth=0,
            )  # fmt: skip
    for place, name in enumerate(names):
        if np.isnan(ratios[name]):
            axis.annotate("?", (place, 0.01), ha="center", fontsize=7)
    axis.set_xticks(range(len(names)), labels=names, rotation=90)
    axis.set_xlim(-0.7, len(names) - 0.3)
    axis.set_ylim(0, 1)
    axis.set_ylabel("share of pictures with the attribute", fontsize=8)
    axis.grid(axis="y", linewidth=0.4, alpha=0.5)
    axis.set_axisbelow(True)
    bare(axis)
    axis.legend(fontsize=7, frameon=False, ncols=2, title="group", title_fontsize=7)
    if any(np.isnan(ratios[name]) for name in names):
        axis.set_xlabel("?: nothing is known of the attribute", fontsize=8)
    axis.set_title(title, fontsize=10)
    return figure


def groups_table(
    title: str,
    attributes: Sequence[str],
    labels: npt.NDArray[np.int8],
    *,
    paper: str = "ATTR",
    table: str = "1",
) -> str:
    """Return the groups of attributes, all their names, the rarest and the most common of each.

    Args:
        title: of the table.
        attributes: names, of the columns of `labels`.
        labels: int8 [N, A], 1, 0 or -1.
        paper: whose groups.
        table: of the paper, which lists examples and no figures.
    """
    ratios = dict(zip(attributes, positive_ratios(labels).tolist(), strict=True))
    unsure = dict(zip(attributes, (labels == UNSURE).sum(axis=0).tolist(), strict=True))
    heads = ["group", "attributes", "how many", "rarest", "most common", "unsure labels"]
    lines = []
    for group, members in GROUPS.items():
        names = [name for name in members if name in ratios]
        rarest, commonest = _ends(names, ratios)
        lines.append(
            [
                TITLES[group],
                ", ".join(names) or "none",
                str(len(names)),
                rarest,
                commonest,
                str(sum(unsure[name] for name in names)),
            ]
        )
    opened = ", ".join(name for name, count in unsure.items() if count)
    notes = [
        (
            f"Paper: {paper}, Table {table}, which lists examples only. Its text counts "
            f"{TEXT_COUNT} attributes, its Figure 4 names {len(NAMES)}: the figure's are taken."
        ),
        (
            f"{len(labels)} pictures, train and test. A ratio is the positive labels' share of the "
            f"known ones; unsure labels, {sum(unsure.values())}{f' ({opened})' if opened else ''}, "
            "are in neither."
        ),
    ]
    lacking = [name for name in NAMES if name not in ratios]
    if lacking:
        notes.append(f"This source does not tell {', '.join(lacking)}.")
    never = [name for name in attributes if ratios[name] == 0]
    if never:
        notes.append(f"Nobody has {', '.join(never)}.")
    return page(title, heads, lines, notes)


def _ends(names: Sequence[str], ratios: Mapping[str, float]) -> tuple[str, str]:
    """Return the rarest and the most common attribute with their ratios."""
    known = [name for name in names if not np.isnan(ratios[name])]
    if not known:
        return "", ""
    rarest = min(known, key=lambda name: ratios[name])
    commonest = max(known, key=lambda name: ratios[name])
    return f"{rarest} {ratios[rarest]:.4f}", f"{commonest} {ratios[commonest]:.4f}"
