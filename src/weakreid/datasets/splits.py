"""Which tracklets train and which test: the official splits, and one for choosing settings."""

import numpy as np
import pandas as pd

from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator


def official(tracklets: pd.DataFrame, partitions: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the tracklets of a dataset's numbered split, their `role` column set to it.

    Tracklets that have no part in that split are dropped; tracklet_id stays what it was.

    Raises:
        ReidError: there is no such split.
    """
    part = partitions[partitions["partition"] == number]
    if not len(part):
        have = sorted(set(partitions["partition"].tolist()))
        raise ReidError(
            f"split {number}: the dataset has {len(have)}, numbered {have[0]} to {have[-1]}"
            if have
            else f"split {number}: the dataset has none"
        )
    role = part.set_index("tracklet_id")["role"]
    kept = tracklets[tracklets["tracklet_id"].isin(role.index)].reset_index(drop=True)
    return kept.assign(role=kept["tracklet_id"].map(role))


def development(tracklets: pd.DataFrame, *, seed: int, name: str, fraction: float) -> pd.DataFrame:
    """Return a split of the TRAINING identities, to choose settings on without the test set.

    A seeded share of the train persons becomes validation. Of each, at most one tracklet per camera
    and at most half of all become `query`, so that every query keeps a match in another camera in
    the `gallery`; cameras with several tracklets come first. A person seen by one camera goes to
    the gallery whole. The other train persons stay `train`; every test tracklet is dropped.

    Args:
        tracklets: a tracklets frame, its `role` that of the partition in use.
        seed: draws persons and queries.
        name: of the dataset; another name draws another split.
        fraction: share of the train persons, above 0 and below 1.

    Raises:
        ReidError: no query can be made.
    """
    rows = tracklets[(tracklets["role"] == "train") & (tracklets["person_id"] > 0)]
    rows = rows.sort_values("tracklet_id").reset_index(drop=True)
    persons = np.unique(rows["person_id"].to_numpy())
    if len(persons) < 2:
        raise ReidError(
            f"{name}: {len(persons)} train persons cannot be split; development needs 2 or more"
        )
    count = min(max(1, round(fraction * len(persons))), len(persons) - 1)
    generator = numpy_generator(seed, "development", name)
    chosen = np.sort(generator.permutation(persons)[:count])
    role = np.full(len(rows), "train", object)
    role[rows["person_id"].isin(chosen).to_numpy()] = "gallery"
    for person in chosen.tolist():
        own = np.flatnonzero(rows["person_id"].to_numpy() == person)
        cameras = rows["camera_id"].to_numpy()[own]
        # a generator per person: a tracklet more of one leaves the others' queries as they were
        draw = numpy_generator(seed, "development queries", name, person)
        role[own[_queries(cameras, draw)]] = "query"
    if not (role == "query").any():
        raise ReidError(
            f"{name}: none of the {count} validation persons is seen by two cameras; raise the"
            " fraction, or choose another seed"
        )
    return rows.assign(role=role)


def _queries(cameras: np.ndarray, draw: np.random.Generator) -> list[int]:
    """Choose the queries among one person's tracklets, given the camera of each."""
    left = {int(camera): int((cameras == camera).sum()) for camera in np.unique(cameras)}
    taken: list[int] = []
    asked: list[int] = []
    order = [int(camera) for camera in draw.permutation(np.unique(cameras))]
    for camera in sorted(order, key=lambda camera: left[camera] == 1):
        left[camera] -= 1
        matched = all(
            any(number for other, number in left.items() if other != query)
            for query in [*asked, camera]
        )
        if matched and 2 * (len(taken) + 1) <= len(cameras):
            taken.append(int(draw.choice(np.flatnonzero(cameras == camera))))
            asked.append(camera)
        else:
            left[camera] += 1
    return taken


def measurable(tracklets: pd.DataFrame) -> bool:
    """Return whether some query's person is in the gallery, seen by another camera.

    Where no query has a known person, nobody meant to measure: that is fine, too.

    Args:
        tracklets: a tracklets frame with the roles of a split.
    """
    known = tracklets[tracklets["person_id"] > 0]
    queries, gallery = (known[known["role"] == role] for role in ("query", "gallery"))
    pairs = queries.merge(gallery, on="person_id")
    return queries.empty or bool((pairs["camera_id_x"] != pairs["camera_id_y"]).any())
