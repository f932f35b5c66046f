"""Labels of tracklets: one per identity, or those that hold within a camera.

A tracklet is the known person in most of its frames; one that shows nobody known is unlabelled.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.datasets.majority import main_persons


def one_shot(rows: pd.DataFrame) -> pd.DataFrame:
    """Return labels of a tracklet per identity: its first, in its first camera (EUG).

    Args:
        rows: of the table "tracks", with truth: tracklet_id, camera_id and truth_person_id.

    Returns:
        The table "tracklet_labels": a class per identity, by rising id; -1 for all other tracklets.
    """
    cameras, persons = _tracklets(rows)
    labels = np.full(len(persons), -1, np.int32)
    # by camera, then by tracklet: the first of each person comes first
    order = np.argsort(cameras, kind="stable")
    order = order[persons[order] > 0]
    _, firsts = np.unique(persons[order], return_index=True)
    labels[order[firsts]] = np.arange(len(firsts))
    return _table(labels)


def intra_camera(rows: pd.DataFrame) -> pd.DataFrame:
    """Return labels that hold within a camera: a person seen by two cameras is two classes (UGA).

    Args:
        rows: as for `one_shot`.

    Returns:
        The table "tracklet_labels": a class per camera and identity, those of a camera together,
        so that nothing tells which classes of two cameras are one person. Within a camera they are
        numbered by their first tracklet.
    """
    cameras, persons = _tracklets(rows)
    known = np.flatnonzero(persons > 0)
    own = pd.DataFrame({"camera": cameras[known], "person": persons[known], "tracklet": known})
    firsts = own.groupby(["camera", "person"])["tracklet"].min().reset_index()
    firsts = firsts.sort_values(["camera", "tracklet"], ignore_index=True)
    firsts["label"] = np.arange(len(firsts))
    merged = own.merge(firsts[["camera", "person", "label"]], on=["camera", "person"])
    labels = np.full(len(persons), -1, np.int32)
    labels[merged["tracklet"]] = merged["label"]
    return _table(labels)


def _tracklets(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the camera and the main person of each tracklet [N]."""
    ids = rows["tracklet_id"].to_numpy()
    cameras = rows.groupby("tracklet_id")["camera_id"].first().to_numpy(np.int64)
    return cameras, main_persons(ids, rows["truth_person_id"].to_numpy())


def _table(labels: NDArray[np.int32]) -> pd.DataFrame:
    return pd.DataFrame({"tracklet_id": np.arange(len(labels), dtype=np.int32), "label": labels})
