"""Tracklets of a few small pictures, and the stage train_tracklets run on them.

Run as a program (`python -m tests.training.tracklet_helpers`) it is the stage with as many
processes of the CPU as `--devices` says, which the stage itself never starts.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from tests.training.helpers import Stage, method, on_cpu_processes

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import write_store
from weakreid.config.params import TrainTracklets
from weakreid.seeding import numpy_generator
from weakreid.stages import train_tracklets

PERSONS = 4
TRACKLETS = 6
"""Of each person; together 24, of 1 to 6 frames."""


def lengths() -> list[int]:
    """Return how many frames each tracklet has."""
    return [1 + tracklet % 6 for tracklet in range(PERSONS * TRACKLETS)]


def make_tracklets(folder: Path) -> Path:
    """Write images.arrow and tracks.parquet: tracklet t shows person 1 + t % PERSONS.

    A person is a pattern of colours; the frames of a person differ in noise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    patterns = numpy_generator(0, "persons").integers(0, 256, (PERSONS, 4, 2, 3))
    generator = numpy_generator(0, "frames")

    def encoded(person: int) -> bytes:
        small = np.clip(patterns[person] + generator.normal(0, 20, (4, 2, 3)), 0, 255)
        pixels = small.astype(np.uint8).repeat(8, 0).repeat(8, 1)
        return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels))

    tracklets = np.repeat(np.arange(len(lengths())), lengths())
    persons = tracklets % PERSONS
    write_store(folder / "images.arrow", (encoded(person) for person in persons))
    data = {
        "tracklet_id": tracklets,
        "position": np.concatenate([np.arange(count) for count in lengths()]),
        "image": np.arange(len(tracklets)),
        "camera_id": 1 + tracklets % 2,
        "source_id": tracklets,
        "truth_person_id": 1 + persons,
    }
    schemas.write(folder / "tracks.parquet", "tracks", data, {})
    return folder


def tracklet_method(**changes: Any) -> dict[str, Any]:
    """Return a resolved method as the stage gets it, with values replaced: `batch__frames=3`."""
    values = {
        name: value
        for name, value in method().items()
        if name not in ("instances", "loss", "cpal", "batch")
    }
    values |= {
        "learns": "tracklets",
        "association": {
            "frames": 4,
            "k1": 5,
            "k2": 2,
            "min_samples": 2,
            "eps": None,
            "share": 0.2,
        },
        "losses": {"soft_identity": 0.5, "soft_triplet": 0.8, "margin": 0.5, "triplet": "hinge"},
        "mean_net": {"momentum": 0.999, "keep": "mean"},
        "batch": {"clusters": 3, "tracklets": 2, "frames": 2, "cache_mb": 0},
    }
    for name, value in changes.items():
        *parents, key = name.split("__")
        block = values
        for parent in parents:
            block = block[parent]
        assert key in block
        block[key] = value
    return values


def options_of(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the options of the stage; `changes` replaces some of them."""
    return {
        "tracks": data / "tracks.parquet",
        "images": data / "images.arrow",
        "params": json.dumps(values),
        "code": "0123456789abcdef",
        "checkpoint": out / "checkpoint.pt",
        "device": "cpu",
        "devices": 1,
        "threads": 1,
        "model": out / "model.safetensors",
        "history": out / "history.parquet",
        "timing": out / "timing.json",
        "clusters": out / "clusters.parquet",
        **changes,
    }


STAGE = Stage(train_tracklets, TrainTracklets, options_of)
words_of, learn_here, learn_interrupted = STAGE.words_of, STAGE.learn_here, STAGE.learn_interrupted


if __name__ == "__main__":
    on_cpu_processes(train_tracklets)
