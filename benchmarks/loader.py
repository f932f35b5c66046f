"""Whether the loader holds the network up: training steps fed by it against one batch in memory.

Both are measured in turns in one run, so that what else the machine does falls on both. A round
with the loader begins with nothing prefetched, as an epoch does. The pictures are generated, as
large as MARS's; every step decodes, resizes and augments as many as it trains on.

    python benchmarks/loader.py
    python benchmarks/loader.py --device cuda --backbone resnet50 --height 256 --width 128 \\
        --frames 100 --threads 8 --steps 100 --out loader.json

On a CPU the decoding threads and the network share the same cores: there the ratio cannot be better
than the share of the network in the work of both. On a GPU they do not meet.
"""

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterable
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
import torch

from weakreid.artifacts.image_store import ImageStore, write_store
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.params import TrainBags
from weakreid.console import progress
from weakreid.losses.bags import cpal, mil
from weakreid.models.build import build_model
from weakreid.models.reid import Heads
from weakreid.retrieval.inputs import on_device
from weakreid.seeding import numpy_generator
from weakreid.training.bag_task import BagTask, bags_of
from weakreid.training.devices import device_name
from weakreid.training.images import TrainingImages
from weakreid.training.optimiser import build_optimiser
from weakreid.training.processes import fabric_for, launch

BAGS = 60
PERSONS = 20


def picture(row: int, height: int = 256, width: int = 128) -> bytes:
    """Return a JPEG about as compressible as a photograph."""
    draw = numpy_generator(0, "picture", row)
    pixels = np.full((height, width, 3), 128, np.float32)
    for scale in (4, 16, 64):
        small = draw.normal(0, 40 / np.sqrt(scale / 4), (height * scale // 256 + 1, scale, 3))
        pixels += cv2.resize(small.astype(np.float32), (width, height))
    return simplejpeg.encode_jpeg(pixels.clip(0, 255).astype(np.uint8), quality=90)


def task_of(options: argparse.Namespace, fabric: Any, store: ImageStore) -> tuple[BagTask, Any]:
    """Return a task and the optimiser of what it trains."""
    params = TrainBags.model_validate(
        {
            "model": {"backbone": options.backbone, "weights": "none", "embedding": "bnneck"},
            "image": {"height": options.height, "width": options.width},
            "augment": {"flip": 0.5, "pad": 5, "erase": 0.5},
            "batch": {
                "bags": options.bags,
                "frames": options.frames,
                "pairs": min(3, options.bags // 2),
            },
            "optimiser": {"name": "adamw", "lr": 1e-3, "weight_decay": 0.0},
            "schedule": {"steps_per_epoch": options.steps},
            "seed": 1,
        }
    )
    model = on_device(build_model(params.model), fabric)
    base: Any = mil
    heads = Heads(mil.HEADS, model.dimension, PERSONS)
    optimiser = build_optimiser(params.optimiser, model, heads)
    learner, optimiser = fabric.setup(model, optimiser)
    frames = np.arange(BAGS * options.frames).reshape(BAGS, options.frames)
    labels = [np.array([bag % PERSONS, (bag + 1) % PERSONS]) for bag in range(BAGS)]
    task = BagTask(
        bags_of(list(frames), labels),
        params,
        TrainingImages(store, params.image, model.backbone.mean, params.augment, options.threads),
        fabric=fabric,
        network=model,
        model=learner,
        heads=fabric.setup_module(heads),
        base=base,
        cpal=cpal,
    )
    return task, optimiser


def steps_per_second(task: BagTask, optimiser: Any, batches: Iterable[Any], count: int) -> float:
    started = time.perf_counter()
    for batch in islice(batches, count):
        loss, _ = task.loss(batch)
        optimiser.zero_grad(set_to_none=True)
        task.fabric.backward(loss)
        optimiser.step()
    if task.fabric.device.type == "cuda":
        torch.cuda.synchronize()
    return count / (time.perf_counter() - started)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    fabric = fabric_for(options.device, 1, "auto", options.threads)
    launch(fabric, options.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.arrow"
        write_store(path, (picture(row) for row in range(BAGS * options.frames)))
        with ImageStore(path) as store:
            task, optimiser = task_of(options, fabric, store)
            fixed = next(iter(task.batches(0)))
            steps_per_second(task, optimiser, repeat(fixed), 3)
            rounds = []
            for number in progress(range(options.rounds), label="measuring", unit="rounds"):
                with contextlib.closing(prefetch(task.batches(number))) as batches:
                    loader = steps_per_second(task, optimiser, batches, options.steps)
                memory = steps_per_second(task, optimiser, repeat(fixed), options.steps)
                rounds.append({"loader": loader, "memory": memory, "ratio": loader / memory})
            started = time.perf_counter()
            made = sum(task.size(batch) for batch in task.batches(0))
            alone = made / (time.perf_counter() - started)
    middle = {name: statistics.median(of_round[name] for of_round in rounds) for name in rounds[0]}
    return {
        "device": device_name(fabric.device),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        **{name: getattr(options, name) for name in ("backbone", "height", "width", "threads")},
        "frames_per_step": options.bags * options.frames,
        "steps_per_round": options.steps,
        "steps_per_s_with_loader": middle["loader"],
        "steps_per_s_from_memory": middle["memory"],
        "ratio": middle["ratio"],
        "ratios": [of_round["ratio"] for of_round in rounds],
        "frames_per_s_of_the_loader_alone": alone,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda", "auto"])
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--bags", type=int, default=10, help="bags per step")
    parser.add_argument("--frames", type=int, default=16, help="frames per bag")
    parser.add_argument("--steps", type=int, default=10, help="per round")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind, in turns")
    parser.add_argument("--threads", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    found = measure(options)
    print(
        f"{found['backbone']}, {found['height']}x{found['width']}, {found['frames_per_step']} "
        f"frames per step, {found['device']}, {found['threads']} threads of {found['cores']} "
        f"cores, load {found['load']:.1f}\n"
        f"with the loader  {found['steps_per_s_with_loader']:8.3f} steps/s\n"
        f"from memory      {found['steps_per_s_from_memory']:8.3f} steps/s\n"
        f"ratio            {found['ratio']:8.1%} (rounds: "
        f"{', '.join(f'{ratio:.1%}' for ratio in found['ratios'])})\n"
        f"loader alone     {found['frames_per_s_of_the_loader_alone']:8.0f} frames/s"
    )
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
