"""Inter-tracklet association (TMC, section 3.2): DBSCAN on k-reciprocal Jaccard distances.

Distances are those of `jaccard`: sparse [N, N] in CSR, the pairs i < j with J < 1; a stored 0 is a
distance of 0, a pair that is not stored is at 1, or farther than all that were asked for
(`pairs_needed`). Nothing here makes an N x N matrix, and every result is that of the dense
computation.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from weakreid.clustering.jaccard import Kept
from weakreid.errors import ReidError

EPS_TRIED = tuple(round(0.02 * step, 2) for step in range(1, 50))
"""Candidates of `true_eps`."""


class NoEpsError(ReidError):
    """The distances have no eps of their own; the message says why, not what to do."""


def pairs_needed(count: int, eps: float | None, share: float, apart: int = 0) -> Kept:
    """Return which distances `data_eps`, where eps is None, and `associate` look at.

    TMC's share of MARS's 34 million pairs is 55 thousand. So many pairs more as `without` may take
    away.
    """
    if eps is not None:
        return Kept(within=eps)
    return Kept(smallest=max(1, round(share * (count * (count - 1) // 2))) + apart)


def without(distances: Any, apart: NDArray[np.int64] | None) -> Any:
    """Return the distances without some pairs, [P, 2] of i < j: they are at 1 then."""
    if apart is None or not len(apart):
        return distances
    count = distances.shape[0]
    first = np.repeat(np.arange(count), np.diff(distances.indptr))
    left = ~np.isin(first * count + distances.indices, apart[:, 0] * count + apart[:, 1])
    indptr = np.concatenate([[0], np.cumsum(left)])[distances.indptr]
    kept = (distances.data[left], distances.indices[left], indptr)
    return sparse.csr_array(kept, distances.shape)


def data_eps(distances: Any, share: float) -> float:
    """Return TMC's data-dependent eps: the mean of the smallest distances.

    Averaged are the smallest `share` of the non-zero distances among all N (N - 1) / 2 pairs, the
    number rounded (halves to even) and at least one. Pairs not stored count with their distance
    of 1, pairs at distance 0 do not count. The sum is rounded once, so that neither the order of
    the pairs nor their storage changes the last bit.

    Args:
        distances: [N, N], see the module.
        share: fraction of the pairs, above 0 and at most 1.

    Returns:
        Above 0 and below 1.

    Raises:
        NoEpsError: no pair is at a distance above 0, or all that is averaged is 1.
    """
    count = distances.shape[0]
    positive = distances.data[distances.data > 0]
    pairs = count * (count - 1) // 2 - (len(distances.data) - len(positive))
    if pairs < 1:
        raise NoEpsError(
            f"association: no two of {count} tracklets are at a distance above 0, so that no eps "
            "follows from the data"
        )
    taken = max(1, round(share * pairs))
    smallest = positive
    if taken < len(positive):
        smallest = np.partition(positive, taken - 1)[:taken]
    eps = math.fsum([*smallest.tolist(), float(taken - len(smallest))]) / taken
    if eps >= 1:
        raise NoEpsError(
            f"association: no eps follows from {count} tracklets: the smallest of their distances "
            f"above 0 are 1, whatever association.share (now {share:g}) is; {_spread(distances)}"
        )
    return eps


def true_eps(distances: Any, persons: ArrayLike, min_samples: int) -> float:
    """Return the eps whose clusters fit the people best; to measure what an eps costs.

    That is the highest F1 of pairs (pairs of one person that are in one cluster, among those in a
    cluster and among those of a person), of `EPS_TRIED`, the smallest of equals.

    Args:
        distances: [N, N], see the module, of all pairs.
        persons: [N], the true persons; 0 or less: nobody known, who is in no pair.
        min_samples: of DBSCAN.
    """
    persons = np.asarray(persons)
    known = persons > 0
    same = _pairs(persons[known])

    def fit(eps: float) -> float:
        labels = associate(distances, eps, min_samples)[known]
        inside = labels >= 0
        together = _pairs(labels[inside])
        right = _pairs(np.stack([labels[inside], persons[known][inside]], axis=1))
        return 2 * right / max(1, together + same)

    return max(EPS_TRIED, key=fit)


def _pairs(names: NDArray[Any]) -> int:
    """Return the number of pairs of equal names [N] or rows of names [N, 2]."""
    _, counts = np.unique(names, axis=0, return_counts=True)
    return int((counts * (counts - 1) // 2).sum())


def associate(
    distances: Any, eps: float, min_samples: int, apart: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Return the cluster of every item by DBSCAN, -1 for those in none.

    Args:
        distances: [N, N], see the module; with `apart`, `without` these pairs.
        eps: items at most this far apart are neighbours; above 0 and below 1, where all pairs
            would be neighbours, also those that are not stored.
        min_samples: neighbours, the item itself among them, that make an item a core.
        apart: [P, 2], pairs i < j that are never in one cluster: where a third links them, `parted`
            cuts the cluster.

    Returns:
        [N] labels, numbered from 0 by first appearance.
    """
    count = distances.shape[0]
    near = distances.data <= eps
    first = np.repeat(np.arange(count), np.diff(distances.indptr))[near]
    second, values = distances.indices[near], distances.data[near]
    # every item is its own neighbour: stored, as a matrix without its diagonal would be rebuilt
    own = np.arange(count)
    graph = sparse.csr_array(
        (
            np.concatenate([values, values, np.zeros(count)]),
            (np.concatenate([first, second, own]), np.concatenate([second, first, own])),
        ),
        (count, count),
    )
    # slow to import, and first needed after a pass over all pictures
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import sort_graph_by_row_values

    graph = sort_graph_by_row_values(graph, copy=False, warn_when_not_sorted=False)
    found = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(graph)
    if apart is not None:
        found = parted(found, first, second, values, apart)
    labels = np.full(count, -1, np.int64)
    labels[found >= 0] = pd.factorize(found[found >= 0])[0]
    return labels


