"""Tracklets with labels that hold within a camera, and the stage train_intra_camera run on them.

Run as a program (`python -m tests.training.intra_camera_helpers`) it is the stage with as many
processes of the CPU as `--devices` says, which the stage itself never starts.
"""

from pathlib import Path
from typing import Any

from tests.training.helpers import Stage, on_cpu_processes
from tests.training.tracklet_helpers import PERSONS, make_tracklets, options_of, tracklet_method

from weakreid.artifacts import schemas
from weakreid.config.params import TrainIntraCamera
from weakreid.stages import train_intra_camera
from weakreid.supervision.tracklet_labels import intra_camera

UNLABELLED = 23
"""A tracklet of nobody who is known."""


def make_labelled(folder: Path) -> Path:
    """Write images, tracks and labels: each of the four persons in cameras 1 and 2."""
    make_tracklets(folder)
    rows = schemas.read_frame(folder / "tracks.parquet", "tracks", truth=True)
    rows["camera_id"] = 1 + (rows["tracklet_id"] // PERSONS) % 2
    rows.loc[rows["tracklet_id"] == UNLABELLED, "truth_person_id"] = 0
    schemas.write(folder / "tracks.parquet", "tracks", rows, {})
    schemas.write(folder / "labels.parquet", "tracklet_labels", intra_camera(rows), {})
    return folder


def intra_camera_method(**changes: Any) -> dict[str, Any]:
    """Return a resolved method as the stage gets it: one epoch of stage 1, two of stage 2."""
    values = tracklet_method()
    del values["losses"], values["mean_net"]
    values["learns"] = "intra_camera"
    values["association"] = {
        "first_stage": 1, "frames": 4, "momentum": 0.5, "temperature": 0.1, "seen": 0.5,
    }  # fmt: skip
    values["batch"] = {"tracklets": 6, "frames": 2, "cache_mb": 0}
    values["schedule"] |= {"epochs": 3, "steps_per_epoch": 2}
    for name, value in changes.items():
        block, key = name.split("__")
        assert key in values[block]
        values[block][key] = value
    return values


def given(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the options of the stage; `changes` replaces some of them."""
    return options_of(data, out, values, **{"labels": data / "labels.parquet", **changes})


STAGE = Stage(train_intra_camera, TrainIntraCamera, given)
words_of, learn_here, learn_interrupted = STAGE.words_of, STAGE.learn_here, STAGE.learn_interrupted


if __name__ == "__main__":
    on_cpu_processes(train_intra_camera)
