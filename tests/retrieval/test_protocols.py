"""The fine protocol, end to end on small made-up features."""

import numpy as np
import pytest

from weakreid.clustering import neighbours
from weakreid.clustering.neighbours import unit_rows
from weakreid.errors import ReidError
from weakreid.retrieval.distances import pairwise
from weakreid.retrieval.protocols import fine_distances, tracklet_descriptors
from weakreid.retrieval.reranking import Reranking


@pytest.mark.parametrize("means_after", [False, True])
@pytest.mark.parametrize("block", [1, 7, 100])
def test_descriptors_are_means(means_after, block):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((50, 6)).astype(np.float32)
    ids = rng.choice([3, 10, 42, 7], 50)
    blocks = (features[start : start + block] for start in range(0, 50, block))
    found = tracklet_descriptors(blocks, ids, means_after)
    assert found.tracklet_ids.tolist() == [3, 7, 10, 42]
    assert found.features.dtype == np.float32
    wanted = np.stack(
        [features[ids == one].mean(axis=0, dtype=np.float64) for one in (3, 7, 10, 42)]
    )
    if means_after:
        wanted = unit_rows(wanted)
    np.testing.assert_allclose(found.features, wanted, rtol=1e-5, atol=1e-7)
    whole = tracklet_descriptors(features, ids, means_after)
    np.testing.assert_allclose(found.features, whole.features, rtol=1e-6, atol=1e-7)


def test_descriptors_of_half_precision_are_float32():
    found = tracklet_descriptors(np.ones((3, 2), np.float16), [1, 1, 2])
    assert found.features.dtype == np.float32


def test_descriptor_faults_are_named():
    ones = np.ones((4, 3), np.float32)
    with pytest.raises(ReidError, match="4 rows for 5"):
        tracklet_descriptors(ones, [1, 1, 1, 2, 2])
    broken = ones.copy()
    broken[2, 0] = np.inf
    with pytest.raises(ReidError, match="tracklet 9 "):
        tracklet_descriptors(broken, [1, 1, 9, 9])


def people(rng, count, persons):
    centers = np.random.default_rng(99).standard_normal((persons + 1, 12))
    who = rng.integers(1, persons + 1, count)
    noise = 0.8 * rng.standard_normal((count, 12))
    return who, (centers[who] + noise).astype(np.float32)


def test_without_reranking_distances_are_as_they_are():
    rng = np.random.default_rng(1)
    _, queries = people(rng, 20, 6)
    gp, gallery = people(rng, 60, 6)
    found = fine_distances(queries, gallery, gp, "cosine", None)
    np.testing.assert_array_equal(found, pairwise(queries, gallery, "cosine"))


def test_junk_takes_no_part_in_reranking():
    rng = np.random.default_rng(1)
    _, queries = people(rng, 20, 6)
    gp, gallery = people(rng, 60, 6)
    gp[::4] = -1
    parameters = Reranking(6, 2, 0.3)
    found = fine_distances(queries, gallery, gp, "euclidean", parameters)
    left = gp >= 0
    wanted = fine_distances(queries, gallery[left], gp[left], "euclidean", parameters)
    np.testing.assert_array_equal(found[:, left], wanted)
    assert np.isinf(found[:, ~left]).all()


def test_reranking_takes_the_threads_it_is_given(monkeypatch):
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((200, 6)), rng.standard_normal((300, 6))

    def every_core():
        raise AssertionError("all cores are taken")

    monkeypatch.setattr(neighbours, "default_threads", every_core)
    one, three = (
        fine_distances(a, b, np.ones(300), "euclidean", Reranking(), threads=n) for n in (1, 3)
    )
    assert one.tobytes() == three.tobytes()
