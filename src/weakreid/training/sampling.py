"""Which bags make a batch, and which frames of a bag are looked at (WL, section IV-A)."""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, combinations

import numpy as np

from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator


class BagBatches:
    """Batches of bags in which some pairs share an identity.

    Every batch holds `batch_size` different bags. Among them at least `pairs` pairs have an
    identity in common: disjoint pairs where the bags left allow it, overlapping ones else. An epoch
    goes through all bags in random order; a bag comes twice only as another's partner or to fill
    the last batch, so that most, not always all, come once.

    Args:
        labels: the identities of each bag; a bag's index is its place here.
        batch_size: bags per batch.
        pairs: least number of pairs per batch; 0 for none wanted.
        seed: with the epoch's number, decides everything random.
        steps: batches per epoch; None: bags / batch_size, rounded up.

    Raises:
        ReidError: the bags cannot give such batches; the message says why, with numbers.
    """

    def __init__(
        self,
        labels: Sequence[Collection[int]],
        *,
        batch_size: int,
        pairs: int,
        seed: int,
        steps: int | None,
    ) -> None:
        self.labels = [frozenset(int(label) for label in bag) for bag in labels]
        self.batch_size, self.pairs, self.seed = batch_size, pairs, seed
        _check(self.labels, batch_size, pairs)
        self.steps = steps if steps is not None else -(-len(self.labels) // batch_size)
        bags_of = _bags_of(self.labels).items()
        self._bags_of = {label: np.array(bags) for label, bags in bags_of if len(bags) > 1}
        self._pairable = [i for i, bag in enumerate(self.labels) if bag & self._bags_of.keys()]

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self.steps

    def epoch(self, number: int) -> list[list[int]]:
        """Return the batches of an epoch, each a list of bag indices."""
        generator = numpy_generator(self.seed, "bag batches", number)
        left = _Deck(len(self.labels), generator)
        return [self._batch(left, generator) for _ in range(self.steps)]

    def _batch(self, left: "_Deck", generator: np.random.Generator) -> list[int]:
        batch: list[int] = []
        found = 0

        def add(bag: int) -> int:
            """Put a bag into the batch; return how many pairs it makes there."""
            made = sum(not self.labels[bag].isdisjoint(self.labels[other]) for other in batch)
            batch.append(bag)
            left.take(bag)
            return made

        while found < self.pairs:
            pair = self._pair(batch, left, generator)
            for bag in pair:
                found += add(bag)
        while len(batch) < self.batch_size:
            add(left.next(batch))
        return [batch[i] for i in generator.permutation(len(batch))]

    def _pair(
        self, batch: list[int], left: "_Deck", generator: np.random.Generator
    ) -> tuple[int, ...]:
        """Return two bags outside the batch that share an identity, unseen ones first.

        Where no such two are left outside, return one bag that makes a pair with the batch.
        """
        inside = set(batch)
        again = (self._pairable[i] for i in generator.permutation(len(self._pairable)))
        for anchor in chain(left.unseen(), again):
            if anchor in inside:
                continue
            partners = self._partners(anchor, inside)
            if len(partners):
                unseen = partners[left.waiting[partners]]
                choice = unseen if len(unseen) else partners
                return anchor, int(choice[generator.integers(len(choice))])
        reached = set().union(*(self.labels[bag] for bag in batch))
        for i in generator.permutation(len(self._pairable)):
            if self._pairable[i] not in inside and self.labels[self._pairable[i]] & reached:
                return (self._pairable[i],)
        raise AssertionError("checked at the start: enough pairs exist")

    def _partners(self, anchor: int, inside: set[int]) -> np.ndarray:
        """Return the bags outside the batch that share an identity with the anchor, sorted."""
        sharing = [self._bags_of[label] for label in self.labels[anchor] if label in self._bags_of]
        if not sharing:
            return np.empty(0, int)
        return np.setdiff1d(np.concatenate(sharing), [*inside, anchor])


class _Deck:
    """Bags in random order, each dealt once before any is dealt again."""

    def __init__(self, size: int, generator: np.random.Generator) -> None:
        self.generator = generator
        self.waiting = np.ones(size, bool)
        self._shuffle()

    def _shuffle(self) -> None:
        self.order = self.generator.permutation(len(self.waiting)).tolist()
        self.place = 0

    def take(self, bag: int) -> None:
        self.waiting[bag] = False

    def unseen(self) -> Iterator[int]:
        """Yield the bags that wait, in their order."""
        while self.place < len(self.order) and not self.waiting[self.order[self.place]]:
            self.place += 1
        return (bag for bag in self.order[self.place :] if self.waiting[bag])

    def next(self, batch: Collection[int]) -> int:
        """Return a bag that is not in the batch; shuffle anew when all were dealt."""
        for bag in self.unseen():
            if bag not in batch:
                return bag
        self.waiting[:] = True
        self._shuffle()
        return next(bag for bag in self.unseen() if bag not in batch)


def _check(labels: list[frozenset[int]], batch_size: int, pairs: int) -> None:
    if len(labels) < batch_size:
        raise ReidError(
            f"a batch of {batch_size} different bags was asked for, but there are {len(labels)} "
            f"bags; set batch.bags to {len(labels)}"
        )
    found = _count_pairs(labels, pairs)
    if found == 0 < pairs:
        raise ReidError(
            f"no two of the {len(labels)} bags share an identity: CPAL cannot be trained; set "
            "cpal.weight: 0 to train without it, or make bags that share people"
        )
    possible = min(batch_size // 2, found)
    if possible == 0 < pairs:
        raise ReidError(
            f"{pairs} pairs need {2 * pairs} bags, but a batch holds {batch_size}: CPAL cannot be "
            "trained; set batch.bags to 2 or more, or cpal.weight: 0 to train without it"
        )
    if 2 * pairs > batch_size:
        more = f", or batch.bags to {2 * pairs}" if found >= pairs <= len(labels) // 2 else ""
        raise ReidError(
            f"{pairs} pairs need {2 * pairs} bags, but a batch holds {batch_size}; set batch.pairs "
            f"to {possible}{more}"
        )
    if found < pairs:
        raise ReidError(
            f"{pairs} pairs of bags per batch were asked for, but only {found} pairs of the "
            f"{len(labels)} bags share an identity; set batch.pairs to {possible}"
        )


def pairs_possible(labels: Sequence[Collection[int]], batch_size: int, wanted: int) -> int:
    """Return how many pairs a batch can be asked for, at most those wanted."""
    sets = [frozenset(int(label) for label in bag) for bag in labels]
    return min(batch_size // 2, _count_pairs(sets, wanted))


def _bags_of(labels: list[frozenset[int]]) -> dict[int, list[int]]:
    """Return the bags of each identity."""
    found: dict[int, list[int]] = {}
    for i, bag in enumerate(labels):
        for label in bag:
            found.setdefault(label, []).append(i)
    return found


def _count_pairs(labels: list[frozenset[int]], enough: int) -> int:
    """Count the pairs of bags that share an identity, up to `enough`."""
    found: set[tuple[int, int]] = set()
    for bags in _bags_of(labels).values():
        for pair in combinations(bags, 2):
            if len(found) >= enough:
                return len(found)
            found.add(pair)
    return len(found)


def frames_of_bag(
    count: int, frames_per_bag: int, *, seed: int, epoch: int, bag: int
) -> np.ndarray:
    """Return which frames of a bag to look at in an epoch.

    Args:
        count: frames of the bag, at least 1.
        frames_per_bag: the most that are looked at, at least 1.
        seed, epoch, bag: decide the choice (`bag`: its id or index, as long as it stays the same).

    Returns:
        Sorted positions within the bag, without repetition: min(count, frames_per_bag) of them.
    """
    if count <= frames_per_bag:
        return np.arange(count)
    generator = numpy_generator(seed, "bag frames", epoch, bag)
    return np.sort(generator.choice(count, frames_per_bag, replace=False))
