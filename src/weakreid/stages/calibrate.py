"""Stage: what a network's distances mean, by its training tracklets."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import Calibrate
from weakreid.console import say, warn
from weakreid.errors import ReidError
from weakreid.retrieval.calibration import NoPairsError, calibrate, side_of
from weakreid.retrieval.feature_table import open_features
from weakreid.retrieval.protocols import tracklet_descriptors

Whole = NDArray[np.int64]


def main(
    features: Annotated[Path, "of training tracklets"],
    params: Calibrate,
    out: Path,
    tracklets: Annotated[Path | None, "of a split, with their persons"] = None,
    tracks: Annotated[Path | None, "the tracklets that the training had"] = None,
    clusters: Annotated[Path | None, "with --tracks: which are taken for one person"] = None,
    bags: Annotated[Path | None, "with --tracklets: whose labels the training had"] = None,
    frames: Annotated[Path | None, "with --bags"] = None,
    model: Annotated[Path | None, "with --bags: tells who of a bag a tracklet is"] = None,
) -> None:
    """Learn what distances mean from labels that the training had, or from its pseudo-labels."""
    if (tracks is None) == (tracklets is None) or (tracks is None) != (clusters is None):
        raise ReidError("give --tracks with --clusters, or else --tracklets")
    if (bags is None, frames is None, model is None) not in {(True,) * 3, (False,) * 3}:
        raise ReidError("--bags, --frames and --model go together; give all of them or none")
    held = open_features(features)
    if not len(held.tracklet_ids):
        _unknown(out, "the split has no training tracklet")
        return
    ids, means = tracklet_descriptors(held.blocks(), held.tracklet_ids)
    if tracks is not None:
        assert clusters is not None
        rows = schemas.read_frame(tracks, "tracks", ["tracklet_id", "camera_id"])
        cameras = rows.groupby("tracklet_id")["camera_id"].first()
        labels = schemas.read_frame(clusters, "clusters").set_index("tracklet_id")["label"]
        # 0 is a cluster, and nobody among persons
        persons, source = 1 + labels.loc[ids.tolist()].to_numpy(np.int64), "pseudo-labels"
    else:
        assert tracklets is not None
        # where labels are of bags, a tracklet's person stays hidden
        columns = ["tracklet_id", "camera_id", *([] if bags is not None else ["person_id"])]
        rows = schemas.read_frame(tracklets, "tracklets", columns).set_index("tracklet_id")
        cameras = rows["camera_id"]
        if bags is None:
            persons, source = rows["person_id"].loc[ids.tolist()].to_numpy(np.int64), "labels"
        else:
            assert frames is not None and model is not None
            persons = _in_bags(ids, means, bags, frames, model)
            source = "labels of bags"
    side = side_of(means, persons, cameras.loc[ids.tolist()])
    try:
        found = calibrate(side, params.metric, params.false_match_rates)
    except NoPairsError as error:
        _unknown(out, str(error))
        return
    write_json(out, {"from": source, **found.plain()})
    for rate, distance in found.thresholds.items():
        if distance is None:
            say(f"too few pairs of different people to tell a false-match rate of {rate:g}")
        else:
            say(f"{rate:g} of pairs of different people are at most {distance:.3f} apart")


def _unknown(out: Path, why: str) -> None:
    warn(f"nobody can say what a distance means: {why}")
    write_json(out, {"why": why})


def _in_bags(
    ids: Whole, means: NDArray[np.floating], bags: Path, frames: Path, model: Path
) -> Whole:
    """Return whom of its bags' labels each tracklet is most like; -1 where it is in none.

    Most like is the one whose weights in the classifier point most where the feature does.
    """
    # slow to import
    from weakreid.training.checkpoint import load_weights

    tensors, about = load_weights(model)
    weights = tensors["heads.projections.identity.weight"].numpy()
    known = np.array(about.persons)
    rows = schemas.read_frame(bags, "bags", ["role", "frames", "labels"])
    rows = rows[rows["role"] == "train"].reset_index(drop=True)
    bag_of = pd.Series(
        np.repeat(np.arange(len(rows)), rows["frames"].str.len()), np.concatenate(rows["frames"])
    )
    shown = schemas.read_frame(frames, "frames", ["tracklet_id", "image"])
    shown = shown[shown["tracklet_id"].isin(ids)].set_index("image")
    pairs = shown.join(bag_of.rename("bag"), how="inner").drop_duplicates()
    persons = np.full(len(ids), -1, np.int64)
    place = pd.Series(np.arange(len(ids)), ids)
    for tracklet, own in pairs.groupby("tracklet_id")["bag"]:
        labels = np.unique(np.concatenate([rows["labels"][bag] for bag in own]))
        if len(labels):
            scores = weights[np.searchsorted(known, labels)] @ means[place[tracklet]]
            persons[place[tracklet]] = labels[scores.argmax()]
    return persons
