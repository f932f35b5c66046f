"""Tracklets of which one per person is labelled, and the stage train_one_shot run on them.

Run as a program (`python -m tests.training.one_shot_helpers`) it is the stage with as many
processes of the CPU as `--devices` says, which the stage itself never starts.
"""

from pathlib import Path
from typing import Any

from tests.training import tracklet_helpers
from tests.training.helpers import Stage, method, on_cpu_processes

from weakreid.artifacts import schemas
from weakreid.config.params import TrainOneShot
from weakreid.stages import train_one_shot
from weakreid.supervision.tracklet_labels import one_shot


def make_labelled(folder: Path) -> Path:
    """Write images.arrow, tracks.parquet and labels.parquet (see `make_tracklets`)."""
    tracklet_helpers.make_tracklets(folder)
    rows = schemas.read_frame(folder / "tracks.parquet", "tracks", truth=True)
    schemas.write(folder / "labels.parquet", "tracklet_labels", one_shot(rows), {})
    return folder


def one_shot_method(**changes: Any) -> dict[str, Any]:
    """Return a resolved method as the stage gets it, with values replaced: `batch__frames=3`.

    Its steps are 3: with none, half and all of the 20 unlabelled tracklets.
    """
    own = {
        "learns": "one_shot",
        "selection": {"share": 0.5, "frames": 3, "fresh": True},
        "batch": {"tracklets": 8, "frames": 2, "cache_mb": 0},
    }
    values = method() | own
    for name in ("instances", "loss", "cpal"):
        del values[name]
    values["schedule"] = values["schedule"] | {"epochs": 1, "steps_per_epoch": None}
    for name, value in changes.items():
        block, key = name.split("__")
        assert key in values[block]
        values[block][key] = value
    return values


def options_of(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the options of the stage; `changes` replaces some of them."""
    labels = {"labels": data / "labels.parquet", **changes}
    return tracklet_helpers.options_of(data, out, values, **labels)


STAGE = Stage(train_one_shot, TrainOneShot, options_of)
words_of, learn_here, learn_interrupted = STAGE.words_of, STAGE.learn_here, STAGE.learn_interrupted


if __name__ == "__main__":
    on_cpu_processes(train_one_shot)
