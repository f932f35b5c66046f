"""How often attributes hold, by the labels of their annotators (ATTR, Figure 4 and Eq. 8)."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weakreid.attributes import UNSURE

Labels: TypeAlias = npt.NDArray[np.int8]


def label_counts(labels: Labels) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count the images that have an attribute, and those of which it is known.

    Args:
        labels: int8 [N, A], 1, 0 or `UNSURE`.

    Returns:
        positive and known, int64 [A]; unsure labels are in neither.
    """
    return (labels == 1).sum(axis=0, dtype=np.int64), (labels != UNSURE).sum(axis=0, dtype=np.int64)


def positive_ratios(labels: Labels) -> npt.NDArray[np.float64]:
    """Return the share of the known labels that are positive, w of Eq. 8.

    Args:
        labels: int8 [N, A], 1, 0 or `UNSURE`.

    Returns:
        float64 [A]; NaN where nothing is known.
    """
    positive, known = label_counts(labels)
    ratios = np.full(len(known), np.nan)
    np.divide(positive, known, out=ratios, where=known > 0)
    return ratios
