"""Temporal weights as a picture (ATTR, Fig. 6): a clip's frames, and what each counts by group.

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from weakreid.attributes import GROUPS, TITLES
from weakreid.errors import ReidError
from weakreid.report.figures import LABEL, Canvas, Mark, camera_name

ALL = "all"
"""The group of a method that gives a frame one weight."""
EQUAL = 1e-5
"""Weights (times the clip's frames) that are closer than this count as equal: float32's error."""

COLOURS = LinearSegmentedColormap.from_list("weights", ["#ffffff", "#fb6a4a", "#a50f15"])
_FRAME = 0.55, 1.1  # inches, width and height
_ROW = 0.17
_NAMES = 1.1  # inches, left of the cells


@dataclass(frozen=True)
class Clip:
    """A clip's frames and their weights.

    Attributes:
        title: whose it is.
        images: [T] rows of the image store.
        groups: [G] names.
        weights: [G, T].
    """

    title: str
    images: tuple[int, ...]
    groups: tuple[str, ...]
    weights: NDArray[np.float64]


def ordered_groups(names: Iterable[str]) -> list[str]:
    """Return groups in ATTR's order; others after them, as they come."""
    unique = list(dict.fromkeys(names))
    return [name for name in GROUPS if name in unique] + [n for n in unique if n not in GROUPS]


def variation(weights: pd.DataFrame) -> pd.DataFrame:
    """Return how much the weights of each clip vary.

    Args:
        weights: table "frame_weights".

    Returns:
        tracklet_id, clip and variation, sorted by both: the mean over the groups of the standard
        deviation of weight times T, which is 0 where all T frames count alike.
    """
    of_clip = weights.groupby(["tracklet_id", "clip", "group"], sort=True)["weight"]
    spread = of_clip.std(ddof=0) * of_clip.size()
    return spread.groupby(["tracklet_id", "clip"]).mean().rename("variation").reset_index()


def choose(weights: pd.DataFrame, tracklets: pd.DataFrame, count: int) -> list[tuple[int, int]]:
    """Return (tracklet, clip) of those whose weights vary most, of different persons.

    Of equals, the lower tracklet and clip.

    Args:
        weights: table "frame_weights".
        tracklets: table "tracklets".
        count: so many at most.

    Raises:
        ReidError: there are no weights, none is of a person, or a tracklet is unknown.
    """
    if weights.empty:
        raise ReidError("no weights: there is nothing to show; extract the features of clips again")
    found = variation(weights)
    found["person_id"] = found["tracklet_id"].map(tracklets.set_index("tracklet_id")["person_id"])
    unknown = found[found["person_id"].isna()]
    if len(unknown):
        raise ReidError(
            f"the weights have tracklet {unknown['tracklet_id'].iloc[0]}, which the tracklets have "
            "not; give the split that the features were made of"
        )
    found = found[found["person_id"] > 0]
    if found.empty:
        raise ReidError("no tracklet with weights shows a person (only junk and distractors)")
    found["variation"] = found["variation"].where(found["variation"] > EQUAL, 0.0)
    order = found.sort_values(
        ["variation", "tracklet_id", "clip"], ascending=[False, True, True], kind="stable"
    )
    order = order.drop_duplicates("person_id").head(count)
    pairs = zip(order["tracklet_id"], order["clip"], strict=True)
    return [(int(tracklet), int(clip)) for tracklet, clip in pairs]


def clips(
    weights: pd.DataFrame, tracklets: pd.DataFrame, chosen: Sequence[tuple[int, int]]
) -> list[Clip]:
    """Return what the picture shows of the chosen (tracklet, clip).

    Raises:
        ReidError: a group of a clip has other frames than the rest.
    """
    of_tracklet = tracklets.set_index("tracklet_id")
    several = bool((weights["clip"] != weights["clip"].iloc[0]).any())
    found = []
    for tracklet, clip in chosen:
        rows = weights[(weights["tracklet_id"] == tracklet) & (weights["clip"] == clip)]
        rows = rows.sort_values("position", kind="stable")
        groups = ordered_groups(weights["group"])
        of_group = {group: rows[rows["group"] == group] for group in groups}
        images = tuple(int(image) for image in of_group[groups[0]]["image"])
        for group, own in of_group.items():
            if tuple(own["image"]) != images:
                raise ReidError(
                    f"tracklet {tracklet}, clip {clip}: the weights of {group} are of other frames "
                    f"than those of {groups[0]}; extract the features of clips again"
                )
        about = of_tracklet.loc[tracklet]
        title = f"person {about['person_id']}, {camera_name(about['camera_id'])}, "
        title += f"tracklet {tracklet}"
        title += f", clip {clip + 1}" if several else ""
        values = np.stack([own["weight"].to_numpy(np.float64) for own in of_group.values()])
        found.append(Clip(title, images, tuple(groups), values))
    return found


def title_of(group: str) -> str:
    """Return a group's title, as the paper has it."""
    return TITLES.get(group, "whole frame" if group == ALL else group)


def picture(found: Sequence[Clip], frame: Callable[[int], NDArray[np.uint8]], title: str) -> Figure:
    """Draw clips below each other: numbered frames, and a row of cells per group.

    White to red is the least to the largest weight in the picture. Where all weights are equal
    the title says so, and the cells are of one colour.

    Args:
        found: of `clips`.
        frame: gives an image as uint8 [H, W, 3], all of one size.
        title: of the figure.
    """
    length = max(len(clip.images) for clip in found)
    cells = [_ROW * len(clip.groups) for clip in found]
    above, gap, bar = 0.36, 0.12, 0.8
    # room for a clip's title, however short it is
    right = _NAMES + max(_FRAME[0] * length, 2.5)
    equal = all(np.ptp(clip.weights, axis=1).max() * len(clip.images) <= EQUAL for clip in found)
    least = min(float(clip.weights.min()) for clip in found)
    largest = max(float(clip.weights.max()) for clip in found)
    norm = Normalize(0.0, 2 * largest) if equal else Normalize(least, largest)
    title += " (all frames of a clip weigh the same)" if equal else ""
    notes = [
        Mark("a row: what each frame of the clip counts for a group of attributes"),
        Mark("the darker, the more; a row's weights sum to 1"),
    ]
    body = sum(above + _FRAME[1] + own + gap for own in cells)
    canvas = Canvas(title, notes, width=right + bar, body=body)
    top = canvas.top
    for clip, own in zip(found, cells, strict=True):
        canvas.text(_NAMES, top, clip.title, 7)
        for place in range(len(clip.images)):
            middle = _NAMES + (place + 0.5) * _FRAME[0]
            canvas.text(middle, top + 0.2, str(place + 1), LABEL, ha="center")
        canvas.text(_NAMES - 0.08, top + 0.2, "frame", LABEL, ha="right")
        top += above
        canvas.strip(_NAMES, top, _FRAME, [frame(image) for image in clip.images])
        top += _FRAME[1]
        _draw_cells(canvas.axes(_NAMES, top, _FRAME[0] * len(clip.images), own), clip, norm)
        top += own + gap
    scale = canvas.axes(right + 0.2, canvas.top + above, 0.12, min(body - above - gap, 3.0))
    colours = canvas.figure.colorbar(ScalarMappable(norm, COLOURS), cax=scale)
    colours.ax.tick_params(labelsize=6.5)
    colours.set_label("weight of a frame", fontsize=7)
    return canvas.figure


def _draw_cells(axis: Axes, clip: Clip, norm: Normalize) -> None:
    axis.pcolormesh(clip.weights, cmap=COLOURS, norm=norm, edgecolors="#cccccc", linewidth=0.5)
    axis.invert_yaxis()
    axis.set_xticks([])
    places = np.arange(len(clip.groups)) + 0.5
    axis.set_yticks(places, labels=[title_of(group) for group in clip.groups], fontsize=6.5)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
