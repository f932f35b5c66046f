"""Association on sparse distances against the dense computation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import sparse
from sklearn.cluster import DBSCAN

from weakreid.clustering.association import (
    EPS_TRIED,
    NoEpsError,
    associate,
    cluster_quality,
    data_eps,
    failure,
    pairs_needed,
    true_eps,
    without,
)
from weakreid.clustering.jaccard import jaccard_distances
from weakreid.config.methods import Association


def as_sparse(dense):
    """Store what is below 1 above the diagonal, zeros too."""
    rows, columns = np.nonzero(np.triu(dense < 1, 1))
    starts = np.searchsorted(rows, np.arange(len(dense) + 1))
    return sparse.csr_array((dense[rows, columns], columns, starts), dense.shape)


def as_dense(distances):
    found = np.ones(distances.shape)
    rows = np.repeat(np.arange(len(found)), np.diff(distances.indptr))
    found[rows, distances.indices] = found[distances.indices, rows] = distances.data
    np.fill_diagonal(found, 0)
    return found


def dense_eps(dense, share):
    pairs = dense[np.triu_indices(len(dense), 1)]
    pairs = np.sort(pairs[pairs != 0])
    taken = max(1, round(share * len(pairs)))
    return math.fsum(pairs[:taken]) / taken


def numbered(labels):
    names = {}
    return [-1 if label < 0 else names.setdefault(label, len(names)) for label in labels]


@st.composite
def distances(draw):
    """Symmetric, with zeros, equal values and ones off the diagonal."""
    count = draw(st.integers(1, 25))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    values = rng.choice([0, 0.125, 0.25, 0.3, 0.5, 0.7, 1, 1, 1, 1], (count, count))
    upper = np.triu(values, 1)
    return upper + upper.T


@settings(max_examples=150, deadline=None)
@given(distances(), st.sampled_from([0.1, 0.25, 0.5, 0.99]), st.integers(1, 6))
def test_labels_are_those_of_the_dense_matrix(dense, eps, min_samples):
    found = associate(as_sparse(dense), eps, min_samples)
    expected = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(dense)
    assert found.tolist() == numbered(expected)


def pairs_of(count, share, seed):
    first, second = np.triu_indices(count, 1)
    chosen = np.random.default_rng(seed).random(len(first)) < share
    return np.stack([first[chosen], second[chosen]], axis=1).astype(np.int64)


def joined_nearest_first(cluster, dense, eps, forbidden):
    """Join a cluster's items anew, as one would by hand: sets of items, the nearest pair first."""
    groups = [{item} for item in cluster]
    near = [(dense[i, j], i, j) for i in cluster for j in cluster if i < j and dense[i, j] <= eps]
    for _, i, j in sorted(near):
        one, other = (next(group for group in groups if item in group) for item in (i, j))
        both = one | other
        if one is not other and not any({a, b} in forbidden for a in both for b in both):
            groups = [group for group in groups if group not in (one, other)] + [both]
    return [group for group in groups if len(group) > 1]


@settings(max_examples=150, deadline=None)
@given(
    distances(),
    st.sampled_from([0.25, 0.5, 0.99]),
    st.integers(1, 4),
    st.sampled_from([0, 0.05, 0.3]),
    st.integers(0, 99),
)
def test_what_must_be_apart_is_never_joined(dense, eps, min_samples, share, seed):
    apart = pairs_of(len(dense), share, seed)
    dense = dense.copy()
    dense[apart[:, 0], apart[:, 1]] = dense[apart[:, 1], apart[:, 0]] = 1
    alike = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(dense)
    forbidden = [{int(one), int(other)} for one, other in apart]
    expected = set()
    for name in range(alike.max() + 1):
        cluster = np.flatnonzero(alike == name).tolist()
        if any(pair <= set(cluster) for pair in forbidden):
            found = joined_nearest_first(cluster, dense, eps, forbidden)
            expected |= {frozenset(group) for group in found}
        else:
            expected.add(frozenset(cluster))
    labels = associate(as_sparse(dense), eps, min_samples, apart)
    found = {frozenset(np.flatnonzero(labels == name).tolist()) for name in range(labels.max() + 1)}
    assert found == expected
    assert labels.tolist() == numbered(labels)
    assert not any(pair <= group for pair in forbidden for group in found)


