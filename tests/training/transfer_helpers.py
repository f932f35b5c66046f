"""A source of small pictures with attributes, a target of others, and the stage run on them.

Run as a program (`python -m tests.training.transfer_helpers`) it is the stage with as many
processes of the CPU as `--devices` says, which the stage itself never starts.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from tests.training.helpers import (
    Stage,
    make_images,
    method,
    on_cpu_processes,
)

from weakreid.artifacts import schemas
from weakreid.config.params import LearnTransfer
from weakreid.seeding import numpy_generator
from weakreid.stages import transfer

ATTRIBUTES = ("Female", "hs-Hat", "ub-Shirt", "low-Red")
PICTURES = 16
"""Of the source; the last four are of its test split."""
TRACKLETS = ((1, 3, "train"), (2, 4, "train"), (0, 2, "gallery"), (3, 1, "query"), (3, 2, "train"))
"""Of the target: person, frames, split."""


def make_source(folder: Path) -> Path:
    """Write images.arrow and pictures.parquet: labels at random, the second one often unsure."""
    folder.mkdir(parents=True, exist_ok=True)
    make_images(folder / "images.arrow", PICTURES, seed=1)
    generator = numpy_generator(1, "labels")
    labels = (generator.random((PICTURES, len(ATTRIBUTES))) < 0.4).astype(np.int8)
    labels[:2] = [[1] * len(ATTRIBUTES), [0] * len(ATTRIBUTES)]
    labels[4:8, 1] = -1
    write_pictures(folder / "pictures.parquet", labels)
    return folder


def write_pictures(
    path: Path, labels: np.ndarray, attributes: tuple[str, ...] = ATTRIBUTES
) -> None:
    """Write a table "pictures" of so many labels."""
    count = len(labels)
    data = {
        "image": np.arange(count),
        "file": [f"{row:02d}.png" for row in range(count)],
        "split": ["train"] * (count - 4) + ["test"] * 4,
        "person_id": np.arange(count) // 2,
        "labels": labels.tolist(),
    }
    schemas.write(path, "pictures", data, {"attributes": list(attributes)})


def make_target(folder: Path) -> Path:
    """Write images.arrow, tracklets.parquet and frames.parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    persons, counts, splits = (list(column) for column in zip(*TRACKLETS, strict=True))
    total = sum(counts)
    make_images(folder / "images.arrow", total, seed=2)
    first = np.cumsum([0, *counts[:-1]])
    tracklets = {
        "tracklet_id": np.arange(len(counts)),
        "person_id": persons,
        "camera_id": [1, 2, 1, 2, 1],
        "role": splits,
        "first_frame": first,
        "frame_count": counts,
    }
    schemas.write(folder / "tracklets.parquet", "tracklets", tracklets, {})
    frames = {
        "tracklet_id": np.repeat(np.arange(len(counts)), counts),
        "position": np.concatenate([np.arange(count) for count in counts]),
        "file": [f"{row:02d}.jpg" for row in range(total)],
        "image": np.arange(total),
        "truth_person_id": np.repeat(persons, counts),
    }
    schemas.write(folder / "frames.parquet", "frames", frames, {})
    return folder


def transfer_method(**changes: Any) -> dict[str, Any]:
    """Return a resolved block as the stage gets it, with values replaced: `batch__source=3`."""
    values = {
        name: value
        for name, value in method().items()
        if name in ("model", "image", "augment", "optimiser", "schedule", "precision", "seed")
    }
    # most of the network learns nothing: a training of a moment
    values["model"] = {**values["model"], "frozen": ["stem", "layer1", "layer2", "layer3"]}
    values |= {
        "labels": "transferred",
        "source": "small",
        "attributes": None,
        "on_constant": "stop",
        "loss": "wbce",
        "sigma": 1.0,
        "mmd": 1.0,
        "alpha": 0.5,
        "normalise": True,
        "batch": {"source": 4, "target": 4, "cache_mb": 0},
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
    """Return the options of the stage; `data` holds the folders source and target."""
    return {
        "pictures": data / "source" / "pictures.parquet",
        "source_images": data / "source" / "images.arrow",
        "tracklets": data / "target" / "tracklets.parquet",
        "frames": data / "target" / "frames.parquet",
        "images": data / "target" / "images.arrow",
        "params": json.dumps(values),
        "code": "0123456789abcdef",
        "checkpoint": out / "checkpoint.pt",
        "device": "cpu",
        "devices": 1,
        "threads": 1,
        "model": out / "model.safetensors",
        "history": out / "history.parquet",
        "timing": out / "timing.json",
        **changes,
    }


STAGE = Stage(transfer, LearnTransfer, options_of)
words_of, learn_here, learn_interrupted = STAGE.words_of, STAGE.learn_here, STAGE.learn_interrupted


def make_both(folder: Path) -> Path:
    """Write a source and a target."""
    make_source(folder / "source")
    make_target(folder / "target")
    return folder


if __name__ == "__main__":
    on_cpu_processes(transfer)
