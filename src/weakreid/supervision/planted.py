"""Wrong video-level labels, planted on purpose, to measure what finds them.

A planted error can be told later from the table alone: the labels of a bag that carries one are not
the set of its `truth_frame_persons`.
"""

from collections import Counter

import numpy as np
import pandas as pd

from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator


def plant(bags: pd.DataFrame, *, seed: int, removed: float, added: float) -> pd.DataFrame:
    """Remove a label from some bags and add a wrong one to others.

    A bag gets one error at most. What happens to which bag comes from (seed, bag_id), so that the
    order of the rows does not matter. Shares are rounded to the nearest number of bags, a half
    upwards; a share above 0 means one bag at least.

    Args:
        bags: table "bags" with its column `truth_frame_persons`.
        seed: decides everything random.
        removed: share (0 to 1) of the bags of two labels and more that lose one. It is a label of
            somebody who is in the bag, and never a person's last: the number of identities stays.
        added: share of all bags that gain one: a person who is tagged in some other bag and is not
            in this one.

    Returns:
        The bags in their order, with other `labels` (sorted where they changed), all other columns
        untouched.

    Raises:
        ReidError: no truth to plant against, or fewer bags than asked for that an error can be
            planted in.
    """
    if "truth_frame_persons" not in bags.columns:
        raise ReidError(
            "planting errors needs the column truth_frame_persons, which these bags lack; "
            "read them with their truth"
        )
    labels = {
        int(bag): [int(person) for person in of_bag]
        for bag, of_bag in zip(bags["bag_id"], bags["labels"], strict=True)
    }
    present = {
        int(bag): {int(person) for person in of_bag}
        for bag, of_bag in zip(bags["bag_id"], bags["truth_frame_persons"], strict=True)
    }
    if len(labels) < len(bags):
        raise ReidError("table 'bags': a bag_id stands there twice; make the bags again")
    tags = Counter(person for of_bag in labels.values() for person in of_bag)
    people = sorted(tags)
    generators = {bag: numpy_generator(seed, "planted", bag) for bag in sorted(labels)}
    draws = {bag: generator.random() for bag, generator in generators.items()}
    order = sorted(draws, key=lambda bag: (draws[bag], bag))

    several = [bag for bag in order if len(labels[bag]) > 1]
    changed: dict[int, list[int]] = {}
    wanted = _count(removed, len(several))
    for bag in several:
        if len(changed) == wanted:
            break
        candidates = [p for p in labels[bag] if tags[p] > 1 and p in present[bag]]
        if candidates:
            person = _one(candidates, generators[bag])
            changed[bag] = [p for p in labels[bag] if p != person]
            tags[person] -= 1
    _check("removed", removed, wanted, len(changed), "a label that is not its person's last")

    wanted, first = _count(added, len(order)), len(changed)
    for bag in order:
        if len(changed) - first == wanted:
            break
        if bag not in changed:
            candidates = [p for p in people if p not in present[bag] and p not in labels[bag]]
            if candidates:
                changed[bag] = sorted([*labels[bag], _one(candidates, generators[bag])])
    _check("added", added, wanted, len(changed) - first, "no error yet and somebody not in it")

    now = [
        np.array(changed[int(bag)], np.int32) if int(bag) in changed else of_bag
        for bag, of_bag in zip(bags["bag_id"], bags["labels"], strict=True)
    ]
    return bags.assign(labels=pd.Series(now, index=bags.index, dtype=object))


def _count(share: float, of: int) -> int:
    return max(1, int(share * of + 0.5)) if share > 0 else 0


def _one(candidates: list[int], generator: np.random.Generator) -> int:
    return candidates[int(generator.integers(len(candidates)))]


def _check(name: str, share: float, wanted: int, done: int, what: str) -> None:
    if done < wanted:
        raise ReidError(
            f"planted.{name} is {share}, which means {wanted} bags; only {done} have {what}: "
            f"lower the share"
        )