@settings(max_examples=100, deadline=None)
@given(distances(), st.sampled_from([0.01, 0.2, 0.5]), st.integers(0, 99))
def test_pairs_that_must_be_apart_say_nothing_about_eps(dense, share, seed):
    count = len(dense)
    apart = pairs_of(count, 0.2, seed)
    every = as_sparse(dense)
    needed = pairs_needed(count, None, share, len(apart))
    # so many are kept of the smallest, and those equal to them
    values = np.sort(every.data[every.data > 0])
    border = values[min(needed.smallest, len(values)) - 1] if len(values) else 0
    nearest = as_sparse(np.where(dense <= border, dense, 1))
    clear = dense.copy()
    clear[apart[:, 0], apart[:, 1]] = clear[apart[:, 1], apart[:, 0]] = 1
    np.testing.assert_array_equal(as_dense(without(every, apart)), clear)
    try:
        expected = data_eps(as_sparse(clear), share)
    except NoEpsError:
        with pytest.raises(NoEpsError):
            data_eps(without(nearest, apart), share)
    else:
        assert data_eps(without(nearest, apart), share) == expected


@settings(max_examples=150, deadline=None)
@given(distances(), st.sampled_from([1e-3, 0.01, 0.2, 0.5, 1.0]))
def test_eps_is_that_of_the_dense_matrix(dense, share):
    if not dense.any():
        with pytest.raises(NoEpsError, match="no two of"):
            data_eps(as_sparse(dense), share)
        return
    if dense_eps(dense, share) == 1:
        with pytest.raises(NoEpsError, match="no eps follows"):
            data_eps(as_sparse(dense), share)
        return
    assert data_eps(as_sparse(dense), share) == dense_eps(dense, share)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 120), st.booleans())
