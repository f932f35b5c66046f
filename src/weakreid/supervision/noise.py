"""Tracklets as a tracker would have cut and joined them, simulated from clean ones (TMC, sec. 4.1).

The people of a camera, its (person, camera) pairs, are what rFM and rSW count (1,955 on MARS): a
person in another camera is another video's. Per camera, everything by largest remainder so that
asked totals come back:

1. rFM x pairs segments. A pair's frames in time order, all its training tracklets one after another
   by tracklet_id, are cut between frames; all places of the camera are equally likely, as if a
   tracker lost people at a constant rate, so whoever is seen for longer is in more pieces.
2. segments / rSW tracklets, rounded up over all cameras. How many segments each takes is drawn from
   a distribution over 1, 2, ...: "fitted", the most even one of that mean (a geometric one, cut off
   at the camera's people), or one observed from a tracker, tilted: probabilities are multiplied by
   a^number and made to sum to 1, with the a that gives the mean asked for. That is the distribution
   of that mean nearest to the observed one (least relative entropy); the fitted one is a tilted
   even distribution.
3. Segments are dealt to tracklets, never two of a person to one, so that a tracklet shows as many
   people as it takes segments. The deal starts from one that is sure to work out (largest tracklets
   first, people with most segments left first), where a few sizes are evened out before if they
   cannot, and is shuffled by exchanges of two tracklets' segments, which keeps all counts.
4. The segments of a tracklet are put in random order; frames inside a segment keep theirs.

Everything random comes from (seed, camera); the order of the input's rows does not matter.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq

from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator

COLUMNS = ("tracklet_id", "position", "image", "camera_id", "source_id", "truth_person_id")
MEASURE = "persons_per_tracklet"
EXCHANGES = 10
"""Exchanges tried per segment when a deal is shuffled."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Camera:
    """The training frames of a camera: pair by pair, each in time order."""

    id: int
    persons: Ints  # [pairs], ascending
    lengths: Ints  # [pairs], frames of each
    images: Ints  # [frames]


