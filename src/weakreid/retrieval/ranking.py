"""CMC and mAP, exactly: one core for any relevance, front ends for persons and for bags.

Protocol: a query's excluded items leave its gallery; a query left without a match is skipped
and counted; CMC looks at the first match; average precision is the mean of the precision at each
hit; equal distances keep the order of the gallery (a stable sort).

No argsort is needed for that. The rank of a match is one plus the number of items that are nearer,
or as near and earlier; a plain sort of the row's values (several times faster than a stable
argsort) and a binary search per match count them, and only values that occur more than once are
looked up in the row itself.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreid.config.training import Rules
from weakreid.cores import default_threads
from weakreid.errors import ReidError

RANKS = (1, 5, 10, 20)
_ROWS = 32  # queries sorted at a time: 32 x 9,330 float32 are 1.2 MB, within a core's cache

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Relevance:
    """What counts for each query: ascending, disjoint gallery indices, one array per query."""

    matches: Sequence[Indices]  # the gallery items that are right answers
    excluded: Sequence[Indices]  # the gallery items that are not in this query's gallery at all
    gallery: int  # size of the gallery before any query's exclusions, without junk


@dataclass(frozen=True)
class RankingResult:
    """A measured ranking."""

    cmc: dict[int, float]  # rank -> per cent of the used queries with a first match at or above it
    mean_average_precision: float  # per cent
    queries: int  # number of queries used (those with a match)
    skipped: int  # number of queries without a match
    gallery: int  # gallery size, without junk
    average_precision: NDArray[np.float64]  # [Q] in 0..1, nan where the query was skipped
    first_match: Indices  # [Q] 1-based rank of the first match, 0 where the query was skipped
    match_counts: Indices  # [Q] number of matches
    valid_counts: Indices  # [Q] number of gallery items left after the exclusions
    top_gallery: list[Indices]  # per query, the nearest gallery indices left, at most `keep`
    top_distances: list[NDArray[Any]]  # their distances
    top_matches: list[NDArray[np.bool_]]  # whether each is a match
    rules: Rules = "later"  # that it was measured by
    top_frames: list[Indices] | None = None  # of bags, the row of the nearest frame

    def summary(self) -> dict[str, Any]:
        """Return the figures of `metrics.json`, with string keys."""
        return {
            "mAP": self.mean_average_precision,
            "cmc": {str(rank): value for rank, value in self.cmc.items()},
            "queries": self.queries,
            "gallery": self.gallery,
            "skipped": self.skipped,
        }


def person_relevance(
    query_persons: ArrayLike,
    gallery_persons: ArrayLike,
    query_cameras: ArrayLike,
    gallery_cameras: ArrayLike,
) -> Relevance:
    """Return matches and exclusions of the fine-grained protocol.

    Gallery items of the query's person and camera leave its gallery.

    Args:
        query_persons: [Q] person ids.
        gallery_persons: [G] person ids; -1 (junk) leaves every gallery, 0 (distractor) stays and
            never matches.
        query_cameras: [Q] camera ids.
        gallery_cameras: [G] camera ids.
    """
    persons, others, cameras, gallery_cams = (
        np.asarray(ids, np.int64)
        for ids in (query_persons, gallery_persons, query_cameras, gallery_cameras)
    )
    junk = np.flatnonzero(others < 0)
    order = np.argsort(others, kind="stable")
    ordered = others[order]
    starts = np.searchsorted(ordered, persons, side="left")
    stops = np.searchsorted(ordered, persons, side="right")
    matches: list[Indices] = []
    excluded: list[Indices] = []
    nothing = np.empty(0, np.int64)
    for query, person in enumerate(persons):
        same = order[starts[query] : stops[query]] if person > 0 else nothing
        dropped = junk
        if same.size:
            here = gallery_cams[same] == cameras[query]
            dropped = np.sort(np.concatenate([junk, same[here]])) if junk.size else same[here]
            same = same[~here]
        matches.append(same)
        excluded.append(dropped)
    return Relevance(matches, excluded, len(others) - len(junk))


def bag_relevance(query_persons: ArrayLike, gallery_labels: Sequence[ArrayLike]) -> Relevance:
    """Return the matches of the coarse protocol (WL): the bags that hold the query's person.

    Args:
        query_persons: [P] person ids.
        gallery_labels: [B] arrays of the person ids in each bag; ids of 0 and below never match.
    """
    persons = np.asarray(query_persons, np.int64)
    labels = [np.asarray(label, np.int64).ravel() for label in gallery_labels]
    flat = np.concatenate(labels) if labels else np.empty(0, np.int64)
    owners = np.repeat(np.arange(len(labels)), [label.size for label in labels])
    pairs = np.unique(np.stack([flat, owners]), axis=1)  # a bag may name a person twice
    starts = np.searchsorted(pairs[0], persons, side="left")
    stops = np.searchsorted(pairs[0], persons, side="right")
    nothing = np.empty(0, np.int64)
    matches = [
        pairs[1, start:stop] if person > 0 else nothing
        for person, start, stop in zip(persons, starts, stops, strict=True)
    ]
    return Relevance(matches, [nothing] * len(persons), len(labels))


def evaluate(
    distances: NDArray[Any],
    relevance: Relevance,
    *,
    keep: int = 0,
    threads: int | None = None,
    rules: Rules = "later",
) -> RankingResult:
    """Measure a ranking, given each query's matches and exclusions.

    Args:
        distances: [Q, G] float32 or float64, smaller is nearer.
        relevance: for each of the Q queries.
        keep: how many of the nearest items to return per query.
        threads: workers; the result does not depend on it. None takes the cores at hand.
        rules: "official", as MARS's own program: a query without a match counts, with an average
            precision of 0, and average precision is the area below the line through the precisions
            before and at each match.

    Raises:
        ReidError: a distance is NaN, or no query has a match.
    """
    count, width = distances.shape
    precision = np.full(count, np.nan)
    first = np.zeros(count, np.int64)
    top: list[Indices] = [np.empty(0, np.int64)] * count
    near: list[NDArray[Any]] = [np.empty(0, distances.dtype)] * count
    right: list[NDArray[np.bool_]] = [np.empty(0, np.bool_)] * count

    def measure(start: int) -> None:
        block = distances[start : start + _ROWS].copy()
        broken = np.flatnonzero(np.isnan(block.min(axis=1, initial=np.inf)))
        if broken.size:
            raise ReidError(
                f"distances: NaN in row {start + broken[0]} (a query's distances to the gallery); "
                "check that its features are finite"
            )
        for row, excluded in zip(block, relevance.excluded[start:], strict=False):
            row[excluded] = np.nan  # sorts last, equals nothing, is nearer than nothing
        ordered = np.sort(block, axis=1)
        for offset in range(len(block)):
            query = start + offset
            row, values, matches = block[offset], ordered[offset], relevance.matches[query]
            valid = width - len(relevance.excluded[query])
            if matches.size:
                found = _match_ranks(row, values, matches)
                found.sort()
                first[query] = found[0]
                precision[query] = _average_precision(found, rules)
            if keep and valid > 0:
                top[query] = _nearest(row, values, min(keep, valid))
                near[query] = row[top[query]]
                right[query] = np.isin(top[query], matches)

    with ThreadPoolExecutor(threads or default_threads()) as pool:
        list(pool.map(measure, range(0, count, _ROWS)))
    matched = int(np.count_nonzero(first))
    if not matched:
        raise ReidError(
            f"none of the {count} queries has a match in the gallery of {relevance.gallery}; "
            "check the split, the person ids and the cameras"
        )
    if rules == "official":
        precision[first == 0] = 0
    used = matched if rules == "later" else count
    return RankingResult(
        cmc={k: 100.0 * int(np.sum((first > 0) & (first <= k))) / used for k in RANKS},
        mean_average_precision=100.0 * math.fsum(precision[first > 0]) / used,
        rules=rules,
        queries=used,
        skipped=count - used,
        gallery=relevance.gallery,
        average_precision=precision,
        first_match=first,
        match_counts=np.array([len(matches) for matches in relevance.matches], np.int64),
        valid_counts=np.array([width - len(out) for out in relevance.excluded], np.int64),
        top_gallery=top,
        top_distances=near,
        top_matches=right,
    )


def _average_precision(ranks: Indices, rules: Rules) -> float:
    """Return a query's average precision, from the ascending ranks of its matches."""
    hits = np.arange(1, ranks.size + 1)
    # fsum is exactly rounded, so that the order of summation is no matter
    at_matches = math.fsum(hits / ranks) / ranks.size
    if rules == "later":
        return at_matches
    # what MARS's program takes before the first item
    before = np.where(ranks > 1, (hits - 1) / np.maximum(ranks - 1, 1), 1.0)
    return (at_matches + math.fsum(before) / ranks.size) / 2


def _match_ranks(row: NDArray[Any], values: NDArray[Any], matches: Indices) -> Indices:
    """Return the 1-based rank of each match.

    Args:
        row: [G] distances, nan where excluded.
        values: [G] the same, sorted (nan last).
        matches: [m] ascending gallery indices.
    """
    wanted = row[matches]
    nearer = np.searchsorted(values, wanted, side="left")
    tied = values[np.minimum(nearer + 1, values.size - 1)] == wanted
    tied &= nearer + 1 < values.size
    found = nearer + 1
    for value in np.unique(wanted[tied]):
        mine = np.flatnonzero(wanted == value)
        found[mine] += np.searchsorted(np.flatnonzero(row == value), matches[mine])
    return found


def _nearest(row: NDArray[Any], values: NDArray[Any], keep: int) -> Indices:
    """Return the `keep` nearest items, equal ones by index; `values` is `row` sorted."""
    within = np.flatnonzero(row <= values[keep - 1])
    return within[np.argsort(row[within], kind="stable")[:keep]]
