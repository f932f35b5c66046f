"""Weak labels: bags of person images that know who is in them, but not where (WL, section IV-A).

A bag is a group of tracklets of one camera. The tracklets of a camera are shuffled and cut into
groups of a random size; what remains becomes a smaller bag. The label of a bag is the set of its
people. Tables in, a table of kind "bags" out (`weakreid.artifacts.schemas`), in a fixed order: by
role, camera, then the order in which they were cut. What is random comes from (seed, camera) or
(seed, tracklet), so that the order of the input's rows does not matter.

The tracklets may also be given as a table "tracks": simulated or real ones of a tracker, which show
several people. Bags of them are made in the same way, each frame's person being its own.

Tracklet ids in bags: with `tracklet_parts=n`, part i of tracklet t becomes a tracklet of its own
with the id `t * n + i` (so `n=1` keeps the ids). Tracklets that missing annotation adds, and those
that noisy tracking makes, get new ids above all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from weakreid.config.supervision import Missing
from weakreid.console import say
from weakreid.datasets.majority import main_persons
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator

Limits = tuple[int, int]


@dataclass(frozen=True)
class _Tracklet:
    id: int
    persons: np.ndarray  # of every image; 0 or less is nobody
    camera: int
    images: np.ndarray

    @property
    def person(self) -> int:
        """Who is in a tracklet of the dataset: it shows one person."""
        return int(self.persons[0])

    def part(self, number: int, kept: slice | np.ndarray) -> "_Tracklet":
        """Return some of its frames as a tracklet of another number."""
        return _Tracklet(number, self.persons[kept], self.camera, self.images[kept])


def training_bags(
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
    *,
    seed: int,
    tracklets_per_bag: Limits,
    tracklet_parts: int,
    max_frames: int | None,
    missing: Missing | None,
    majority: bool,
    tracks: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Group the training tracklets into bags.

    The labels of a bag are the people of its tracklets, whole, as somebody names them who watched
    the video: also one of whom `max_frames` leaves no frame.

    Args:
        tracklets: table "tracklets"; those of role "train" are used.
        frames: table "frames", in its own order, to which `first_frame` refers.
        seed: decides everything random.
        tracklets_per_bag: least and most tracklets of a bag, both included; a camera's last bag may
            hold fewer. (1, 1) gives one tracklet per bag, which is full supervision.
        tracklet_parts: cut every tracklet into so many consecutive parts first (7 for DukeMTMC),
            which are tracklets of their own from there on.
        max_frames: at most so many random frames of a tracklet; None for all.
        missing: add short tracklets of people whom the annotator missed, labels unchanged. They
            are of the bag's camera and of different people who are not in the bag (as many as there
            are, where there are too few), and their frames are consecutive.
        majority: name every tracklet (or part) after the person of most of its frames, the least
            number among equals, and label bags with these names: with tracklets_per_bag (1, 1)
            what somebody gives who labels a tracker's tracklets at a glance.
        tracks: table "tracks" with truth_person_id, a frame per row in any order: these tracklets
            instead of the dataset's, which are not looked at then. Frames of nobody (person 0 or
            less) stay and give no label; a tracklet (or part) of them alone is left out, as nobody
            could name it.

    Returns:
        Table "bags", role "train".

    Raises:
        ReidError: no training tracklet, one without a person, one with fewer frames than parts,
            tables that do not fit each other, both missing and tracks, or tracks of several cameras
            in one tracklet or without anybody.
    """
    if tracks is not None and missing is not None:
        raise ReidError(
            "missing annotation adds clean tracklets of one person and cannot be had with noisy "
            "ones; set missing to null, or noise"
        )
    whole = _training(tracklets, frames) if tracks is None else _tracked(tracks)
    parts = _cut(whole, tracklet_parts)
    if tracks is not None:
        parts = _of_somebody(parts)
    groups = _group(parts, tracklets_per_bag, seed, "train")
    extras = _missing(whole, groups, missing, tracklet_parts, seed) if missing is not None else None
    rows = []
    for number, group in enumerate(groups):
        people = _people(group, majority)
        capped = [_capped(t, max_frames, seed) for t in group]
        rows.append(_row("train", capped + (extras[number] if extras else []), people))
    return _table(rows)