def parted(
    labels: NDArray[Any],
    first: NDArray[Any],
    second: NDArray[Any],
    values: NDArray[Any],
    apart: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return clusters, those cut that have two items in them which must be apart.

    The items of such a cluster are joined anew, the nearest neighbours first, where that puts no
    two together that must be apart. An item that is left alone is in no cluster.

    Args:
        labels: [N], -1 for none.
        first, second, values: neighbours i < j and their distances.
        apart: [P, 2].

    Returns:
        [N] labels; numbers of cut clusters are new.
    """
    labels = np.array(labels, np.int64)
    owner = labels[apart[:, 0]]
    wrong = (owner >= 0) & (owner == labels[apart[:, 1]])
    mixed = np.isin(labels, owner[wrong])
    group = {int(item): int(item) for item in np.flatnonzero(mixed)}
    members = {item: {item} for item in group}
    enemies: dict[int, set[int]] = {item: set() for item in group}
    for one, other in apart[wrong].tolist():
        enemies[one].add(other)
        enemies[other].add(one)
    near = mixed[first] & (labels[first] == labels[second])
    order = np.lexsort((second[near], first[near], values[near]))
    for one, other in zip(first[near][order].tolist(), second[near][order].tolist(), strict=True):
        into, gone = group[one], group[other]
        if into == gone or not enemies[into].isdisjoint(members[gone]):
            continue
        for item in members[gone]:
            group[item] = into
        members[into] |= members.pop(gone)
        enemies[into] |= enemies.pop(gone)
    above = labels.max(initial=-1) + 1
    for name, items in members.items():
        labels[sorted(items)] = above + name if len(items) > 1 else -1
    return labels


def cluster_quality(labels: ArrayLike, persons: ArrayLike) -> dict[str, float]:
    """Measure clusters against the truth; for reports only, never for learning.

    What agrees with the truth is measured on the clustered items alone. Taken for clusters of their
    own, un-clustered ones would be pure by nature, and their NMI high: it would pay not to cluster.
    So the share of them is to be read beside it.

    Args:
        labels: [N] of `associate`.
        persons: [N] the true persons.

    Returns:
        nmi: of the clustered items, the normalised mutual information (arithmetic mean).
        ari: of the clustered items, the adjusted Rand index.
        purity: of the clustered items, the share that is of the most frequent person of its
            cluster. These three are 0 where fewer than two items are clustered.
        clusters: their number.
        unclustered: items in none, per cent of all.
    """
    labels, persons = np.asarray(labels), np.asarray(persons)
    inside = labels >= 0
    found, truth = labels[inside], persons[inside]
    quality = {
        "nmi": 0.0,
        "ari": 0.0,
        "purity": 0.0,
        "clusters": len(np.unique(found)),
        "unclustered": 100 * float(1 - inside.mean()),
    }
    if len(found) > 1:
        # as in `associate`
        from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
        from sklearn.metrics.cluster import contingency_matrix

        table = contingency_matrix(truth, found, sparse=True)
        quality |= {
            "nmi": float(normalized_mutual_info_score(truth, found)),
            "ari": float(adjusted_rand_score(truth, found)),
            "purity": float(table.max(axis=0).sum() / len(found)),
        }
    return quality


def failure(labels: ArrayLike, distances: Any, eps: float, min_samples: int) -> str:
    """Return one line about labels of fewer than two clusters, from which nothing can be learned.

    What to do instead: `advice.advise`.

    Args:
        labels: [N] of `associate`.
        distances: of all pairs.
        eps: of DBSCAN.
        min_samples: of DBSCAN.
    """
    found = "one cluster" if np.any(np.asarray(labels) >= 0) else "no cluster"
    return (
        f"association: DBSCAN found {found} among {distances.shape[0]} tracklets with eps "
        f"{eps:.4g} and min_samples {min_samples}; {_spread(distances)}"
    )


def _spread(distances: Any) -> str:
    """Say how many pairs are near each other, and how near."""
    count = distances.shape[0]
    pairs = count * (count - 1) // 2
    stored = distances.data
    share = f"{100 * len(stored) / pairs:.3g} %" if len(stored) else "none"
    text = f"{share} of the pairs have a Jaccard distance below 1"
    if not len(stored):
        return text
    least, low, middle = np.quantile(stored, [0, 0.01, 0.5])
    return f"{text} (smallest {least:.4g}, 1 % {low:.4g}, median {middle:.4g})"
