"""A training set of a few small random pictures, and the train stage run on it.

Run as a program (`python -m tests.training.helpers`) it is the train stage with as many
processes of the CPU as `--devices` says, which the stage itself never starts.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import simplejpeg
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import write_store
from weakreid.config.params import Params, TrainBags
from weakreid.console import run_stage
from weakreid.seeding import numpy_generator
from weakreid.stages import train_bags
from weakreid.training import checkpoint, frame, processes

HEIGHT, WIDTH = 32, 16
PERSONS = 4
BAGS = 8
FRAMES_PER_BAG = 6


def make_images(path: Path, count: int, seed: int = 0) -> None:
    """Write an image store of random JPEGs that are smooth enough to differ in colour."""
    generator = numpy_generator(seed, "pictures")

    def encoded() -> bytes:
        small = generator.integers(0, 256, (4, 2, 3)).astype(np.uint8)
        return simplejpeg.encode_jpeg(np.ascontiguousarray(small.repeat(8, 0).repeat(8, 1)))

    write_store(path, (encoded() for _ in range(count)))


def make_bags(path: Path) -> None:
    """Write bags of two persons each, so that every person is in several."""
    frames = np.arange(BAGS * FRAMES_PER_BAG).reshape(BAGS, FRAMES_PER_BAG)
    labels = [[1 + bag % PERSONS, 1 + (bag + 1) % PERSONS] for bag in range(BAGS)]
    persons = [[label for label in of_bag for _ in range(3)] for of_bag in labels]
    data = {
        "bag_id": list(range(BAGS)),
        "role": ["train"] * BAGS,
        "camera_id": [1] * BAGS,
        "tracklet_ids": [[2 * bag, 2 * bag + 1] for bag in range(BAGS)],
        "frames": frames.tolist(),
        "frame_tracklets": [[2 * bag + frame // 3 for frame in range(6)] for bag in range(BAGS)],
        "labels": labels,
        "truth_frame_persons": persons,
    }
    schemas.write(path, "bags", data, {})


def make_data(folder: Path) -> Path:
    """Write images.arrow and bags.parquet to a folder."""
    make_images(folder / "images.arrow", BAGS * FRAMES_PER_BAG)
    make_bags(folder / "bags.parquet")
    return folder


def method(**changes: Any) -> dict[str, Any]:
    """Return a resolved method as the stage gets it, with values replaced: `loss__k=3`."""
    values: dict[str, Any] = {
        "model": {
            "backbone": "test_resnet",
            "weights": "none",
            "last_stride": 2,
            "embedding": "bnneck",
            "dimension": 32,
            "frozen": ["stem"],
            "batch_norm": "train",
        },
        "clips": None,
        "aggregation": {"name": "average"},
        "image": {"height": HEIGHT, "width": WIDTH},
        "instances": "frames",
        "augment": {"flip": 0.5, "pad": 2, "erase": 0.5},
        "loss": {"name": "mil", "k": 2},
        "cpal": {"weight": 0.5, "margin": 0.5},
        "batch": {"bags": 4, "frames": 4, "pairs": 1, "cache_mb": 0},
        "optimiser": {
            "name": "adamw",
            "lr": 1e-3,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "backbone_factor": 0.5,
            "head_factor": 2.0,
            "clip": 5.0,
        },
        "schedule": {
            "epochs": 4,
            "steps_per_epoch": 3,
            "name": "cosine",
            "milestones": [2],
            "factor": 0.1,
            "warm_up": 0.1,
            "warm_up_from": None,
        },
        "precision": "auto",
        "seed": 3,
    }
    for name, value in changes.items():
        *parents, key = name.split("__")
        block = values
        for parent in parents:
            block = block[parent]
        assert key in block
        block[key] = value
    return values


def arguments(data: Path, out: Path, values: dict[str, Any], **changes: str) -> list[str]:
    """Return the options of the train stage; `changes` replaces some of them."""
    given = {
        "bags": str(data / "bags.parquet"),
        "images": str(data / "images.arrow"),
        "params": json.dumps(values),
        "code": "0123456789abcdef",
        "checkpoint": str(out / "checkpoint.pt"),
        "device": "cpu",
        "devices": "1",
        "threads": "1",
        "model": str(out / "model.safetensors"),
        "history": str(out / "history.parquet"),
        "timing": str(out / "timing.json"),
        **changes,
    }
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def environment(**more: str) -> dict[str, str]:
    """Return a subprocess's environment: one thread, and the repository on the path."""
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root / "src"), str(root)])
    found = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return {**found, **more}


