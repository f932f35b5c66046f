"""Which tracklets make a batch, and which of their frames are looked at (TMC)."""

import numpy as np

from weakreid.errors import ReidError


class _Deck:
    """Items in random order, each dealt once before any is dealt again."""

    def __init__(self, items: np.ndarray, generator: np.random.Generator) -> None:
        self.items, self.generator = items, generator
        self.left: list[int] = []

    def deal(self, count: int) -> list[int]:
        """Return so many items, different ones unless there are too few."""
        dealt: list[int] = []
        while len(dealt) < count:
            if not self.left:
                self.left = self.generator.permutation(self.items).tolist()
            fresh = (place for place, item in enumerate(self.left) if item not in dealt)
            dealt.append(self.left.pop(next(fresh, 0)))
        return dealt


def cluster_batches(
    labels: np.ndarray,
    *,
    clusters: int,
    tracklets: int,
    steps: int,
    generator: np.random.Generator,
    share: int = 1,
) -> list[np.ndarray]:
    """Return an epoch's batches: some clusters, and some tracklets of each.

    Clusters come in random order, each once before any comes again, and so do the tracklets of a
    cluster; one with fewer tracklets than asked for repeats them within a batch.

    Args:
        labels: [N], each tracklet's cluster; -1 stands alone and is left out.
        clusters: of a batch; all of them where there are fewer.
        tracklets: of a cluster in a batch.
        steps: batches.
        generator: where every choice comes from.
        share: processes that a batch must divide among.

    Returns:
        Per batch the tracklets, int64 [clusters * tracklets], cluster after cluster.

    Raises:
        ReidError: no two clusters or more make a batch that divides among the processes.
    """
    names = np.unique(labels[labels >= 0])
    if len(names) < 2:
        raise ReidError(
            f"{len(names)} clusters make no batch of two clusters or more: there is nobody to tell "
            "apart"
        )
    together = min(clusters, len(names))
    while together * tracklets % share:
        together -= 1
    if together < 2:
        raise ReidError(
            f"{len(names)} clusters of {tracklets} tracklets make no batch of two clusters or more "
            f"that divides among {share} devices; set batch.tracklets to a multiple of them"
        )
    deck = _Deck(names, generator)
    within = {int(name): _Deck((labels == name).nonzero()[0], generator) for name in names}
    return [
        np.array([t for name in deck.deal(together) for t in within[name].deal(tracklets)])
        for _ in range(steps)
    ]


def shuffled_batches(
    items: np.ndarray, *, size: int, steps: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Return an epoch's batches of items in random order, each once before any comes again.

    A batch holds an item twice only where there are fewer than `size`.
    """
    deck = _Deck(items, generator)
    return [np.array(deck.deal(size)) for _ in range(steps)]


def chunk_of(count: int, wanted: int, generator: np.random.Generator) -> np.ndarray:
    """Return the positions of consecutive frames of a tracklet, from a random one on.

    Args:
        count: frames of the tracklet, at least 1.
        wanted: frames of the chunk; where there are fewer, all of them in order, and not more.
        generator: where the start comes from.
    """
    taken = min(count, wanted)
    return int(generator.integers(count - taken + 1)) + np.arange(taken)


def repeated(positions: np.ndarray, wanted: int) -> np.ndarray:
    """Return so many positions: a chunk that is too short starts over and over again."""
    return np.resize(positions, wanted)
