"""What somebody looks like, in words: from the probabilities of attributes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEMALE = "Female"
MOST = 4
"""Words that are said of somebody."""
_LEAST = 1e-9


def word(attribute: str, present: bool = True) -> str | None:
    """Return an attribute as a picture's words say it (ATTR, Fig. 5), None for no word.

    Of the attributes that somebody has not, one has a word: Male is who is not Female.
    """
    if attribute == FEMALE:
        return "Female" if present else "Male"
    return attribute.removeprefix("hs-") if present else None


def certainty(probabilities: ArrayLike, threshold: float) -> NDArray[np.float64]:
    """Return how far probabilities are from the threshold: 0 there, 1 at 0 and at 1."""
    values = np.asarray(probabilities, np.float64)
    above = (values - threshold) / max(1 - threshold, _LEAST)
    below = (threshold - values) / max(threshold, _LEAST)
    return np.clip(np.where(values >= threshold, above, below), 0, 1)


def appearance(probabilities: ArrayLike, names: Sequence[str], threshold: float) -> list[str]:
    """Return the words of somebody's attributes, `MOST` at most, the most certain first.

    Args:
        probabilities: [A] of the attributes.
        names: [A] of the attributes.
        threshold: from which an attribute counts as there (ATTR, Eq. 10).
    """
    values = np.asarray(probabilities, np.float64)
    order = np.argsort(-certainty(values, threshold), kind="stable")
    words = [word(names[place], bool(values[place] >= threshold)) for place in order]
    return [found for found in words if found is not None][:MOST]


def differences(
    query: ArrayLike, other: ArrayLike, names: Sequence[str], threshold: float
) -> list[str]:
    """Return how another differs from a query, `MOST` words at most, the largest difference first.

    "+X": the other has X, the query has not. "−X": the other way round.

    Args:
        query: [A] probabilities.
        other: [A] probabilities.
        names: [A] of the attributes.
        threshold: from which an attribute counts as there.
    """
    one, two = np.asarray(query, np.float64), np.asarray(other, np.float64)
    has = two >= threshold
    differ = np.flatnonzero((one >= threshold) != has)
    order = differ[np.argsort(-np.abs(one - two)[differ], kind="stable")][:MOST]
    found = []
    for place in order:
        name, there = names[place], bool(has[place])
        if name == FEMALE:
            found.append(f"+{word(name, there)}")
        else:
            found.append(("+" if there else "−") + str(word(name)))
    return found
