"""The fine protocol of WL: which tracklet is it; the coarse one is `measure.measure_coarse`."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from weakreid.clustering.neighbours import unit_rows
from weakreid.errors import ReidError
from weakreid.retrieval.distances import Array, Metric, pairwise
from weakreid.retrieval.reranking import Reranking, rerank


class Descriptors(NamedTuple):
    """One row per tracklet."""

    tracklet_ids: NDArray[np.int64]  # [T] ascending
    features: Array  # [T, d]


def tracklet_descriptors(
    features: Array | Iterable[Array],
    tracklet_ids: ArrayLike,
    normalise_means: bool = False,
) -> Descriptors:
    """Return the mean feature of every tracklet (average pooling over its frames).

    Sums are kept in float64, so that the size of the blocks is no matter at float32's precision.

    Args:
        features: [F, d], or an iterable of blocks [n, d] that make it up in order.
        tracklet_ids: [F] the tracklet of each frame, in any order.
        normalise_means: scale every mean to length 1 afterwards.

    Raises:
        ReidError: lengths disagree, a feature is not finite, or a row that is to be scaled is zero.
    """
    frame_ids = np.asarray(tracklet_ids, np.int64)
    ids, places, counts = np.unique(frame_ids, return_inverse=True, return_counts=True)
    sums: NDArray[np.float64] | None = None
    kind: np.dtype[np.floating] = np.dtype(np.float32)
    row = 0
    for block in [features] if isinstance(features, np.ndarray) else features:
        stop = row + len(block)
        if sums is None:
            sums = np.zeros((len(ids), block.shape[1]))
        kind = np.promote_types(kind, block.dtype)
        present, local = np.unique(places[row:stop], return_inverse=True)
        pick = sparse.csr_array(
            (np.ones(len(block)), (local, np.arange(len(block)))), (len(present), len(block))
        )
        sums[present] += pick @ block
        row = stop
    if row != frame_ids.size or sums is None:
        raise ReidError(f"features: {row} rows for {frame_ids.size} tracklet ids")
    broken = np.flatnonzero(~np.isfinite(sums).all(axis=1))
    if broken.size:
        raise ReidError(f"features: tracklet {ids[broken[0]]} has a frame that is not finite")
    means = (sums / counts[:, None]).astype(kind)
    return Descriptors(ids, unit_rows(means) if normalise_means else means)


def fine_distances(
    queries: Array,
    gallery: Array,
    gallery_persons: ArrayLike,
    metric: Metric,
    reranking: Reranking | None,
    threads: int | None = None,
) -> Array:
    """Return the distances of fine-grained re-id, from query tracklets to the gallery's.

    Args:
        queries: [Q, d] descriptors.
        gallery: [G, d] descriptors.
        gallery_persons: [G]; junk (-1) takes no place among anybody's neighbours in re-ranking.
        metric: see `distances.pairwise`.
        reranking: k-reciprocal re-ranking of the distances, or None.
        threads: workers; the result does not depend on it.

    Returns:
        [Q, G]; after re-ranking, infinite to junk.

    Raises:
        ReidError: see `distances.pairwise`.
    """
    if reranking is None:
        return pairwise(queries, gallery, metric)
    inside = np.flatnonzero(np.asarray(gallery_persons) >= 0)
    found = rerank(queries, gallery[inside], metric, reranking, threads)
    distances: Array = np.full((len(queries), len(gallery)), np.inf, found.dtype)
    distances[:, inside] = found
    return distances
