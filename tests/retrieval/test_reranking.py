"""Re-ranking against a slow version written with sets from the definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.retrieval.ranking import evaluate, person_relevance
from weakreid.retrieval.reranking import Reranking, rerank


def slow(queries, gallery, cosine, k1, k2, weight):
    items = np.concatenate([queries, gallery])
    if cosine:
        items = items / np.linalg.norm(items, axis=1, keepdims=True)
    d = ((items[:, None] - items[None]) ** 2).sum(axis=2) * (0.5 if cosine else 1)
    d /= d.max(axis=1, keepdims=True)
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
    final = np.empty((len(queries), len(gallery)))
    for q in range(len(queries)):
        for g in range(len(gallery)):
            shared = np.minimum(v[q], v[len(queries) + g]).sum()
            jaccard = 1 - shared / (2 - shared)
            final[q, g] = (1 - weight) * jaccard + weight * d[q, len(queries) + g]
    return final


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(2, 35),
    st.integers(1, 25),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
)
def test_equals_the_definition(seed, queries, gallery, k1, k2, weight, cosine):
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((6, 5))
    a = centers[rng.integers(0, 6, queries)] + 0.5 * rng.standard_normal((queries, 5))
    b = centers[rng.integers(0, 6, gallery)] + 0.5 * rng.standard_normal((gallery, 5))
    found = rerank(a, b, "cosine" if cosine else "euclidean", Reranking(k1, k2, weight))
    np.testing.assert_allclose(found, slow(a, b, cosine, k1, k2, weight), rtol=1e-9, atol=1e-12)


def test_float32_is_close_and_in_range():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((10, 20)), rng.standard_normal((60, 20))
    found = rerank(a.astype(np.float32), b.astype(np.float32), "euclidean", Reranking())
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_allclose(found, slow(a, b, False, 20, 6, 0.3), atol=1e-5)


def test_equal_items_have_no_distance():
    same = np.ones((3, 4), np.float32)
    np.testing.assert_allclose(rerank(same, same, "euclidean", Reranking(k1=5, k2=2)), 0, atol=1e-6)


def test_it_lifts_the_ranking_of_clusters():
    rng = np.random.default_rng(2)
    centers = rng.standard_normal((30, 16))
    qp, gp = np.arange(1, 31), np.repeat(np.arange(1, 31), 8)
    a = centers[qp - 1] + 0.9 * rng.standard_normal((30, 16))
    b = centers[gp - 1] + 0.9 * rng.standard_normal((240, 16))
    plain = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    relevance = person_relevance(qp, gp, np.zeros_like(qp), np.ones_like(gp))
    before = evaluate(plain, relevance).mean_average_precision
    reranked = rerank(a, b, "euclidean", Reranking(8, 3, 0.3))
    after = evaluate(reranked, relevance).mean_average_precision
    assert after > before
