"""Bottom-up merging against the dense computation: all pairs, in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.clustering import merging
from weakreid.clustering.merging import merged
from weakreid.errors import ReidError


def slowly_merged(features, clusters, merges, penalty, squared=False):
    """Go through all pairs of members in the order of (weight, i, j)."""
    count, wide = len(features), features.astype(np.float64)
    sizes = {name: clusters.count(name) for name in clusters}
    pairs = []
    for i in range(count):
        for j in range(i + 1, count):
            if clusters[i] != clusters[j]:
                apart = wide[i] - wide[j]
                distance = np.einsum("i,i", apart, apart)
                if not squared:
                    distance = np.sqrt(distance)
                weight = distance + penalty * (sizes[clusters[i]] + sizes[clusters[j]])
                pairs.append((weight, i, j))
    labels = list(clusters)
    for _, i, j in sorted(pairs):
        if not merges:
            break
        if labels[i] != labels[j]:
            labels = [labels[i] if label == labels[j] else label for label in labels]
            merges -= 1
    names = {}
    return [names.setdefault(label, len(names)) for label in labels]


@st.composite
def problems(draw):
    """Features on a grid or not, with duplicates or not; clusters of any numbers; merges."""
    count = draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["grid", "people", "same", "nearly"]))
    if kind == "grid":
        features = rng.integers(0, 3, (count, 3)).astype(np.float32)
    elif kind == "people":
        centers = rng.standard_normal((4, 8))[rng.integers(0, 4, count)]
        features = (centers + 0.1 * rng.standard_normal((count, 8))).astype(np.float32)
    else:
        noise = 1e-6 * rng.standard_normal((count, 8)) * (kind == "nearly")
        features = (np.ones((count, 8)) + noise).astype(np.float32)
    clusters = rng.integers(5, 6 + draw(st.integers(0, count)), count).tolist()
    merges = draw(st.integers(0, len(set(clusters)) - 1))
    return features, clusters, merges


# a penalty of 1/8 makes ties with the grid's distances, a large one merges by size alone
@settings(max_examples=300, deadline=None)
@given(problems(), st.sampled_from([0.0, 0.003, 0.125, 10.0]), st.booleans(), st.integers(1, 9))
def test_clusters_are_those_of_all_pairs_in_order(problem, penalty, squared, tile):
    features, clusters, merges = problem
    found = merged(
        features, clusters, merges, penalty=penalty, squared=squared, threads=2, tile=tile
    )
    assert found.tolist() == slowly_merged(features, clusters, merges, penalty, squared)
    assert found.max() + 1 == len(set(clusters)) - merges


def test_stage_after_stage_whatever_the_threads_and_tiles():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((30, 16))[rng.integers(0, 30, 300)]
    features = (features + 0.4 * rng.standard_normal((300, 16))).astype(np.float32)
    ways = [{"threads": 1}, {"threads": 3, "tile": 64}, {"threads": 2, "tile": 1000}]
    clusters = [np.arange(300)] * 3
    for _ in range(18):
        clusters = [
            merged(features, own, 15, penalty=0.003, **way)
            for own, way in zip(clusters, ways, strict=True)
        ]
        assert all(np.array_equal(clusters[0], own) for own in clusters)
    assert clusters[0].max() + 1 == 30


def test_the_penalty_joins_small_clusters_first():
    # 4 near 0, 1 and 1 a little farther apart from one another
    features = np.array([[0.0], [0.01], [0.02], [0.03], [0.13], [0.25]], np.float32)
    clusters = [0, 0, 0, 0, 1, 2]
    assert merged(features, clusters, 1, penalty=0.0).tolist() == [0, 0, 0, 0, 0, 1]
    assert merged(features, clusters, 1, penalty=0.05).tolist() == [0, 0, 0, 0, 1, 1]


def test_a_pair_within_a_cluster_is_passed_over_and_not_counted():
    # 0-1-2 joined by two pairs; the third, 0-2, would be next
    features = np.array([[0.0], [1.0], [2.0], [9.0], [12.5]], np.float32)
    assert merged(features, range(5), 3, penalty=0.0).tolist() == [0, 0, 0, 1, 1]


def test_only_what_may_still_be_merged_is_searched_again(monkeypatch):
    rng = np.random.default_rng(1)
    features = rng.standard_normal((400, 8)).astype(np.float32)
    searched = []
    lightest = merging._Items.lightest

    def counted(self, rows, *more):
        searched.append(len(rows))
        return lightest(self, rows, *more)

    monkeypatch.setattr(merging._Items, "lightest", counted)
    merged(features, range(400), 20, penalty=0.003)
    assert searched[0] == 400
    assert sum(searched[1:]) < 80


def test_more_merges_than_clusters_are_refused():
    features = np.eye(3, dtype=np.float32)
    with pytest.raises(ReidError, match="2 merges of 2 clusters; at least one cluster must stay"):
        merged(features, [0, 0, 4], 2, penalty=0.0)
    features[1, 1] = np.nan
    with pytest.raises(ReidError, match="row 1 is not finite"):
        merged(features, [0, 1, 2], 1, penalty=0.0)
