"""Planted label errors: how many, of what kind, and what they leave alone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.supervision.planted import plant


def bags_of(people: list[list[int]]) -> pd.DataFrame:
    """Bags with the given people, two frames of each."""
    count = len(people)
    return pd.DataFrame(
        {
            "bag_id": np.arange(count, dtype=np.int32) * 3 + 5,
            "role": ["train"] * count,
            "camera_id": np.ones(count, np.int32),
            "tracklet_ids": [np.array(of_bag, np.int32) for of_bag in people],
            "frames": [np.arange(2 * len(of_bag)) for of_bag in people],
            "frame_tracklets": [np.repeat(of_bag, 2).astype(np.int32) for of_bag in people],
            "labels": [np.array(sorted(of_bag), np.int32) for of_bag in people],
            "truth_frame_persons": [np.repeat(of_bag, 2).astype(np.int32) for of_bag in people],
        }
    )


def labels_of(bags: pd.DataFrame) -> dict[int, list[int]]:
    return {int(bag): labels.tolist() for bag, labels in zip(bags.bag_id, bags.labels, strict=True)}


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return schemas.conform(one, "bags").equals(schemas.conform(other, "bags"))


people = st.lists(st.sets(st.integers(1, 9), min_size=1, max_size=4).map(sorted), min_size=4)


@settings(max_examples=150, deadline=None)
@given(people=people, removed=st.floats(0, 0.4), added=st.floats(0, 0.4), seed=st.integers(0, 9))
def test_what_is_planted(people, removed, added, seed) -> None:
    bags = bags_of(people)
    try:
        made = plant(bags, seed=seed, removed=removed, added=added)
    except ReidError as error:
        assert "lower the share" in str(error)
        assume(False)
    assert same(bags.drop(columns="labels").assign(labels=made["labels"])[list(bags)], made)
    lost, gained = 0, 0
    for truth, labels in zip(bags["truth_frame_persons"], made["labels"], strict=True):
        tagged, present = labels.tolist(), set(truth.tolist())
        assert tagged == sorted(set(tagged))
        assert tagged
        # one error in a bag at most
        assert len(present ^ set(tagged)) <= 1
        lost += len(present - set(tagged))
        gained += len(set(tagged) - present)
    several = sum(len(of_bag) > 1 for of_bag in people)
    assert lost == (max(1, int(removed * several + 0.5)) if removed else 0)
    assert gained == (max(1, int(added * len(people) + 0.5)) if added else 0)
    # every person keeps a tag in a bag where the person is
    for person in {person for of_bag in people for person in of_bag}:
        kept = zip(bags["truth_frame_persons"], made["labels"], strict=True)
        assert any(person in truth and person in labels for truth, labels in kept)


def test_the_rows_order_does_not_matter_and_the_seed_does() -> None:
    people = [[1 + bag % 7, 1 + (bag + 2) % 7, 1 + (bag + 3) % 7] for bag in range(40)]
    bags = bags_of(people)
    made = plant(bags, seed=1, removed=0.2, added=0.1)
    shuffled = bags.sample(frac=1.0, random_state=3)
    again = plant(shuffled, seed=1, removed=0.2, added=0.1)
    assert again["bag_id"].tolist() == shuffled["bag_id"].tolist()
    assert labels_of(again) == labels_of(made)
    assert same(plant(bags, seed=1, removed=0.2, added=0.1), made)
    assert labels_of(plant(bags, seed=2, removed=0.2, added=0.1)) != labels_of(made)
    # the given bags stay as they are
    assert same(bags, bags_of(people))


def test_nothing_is_planted_where_nothing_is_asked_for() -> None:
    bags = bags_of([[1, 2], [2, 3]])
    assert same(plant(bags, seed=1, removed=0, added=0), bags)


@pytest.mark.parametrize(
    ("people", "changes", "message"),
    [
        ([[1, 2], [3, 4]], {"removed": 0.5}, "means 1 bags; only 0 have a label that is not its"),
        ([[1, 2], [1, 2]], {"added": 0.5}, "means 1 bags; only 0 have no error yet and somebody"),
    ],
)
def test_what_cannot_be(people: list[list[int]], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ReidError, match=message):
        plant(bags_of(people), **{"seed": 1, "removed": 0.0, "added": 0.0, **changes})


def test_bags_without_truth_or_with_an_id_twice() -> None:
    bags = bags_of([[1, 2], [1, 2]])
    with pytest.raises(ReidError, match="needs the column truth_frame_persons"):
        plant(bags.drop(columns="truth_frame_persons"), seed=1, removed=0.5, added=0)
    with pytest.raises(ReidError, match="bag_id stands there twice"):
        plant(pd.concat([bags, bags]), seed=1, removed=0.5, added=0)
