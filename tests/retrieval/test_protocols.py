"""The two protocols, end to end on small made-up features."""

import itertools

import numpy as np
import pytest

from weakreid.clustering import neighbours
from weakreid.clustering.neighbours import unit_rows
from weakreid.errors import ReidError
from weakreid.retrieval.distances import pairwise
from weakreid.retrieval.protocols import coarse, fine, tracklet_descriptors
from weakreid.retrieval.ranking import evaluate
from weakreid.retrieval.reranking import Reranking


@pytest.mark.parametrize("frames_first", [False, True])
@pytest.mark.parametrize("means_after", [False, True])
@pytest.mark.parametrize("block", [1, 7, 100])
def test_descriptors_are_means(frames_first, means_after, block):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((50, 6)).astype(np.float32)
    ids = rng.choice([3, 10, 42, 7], 50)
    blocks = (features[start : start + block] for start in range(0, 50, block))
    found = tracklet_descriptors(blocks, ids, frames_first, means_after)
    assert found.tracklet_ids.tolist() == [3, 7, 10, 42]
    assert found.features.dtype == np.float32
    base = unit_rows(features) if frames_first else features
    wanted = np.stack([base[ids == one].mean(axis=0, dtype=np.float64) for one in (3, 7, 10, 42)])
    if means_after:
        wanted = unit_rows(wanted)
    np.testing.assert_allclose(found.features, wanted, rtol=1e-5, atol=1e-7)
    whole = tracklet_descriptors(features, ids, frames_first, means_after)
    np.testing.assert_allclose(found.features, whole.features, rtol=1e-6, atol=1e-7)


def test_descriptors_of_half_precision_are_float32():
    found = tracklet_descriptors(np.ones((3, 2), np.float16), [1, 1, 2])
    assert found.features.dtype == np.float32


def test_descriptor_faults_are_named():
    ones = np.ones((4, 3), np.float32)
    with pytest.raises(ReidError, match="4 rows for 5"):
        tracklet_descriptors(ones, [1, 1, 1, 2, 2])
    with pytest.raises(ReidError, match="at row 0 of 3"):
        tracklet_descriptors(ones, [1, 1, 1])
    with pytest.raises(ReidError, match="width 2 at row 4, 3 above"):
        tracklet_descriptors([ones, ones[:, :2]], [1] * 8)
    broken = ones.copy()
    broken[2, 0] = np.inf
    with pytest.raises(ReidError, match="tracklet 9 "):
        tracklet_descriptors(broken, [1, 1, 9, 9])


def people(rng, count, persons):
    centers = np.random.default_rng(99).standard_normal((persons + 1, 12))
    who = rng.integers(1, persons + 1, count)
    noise = 0.8 * rng.standard_normal((count, 12))
    return who, (centers[who] + noise).astype(np.float32), rng.integers(1, 4, count)


def test_fine_is_distances_then_ranking():
    rng = np.random.default_rng(1)
    qp, queries, qc = people(rng, 20, 6)
    gp, gallery, gc = people(rng, 60, 6)
    gp[:9] = [-1, -1, -1, 0, 0, 0, -1, 0, -1]
    found = fine(queries, gallery, qp, gp, qc, gc, metric="cosine")
    wanted = evaluate(pairwise(queries, gallery, "cosine"), qp, gp, qc, gc)
    assert found.summary() == wanted.summary()
    assert found.gallery == 55
    assert found.top_frames is None


def test_junk_takes_no_part_in_reranking():
    rng = np.random.default_rng(1)
    qp, queries, qc = people(rng, 20, 6)
    gp, gallery, gc = people(rng, 60, 6)
    gp[::4] = -1
    parameters = Reranking(6, 2, 0.3)
    found = fine(queries, gallery, qp, gp, qc, gc, reranking=parameters)
    left = gp >= 0
    wanted = fine(queries, gallery[left], qp, gp[left], qc, gc[left], reranking=parameters)
    assert found.summary() == wanted.summary()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("unit", [False, True])
def test_coarse_is_the_nearest_frame_of_each_bag(metric, unit):
    rng = np.random.default_rng(2)
    pp, probes, _ = people(rng, 15, 8)
    fp, frames, _ = people(rng, 120, 8)
    offsets = np.append(np.arange(0, 120, 7), 120)
    labels = [np.unique(fp[a:b]) for a, b in itertools.pairwise(offsets)]
    blocks = (frames[start : start + 11] for start in range(0, 120, 11))
    found = coarse(
        probes, blocks, offsets, pp, labels, metric=metric, normalise_frames=unit, keep=5
    )
    every = pairwise(probes, unit_rows(frames) if unit else frames, metric)
    distances = np.minimum.reduceat(every, offsets[:-1], axis=1)
    for probe, order in enumerate(np.argsort(distances, axis=1)):
        bags = found.top_gallery[probe]
        assert bags.tolist() == order[:5].tolist()
        assert found.top_matches[probe].tolist() == [pp[probe] in labels[bag] for bag in bags]
        nearest = [offsets[b] + every[probe, offsets[b] : offsets[b + 1]].argmin() for b in bags]
        assert found.top_frames is not None
        assert found.top_frames[probe].tolist() == nearest
        hits = [r for r, bag in enumerate(order, start=1) if pp[probe] in labels[bag]]
        assert found.first_match[probe] == hits[0]
        precision = np.mean(np.arange(1, len(hits) + 1) / hits)
        assert found.average_precision[probe] == pytest.approx(precision, rel=1e-12)


def test_reranking_takes_the_threads_it_is_given(monkeypatch):
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((200, 6)), rng.standard_normal((300, 6))
    persons = np.arange(200) % 20 + 1, np.arange(300) % 20 + 1

    def every_core():
        raise AssertionError("all cores are taken")

    monkeypatch.setattr(neighbours, "default_threads", every_core)
    one, three = (
        fine(a, b, *persons, None, None, reranking=Reranking(), threads=n) for n in (1, 3)
    )
    for left, right in zip(one.top_distances, three.top_distances, strict=True):
        assert left.tobytes() == right.tobytes()
