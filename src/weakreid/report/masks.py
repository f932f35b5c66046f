"""COSAM's spatial masks as a picture (COSAM, Fig. 6): frames, and below them where it looks.

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.report.figures import LABEL, Canvas, Mark

COLOURS = "viridis"
_OVER = 0.65
"""How much of the colour covers the frame, which is grey below it."""
_FRAME = 0.62, 1.24  # inches, width and height
_NAMES = 1.1  # inches, left of the frames
_BETWEEN = 0.35  # inches, between the clips of a line
_LARGEST = 8  # frames of a line


@dataclass(frozen=True)
class MaskedClip:
    """A clip's frames and the masks over them.

    Attributes:
        title: whose it is.
        frames: uint8 [T, H, W, 3].
        masks: by the stage that a COSAM module follows [T, h, w], in 0..1.
    """

    title: str
    frames: NDArray[np.uint8]
    masks: Mapping[str, NDArray[np.float32]]


def covered(
    frame: NDArray[np.uint8], mask: NDArray[np.float32], norm: Normalize
) -> NDArray[np.uint8]:
    """Return a frame [H, W, 3] in grey under the colours of its mask [h, w], smoothed."""
    height, width, _ = frame.shape
    large = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colours = colormaps[COLOURS](norm(large))[..., :3] * 255
    grey = frame.astype(np.float64).mean(axis=2, keepdims=True)
    return np.round(_OVER * colours + (1 - _OVER) * grey).astype(np.uint8)


def picture(clips: Sequence[MaskedClip], title: str) -> Figure:
    """Draw clips: the frames in a row, and below them the masks of each COSAM module.

    A module's colours go from the least to the largest value of its masks in the picture.

    Args:
        clips: all of the same modules and number of frames.
        title: of the figure.

    Raises:
        ReidError: there is no clip, or no mask.
    """
    if not clips or not clips[0].masks:
        raise ReidError("no mask: there is nothing to show; take a model with model.cosam")
    stages = list(clips[0].masks)
    length = len(clips[0].frames)
    abreast = max(1, min(len(clips), _LARGEST // length))
    lines = [clips[at : at + abreast] for at in range(0, len(clips), abreast)]
    norms = {stage: _norm([clip.masks[stage] for clip in clips]) for stage in stages}
    above, gap = 0.2, 0.14
    tall = above + (1 + len(stages)) * (_FRAME[1] + 0.04) + gap
    wide = length * _FRAME[0] + _BETWEEN
    right = _NAMES + abreast * wide
    canvas = Canvas(title, _notes(stages), width=right + 0.6, body=tall * len(lines))
    for number, line in enumerate(lines):
        top = canvas.top + number * tall
        for place, clip in enumerate(line):
            left = _NAMES + place * wide
            canvas.text(left, top, clip.title, LABEL)
            canvas.strip(left, top + above, _FRAME, list(clip.frames))
        canvas.text(_NAMES - 0.08, top + above + _FRAME[1] / 2, "frames", LABEL, ha="right")
        for below, stage in enumerate(stages, start=1):
            at = top + above + below * (_FRAME[1] + 0.04)
            height, width = line[0].masks[stage].shape[1:]
            name = f"COSAM after\n{stage}\n({height} x {width} places)"
            canvas.text(_NAMES - 0.08, at + 0.3, name, LABEL, ha="right")
            for place, clip in enumerate(line):
                pairs = zip(clip.frames, clip.masks[stage], strict=True)
                shown = [covered(frame, mask, norms[stage]) for frame, mask in pairs]
                canvas.strip(_NAMES + place * wide, at, _FRAME, shown)
            if number == 0:
                axis = canvas.axes(right - _BETWEEN + 0.1, at, 0.1, _FRAME[1])
                mapped = ScalarMappable(norms[stage], colormaps[COLOURS])
                bar = canvas.figure.colorbar(mapped, cax=axis)
                bar.ax.tick_params(labelsize=6)
                bar.set_label("mask", fontsize=LABEL)
    return canvas.figure


def _norm(masks: Sequence[NDArray[np.float32]]) -> Normalize:
    """Return colours from the least to the largest value; around it where all are one."""
    least = float(min(mask.min() for mask in masks))
    largest = float(max(mask.max() for mask in masks))
    if largest - least < 1e-6:
        return Normalize(least - 0.01, largest + 0.01)
    return Normalize(least, largest)


def _notes(stages: Sequence[str]) -> list[Mark]:
    several = "each of its modules" if len(stages) > 1 else "the module"
    return [
        Mark("upper row: the frames of a clip, in the order of time"),
        Mark(f"below: by what COSAM ({several}) multiplies each place of the frame's map"),
        Mark("yellow: kept most, blue: kept least (1 would keep it whole, 0 nothing)"),
    ]