def coarse_bags(
    tracklets: pd.DataFrame,
    frames: pd.DataFrame,
    *,
    seed: int,
    tracklets_per_bag: Limits,
    max_frames: int,
) -> pd.DataFrame:
    """Return the coarse-grained test set: one probe per queried person, and a gallery of bags.

    Junk and distractors are left out. People with a tracklet of role "query" have a probe: the
    first (lowest id) of all their test tracklets, queries and gallery together. All other
    tracklets are bagged like training tracklets.

    Args:
        tracklets: table "tracklets"; those of roles "query" and "gallery" are used.
        frames: table "frames".
        seed: decides everything random.
        tracklets_per_bag: as for `training_bags`.
        max_frames: at most so many random frames of a tracklet in a gallery bag; a probe has all.

    Returns:
        Table "bags": role "probe" (by camera, then person), then role "gallery".

    Raises:
        ReidError: no query of a person, no tracklet left for the gallery, or tables that do not fit
            each other.
    """
    chosen = _of_roles(tracklets, ["query", "gallery"])
    chosen = chosen[chosen["person_id"] > 0]
    queried = set(chosen["person_id"][chosen["role"] == "query"].tolist())
    if not queried:
        raise ReidError(
            "no tracklet of role 'query' has a person above 0: nobody can be looked for, nothing "
            "measured; give ground truth of queries and gallery (truth, of a tracker's output), or "
            "ask a run for identities.png, search.png or model.safetensors instead"
        )
    probes: dict[int, _Tracklet] = {}
    rest = []
    for tracklet in _tracklets(chosen, frames):
        if tracklet.person in queried and tracklet.person not in probes:
            probes[tracklet.person] = tracklet
        else:
            rest.append(tracklet)
    if not rest:
        raise ReidError(
            f"each of the {len(probes)} test people has one tracklet only, which is the probe: "
            f"no gallery bag can be made; the dataset needs a second tracklet of a test person"
        )
    rows = [
        _row("probe", [t], [t.person])
        for t in sorted(probes.values(), key=lambda t: (t.camera, t.person))
    ]
    for group in _group(rest, tracklets_per_bag, seed, "gallery"):
        people = sorted({t.person for t in group})
        rows.append(_row("gallery", [_capped(t, max_frames, seed) for t in group], people))
    return _table(rows)


def noisy_tracking(bags: pd.DataFrame, *, seed: int, parts: int) -> pd.DataFrame:
    """Shuffle the frames of every bag into parts, each taken for a tracklet (WL, Table VII).

    Args:
        bags: table "bags", with or without `truth_frame_persons`.
        seed: decides everything random.
        parts: tracklets of a bag; a bag of fewer frames gets one per frame.

    Returns:
        The same bags and labels; frames, their people and their (new) tracklets in the new order.
    """
    new = bags.copy()
    next_id = 1 + max((int(max(ids, default=0)) for ids in bags["tracklet_ids"]), default=0)
    columns: dict[str, list[np.ndarray]] = {
        name: []
        for name in ("frames", "truth_frame_persons", "frame_tracklets", "tracklet_ids")
        if name in bags.columns
    }
    for i, bag_id in enumerate(bags["bag_id"]):
        count = len(bags["frames"].iloc[i])
        order = numpy_generator(seed, "noisy tracking", int(bag_id)).permutation(count)
        pieces = np.array_split(order, min(parts, max(count, 1)))
        order = np.concatenate([np.sort(piece) for piece in pieces])
        ids = np.arange(next_id, next_id + len(pieces), dtype=np.int32)
        next_id += len(pieces)
        for name in columns.keys() & {"frames", "truth_frame_persons"}:
            columns[name].append(np.asarray(bags[name].iloc[i])[order])
        columns["frame_tracklets"].append(np.repeat(ids, [len(piece) for piece in pieces]))
        columns["tracklet_ids"].append(ids)
    for name, values in columns.items():
        new[name] = pd.Series(values, index=bags.index, dtype=object)
    return new