def clean(tracklets: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    """Return the training tracklets as they are, be they clean or a real tracker's.

    Args:
        tracklets: table "tracklets"; those of role "train" are used.
        frames: table "frames", with truth_person_id.

    Returns:
        Table "tracks"; tracklets numbered from 0 in the order of tracklet_id.

    Raises:
        ReidError: no training tracklet, or tables that do not fit each other.
    """
    rows = _training_frames(tracklets, frames)
    _, number = np.unique(rows["tracklet_id"].to_numpy(), return_inverse=True)
    _, starts = np.unique(number, return_index=True)
    return _tracks(
        number,
        np.arange(len(rows)) - starts[number],
        rows["image"].to_numpy(),
        rows["camera_id"].to_numpy(),
        rows["truth_person_id"].to_numpy(),
    )


def simulate(
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
    *,
    rfm: float,
    rsw: float,
    seed: int,
    observed: Mapping[int, int] | None = None,
) -> pd.DataFrame:
    """Cut and join the training tracklets so that they have the noise asked for.

    Args:
        tracklets: table "tracklets"; those of role "train" are used.
        frames: table "frames", with truth_person_id: one person, above 0, per training tracklet.
        rfm: mean number of tracklets that show a person of a camera; at least 1.
        rsw: mean number of people whom a tracklet shows; at least 1.
        seed: decides everything random.
        observed: people per tracklet: how many tracklets; None fits a distribution to the mean.

    Returns:
        Table "tracks": all frames of the training tracklets, each once; tracklets by camera.

    Raises:
        ReidError: no training tracklet, one that is not clean, tables that do not fit each other,
            rFM that asks for more segments than frames, or rSW larger than the people of a camera
            allow or than the observed distribution reaches.
    """
    weights = _weights(observed, rsw)
    rows = _training_frames(tracklets, frames)
    _check_clean(rows)
    cameras = _cameras(rows)
    segments = _segments_of(cameras, rfm)
    sizes = _tracklets_of(cameras, segments, rsw)
    parts = [
        _of_camera(camera, int(own), int(count), weights, seed)
        for camera, own, count in zip(cameras, segments, sizes, strict=True)
    ]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    number = np.concatenate(
        [part["tracklet"] + offset for part, offset in zip(parts, offsets, strict=True)]
    )
    position, image, camera_id, person = (
        np.concatenate([part[name] for part in parts])
        for name in ("position", "image", "camera", "person")
    )
    return _tracks(number, position, image, camera_id, person)


def measured(tracks: pd.DataFrame) -> tuple[float, float]:
    """Return rFM and rSW of tracklets (TMC, Eqs. 7 and 8).

    M is the number of (person, camera) pairs; frames of nobody (person 0 or less) are in no pair,
    tracklets of such frames alone are not in N.

    Args:
        tracks: table "tracks".

    Raises:
        ReidError: no frame shows anybody.
    """
    held = _held(tracks)
    if held.empty:
        raise ReidError("the tracklets show nobody who is known; their noise cannot be measured")
    pairs = len(held[["camera_id", "truth_person_id"]].drop_duplicates())
    return len(held) / pairs, len(held) / held["tracklet_id"].nunique()


def summary(tracks: pd.DataFrame) -> dict[str, object]:
    """Return the figures of tracklets as JSON takes them; without a known person, rates are None.

    Args:
        tracks: table "tracks".
    """
    held = _held(tracks)
    rfm, rsw = measured(tracks) if len(held) else (None, None)
    per_tracklet = held.groupby("tracklet_id").size().value_counts().sort_index()
    count = int(tracks["tracklet_id"].nunique())
    return {
        "rfm": rfm,
        "rsw": rsw,
        "tracklets": count,
        "frames": len(tracks),
        "persons": int(held["truth_person_id"].nunique()),
        "pairs": len(held[["camera_id", "truth_person_id"]].drop_duplicates()),
        "mean_frames": len(tracks) / count,
        "nobody": count - int(held["tracklet_id"].nunique()),
        MEASURE: {str(number): int(of) for number, of in per_tracklet.items()},
    }


def observed_counts(distribution: pd.DataFrame) -> dict[int, int]:
    """Return the people per tracklet of an "id_counts" table, all its sequences together.

    Raises:
        ReidError: the table has none.
    """
    rows = distribution[(distribution["sequence"] == "") & (distribution["measure"] == MEASURE)]
    if rows.empty:
        raise ReidError(
            f"the observed distribution has no rows of {MEASURE} for all sequences together; "
            f"make it again with the stage noise_rates"
        )
    numbers, counts = rows["number"].tolist(), rows["count"].tolist()
    return {int(n): int(count) for n, count in zip(numbers, counts, strict=True)}


def tilted(weights: npt.ArrayLike, mean: float) -> Floats:
    """Return weights * a^number as probabilities, with the a that gives the mean.

    Args:
        weights: of the numbers 1, 2, ...: 0 or more, one above 0 at least; any sum.
        mean: of the numbers, from the least to the largest that has a weight.

    Returns:
        float64, as long as `weights`; numbers of weight 0 keep probability 0.

    Raises:
        ReidError: no tilting reaches the mean.
    """
    base = np.asarray(weights, np.float64)
    places = np.flatnonzero(base)
    least, largest = int(places[0]) + 1, int(places[-1]) + 1
    if not least - 1e-9 <= mean <= largest + 1e-9:
        raise ReidError(
            f"no distribution over {least} to {largest} people per tracklet has the mean "
            f"{mean:.4g}; ask for a mean between them, or take the fitted distribution"
        )
    made = np.zeros_like(base)
    # the ends are reached by an infinite tilt only
    for end in (least, largest):
        if abs(mean - end) < 1e-9:
            made[end - 1] = 1
            return made
    numbers, logs = places + 1.0, np.log(base[places])

    def probabilities(slope: float) -> Floats:
        powers = logs + slope * (numbers - numbers.mean())
        shares = np.exp(powers - powers.max())
        return shares / shares.sum()

    bound = 1.0
    while not probabilities(-bound) @ numbers < mean < probabilities(bound) @ numbers:
        bound *= 2
    slope = brentq(lambda x: probabilities(x) @ numbers - mean, -bound, bound, xtol=1e-12)
    made[places] = probabilities(slope)
    return made


# ------------------------------------------------------------------ input


def _training_frames(tracklets: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    """Return the frames of the training tracklets, with their camera, by tracklet and position."""
    train = tracklets[tracklets["role"] == "train"].sort_values("tracklet_id")
    if train.empty:
        raise ReidError("no tracklet of role 'train': there is nothing to make noise of")
    ids = train["tracklet_id"].to_numpy(np.int64)
    if len(np.unique(ids)) < len(ids):
        twice = ids[1:][ids[1:] == ids[:-1]][0]
        raise ReidError(f"table 'tracklets': tracklet {twice} stands there twice")
    rows = frames[frames["tracklet_id"].isin(ids)]
    rows = rows.sort_values(["tracklet_id", "position"], ignore_index=True)
    owners = rows["tracklet_id"].to_numpy(np.int64)
    place = np.searchsorted(ids, owners)
    counts = np.bincount(place, minlength=len(ids))
    asked = train["frame_count"].to_numpy(np.int64)
    bad = np.flatnonzero((counts != asked) | (counts == 0))
    if len(bad):
        raise ReidError(
            f"tracklet {ids[bad[0]]}: table 'frames' has {counts[bad[0]]} frames of it, table "
            f"'tracklets' says {asked[bad[0]]}; make both tables again together"
        )
    return rows.assign(camera_id=train["camera_id"].to_numpy(np.int64)[place])


def _check_clean(rows: pd.DataFrame) -> None:
    persons = rows.groupby("tracklet_id")["truth_person_id"].agg(["min", "max"])
    bad = persons[(persons["min"] != persons["max"]) | (persons["min"] <= 0)]
    if len(bad):
        least, largest = bad.iloc[0]
        shows = f"persons {least} and {largest}" if least != largest else f"person {least}"
        raise ReidError(
            f"training tracklet {bad.index[0]} shows {shows} ({len(bad)} such tracklets); noise is "
            f"simulated from tracklets of one person above 0: set rfm to null to take them as "
            f"they are"
        )


def _cameras(rows: pd.DataFrame) -> list[_Camera]:
    """Sort the frames into cameras, and there into people."""
    rows = rows.sort_values(["camera_id", "truth_person_id", "tracklet_id", "position"])
    found = []
    cameras = rows["camera_id"].to_numpy(np.int64)
    for camera in np.unique(cameras).tolist():
        own = rows[cameras == camera]
        persons, lengths = np.unique(own["truth_person_id"].to_numpy(np.int64), return_counts=True)
        images = own["image"].to_numpy(np.int64)
        found.append(_Camera(camera, persons, lengths.astype(np.int64), images))
    return found


def _weights(observed: Mapping[int, int] | None, rsw: float) -> Floats | None:
    """Return the observed distribution as weights of 1, 2, ..., after checking it."""
    if observed is None:
        return None
    numbers = sorted(number for number, count in observed.items() if count > 0)
    if not numbers or numbers[0] < 1:
        raise ReidError(
            f"the observed distribution has the numbers {numbers[:3]}; it must hold tracklets "
            f"that show 1 person or more"
        )
    weights = np.zeros(numbers[-1])
    for number in numbers:
        weights[number - 1] = observed[number]
    tilted(weights, rsw)
    return weights


# ------------------------------------------------------------------ how many


def _segments_of(cameras: Sequence[_Camera], rfm: float) -> Ints:
    """Return how many segments each camera's people are cut into."""
    pairs = np.array([len(camera.persons) for camera in cameras])
    frames = np.array([len(camera.images) for camera in cameras])
    over = np.flatnonzero(rfm * pairs > frames)
    if len(over):
        at = over[0]
        raise ReidError(
            f"camera {cameras[at].id}: rfm {rfm:g} asks for {rfm * pairs[at]:.0f} segments of its "
            f"{pairs[at]} people, but they have {frames[at]} frames; lower rfm to "
            f"{_floored(frames[at] / pairs[at])} or less"
        )
    total = int(rfm * pairs.sum() + 0.5)
    return _shared_out(rfm * pairs, total, pairs, frames)


def _tracklets_of(cameras: Sequence[_Camera], segments: Ints, rsw: float) -> Ints:
    """Return how many tracklets each camera's segments are dealt to."""
    least = np.array(
        [_least_tracklets(c.lengths, int(own)) for c, own in zip(cameras, segments, strict=True)]
    )
    asked = segments / rsw
    over = np.flatnonzero(least > np.ceil(asked - 1e-9))
    if len(over):
        at = over[0]
        raise ReidError(
            f"camera {cameras[at].id}: rsw {rsw:g} asks for {segments[at]} segments in "
            f"{math.ceil(asked[at] - 1e-9)} tracklets, but its {len(cameras[at].persons)} people, "
            f"each once in a tracklet, need {least[at]}; lower rsw to "
            f"{_floored(segments[at] / least[at])} or less"
        )
    if least.sum() > asked.sum() + 1e-9:
        raise ReidError(
            f"rsw {rsw:g} asks for {segments.sum()} segments in {asked.sum():.4g} tracklets, but "
            f"the people of the cameras ({len(cameras)}), each once in a tracklet, need "
            f"{least.sum()}; lower rsw to {_floored(segments.sum() / least.sum())} or less"
        )
    return _shared_out(asked, math.ceil(asked.sum() - 1e-9), least, segments)


def _floored(value: float) -> str:
    return f"{math.floor(100 * value) / 100:g}"


def _least_tracklets(lengths: Ints, segments: int) -> int:
    """Return the fewest tracklets that hold so many segments, a person once in each.

    A person fills as many as there are frames of it: the least t with sum of min(length, t) enough.
    """
    fewer = range(1, segments)
    return 1 + bisect_left(fewer, segments, key=lambda t: int(np.minimum(lengths, t).sum()))


def _shared_out(asked: Floats, total: int, least: Ints, most: Ints) -> Ints:
    """Return whole numbers near those asked for, within bounds, by largest remainder.

    Args:
        asked: [n].
        total: of the result; between the sums of the bounds.
        least: [n].
        most: [n], not below `least`.
    """
    made = np.clip(np.floor(asked + 1e-9).astype(np.int64), least, most)
    while (short := total - int(made.sum())) != 0:
        step = 1 if short > 0 else -1
        free = np.flatnonzero(made < most if step > 0 else made > least)
        # largest lack (or excess) first, the first of equals
        order = free[np.argsort(step * (made[free] - asked[free]), kind="stable")]
        made[order[: abs(short)]] += step
    return made


# ------------------------------------------------------------------ a camera


def _of_camera(
    camera: _Camera, segments: int, tracklets: int, weights: Floats | None, seed: int
) -> dict[str, Ints]:
    """Return the frames of a camera's new tracklets, numbered from 0."""
    generator = numpy_generator(seed, "noise", camera.id)
    cuts = _cut(camera.lengths, segments, tracklets, generator)
    owner = np.searchsorted(np.cumsum(camera.lengths), cuts, side="right")
    per_pair = 1 + np.bincount(owner, minlength=len(camera.lengths))
    sizes = _sizes(len(camera.persons), segments, tracklets, weights, generator)
    dealt = _deal(per_pair, _dealable(per_pair, sizes), generator)

    # segments in the order of the frames: the pair of each, its first frame and length
    starts = np.sort(np.concatenate([np.cumsum(camera.lengths) - camera.lengths, cuts]))
    lengths = np.diff(np.append(starts, len(camera.images)))
    pair = np.repeat(np.arange(len(per_pair)), per_pair)
    # a pair's segments go to its tracklets at random
    held: list[list[int]] = [[] for _ in per_pair]
    for tracklet, pairs in enumerate(dealt):
        for one in pairs:
            held[one].append(tracklet)
    tracklet_of = np.concatenate([generator.permutation(own) for own in held])
    order = np.lexsort([generator.permutation(segments), tracklet_of])
    taken, count = tracklet_of[order], lengths[order]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    number = np.repeat(taken, count)
    _, first = np.unique(number, return_index=True)
    return {
        "tracklet": number,
        "position": np.arange(len(number)) - first[number],
        "image": camera.images[np.repeat(starts[order], count) + within],
        "camera": np.full(len(number), camera.id),
        "person": np.repeat(camera.persons[pair[order]], count),
    }


def _cut(lengths: Ints, segments: int, most: int, generator: np.random.Generator) -> Ints:
    """Draw where the pairs are cut: frames, ascending, that begin a segment and not a pair.

    All places are equally likely, but a pair gets `most` segments at most.
    """
    pair = np.repeat(np.arange(len(lengths)), lengths)
    places = generator.permutation(np.flatnonzero(pair[1:] == pair[:-1]) + 1)
    # the how-manieth of its pair each place is, in the order of the draw
    order = np.argsort(pair[places], kind="stable")
    drawn = np.bincount(pair[places], minlength=len(lengths))
    rank = np.empty(len(places), np.int64)
    rank[order] = np.arange(len(places)) - np.repeat(np.cumsum(drawn) - drawn, drawn)
    return np.sort(places[rank < most - 1][: segments - len(lengths)])


def _sizes(
    people: int,
    segments: int,
    tracklets: int,
    weights: Floats | None,
    generator: np.random.Generator,
) -> Ints:
    """Draw how many segments each tracklet takes; they sum to `segments`."""
    if weights is None:
        allowed = np.ones(people)
    else:
        # what shows more people than there are shows all of them
        allowed = weights[:people].copy()
        allowed[-1] += weights[people:].sum()
    mean = segments / tracklets
    # rounding may leave a camera just outside of what an observed distribution holds
    held = np.flatnonzero(allowed) + 1
    shares = tilted(allowed, float(np.clip(mean, held[0], held[-1])))
    # one draw in each of as many equal parts of the probability: hardly any chance in the counts
    points = (np.arange(tracklets) + generator.random()) / tracklets
    numbers = 1 + np.searchsorted(np.cumsum(shares), points).clip(max=len(shares) - 1)
    while (short := segments - int(numbers.sum())) != 0:
        step = 1 if short > 0 else -1
        free = np.flatnonzero(numbers < people if step > 0 else numbers > 1)
        numbers[generator.permutation(free)[: abs(short)]] += step
    return numbers.astype(np.int64)


def _dealable(per_pair: Ints, sizes: Ints) -> Ints:
    """Even sizes out, one segment at a time, until the deal can work out (Gale and Ryser)."""
    sizes = np.sort(sizes)[::-1].copy()
    pairs = np.cumsum(np.sort(per_pair)[::-1])
    ranks = np.arange(1, len(per_pair) + 1)
    # the k pairs of most segments have no more of them than k places in every tracklet hold
    while (np.minimum(sizes[:, None], ranks).sum(axis=0) < pairs).any():
        sizes[np.flatnonzero(sizes == sizes[0])[-1]] -= 1
        sizes[np.flatnonzero(sizes == sizes[-1])[0]] += 1
    return sizes


def _deal(per_pair: Ints, sizes: Ints, generator: np.random.Generator) -> list[list[int]]:
    """Deal every pair's segments to tracklets, a pair once at most to each.

    Returns:
        The pairs of each tracklet, tracklets in random order.
    """
    left = per_pair.copy()
    dealt: list[set[int]] = []
    for size in sizes.tolist():
        # most left first, chance among equals
        order = np.lexsort([generator.random(len(left)), -left])[:size]
        left[order] -= 1
        dealt.append(set(order.tolist()))
    _exchange(dealt, EXCHANGES * int(per_pair.sum()), generator)
    return [sorted(dealt[i]) for i in generator.permutation(len(dealt))]


def _exchange(dealt: list[set[int]], tries: int, generator: np.random.Generator) -> None:
    """Shuffle a deal in place: two tracklets exchange a pair that the other has not."""
    slots = [(i, pair) for i, pairs in enumerate(dealt) for pair in sorted(pairs)]
    for x, y in generator.integers(len(slots), size=(tries, 2)).tolist():
        (i, one), (j, other) = slots[x], slots[y]
        if i != j and other not in dealt[i] and one not in dealt[j]:
            dealt[i].remove(one)
            dealt[j].remove(other)
            dealt[i].add(other)
            dealt[j].add(one)
            slots[x], slots[y] = (i, other), (j, one)


# ------------------------------------------------------------------ output


def _tracks(number: Ints, position: Ints, image: Ints, camera: Ints, person: Ints) -> pd.DataFrame:
    """Return table "tracks"; nothing was isolated, so that source_id = tracklet_id."""
    values = (number, position, image, camera, number, person)
    table = pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))
    return table.astype({name: "int32" for name in COLUMNS if name != "image"})


def _held(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return who is in which tracklet, each once; frames of nobody left out."""
    names = ["tracklet_id", "camera_id", "truth_person_id"]
    return tracks.loc[tracks["truth_person_id"] > 0, names].drop_duplicates()
