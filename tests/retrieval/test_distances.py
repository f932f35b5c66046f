"""Distances against float64 differences, for any way of cutting the frames into blocks."""

import tracemalloc
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.clustering.neighbours import unit_rows
from weakreid.errors import ReidError
from weakreid.retrieval.distances import Metric, bag_minimum, pairwise

MEMORY = 256 << 20


def exact(a, b, metric):
    a, b = a.astype(np.float64), b.astype(np.float64)
    if metric == "cosine":
        a = a / np.linalg.norm(a, axis=1, keepdims=True)
        b = b / np.linalg.norm(b, axis=1, keepdims=True)
        return 1 - a @ b.T
    squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return squares if metric == "sqeuclidean" else np.sqrt(squares)


def squared(distances, metric):
    return distances.astype(np.float64) ** 2 if metric == "euclidean" else distances


def tolerance(a, b, metric):
    """The stated bound: 1e-6 of |a|^2 + |b|^2 on the square; 1e-6 on the cosine."""
    if metric == "cosine":
        return np.full((len(a), len(b)), 1e-6)
    return 1e-6 * ((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 300),
    st.sampled_from(get_args(Metric)),
    st.sampled_from([0.01, 1.0, 100.0]),
    st.sampled_from([1, 1000, 1 << 20]),
)
def test_pairwise_is_exact_to_the_stated_tolerance(seed, n, m, width, metric, size, block_bytes):
    rng = np.random.default_rng(seed)
    a = (size * rng.standard_normal((n, width))).astype(np.float32)
    b = (rng.standard_normal((m, width)) + size).astype(np.float32)
    found = pairwise(a, b, metric, block_bytes)
    assert found.dtype == np.float32
    assert found.min() >= 0
    gap = np.abs(squared(found, metric) - squared(exact(a, b, metric), metric))
    assert np.all(gap <= tolerance(a, b, metric))


@pytest.mark.parametrize("metric", get_args(Metric))
def test_pairwise_in_float64(metric):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((20, 50)), rng.standard_normal((30, 50))
    found = pairwise(a, b.astype(np.float32), metric)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, exact(a, b.astype(np.float32), metric), rtol=1e-12)


def test_equal_rows_are_at_most_a_thousandth_apart():
    a = unit_rows(np.random.default_rng(0).standard_normal((50, 2048)).astype(np.float32))
    assert np.diag(pairwise(a, a, "euclidean")).max() <= 1.5e-3
    assert np.diag(pairwise(a, a, "cosine")).max() <= 1e-6


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.lists(st.integers(1, 12), min_size=1, max_size=12),
    st.integers(1, 40),
    st.sampled_from(get_args(Metric)),
    st.integers(1, 20),
    st.sampled_from([0, 5, 1000]),
    st.integers(1, 3),
)
def test_bag_minimum_for_any_blocks(seed, count, sizes, width, metric, block, tight, threads):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    probes = rng.standard_normal((count, width))
    frames = 3 * rng.standard_normal((offsets[-1], width))
    memory = 8 * (2 * count + width + 4) * tight or 1 << 20
    blocks = (frames[start : start + block] for start in range(0, len(frames), block))
    found = bag_minimum(probes, blocks, offsets, metric, memory, threads)
    every = exact(probes, frames, metric)
    for bag in range(len(sizes)):
        mine = every[:, offsets[bag] : offsets[bag + 1]]
        np.testing.assert_allclose(
            squared(found.distances[:, bag], metric),
            squared(mine.min(axis=1), metric),
            rtol=1e-10,
            atol=1e-12,
        )
        chosen = np.take_along_axis(every, found.frames[:, bag : bag + 1], axis=1)[:, 0]
        np.testing.assert_allclose(chosen, mine.min(axis=1), rtol=1e-9, atol=1e-6)
        assert np.all(found.frames[:, bag] >= offsets[bag])
        assert np.all(found.frames[:, bag] < offsets[bag + 1])


@pytest.mark.parametrize("metric", get_args(Metric))
def test_bag_minimum_float32_tolerance(metric):
    rng = np.random.default_rng(4)
    probes = np.maximum(rng.standard_normal((20, 500)), 0).astype(np.float32)
    frames = np.maximum(5 * rng.standard_normal((90, 500)), 0).astype(np.float32)
    found = bag_minimum(probes, frames, [0, 30, 31, 90], metric, MEMORY)
    assert found.distances.dtype == np.float32
    every = squared(exact(probes, frames, metric), metric)
    wanted = np.minimum.reduceat(every, [0, 30, 31], axis=1)
    gap = np.abs(squared(found.distances, metric) - wanted)
    assert gap.max() <= tolerance(probes, frames, metric).max()


def test_of_equal_frames_the_earliest_is_named():
    frames = np.ones((6, 4), np.float32)
    for block in (1, 2, 4, 6):
        blocks = [frames[start : start + block] for start in range(0, 6, block)]
        found = bag_minimum(frames[:2], blocks, [0, 1, 6], "euclidean", MEMORY)
        assert found.frames.tolist() == [[0, 1], [0, 1]]


def test_working_memory_stays_within_the_bound():
    rng = np.random.default_rng(0)
    probes = rng.standard_normal((200, 64)).astype(np.float32)
    frames = rng.standard_normal((40_000, 64)).astype(np.float16)  # converted chunk by chunk
    offsets = np.append(np.arange(0, 40_000, 600), 40_000)
    bound = 2 << 20
    tracemalloc.start()
    try:
        found = bag_minimum(probes, frames, offsets, "euclidean", bound, threads=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    result = found.distances.nbytes + found.frames.nbytes
    assert peak <= bound + result + probes.nbytes + (256 << 10)  # a little for the interpreter


def test_faults_of_the_caller_are_named():
    frames = np.ones((6, 4), np.float32)
    with pytest.raises(ReidError, match="a: row 2 is zero"):
        pairwise(np.where(np.arange(6)[:, None] == 2, 0, frames), frames, "cosine")
    broken = frames.copy()
    broken[4, 1] = np.nan
    with pytest.raises(ReidError, match="b: row 4 is not finite"):
        pairwise(frames, broken, "euclidean")
    with pytest.raises(ReidError, match="frames: row 4 is not finite"):
        bag_minimum(frames, [broken[:3], broken[3:]], [0, 2, 6], "euclidean", MEMORY)
    with pytest.raises(ReidError, match="memory_bytes 10"):
        bag_minimum(frames, frames, [0, 6], "euclidean", 10)
    with pytest.raises(ReidError, match="row 0 is zero"):
        unit_rows(np.zeros((1, 3)))
    with pytest.raises(ReidError, match="row 1 is not finite"):
        unit_rows(np.array([[1.0], [np.inf]]))