def start(options: list[str], *module: str, **more: str) -> subprocess.Popen[str]:
    """Start a stage, its standard error in a pipe."""
    command = [sys.executable, "-m", *(module or ("weakreid.stages", "train_bags")), *options]
    return subprocess.Popen(command, env=environment(**more), stderr=subprocess.PIPE, text=True)


def history_rows(path: Path) -> list[tuple[int, int, str, float]]:
    """Return a history without its rates, which are of the clock."""
    rows = pq.read_table(path).to_pylist()
    return [tuple(row.values()) for row in rows if row["term"] != "images_per_s"]


@contextlib.contextmanager
def settings_put_back() -> Iterator[None]:
    """Put torch's settings back that a stage changes for its whole process."""
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.utils.deterministic.fill_uninitialized_memory = fill


@contextlib.contextmanager
def stopped_after(epochs: int) -> Iterator[None]:
    """Stop the training within after some epochs, once its checkpoint is written."""
    save = checkpoint.save

    def save_and_stop(path: Path, done: checkpoint.Checkpoint, mark: str) -> None:
        save(path, done, mark)
        if done.epoch == epochs:
            raise KeyboardInterrupt

    checkpoint.save = save_and_stop
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        checkpoint.save = save
    raise AssertionError("the training ended before it could be stopped")


@dataclass(frozen=True)
class Stage:
    """How tests run the stage of a way of learning.

    Attributes:
        module: the stage.
        params: the model of its params.
        options_of: its options, of data, a folder to write to, a method's values, and changes.
    """

    module: Any
    params: type[Params]
    options_of: Callable[..., dict[str, Any]]

    def words_of(self, data: Path, out: Path, values: dict[str, Any], **changes: Any) -> list[str]:
        """Return the options as a command line has them."""
        options = self.options_of(data, out, values, **changes)
        named = {f"--{name.replace('_', '-')}": str(value) for name, value in options.items()}
        return [word for option in named.items() for word in option]

    def learn_here(self, data: Path, out: Path, values: dict[str, Any], **changes: Any) -> Path:
        """Run the stage in this process; return `out`."""
        with settings_put_back():
            options = self.options_of(data, out, values, **changes)
            options["params"] = self.params.parse(options["params"])
            self.module.main(**options)
        return out

    def learn_interrupted(self, data: Path, out: Path, values: dict[str, Any], epochs: int) -> Path:
        """Run the stage in this process, stop it after some epochs; return its checkpoint."""
        with stopped_after(epochs):
            self.learn_here(data, out, values)
        return out / "checkpoint.pt"


def on_cpu_processes(stage: Any) -> None:
    """Run a stage's command with processes in the place of the devices that it asks for."""

    def fabric_for(_device: str, count: int, _precision: str, threads: int) -> Fabric:
        processes.fabric_for("cpu", 1, "32", threads)
        return Fabric(
            accelerator="cpu",
            devices=count,
            strategy="ddp" if count > 1 else "auto",
            plugins=[LightningEnvironment()],
        )

    frame.fabric_for = fabric_for
    run_stage(stage.main, sys.argv[1:], less_memory=stage.LESS_MEMORY)


def run_here(data: Path, out: Path, values: dict[str, Any], **changes: Any) -> Path:
    """Run the train stage in this process; return `out`."""
    given = arguments(data, out, values)
    options: dict[str, Any] = {
        name.removeprefix("--"): value for name, value in zip(given[::2], given[1::2], strict=True)
    }
    options.update(changes)
    for name in ("bags", "images", "checkpoint", "model", "history", "timing"):
        options[name] = Path(options[name])
    options["params"] = TrainBags.parse(options["params"])
    options["devices"], options["threads"] = int(options["devices"]), int(options["threads"])
    with settings_put_back():
        train_bags.main(**options)
    return out


def interrupted_here(data: Path, out: Path, values: dict[str, Any], epochs: int) -> Path:
    """Run the train stage in this process, and stop it after some epochs; return its checkpoint."""
    with stopped_after(epochs):
        run_here(data, out, values)
    return out / "checkpoint.pt"


if __name__ == "__main__":
    on_cpu_processes(train_bags)
