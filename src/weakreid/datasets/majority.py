"""Whom a tracklet shows, where its frames show several people: the one rule for it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def main_persons(tracklets: ArrayLike, persons: ArrayLike, half: bool = False) -> NDArray[np.int64]:
    """Return the known person in most frames of each tracklet; of several, the lowest id.

    Args:
        tracklets: [F], a frame's tracklet, from 0 without gaps; in any order.
        persons: [F], whom it shows; 0 or less is nobody who is known.
        half: the person must be in at least half of all the tracklet's frames.

    Returns:
        [N], 0 where there is no such person.
    """
    tracklets, persons = np.asarray(tracklets, np.int64), np.asarray(persons, np.int64)
    sizes = np.bincount(tracklets)
    known = persons > 0
    people, numbers = np.unique(persons[known], return_inverse=True)
    pairs, frames = np.unique(tracklets[known] * len(people) + numbers, return_counts=True)
    owners, numbers = np.divmod(pairs, max(1, len(people)))
    # a stable sort: the pairs stand by tracklet and person, and so do equals
    order = np.lexsort((-frames, owners))
    _, firsts = np.unique(owners[order], return_index=True)
    most = order[firsts]
    if half:
        most = most[2 * frames[most] >= sizes[owners[most]]]
    found = np.zeros(len(sizes), np.int64)
    found[owners[most]] = people[numbers[most]]
    return found