def _of_roles(tracklets: pd.DataFrame, roles: Sequence[str]) -> pd.DataFrame:
    """Return the tracklets of some roles, by id.

    Raises:
        ReidError: two of them have one id.
    """
    chosen = tracklets[tracklets["role"].isin(list(roles))].sort_values("tracklet_id")
    twice = chosen["tracklet_id"][chosen["tracklet_id"].duplicated()]
    if len(twice):
        raise ReidError(f"table 'tracklets': tracklet {twice.iloc[0]} stands there twice")
    return chosen


def _training(tracklets: pd.DataFrame, frames: pd.DataFrame) -> list[_Tracklet]:
    """Return the training tracklets, of one person each.

    Raises:
        ReidError: there is none, one has no person, or the tables do not fit each other.
    """
    chosen = _of_roles(tracklets, ["train"])
    if chosen.empty:
        raise ReidError("no tracklet of role 'train': there is nothing to make training bags of")
    nobody = chosen[chosen["person_id"] <= 0]
    if len(nobody):
        first = nobody.iloc[0]
        raise ReidError(
            f"training tracklet {first['tracklet_id']} has person {first['person_id']} (junk or "
            f"distractor), which cannot be a label; give it role 'junk' or a person above 0"
        )
    return _tracklets(chosen, frames)


def _tracked(tracks: pd.DataFrame) -> list[_Tracklet]:
    """Return the tracklets of a table "tracks", by id.

    Raises:
        ReidError: the table is empty, or a tracklet has several cameras.
    """
    if tracks.empty:
        raise ReidError("table 'tracks' is empty: there is nothing to make training bags of")
    rows = tracks.sort_values(["tracklet_id", "position"])
    owners, images, cameras, persons = (
        rows[name].to_numpy(np.int64)
        for name in ("tracklet_id", "image", "camera_id", "truth_person_id")
    )
    ids, starts = np.unique(owners, return_index=True)
    ends = np.append(starts[1:], len(owners))
    mixed = np.flatnonzero(cameras != np.repeat(cameras[starts], ends - starts))
    if len(mixed):
        raise ReidError(
            f"table 'tracks': tracklet {owners[mixed[0]]} has frames of several cameras, and a bag "
            f"is of one; make the table again"
        )
    return [
        _Tracklet(int(i), persons[start:end], int(cameras[start]), images[start:end])
        for i, start, end in zip(ids, starts, ends, strict=True)
    ]


def _of_somebody(tracklets: list[_Tracklet]) -> list[_Tracklet]:
    """Leave out what shows nobody.

    Raises:
        ReidError: nothing is left.
    """
    kept = [t for t in tracklets if (t.persons > 0).any()]
    if not kept:
        raise ReidError(
            f"none of the {len(tracklets)} tracklets shows somebody who is known, so that no bag "
            f"has a label; give the ground truth or the names, or a method that needs no labels"
        )
    if len(kept) < len(tracklets):
        say(f"{len(tracklets) - len(kept)} tracklets show nobody who is known and are in no bag")
    return kept


def _people(group: list[_Tracklet], majority: bool) -> list[int]:
    """Return whom an annotator of these tracklets names."""
    persons = np.concatenate([t.persons for t in group])
    if majority:
        owners = np.repeat(np.arange(len(group)), [len(t.persons) for t in group])
        persons = main_persons(owners, persons)
    people: list[int] = np.unique(persons[persons > 0]).tolist()
    return people


def _tracklets(chosen: pd.DataFrame, frames: pd.DataFrame) -> list[_Tracklet]:
    """Look up the images of tracklets.

    Raises:
        ReidError: a tracklet is empty, or its range of rows in `frames` is not its own.
    """
    images = frames["image"].to_numpy(np.int64)
    rows_of = frames.reset_index(drop=True).groupby("tracklet_id").indices
    columns = ("tracklet_id", "person_id", "camera_id", "first_frame", "frame_count")
    found = []
    for name, person, camera, first, count in zip(
        *(chosen[column].to_numpy(np.int64).tolist() for column in columns), strict=True
    ):
        own = rows_of.get(name, ())
        if not count or not np.array_equal(own, np.arange(first, first + count)):
            raise ReidError(
                f"tracklet {name}: rows {first} to {first + count - 1} of table 'frames' "
                f"({len(images)} rows) are not its own frames; make both tables again together"
            )
        found.append(_Tracklet(name, np.full(count, person), camera, images[own]))
    return found


