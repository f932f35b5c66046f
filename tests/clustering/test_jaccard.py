"""Sparse Jaccard distances against a slow version written with sets from the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from weakreid.clustering import jaccard, neighbours
from weakreid.clustering.jaccard import Kept, jaccard_distances
from weakreid.clustering.neighbours import nearest, squared_distances, unit_rows
from weakreid.errors import ReidError


def slow(features, k1, k2):
    """Return [N, N] from the definition, in float64, on the same unit vectors."""
    items = unit_rows(features).astype(np.float64)
    d = ((items[:, None] - items[None]) ** 2).sum(axis=2)
    everyone = range(len(items))
    order = []
    for i in everyone:
        others = sorted((j for j in everyone if j != i), key=lambda j, i=i: (d[i, j], j))
        order.append([i, *others])

    def near(i, k):
        return order[i][: k + 1]

    def reciprocal(i, k):
        return {j for j in near(i, k) if i in near(j, k)}

    v = np.zeros_like(d)
    for i in everyone:
        core = reciprocal(i, k1)
        wide = set(core)
        for j in core:
            candidate = reciprocal(j, round(k1 / 2))
            if 3 * len(candidate & core) > 2 * len(candidate):
                wide |= candidate
        for j in wide:
            v[i, j] = np.exp(-d[i, j])
        v[i] /= v[i].sum()
    v = np.stack([v[order[i][:k2]].mean(axis=0) for i in everyone])
    shared = np.array([[np.minimum(v[i], v[j]).sum() for j in everyone] for i in everyone])
    return 1 - shared / (2 - shared)


def people(seed, count, width=5, duplicates=False):
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((6, width))
    found = centers[rng.integers(0, 6, count)] + 0.5 * rng.standard_normal((count, width))
    if duplicates:
        found = found[rng.integers(0, max(1, count // 2), count)]
    return found.astype(np.float32)


def as_dense(distances):
    found = np.ones(distances.shape)
    rows = np.repeat(np.arange(len(found)), np.diff(distances.indptr))
    found[rows, distances.indices] = found[distances.indices, rows] = distances.data
    np.fill_diagonal(found, 0)
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 45),
    st.integers(1, 32),
    st.integers(1, 8),
    st.booleans(),
)
def test_equals_the_definition(seed, count, k1, k2, duplicates):
    features = people(seed, count, duplicates=duplicates)
    found = jaccard_distances(features, k1, k2, threads=2)
    expected = slow(features, k1, k2)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(as_dense(found), expected, atol=1e-11)
    assert isinstance(found, sparse.csr_array)
    assert found.shape == (count, count)
    assert found.dtype == np.float64
    rows = np.repeat(np.arange(count), np.diff(found.indptr))
    assert np.all(found.indices > rows)
    assert found.nnz == np.count_nonzero(np.triu(expected < 1 - 1e-11, 1))
    assert found.has_canonical_format


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.floats(0, 1),
    st.one_of(st.none(), st.integers(1, 600)),
    st.booleans(),
)
def test_of_the_pairs_those_that_are_wanted_are_kept(seed, count, within, smallest, duplicates):
    features = people(seed, count, duplicates=duplicates)
    every = jaccard_distances(features, 8, 3)
    border = within
    positive = np.sort(every.data[every.data > 0])
    if smallest is not None and len(positive) >= smallest:
        border = min(border, positive[smallest - 1])
    data = np.where(every.data <= border, every.data, np.nan)
    with pytest.MonkeyPatch.context() as patch:
        # many blocks
        patch.setattr(jaccard, "_ROWS", 3)
        patch.setattr(jaccard, "_MINIMA", 40)
        found = jaccard_distances(features, 8, 3, 2, Kept(within, smallest))
    rows = np.repeat(np.arange(count), np.diff(every.indptr))
    near = ~np.isnan(data)
    assert found.data.tobytes() == every.data[near].tobytes()
    assert found.indices.tolist() == every.indices[near].tolist()
    assert np.repeat(np.arange(count), np.diff(found.indptr)).tolist() == rows[near].tolist()


def test_equal_items_are_stored_with_zero():
    found = jaccard_distances(np.ones((5, 3), np.float32), 30, 6)
    assert found.nnz == 10
    assert not found.data.any()


def test_a_single_item_and_a_pair():
    assert jaccard_distances(np.ones((1, 3), np.float32), 30, 6).nnz == 0
    pair = jaccard_distances(np.eye(2, dtype=np.float32), 30, 1)
    np.testing.assert_allclose(as_dense(pair), slow(np.eye(2, dtype=np.float32), 30, 1), atol=1e-12)


def test_the_same_bytes_whatever_the_threads():
    features = people(3, 700, width=64)
    one, three = (jaccard_distances(features, 30, 6, threads) for threads in (1, 3))
    for name in ("indptr", "indices", "data"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes()


def test_scale_does_not_matter():
    features = people(4, 60)
    lengths = 2.0 ** np.random.default_rng(0).integers(-3, 4, (60, 1)).astype(np.float32)
    found, scaled = (jaccard_distances(of, 30, 6) for of in (features, features * lengths))
    np.testing.assert_array_equal(found.data, scaled.data)


@pytest.mark.parametrize("kind", ["plain", "duplicates", "grid", "crowded"])
@pytest.mark.parametrize("keep", [1, 2, 9, 500])
def test_neighbours_are_those_of_float64_with_ties_by_index(kind, keep, monkeypatch):
    rng = np.random.default_rng(1)
    items = people(1, 150, width=24)
    if kind == "duplicates":
        items = items[rng.integers(0, 60, 150)]
    if kind == "grid":  # distances are small integers: ties everywhere
        items = rng.integers(0, 2, (150, 6)).astype(np.float32)
    if kind == "crowded":  # nearly equal: the product cannot tell them apart
        monkeypatch.setattr(neighbours, "_CROWD", 2)
        items = 1 + 1e-5 * items
    exact = items.astype(np.float64)
    d = ((exact[:, None] - exact[None]) ** 2).sum(axis=2)
    np.fill_diagonal(d, -1)
    expected = np.argsort(d, axis=1, kind="stable")[:, :keep]
    for tile in (16, 64, 512):
        found = nearest(items, keep, 2, tile)
        np.testing.assert_array_equal(found.near, expected)
        np.testing.assert_allclose(found.largest, d.max(axis=1), atol=1e-3)


def test_pairs_have_one_distance_in_both_orders():
    items = people(5, 200, width=33)
    rows, columns = np.random.default_rng(0).integers(0, 200, (2, 500))
    found = squared_distances(items, rows, columns, 2)
    np.testing.assert_array_equal(found, squared_distances(items, columns, rows, 1))
    assert not found[rows == columns].any()
    expected = ((items[rows].astype(np.float64) - items[columns]) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_bad_input_is_named():
    ones = np.ones((3, 4), np.float32)
    with pytest.raises(ReidError, match="row 1 is zero"):
        jaccard_distances(ones * np.array([[1], [0], [1]], np.float32), 30, 6)
    with pytest.raises(ReidError, match="row 2 is not finite"):
        jaccard_distances(ones * np.array([[1], [1], [np.nan]], np.float32), 30, 6)
