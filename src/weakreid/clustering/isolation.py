"""Intra-tracklet isolation: a tracklet is cut into smaller ones that show one person each.

TMC, section 3.2: DBSCAN on the ImageNet features of a tracklet's frames, every cluster becomes a
tracklet of its own, its frames in their order. The features have length 1 here, so that `eps` is
a Euclidean distance from 0 to 2 whatever the network: d² = 2 - 2 cos.

The paper does not say what becomes of outliers, frames near too few others. `outliers` decides:

    join   an outlier joins the cluster of its nearest core frame, however far that is (the rule by
           which DBSCAN takes in border frames, without its bound), the earliest of equals; where a
           tracklet has no cluster, it stays whole. `reach` sets a bound: a frame farther away than
           so many eps from every core frame is a tracklet of its own, and so is every frame of a
           tracklet without a cluster
    own    every outlier is a tracklet of its own: no two people are ever put together by this rule,
           at the price of tracklets of one frame
    drop   outliers are left out; a tracklet without a cluster vanishes

A tracklet of one frame stays as it is under each of them.

The paper's tracklets are short. Of a long one DBSCAN chips off a few frames wherever somebody is
hidden, turns, or stands at the edge: with "join", `min_frames` gives such chips back.

Purity alone misleads: where most frames are outliers, "drop" is pure and empty. `isolation_quality`
gives it beside the share of frames kept.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from weakreid.clustering.centring import centred
from weakreid.config.supervision import Isolation
from weakreid.console import progress
from weakreid.datasets.majority import main_persons
from weakreid.errors import ReidError

LONG = 2000
"""Frames of a tracklet; above, not all distances are held at once."""
_BLOCK = 256  # frames whose distances are held at once: a multiple of 8, for the bits

Floats = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]


def isolate(
    tracks: pd.DataFrame, features: Floats, how: Isolation, *, threads: int
) -> pd.DataFrame:
    """Cut tracklets into smaller ones by who seems to be in their frames.

    Args:
        tracks: table "tracks", a row per frame, by tracklet and position; further columns (the
            truth) are carried along and not looked at.
        features: [frames, d], a row per row of `tracks`, of any length but 0.
        how: `eps` and `min_samples` are DBSCAN's, between features of length 1, the frame itself
            counted. The frames of a piece of fewer than `min_frames` join the piece of the nearest
            frame, the earliest of equals; where no piece has as many, the tracklet stays whole.
        threads: tracklets that are clustered at a time; the result does not depend on it. Each
            takes 40 bytes per pair of its frames, of more than `LONG` frames a bit per pair; and 8
            bytes per number in its features.

    Returns:
        The frames that are kept, in the columns of `tracks`: tracklet_id from 0 by (tracklet cut,
        first position), position from 0, source_id as it was.

    Raises:
        ReidError: a feature is zero or not finite, or no frame is left.
    """
    if tracks.empty:
        raise ReidError("isolation: there is no tracklet; give tracklets of training frames")
    _check_features(tracks, features)
    if how.centred:
        of = (tracks[name].to_numpy() for name in ("camera_id", "tracklet_id"))
        features = centred(_unit(features), *of)
    bounds = _bounds(tracks)
    spans = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))

    def cut(span: tuple[int, int]) -> Whole:
        start, end = span
        labels = groups(features[start:end], how)
        # a group is known by the row of its first frame: rows are in the order that ids are to be
        _, first, group = np.unique(labels, return_index=True, return_inverse=True)
        return np.where(labels >= 0, start + first[group], -1)

    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="isolate") as pool:
        cuts: Iterable[Whole] = pool.map(cut, spans) if threads > 1 else map(cut, spans)
        steps = progress(cuts, total=len(spans), label="isolating people", unit="tracklets")
        group = np.concatenate(list(steps))
    if not (group >= 0).any():
        raise ReidError(
            f"isolation: eps {how.eps:g} and min_samples {how.min_samples} leave no frame of "
            f"{len(tracks)}, {spread(tracks, features)}; raise eps, lower min_samples, or set "
            "outliers: join"
        )
    return _pieces(tracks, group)


def isolate_by_truth(tracks: pd.DataFrame) -> pd.DataFrame:
    """Cut tracklets by the people themselves, to measure what isolation costs.

    Frames of nobody known (0 or less) are a piece of their own.

    Args:
        tracks: table "tracks" with the truth, a row per frame, by tracklet and position.

    Returns:
        As `isolate`, every frame.
    """
    person = tracks["truth_person_id"].clip(lower=0)
    rows = pd.Series(np.arange(len(tracks)), index=tracks.index)
    firsts = rows.groupby([tracks["tracklet_id"], person]).transform("min")
    return _pieces(tracks, firsts.to_numpy())


def _pieces(tracks: pd.DataFrame, group: Whole) -> pd.DataFrame:
    """Return the frames by the row of the first frame of their piece; -1: left out."""
    sizes = np.bincount(group[group >= 0], minlength=len(group))
    rows = np.flatnonzero(group >= 0)
    rows = rows[np.argsort(group[rows], kind="stable")]
    starts, ids = np.unique(group[rows], return_inverse=True)
    ends = np.cumsum(sizes[starts])
    position = np.arange(len(rows)) - (ends - sizes[starts])[ids]
    return (
        tracks.iloc[rows]
        .reset_index(drop=True)
        .assign(tracklet_id=ids.astype(np.int32), position=position.astype(np.int32))
    )


def groups(features: Floats, how: Isolation) -> Whole:
    """Say which frames of a tracklet belong together.

    Args:
        features: [n, d], a tracklet's frames in order.
        how: as for `isolate`.

    Returns:
        [n], a number from 0 per group; -1 for a frame that is left out.
    """
    if len(features) == 1:
        return np.zeros(1, np.int64)
    unit = _unit(features)
    clusters = _clusters if len(unit) <= LONG else _clusters_of_many
    labels, core = clusters(unit, how.eps, how.min_samples)
    outliers = np.flatnonzero(labels < 0)
    if how.outliers == "join" and not len(core) and how.reach is None:
        return np.zeros(len(labels), np.int64)
    if how.outliers == "join" and len(core):
        nearest, apart = _nearest(unit[outliers], unit[core])
        near = apart <= (np.inf if how.reach is None else how.reach * how.eps)
        labels[outliers[near]] = labels[core[nearest[near]]]
        outliers = outliers[~near]
    if how.outliers != "drop":
        labels[outliers] = labels.max() + 1 + np.arange(len(outliers))
    return labels if how.min_frames == 1 else _without_small(labels, unit, how.min_frames)


def _without_small(labels: Whole, unit: NDArray[np.float64], min_frames: int) -> Whole:
    """Return labels in which no group has fewer frames than so many, but one that is all."""
    large = np.bincount(labels)[labels] >= min_frames
    if not large.any():
        return np.zeros(len(labels), np.int64)
    small = np.flatnonzero(~large)
    kept = np.flatnonzero(large)
    nearest, _ = _nearest(unit[small], unit[kept])
    labels[small] = labels[kept[nearest]]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def distances(features: Floats) -> NDArray[np.float64]:
    """Return the distances between features [n, d] scaled to length 1, [n, n].

    From one matrix product, in float64: what a BLAS rounds differently with another number of
    threads is then some 1e-16, and decides nothing.
    """
    return _all_apart(_unit(features))


def _all_apart(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = _apart(unit, unit)
    np.fill_diagonal(apart, 0.0)
    return apart


def _apart(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between features of length 1."""
    squares = some @ others.T
    squares *= -2.0
    squares += 2.0
    np.maximum(squares, 0.0, out=squares)
    return np.sqrt(squares, out=squares)