def test_from_features_to_labels(seed, count, duplicates):
    rng = np.random.default_rng(seed)
    persons = rng.integers(0, 1 + count // 8, count)
    features = rng.standard_normal((count, 16))[persons] + 0.3 * rng.standard_normal((count, 16))
    if duplicates:
        features = features[rng.integers(0, count, count)]
    found = jaccard_distances(features.astype(np.float32), 30, 6)
    dense = as_dense(found)
    if not dense.any():
        return
    if dense_eps(dense, 0.02) == 1:
        return
    eps = data_eps(found, 0.02)
    assert eps == dense_eps(dense, 0.02)
    expected = DBSCAN(eps=eps, min_samples=4, metric="precomputed").fit_predict(dense)
    assert associate(found, eps, 4).tolist() == numbered(expected)
    for known in (None, eps):
        kept = pairs_needed(count, known, 0.02)
        few = jaccard_distances(features.astype(np.float32), 30, 6, kept=kept)
        if known is None:
            assert data_eps(few, 0.02) == eps
        assert associate(few, eps, 4).tolist() == numbered(expected)


@settings(max_examples=60, deadline=None)
@given(distances(), st.integers(0, 2**31), st.integers(1, 3))
def test_the_true_eps_fits_the_pairs_of_people_best(dense, seed, min_samples):
    persons = np.random.default_rng(seed).integers(0, 4, len(dense))
    of_people = [
        (i, j) for i in range(len(dense)) for j in range(i) if persons[i] > 0 and persons[j] > 0
    ]
    same = {(i, j) for i, j in of_people if persons[i] == persons[j]}

    def fit(eps):
        labels = associate(as_sparse(dense), eps, min_samples)
        joined = {(i, j) for i, j in of_people if labels[i] == labels[j] >= 0}
        return 2 * len(joined & same) / max(1, len(joined) + len(same))

    found = true_eps(as_sparse(dense), persons, min_samples)
    fits = [fit(eps) for eps in EPS_TRIED]
    assert found == EPS_TRIED[int(np.argmax(fits))]


def test_people_that_are_far_apart_are_found():
    rng = np.random.default_rng(0)
    persons = rng.permutation(np.repeat(np.arange(30), 12))
    features = 4 * rng.standard_normal((30, 24))[persons] + rng.standard_normal((360, 24))
    found = jaccard_distances(features.astype(np.float32), k1=12, k2=4)
    labels = associate(found, 0.6, 4)
    quality = cluster_quality(labels, persons)
    assert quality["clusters"] == 30
    assert quality["purity"] == 1
    assert quality["nmi"] > 0.95
    order = [label for label in dict.fromkeys(labels.tolist()) if label >= 0]
    assert order == list(range(30))


def test_quality_is_of_the_clustered_alone():
    nothing = {"nmi": 0.0, "ari": 0.0, "purity": 0.0, "clusters": 0, "unclustered": 100.0}
    perfect = {"nmi": 1.0, "ari": 1.0, "purity": 1.0, "clusters": 2, "unclustered": 0.0}
    assert cluster_quality([1, 1, 0, 0], [7, 7, 9, 9]) == perfect
    # whoever is left out changes the share of them, and nothing else
    partly = cluster_quality([1, 1, -1, 0, 0, -1, -1, -1], [7, 7, 7, 9, 9, 8, 9, 9])
    assert partly == perfect | {"unclustered": 50.0}
    # nothing clustered is nothing right, however pure
    everyone = np.repeat(np.arange(60), 6)
    assert cluster_quality(np.full(360, -1), everyone) == nothing
    assert cluster_quality([-1, 0], [1, 2]) == nothing | {"clusters": 1, "unclustered": 50.0}
    mixed = cluster_quality([0, 0, 0, 5, 5, -1], [1, 1, 2, 3, 3, 3])
    assert mixed["clusters"] == 2
    assert mixed["purity"] == pytest.approx(4 / 5)
    assert mixed["unclustered"] == pytest.approx(100 / 6)
    assert 0 < mixed["ari"] < mixed["nmi"] < 1
    one = cluster_quality([0, 0, 0, 0], [1, 1, 2, 2])
    assert (one["nmi"], one["ari"], one["purity"]) == (0.0, 0.0, 0.5)


def test_a_failure_says_which_eps_and_which_distances():
    dense = np.ones((20, 20))
    dense[:10, :10] = 0.5
    np.fill_diagonal(dense, 0)
    found = as_sparse(dense)
    assert failure(associate(found, 0.4, 4), found, 0.4, 4) == (
        "association: DBSCAN found no cluster among 20 tracklets with eps 0.4 and min_samples 4; "
        "23.7 % of the pairs have a Jaccard distance below 1 (smallest 0.5, 1 % 0.5, median 0.5)"
    )
    assert "found one cluster among" in str(failure(associate(found, 0.6, 4), found, 0.6, 4))
    alone = as_sparse(np.zeros((1, 1)))
    assert "\n" not in str(failure(associate(alone, 0.5, 4), alone, 0.5, 4))


def test_no_eps_follows_from_people_who_share_no_neighbour():
    # three that are alike, and nobody else near anybody
    dense = np.ones((9, 9)) - np.eye(9)
    dense[:3, :3] = 0
    for share in (1e-3, 1.0):
        with pytest.raises(NoEpsError) as caught:
            data_eps(as_sparse(dense), share)
        assert str(caught.value) == (
            "association: no eps follows from 9 tracklets: the smallest of their distances above 0 "
            f"are 1, whatever association.share (now {share:g}) is; 8.33 % of the pairs have a "
            "Jaccard distance below 1 (smallest 0, 1 % 0, median 0)"
        )
    with pytest.raises(NoEpsError, match="none of the pairs have a Jaccard distance below 1"):
        data_eps(as_sparse(np.ones((9, 9)) - np.eye(9)), 0.1)


@pytest.mark.parametrize(("count", "pairs"), [(2, 1), (11, 33), (1001, 3003)])
def test_pairs_per_tracklet_are_a_share_that_falls_with_their_number(count, pairs):
    how = Association(pairs_per_tracklet=3.0)
    taken = round(how.share_of(count) * count * (count - 1) / 2)
    assert taken == min(pairs, count * (count - 1) // 2)
    assert Association(share=0.2).share_of(count) == 0.2


def test_share_and_pairs_per_tracklet_do_not_hide_one_another():
    assert Association(pairs_per_tracklet=1).share is None
    # as a stage reads back what the plan wrote
    assert Association(**Association(pairs_per_tracklet=1).model_dump()).share is None
    with pytest.raises(ValidationError, match="share and pairs_per_tracklet both say"):
        Association(share=0.01, pairs_per_tracklet=1)
    with pytest.raises(ValidationError, match="share: null needs pairs_per_tracklet"):
        Association(share=None)
