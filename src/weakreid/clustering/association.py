"""Inter-tracklet association (TMC, section 3.2): DBSCAN on k-reciprocal Jaccard distances.

Distances are those of `jaccard`: sparse [N, N] in CSR, symmetric, the pairs i != j with J < 1;
a stored 0 is a distance of 0, a pair that is not stored has distance 1. Nothing here makes an
N x N matrix, and every result is that of the dense computation.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import sort_graph_by_row_values

from weakreid.errors import ReidError

SHARE = 1.6e-3
MIN_SAMPLES = 4


def data_eps(distances: Any, count: int, share: float = SHARE) -> float:
    """Return TMC's data-dependent eps: the mean of the smallest distances.

    Averaged are the smallest `share` of the non-zero distances among all N (N - 1) / 2 pairs, the
    number rounded (halves to even) and at least one. Pairs not stored count with their distance
    of 1, pairs at distance 0 do not count. The sum is rounded once, so that neither the order of
    the pairs nor their storage changes the last bit.

    Args:
        distances: [N, N], see the module.
        count: N.
        share: fraction of the pairs, above 0 and at most 1.

    Returns:
        Above 0, and 1 only where all that is averaged is.

    Raises:
        ReidError: `share` is out of range, N is not the size of `distances`, or no pair is at a
            distance above 0.
    """
    if not 0 < share <= 1:
        raise ReidError(f"association: share {share} of the distances; give one in 0..1, not 0")
    if distances.shape != (count, count):
        raise ReidError(f"association: {count} tracklets, but distances {distances.shape}")
    stored = _pairs(distances)
    positive = stored[stored > 0]
    pairs = count * (count - 1) // 2 - (len(stored) - len(positive))
    if pairs < 1:
        raise ReidError(
            f"association: no two of {count} tracklets are at a distance above 0, so that no eps "
            "follows from the data; give more tracklets, or an eps in the config"
        )
    taken = max(1, round(share * pairs))
    smallest = positive
    if taken < len(positive):
        smallest = np.partition(positive, taken - 1)[:taken]
    return math.fsum([*smallest.tolist(), float(taken - len(smallest))]) / taken


def associate(distances: Any, eps: float, min_samples: int = MIN_SAMPLES) -> NDArray[np.int64]:
    """Return the cluster of every item by DBSCAN, -1 for those in none.

    Args:
        distances: [N, N], see the module.
        eps: items at most this far apart are neighbours, in 0..1 without the ends.
        min_samples: neighbours, the item itself among them, that make an item a core.

    Returns:
        [N] labels, numbered from 0 by first appearance.

    Raises:
        ReidError: eps or min_samples out of range. At eps 1 all pairs are neighbours, also
            those that are not stored.
    """
    if not 0 < eps < 1:
        raise ReidError(
            f"association: eps {eps}; give one above 0 and below 1 (at 1 everything is one cluster)"
        )
    if min_samples < 1:
        raise ReidError(f"association: min_samples {min_samples}; it starts at 1")
    count = distances.shape[0]
    rows = np.repeat(np.arange(count), np.diff(distances.indptr))
    near = distances.data <= eps
    rows, columns, values = rows[near], distances.indices[near], distances.data[near]
    # every item is its own neighbour: stored, as a matrix without its diagonal would be rebuilt
    own = np.arange(count)
    graph = sparse.csr_array(
        (
            np.concatenate([values, np.zeros(count)]),
            (np.concatenate([rows, own]), np.concatenate([columns, own])),
        ),
        (count, count),
    )
    graph = sort_graph_by_row_values(graph, copy=False, warn_when_not_sorted=False)
    found = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(graph)
    return _by_appearance(found)


def cluster_quality(labels: ArrayLike, persons: ArrayLike) -> dict[str, float]:
    """Measure clusters against the truth; for reports only, never for learning.

    Args:
        labels: [N] of `associate`.
        persons: [N] the true persons.

    Returns:
        nmi: normalised mutual information (arithmetic mean), every un-clustered item a cluster of
            its own.
        ari: adjusted Rand index, the same way.
        clusters: their number.
        unclustered: items in none.
        purity: of the clustered items alone, the share that belongs to the most frequent person of
            its cluster; 0 where nothing is clustered. Un-clustered ones would be pure by nature.

    Raises:
        ReidError: the lengths differ, or there are no items.
    """
    labels, persons = np.asarray(labels), np.asarray(persons)
    if labels.shape != persons.shape or labels.ndim != 1 or not labels.size:
        raise ReidError(
            f"cluster quality: {labels.shape} labels for {persons.shape} persons; give one each"
        )
    alone = labels < 0
    single = labels.astype(np.int64)
    single[alone] = max(int(labels.max()), -1) + 1 + np.arange(int(alone.sum()))
    _, clusters = np.unique(labels[~alone], return_inverse=True)
    purity = 0.0
    if clusters.size:
        _, numbers = np.unique(persons[~alone], return_inverse=True)
        table = sparse.csr_array((np.ones(len(clusters), np.int64), (clusters, numbers)))
        purity = float(table.max(axis=1).sum() / len(clusters))
    return {
        "nmi": float(normalized_mutual_info_score(persons, single)),
        "ari": float(adjusted_rand_score(persons, single)),
        "clusters": int(clusters.max()) + 1 if clusters.size else 0,
        "unclustered": int(alone.sum()),
        "purity": purity,
    }


def check_clusters(
    labels: ArrayLike, distances: Any, eps: float, min_samples: int = MIN_SAMPLES
) -> None:
    """Refuse labels with which nothing can be learned.

    Raises:
        ReidError: there are fewer than two clusters; `describe_failure` says why.
    """
    labels = np.asarray(labels)
    clusters = len(np.unique(labels[labels >= 0]))
    if clusters < 2:
        raise ReidError(describe_failure(distances, eps, min_samples, clusters))


def describe_failure(
    distances: Any, eps: float, min_samples: int = MIN_SAMPLES, clusters: int = 0
) -> str:
    """Return one line about a clustering with one cluster or none: distances, and what to do."""
    count = distances.shape[0]
    pairs = count * (count - 1) // 2
    stored = _pairs(distances)
    found = "one cluster" if clusters else "no cluster"
    share = f"{100 * len(stored) / pairs:.3g} %" if pairs else "none"
    text = (
        f"association: DBSCAN found {found} among {count} tracklets with eps {eps:.4g} and "
        f"min_samples {min_samples}; {share} of the pairs have a Jaccard distance below 1"
    )
    if len(stored):
        least, low, middle = np.quantile(stored, [0, 0.01, 0.5])
        text += f" (smallest {least:.4g}, 1 % {low:.4g}, median {middle:.4g})"
    if count < 2 * min_samples:
        return f"{text}; give at least {2 * min_samples} tracklets, or lower min_samples"
    if clusters:
        return f"{text}; lower eps (or share), or give more tracklets of different people"
    if not len(stored):
        return f"{text}; check the features, or lower k1, or give more tracklets"
    return f"{text}; raise eps (or share), lower min_samples, or give more tracklets"


def _pairs(distances: Any) -> NDArray[np.float64]:
    """Return the stored distances of the pairs i < j."""
    rows = np.repeat(np.arange(distances.shape[0]), np.diff(distances.indptr))
    found: NDArray[np.float64] = distances.data[distances.indices > rows]
    return found


def _by_appearance(labels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Number the labels that are not negative by first appearance."""
    result = np.full(len(labels), -1, np.int64)
    inside = np.flatnonzero(labels >= 0)
    _, firsts, places = np.unique(labels[inside], return_index=True, return_inverse=True)
    order = np.empty(len(firsts), np.int64)
    order[np.argsort(firsts)] = np.arange(len(firsts))
    result[inside] = order[places]
    return result
