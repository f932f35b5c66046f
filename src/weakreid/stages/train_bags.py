"""Stage: a network learns from bags; weights, history and timing out."""

import importlib
import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from weakreid.artifacts.files import remove_leftovers, write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.models.reid import Heads
from weakreid.supervision.views import read_bags
from weakreid.training import checkpoint as checkpoints
from weakreid.training.bag_task import BagTask, bags_of, check_learnable
from weakreid.training.devices import device_name, fabric_for, launch, leave
from weakreid.training.frame import about, build_network, learn, maps_within, pictures_of
from weakreid.training.history import timing_of, write_history
from weakreid.training.job import Job
from weakreid.training.optimiser import build_optimiser

LESS_MEMORY = (
    "lower batch.bags, batch.frames, batch.pairs or batch.cache_mb, or image.height and image.width"
)


def main(
    bags: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    code: Annotated[str, typer.Option(help="digest of this stage's code")],
    checkpoint: Annotated[Path, typer.Option()],
    device: Annotated[str, typer.Option()],
    devices: Annotated[int, typer.Option()],
    threads: Annotated[int, typer.Option()],
    model: Annotated[Path, typer.Option()],
    history: Annotated[Path, typer.Option()],
    timing: Annotated[Path, typer.Option()],
    init: Annotated[Path | None, typer.Option(help="weights to start from")] = None,
) -> None:
    """Train from the last checkpoint of this very training, if there is one."""
    job = Job(
        *(json.loads(params), code, checkpoint, device, devices, threads),
        *(model, history, timing, init),
    )
    train(bags, images, job)


def train(bags: Path, images: Path, job: Job) -> None:
    """Train on bags.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    started = time.monotonic()
    block, init, code, checkpoint = job.block, job.init, job.code, job.checkpoint
    seed = block["seed"]
    rows = read_bags(bags, block["instances"])
    of_frames = list(rows["frame_tracklets"]) if "frame_tracklets" in rows else None
    made = bags_of(list(rows["frames"]), list(rows["labels"]), of_frames)
    weight = block["cpal"]["weight"]
    pairs = block["batch"]["pairs"] if weight > 0 else 0
    short = None
    if block["schedule"]["epochs"] > 0:
        short = check_learnable(
            made, k=block["loss"].get("k"), batch_size=block["batch"]["bags"], pairs=pairs
        )
    fabric = fabric_for(job.device, job.devices, block["precision"], job.threads)
    threads = launch(fabric, job.threads)
    if fabric.is_global_zero:
        if short is not None:
            say(short)
        remove_leftovers(checkpoint, job.model, job.history, job.timing)
    network = build_network(block, fabric, init)
    # losses are found by name, so that the digest of this stage's code covers only those in use
    base = importlib.import_module(f"weakreid.losses.{block['loss']['name']}")
    cpal = importlib.import_module("weakreid.losses.bags.cpal") if weight > 0 else None
    heads = Heads(base.HEADS, network.dimension, len(made.persons), seed)
    optimiser = build_optimiser(block["optimiser"], network, heads)
    # Fabric ties one module to the optimiser; the heads are a module of their own
    learner, optimiser = fabric.setup(network, optimiser)
    projections = fabric.setup_module(heads)

    def keep() -> None:
        tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"heads.{name}": value for name, value in heads.state_dict().items()}
        named = about(block, fabric, list(base.HEADS), made.persons.tolist())
        checkpoints.save_weights(job.model, tensors, named)

    with ImageStore(images) as store:
        maps = None
        if block["schedule"]["epochs"] > 0:
            frames = np.concatenate(made.frames)
            maps = maps_within(block, network, store, frames, fabric=fabric, threads=threads)
        task = BagTask(
            made,
            pictures_of(block, network, store, maps, threads),
            fabric=fabric,
            model=learner,
            heads=projections,
            base=base,
            base_options={name: value for name, value in block["loss"].items() if name != "name"},
            cpal=cpal,
            cpal_weight=weight,
            cpal_margin=block["cpal"]["margin"],
            mean=network.backbone.mean,
            std=network.backbone.std,
            bags_per_batch=block["batch"]["bags"],
            frames_per_bag=block["batch"]["frames"],
            pairs=block["batch"]["pairs"],
            steps_per_epoch=block["schedule"]["steps_per_epoch"],
            seed=seed,
            clips=block["clips"],
        )
        record = learn(
            task,
            block,
            fabric=fabric,
            parts={"model": learner, "heads": projections},
            optimiser=optimiser,
            watch=job.watched(keep),
            checkpoint_path=checkpoint,
            mark=checkpoints.fingerprint(
                block, code, bags, *([init] if init else []), checkpoints.digest_of(store)
            ),
        )
    leave(fabric)
    if not fabric.is_global_zero:
        return
    write_history(job.history, record, block)
    write_json(job.timing, timing_of(record, time.monotonic() - started, fabric))
    keep()
    checkpoint.unlink(missing_ok=True)
    say(f"trained in {time.monotonic() - started:.0f} s on {device_name(fabric)}")


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