def _clusters(unit: NDArray[np.float64], eps: float, min_samples: int) -> tuple[Whole, Whole]:
    """Return DBSCAN's clusters [n], -1 for none, and its core frames."""
    found = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit(_all_apart(unit))
    return found.labels_.astype(np.int64), found.core_sample_indices_


def _clusters_of_many(
    unit: NDArray[np.float64], eps: float, min_samples: int
) -> tuple[Whole, Whole]:
    """Return what `_clusters` does, in the memory of a bit per pair.

    Whoever is near whom is kept as bits: most frames of a tracklet are near each other, so that
    lists of neighbours would be as large as the distances.
    """
    count = len(unit)
    bits = np.zeros((count, -(-count // 8)), np.uint8)
    for start in range(0, count, _BLOCK):
        end = min(start + _BLOCK, count)
        near = _apart(unit[start:end], unit[start:]) <= eps
        # both orders of a pair from one number, as rounding may differ between two
        near[:, : end - start] |= near[:, : end - start].T
        np.fill_diagonal(near, True)
        bits[start:end, start // 8 :] = np.packbits(near, axis=1)
        bits[start:, start // 8 : -(-end // 8)] = np.packbits(near.T, axis=1)
    core = np.bitwise_count(bits).sum(axis=1, dtype=np.int64) >= min_samples
    labels = np.full(count, -1, np.int64)
    number = 0
    # as DBSCAN: clusters in the order of their first core frame, a border frame in the first of its
    for first in np.flatnonzero(core).tolist():
        if labels[first] >= 0:
            continue
        labels[first] = number
        reached = [first]
        while reached:
            near = np.unpackbits(bits[reached.pop()], count=count).view(np.bool_)
            new = np.flatnonzero(near & (labels < 0))
            labels[new] = number
            reached += new[core[new]].tolist()
        number += 1
    return labels, np.flatnonzero(core)


def _nearest(
    some: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[Whole, NDArray[np.float64]]:
    """Return which of the others is nearest, the first of equals, and how far away it is."""
    place, apart = np.empty(len(some), np.int64), np.empty(len(some))
    for start in range(0, len(some), _BLOCK):
        part = slice(start, start + _BLOCK)
        found = _apart(some[part], others)
        place[part] = found.argmin(axis=1)
        apart[part] = found.min(axis=1)
    return place, apart


def spread(tracks: pd.DataFrame, features: Floats) -> str:
    """Say how far apart neighbouring frames of tracklets are, for people who choose `eps`.

    Args:
        tracks, features: as for `isolate`.
    """
    bounds = _bounds(tracks)
    spans = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    steps = [np.diff(_unit(features[start:end]), axis=0) for start, end in spans]
    apart = np.concatenate([np.linalg.norm(step, axis=1) for step in steps])
    if not len(apart):
        return "all tracklets of one frame"
    low, middle, high = np.percentile(apart, (5, 50, 95))
    return f"whose neighbours are {low:.2f} to {high:.2f} apart (5 to 95 %; median {middle:.2f})"


def isolation_quality(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Measure what isolation did, against the truth; all shares in per cent.

    A frame with truth_person_id 0 or less shows nobody: it is of no tracklet's person. A tracklet's
    person is the known one in most of its frames. A pair is a person and a camera, as TMC's
    simulation counts people.

    Args:
        before: table "tracks" with the truth.
        after: what `isolate` made of it, with the truth.

    Returns:
        Under "before" and "after" each: frames, tracklets; impurity, the mean over tracklets of the
        share of frames that are not of the tracklet's person (Table 4); purity, the share of all
        frames that are of their tracklet's person; rfm, tracklets per pair (Eq. 7), both by the
        pairs of `before`; rsw, people per tracklet that shows somebody (Eq. 8). Beside them:
        kept, the share of frames; mixed, how many tracklets of `before` show several people;
        separated, the share of them of which every person is still seen and every part shows one
        person at most; whole, the share of the others of which exactly one tracklet came out.
        A figure that cannot be is None: without a known person all but counts and kept, without a
        mixed tracklet or one of the others their share.
    """
    cut_from = after["image"].map(before.set_index("image")["tracklet_id"])
    shown = before.loc[before["truth_person_id"] > 0]
    pairs = len(shown[["truth_person_id", "camera_id"]].drop_duplicates())
    held = _people(shown)
    parts = after.groupby(cut_from)["tracklet_id"].nunique()
    kept = after.loc[after["truth_person_id"] > 0]
    seen = kept.groupby(cut_from[kept.index])["truth_person_id"].nunique()
    most = _people(kept).groupby(cut_from.groupby(after["tracklet_id"]).first()).max()
    every = pd.Index(before["tracklet_id"].unique())
    several = held.reindex(every, fill_value=0) > 1
    mixed, pure = every[several], every[~several]
    clean = (most.reindex(mixed) == 1) & (seen.reindex(mixed) == held.reindex(mixed))
    return {
        "before": _figures(before, pairs),
        "after": _figures(after, pairs),
        "kept": 100 * len(after) / len(before),
        "mixed": len(mixed),
        "separated": _per_cent(clean),
        "whole": _per_cent(parts.reindex(pure) == 1) if pairs else None,
    }


def _figures(tracks: pd.DataFrame, pairs: int) -> dict[str, Any]:
    person = tracks["truth_person_id"].to_numpy()
    _, tracklet = np.unique(tracks["tracklet_id"], return_inverse=True)
    size = np.bincount(tracklet)
    # frames of the person who is in most of a tracklet's frames
    of_person = (person > 0) & (person == main_persons(tracklet, person)[tracklet])
    own = np.bincount(tracklet[of_person], minlength=len(size))
    people = _people(tracks[person > 0])
    return {
        "frames": len(tracks),
        "tracklets": len(size),
        "impurity": float(100 * (1 - own / size).mean()) if pairs else None,
        "purity": float(100 * own.sum() / size.sum()) if pairs else None,
        "rfm": float(people.sum() / pairs) if pairs else None,
        "rsw": float(people.mean()) if len(people) else None,
    }


def _people(shown: pd.DataFrame) -> "pd.Series[int]":
    """|Q_i| of TMC, Eqs. 7 and 8, by tracklet_id; a tracklet has one camera."""
    return shown.groupby("tracklet_id")["truth_person_id"].nunique()


def _per_cent(hits: "pd.Series[bool]") -> float | None:
    return float(100 * hits.mean()) if len(hits) else None


def _check_features(tracks: pd.DataFrame, features: Floats) -> None:
    lengths = np.einsum("ij,ij->i", features, features)
    good = np.isfinite(lengths) & (lengths > 0)
    if not good.all():
        row = int(good.argmin())
        raise ReidError(
            f"isolation: the feature of image {tracks['image'].iloc[row]} is zero or not finite; "
            f"look at that image, and check the extractor's model.weights"
        )


def _bounds(tracks: pd.DataFrame) -> Whole:
    """Return the rows at which tracklets start, and their number at the end."""
    names = tracks["tracklet_id"].to_numpy()
    return np.concatenate(([0], np.flatnonzero(np.diff(names)) + 1, [len(names)]))


def _unit(features: Floats) -> NDArray[np.float64]:
    wide = features.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return wide
