"""What a source of images with attributes can teach (ATTR, section 3.2).

n images, L attributes. Labels are 1, 0, and -1 where unsure.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.supervision.ratios import Labels, positive_ratios


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from.

    Attributes:
        images: int64 [n], rows of the image store.
        labels: [n, L].
        attributes: the L names.
        ratios: [L], each attribute's share of 1 among its known labels, above 0 and below 1.
        left_out: attributes that cannot be learnt, and their ratio; None: no label is known.
    """

    images: NDArray[np.int64]
    labels: Labels
    attributes: tuple[str, ...]
    ratios: NDArray[np.float64]
    left_out: dict[str, float | None]


def label_matrix(lists: pd.Series, attributes: Sequence[str]) -> Labels:
    """Return lists of labels as one array [n, L].

    Raises:
        ReidError: a list is not one of L labels.
    """
    lengths = lists.map(len).to_numpy()
    if len(wrong := np.flatnonzero(lengths != len(attributes))):
        raise ReidError(
            f"row {wrong[0]} has {lengths[wrong[0]]} labels for {len(attributes)} attributes; "
            "make the annotation again"
        )
    if not len(lists):
        return np.empty((0, len(attributes)), np.int8)
    return np.stack(lists.to_list()).astype(np.int8)


def lesson(
    images: pd.DataFrame,
    known: Sequence[str],
    asked: Sequence[str] | None,
    on_constant: str,
) -> Lesson:
    """Return what a source's training images can teach.

    Args:
        images: columns image, split and labels of the table "pictures".
        known: the attributes of its labels.
        asked: those to learn; None for all. The source's order is kept.
        on_constant: what to do about attributes that no training image has, that all have, or
            that are unsure in all: "stop" or "leave_out".

    Raises:
        ReidError: the source has no attribute of that name, one is constant and that stops, or
            nothing is left to learn.
    """
    chosen = [name for name in known if name in _known(asked, known)]
    training = images[images["split"] == "train"]
    if training.empty:
        raise ReidError("the source has no training image; take another source or partition")
    places = [list(known).index(name) for name in chosen]
    labels = label_matrix(training["labels"], known)[:, places]
    ratios = positive_ratios(labels)
    varied = (ratios > 0) & (ratios < 1)
    constant = {
        name: None if np.isnan(ratio) else float(ratio)
        for name, ratio, varies in zip(chosen, ratios, varied, strict=True)
        if not varies
    }
    if constant and on_constant == "stop":
        name, ratio = next(iter(constant.items()))
        more = f" (and {len(constant) - 1} more like it)" if len(constant) > 1 else ""
        share = "no known label" if ratio is None else f"a positive ratio of {ratio:g}"
        raise ReidError(
            f"attribute {name} has {share} in the {len(training):,} training images of the "
            f"source{more}: nothing can be learnt of it; leave it out of `attributes`, or set "
            "on_constant: leave_out"
        )
    if not varied.any():
        raise ReidError(
            f"none of the {len(chosen)} attributes varies among the {len(training):,} training "
            "images of the source: nothing can be learnt; name others in `attributes`"
        )
    return Lesson(
        training["image"].to_numpy(np.int64),
        np.ascontiguousarray(labels[:, varied]),
        tuple(name for name, varies in zip(chosen, varied, strict=True) if varies),
        ratios[varied],
        constant,
    )


def _known(asked: Sequence[str] | None, known: Sequence[str]) -> Sequence[str]:
    if asked is None:
        return known
    for name in asked:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(known)}"
            raise ReidError(f"attributes: the source has none called '{name}'; {hint}")
    return asked
