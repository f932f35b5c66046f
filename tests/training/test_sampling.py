import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.training.sampling import BagBatches, frames_of_bag, pairs_possible

LABELS = st.lists(st.frozensets(st.integers(1, 9), max_size=4), min_size=1, max_size=30)


def pairs_in(batch: list[int], labels: list[frozenset[int]]) -> int:
    return sum(bool(labels[a] & labels[b]) for a, b in combinations(batch, 2))


@settings(max_examples=300, deadline=None)
@given(
    labels=LABELS,
    batch_size=st.integers(1, 12),
    pairs=st.integers(0, 5),
    seed=st.integers(0, 99),
    epoch=st.integers(0, 5),
    steps=st.none() | st.integers(1, 6),
)
def test_every_batch_keeps_its_promises_or_is_refused(
    labels, batch_size, pairs, seed, epoch, steps
):
    possible = (
        len(labels) >= batch_size >= 2 * pairs
        and pairs_in(list(range(len(labels))), labels) >= pairs
    )
    if not possible:
        with pytest.raises(ReidError) as caught:
            BagBatches(labels, batch_size=batch_size, pairs=pairs, seed=seed, steps=steps)
        assert "\n" not in str(caught.value)
        return
    sampler = BagBatches(labels, batch_size=batch_size, pairs=pairs, seed=seed, steps=steps)
    batches = sampler.epoch(epoch)
    assert len(batches) == len(sampler) == (steps or -(-len(labels) // batch_size))
    for batch in batches:
        assert len(batch) == len(set(batch)) == batch_size
        assert all(0 <= bag < len(labels) for bag in batch)
        assert pairs_in(batch, labels) >= pairs


@settings(max_examples=50, deadline=None)
@given(labels=LABELS.filter(lambda bags: len(bags) >= 4), seed=st.integers(0, 99))
def test_without_pairs_an_epoch_covers_all_bags(labels, seed):
    batches = BagBatches(labels, batch_size=4, pairs=0, seed=seed, steps=None).epoch(0)
    assert {bag for batch in batches for bag in batch} == set(range(len(labels)))


def batches_of(labels: Any, **changes: Any) -> BagBatches:
    options = {"batch_size": 10, "pairs": 3, "seed": 1, "steps": None, **changes}
    return BagBatches(labels, **options)


def many_bags(count: int, people: int, per_bag: int) -> list[list[int]]:
    generator = np.random.default_rng(0)
    return [generator.choice(people, per_bag, replace=False).tolist() for _ in range(count)]


def test_an_epoch_covers_nearly_all_bags_nearly_once():
    labels = many_bags(1003, 300, 4)
    seen = np.bincount(np.concatenate(batches_of(labels).epoch(0)), minlength=len(labels))
    assert seen.sum() == 1010
    assert (seen >= 1).mean() > 0.97
    assert seen.max() <= 3


def test_the_same_seed_and_epoch_give_the_same_batches():
    labels = many_bags(60, 30, 3)
    sampler = batches_of(labels)
    later = sampler.epoch(3)
    assert batches_of(labels).epoch(3) == later
    assert sampler.epoch(3) == later
    assert sampler.epoch(4) != later
    assert batches_of(labels, seed=2).epoch(3) != later


def test_pairs_are_disjoint_where_the_bags_allow_it():
    labels = [[i // 2] for i in range(40)]
    for batch in batches_of(labels, pairs=5).epoch(0):
        assert sorted(np.bincount([bag // 2 for bag in batch]).nonzero()[0].tolist()) == sorted(
            {bag // 2 for bag in batch}
        )
        assert len({bag // 2 for bag in batch}) == 5


def test_every_pair_of_bags_gets_its_turn():
    labels = [[1, 2], [2, 3], [3, 1], [4], [5], [6]]
    sampler = batches_of(labels, batch_size=2, pairs=1)
    met = {tuple(sorted(batch)) for epoch in range(20) for batch in sampler.epoch(epoch)}
    assert met == {(0, 1), (1, 2), (0, 2)}


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([[1], [2], [3]], {"batch_size": 2, "pairs": 1}, "no two of the 3 bags share an identity"),
        ([[1], [1], [3], [4]], {"batch_size": 4, "pairs": 2}, "only 1 pairs of the 4 bags"),
        ([[1], [1]], {"batch_size": 3, "pairs": 1}, "batch of 3 .* there are 2 bags"),
        ([[1]] * 9, {"batch_size": 5, "pairs": 3}, "3 pairs need 6 bags, but a batch holds 5"),
    ],
)
def test_impossible_demands_are_refused_with_the_reason(labels, options, message):
    with pytest.raises(ReidError, match=message):
        batches_of(labels, **options)


def test_overlapping_pairs_make_up_for_disjoint_ones():
    # one identity in three bags: three pairs, but no two of them disjoint
    labels = [[1], [1], [1], [2], [3], [4]]
    for batch in batches_of(labels, batch_size=6).epoch(0):
        assert {0, 1, 2} <= set(batch)


@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(1, 300),
    most=st.integers(1, 150),
    seed=st.integers(0, 9),
    epoch=st.integers(0, 9),
    bag=st.integers(0, 9),
)
def test_frames_of_a_bag(count, most, seed, epoch, bag):
    chosen = frames_of_bag(count, most, seed=seed, epoch=epoch, bag=bag)
    assert len(chosen) == min(count, most)
    assert len(set(chosen.tolist())) == len(chosen)
    assert chosen.min() >= 0
    assert chosen.max() < count
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(
        chosen, frames_of_bag(count, most, seed=seed, epoch=epoch, bag=bag)
    )


def test_frames_differ_between_epochs_and_bags():
    def chosen(epoch: int, bag: int) -> list[int]:
        return frames_of_bag(500, 100, seed=0, epoch=epoch, bag=bag).tolist()

    assert len({tuple(chosen(epoch, bag)) for epoch in range(3) for bag in range(3)}) == 9
    often = np.bincount(np.concatenate([chosen(epoch, 0) for epoch in range(200)]), minlength=500)
    assert often.min() > 0


@pytest.mark.parametrize(
    ("labels", "batch_size", "wanted", "possible"),
    [
        ([[1, 2], [2, 3], [1], [4]], 4, 3, 2),
        ([[1, 2], [2, 3], [1], [4]], 4, 1, 1),
        ([[1], [1], [1], [1]], 3, 3, 1),
        ([[1], [2], [3]], 2, 1, 0),
        ([[1], [1]], 2, 0, 0),
    ],
)
def test_pairs_that_a_batch_can_be_asked_for(labels, batch_size, wanted, possible):
    assert pairs_possible(labels, batch_size, wanted) == possible
    batches_of(labels, batch_size=batch_size, pairs=possible).epoch(0)


@given(
    bags=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=3), min_size=1, max_size=12),
    size=st.integers(1, 12),
    pairs=st.integers(1, 8),
)
@settings(max_examples=200, deadline=None)
def test_what_is_advised_of_batches_makes_batches(bags, size, pairs):
    options = {"batch_size": min(size, len(bags)), "pairs": pairs}
    try:
        batches_of(bags, **options)
    except ReidError as error:
        advice = str(error).split("; set ")[1]
        found = re.findall(r"batch\.(bags|pairs) to (\d+)", advice)
        assert found or "cpal.weight: 0" in advice
        for key, value in found:
            changed = {"batch_size" if key == "bags" else "pairs": int(value)}
            if "cpal.weight" not in advice:
                assert batches_of(bags, **options | changed).epoch(0)
