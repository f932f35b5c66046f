"""Both protocols on a split: from the features of its frames to ranked tracklets and bags."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.config.training import Rules
from weakreid.errors import ReidError
from weakreid.retrieval.distances import Array, Metric, bag_minimum
from weakreid.retrieval.protocols import fine_distances, tracklet_descriptors
from weakreid.retrieval.ranking import RankingResult, bag_relevance, evaluate, person_relevance
from weakreid.retrieval.reranking import Reranking

Unit = Literal["frames", "clips"]
"""What a row of features is of."""


class Frames(NamedTuple):
    """The frames, or clips, of a split and their features, in the order of these."""

    images: NDArray[np.int64]  # [F] rows of the image store; of a clip, one of its frames
    tracklet_ids: NDArray[np.int64]  # [F]; a tracklet's frames are contiguous
    blocks: Callable[[], Iterator[Array]]  # gives the features [n, d] in blocks, anew at every call


def measure_fine(
    frames: Frames,
    tracklets: pd.DataFrame,
    *,
    metric: Metric,
    threads: int,
    keep: int = 0,
    reranking: Reranking | None = None,
    rules: Rules = "later",
) -> tuple[RankingResult, pd.DataFrame, pd.DataFrame]:
    """Rank the gallery's tracklets for every query tracklet.

    Args:
        frames: of the query and gallery tracklets at least.
        tracklets: a split's table.
        metric: between mean features.
        threads: workers.
        keep: items kept per query.
        reranking: k-reciprocal re-ranking, or None.
        rules: "official": the queries are in the gallery, too, where nobody finds himself, since
            what is of the query's person and camera is left out; and see `ranking.evaluate`.

    Returns:
        The result, and the rows of `tracklets` that its queries and gallery indices stand for.

    Raises:
        ReidError: the split has no query or no gallery, or a tracklet of it has no features.
    """
    ids, means = tracklet_descriptors(frames.blocks(), frames.tracklet_ids)
    queries = tracklets[tracklets["role"] == "query"].reset_index(drop=True)
    searched = ["gallery", "query"] if rules == "official" else ["gallery"]
    gallery = tracklets[tracklets["role"].isin(searched)].reset_index(drop=True)
    for name, rows in (("query", queries), ("gallery", gallery)):
        if rows.empty:
            raise ReidError(f"the split has no {name} tracklets: nothing can be measured on it")
    index = pd.Index(ids)
    distances = fine_distances(
        means[places_of(index, queries["tracklet_id"])],
        means[places_of(index, gallery["tracklet_id"])],
        gallery["person_id"],
        metric,
        reranking,
        threads,
    )
    relevance = person_relevance(
        queries["person_id"], gallery["person_id"], queries["camera_id"], gallery["camera_id"]
    )
    found = evaluate(distances, relevance, keep=keep, threads=threads, rules=rules)
    return found, queries, gallery


def measure_coarse(
    frames: Frames,
    bags: pd.DataFrame,
    *,
    metric: Metric,
    memory_bytes: int,
    unit: Unit,
    threads: int,
    keep: int = 0,
) -> tuple[RankingResult, pd.DataFrame, pd.DataFrame]:
    """Rank the gallery's bags for every probe (WL, Eq. 9); there is no camera filter.

    Args:
        frames: of every tracklet in a bag at least.
        bags: the coarse test set: probe bags (one tracklet each) and gallery bags.
        metric: between a probe's mean feature and a frame's.
        memory_bytes: see `distances.bag_minimum`.
        unit: "frames": a bag is the frames that its row names; "clips": the clips of its tracklets.
        threads: workers.
        keep: items kept per probe.

    Returns:
        The result (`top_frames` are rows of the image store), and the rows of `bags` that its
        probes and gallery indices stand for.

    Raises:
        ReidError: there is no probe or no gallery bag, or a frame (a tracklet) of one has no
            features.
    """
    probes = bags[bags["role"] == "probe"].reset_index(drop=True)
    gallery = bags[bags["role"] == "gallery"].reset_index(drop=True)
    if probes.empty or gallery.empty:
        raise ReidError("the coarse test set has no probes or no gallery bags")
    owner, probe_of = (_bag_of(frames, of, unit) for of in (gallery, probes))
    _, means = tracklet_descriptors(
        _picked(frames.blocks(), probe_of >= 0), probe_of[probe_of >= 0]
    )
    # The features come in their file's order, where a bag's tracklets lie apart: the nearest frame
    # is found per stretch of frames of one bag, then per bag.
    inside = np.flatnonzero(owner >= 0)
    starts = np.flatnonzero(np.diff(owner[inside], prepend=-1))
    nearest = bag_minimum(
        means,
        _picked(frames.blocks(), owner >= 0),
        [*starts, len(inside)],
        metric,
        memory_bytes,
        threads=threads,
    )
    distances, images = _by_bag(
        nearest.distances, frames.images[inside][nearest.frames], owner[inside][starts]
    )
    persons = np.array([labels[0] for labels in probes["labels"]])
    relevance = bag_relevance(persons, list(gallery["labels"]))
    result = evaluate(distances, relevance, keep=keep, threads=threads)
    top_frames = [row[top] for row, top in zip(images, result.top_gallery, strict=True)]
    return dataclasses.replace(result, top_frames=top_frames), probes, gallery


def _bag_of(frames: Frames, bags: pd.DataFrame, unit: Unit) -> NDArray[np.int64]:
    """Return the bag [F] that each frame or clip is in, by its place in the table; -1: none."""
    owner = np.full(len(frames.images), -1, np.int64)
    if unit == "clips":
        ids, firsts, counts = np.unique(frames.tracklet_ids, return_index=True, return_counts=True)
        index = pd.Index(ids)
        for bag, tracklets in enumerate(bags["tracklet_ids"]):
            for place in places_of(index, tracklets):
                owner[firsts[place] : firsts[place] + counts[place]] = bag
        return owner
    index = pd.Index(frames.images)
    for bag, rows in enumerate(bags["frames"]):
        owner[places_of(index, rows, "image")] = bag
    return owner


def _by_bag(
    distances: Array, images: NDArray[np.int64], bag_of: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64]]:
    """Reduce [P, S] nearest frames of stretches to [P, B] of the bags that the stretches are of."""
    order = np.argsort(bag_of, kind="stable")
    starts = np.flatnonzero(np.diff(bag_of[order], prepend=-1))
    stops = [*starts[1:], len(order)]
    best = np.empty((len(distances), len(starts)), distances.dtype)
    where = np.empty(best.shape, np.int64)
    rows = np.arange(len(distances))
    for bag, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        columns = order[start:stop]
        first = columns[distances[:, columns].argmin(axis=1)]
        best[:, bag] = distances[rows, first]
        where[:, bag] = images[rows, first]
    return best, where


def _picked(blocks: Iterator[Array], wanted: NDArray[np.bool_]) -> Iterator[Array]:
    row = 0
    for block in blocks:
        chosen = wanted[row : row + len(block)]
        row += len(block)
        if chosen.any():
            yield block[chosen]


def places_of(
    index: pd.Index, wanted: pd.Series | NDArray[Any], what: str = "tracklet"
) -> NDArray[np.intp]:
    """Return where tracklets (or images, as `what` says) stand in the index of those with features.

    Raises:
        ReidError: one has no features.
    """
    names = pd.Index(wanted)
    places = index.get_indexer(names)
    if (places < 0).any():
        raise ReidError(
            f"{what} {names[places < 0][0]} has no features; delete the features and run again"
        )
    return places