def _cut(tracklets: list[_Tracklet], parts: int) -> list[_Tracklet]:
    """Cut every tracklet into consecutive parts of nearly equal length."""
    if parts == 1:
        return tracklets
    pieces = []
    for tracklet in tracklets:
        if len(tracklet.images) < parts:
            raise ReidError(
                f"tracklet {tracklet.id} has {len(tracklet.images)} frames and cannot be cut into "
                f"{parts} parts; lower tracklet_parts or drop the tracklet"
            )
        places = np.array_split(np.arange(len(tracklet.images)), parts)
        pieces += [tracklet.part(tracklet.id * parts + i, kept) for i, kept in enumerate(places)]
    return pieces


def _group(
    tracklets: list[_Tracklet], per_bag: Limits, seed: int, role: str
) -> list[list[_Tracklet]]:
    """Shuffle the tracklets of each camera and cut them into groups, cameras in order."""
    groups = []
    for camera in sorted({t.camera for t in tracklets}):
        own = [t for t in tracklets if t.camera == camera]
        generator = numpy_generator(seed, "bags", role, camera)
        shuffled = [own[i] for i in generator.permutation(len(own))]
        while shuffled:
            size = int(generator.integers(*per_bag, endpoint=True))
            groups.append(shuffled[:size])
            shuffled = shuffled[size:]
    return groups


def _capped(tracklet: _Tracklet, most: int | None, seed: int) -> _Tracklet:
    """Keep at most so many random frames, in time order."""
    count = len(tracklet.images)
    if most is None or count <= most:
        return tracklet
    generator = numpy_generator(seed, "bag frames", tracklet.id)
    kept = np.sort(generator.choice(count, most, replace=False))
    return tracklet.part(tracklet.id, kept)


def _missing(
    whole: list[_Tracklet],
    groups: list[list[_Tracklet]],
    missing: Missing,
    parts: int,
    seed: int,
) -> list[list[_Tracklet]]:
    """Draw the extra tracklets of every bag: people of its camera who are not in it."""
    least, most = missing.frames
    # {camera: {person: tracklets that are long enough}}
    pool: dict[int, dict[int, list[_Tracklet]]] = {}
    for tracklet in whole:
        if len(tracklet.images) >= least:
            of_camera = pool.setdefault(tracklet.camera, {})
            of_camera.setdefault(tracklet.person, []).append(tracklet)
    if not pool:
        raise ReidError(
            f"missing annotation: no training tracklet has {least} frames or more; "
            f"lower the first number of missing.frames"
        )
    next_id = (max(t.id for t in whole) + 1) * parts
    extras = []
    for number, group in enumerate(groups):
        generator = numpy_generator(seed, "missing annotation", number)
        inside = {t.person for t in group}
        of_camera = pool.get(group[0].camera, {})
        others = [person for person in sorted(of_camera) if person not in inside]
        wanted = int(generator.integers(*missing.tracklets, endpoint=True))
        added = []
        for i in generator.permutation(len(others))[:wanted]:
            candidates = of_camera[others[i]]
            source = candidates[int(generator.integers(len(candidates)))]
            length = min(int(generator.integers(least, most, endpoint=True)), len(source.images))
            start = int(generator.integers(len(source.images) - length, endpoint=True))
            added.append(source.part(next_id, slice(start, start + length)))
            next_id += 1
        extras.append(added)
    return extras


def _row(role: str, tracklets: list[_Tracklet], labels: list[int]) -> dict[str, object]:
    lengths = [len(t.images) for t in tracklets]
    ids = np.array([t.id for t in tracklets], np.int32)
    return {
        "role": role,
        "camera_id": tracklets[0].camera,
        "tracklet_ids": ids,
        "frames": np.concatenate([t.images for t in tracklets]),
        "frame_tracklets": np.repeat(ids, lengths),
        "labels": np.array(labels, np.int32),
        "truth_frame_persons": np.concatenate([t.persons for t in tracklets]).astype(np.int32),
    }


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table.insert(0, "bag_id", np.arange(len(rows), dtype=np.int32))
    return table.astype({"camera_id": "int32"})
