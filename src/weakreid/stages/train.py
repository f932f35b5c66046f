"""Stage: a network learns from bags; weights, history and timing out."""

import importlib
import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from weakreid.console import run_stage, say
from weakreid.files import write_json
from weakreid.images import ImageStore
from weakreid.models.backbones import share_batch_norms
from weakreid.models.build import build_model
from weakreid.models.reid import Heads
from weakreid.supervision.visible import read_bags
from weakreid.training import checkpoint as checkpoints
from weakreid.training.bag_task import BagTask, bags_of, check_learnable
from weakreid.training.devices import device_name, fabric_for, launch, leave
from weakreid.training.frozen import frozen_maps
from weakreid.training.loop import fit
from weakreid.training.optimiser import build_optimiser
from weakreid.training.record import timing_of, write_history
from weakreid.training.schedule import rate_factor


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
) -> None:
    """Train from the last checkpoint of this very training, if there is one."""
    started = time.monotonic()
    block = json.loads(params)
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
    fabric = fabric_for(device, devices, block["precision"], threads)
    threads = launch(fabric, threads)
    if fabric.is_global_zero:
        if short is not None:
            say(short)
        checkpoints.remove_leftovers([checkpoint, model, history, timing])
    network = build_model(block["model"], seed)
    # losses are found by name, so that the digest of this stage's code covers only those in use
    base = importlib.import_module(f"weakreid.losses.{block['loss']['name']}")
    cpal = importlib.import_module("weakreid.losses.cpal") if weight > 0 else None
    heads = Heads(base.HEADS, network.dimension, len(made.persons), seed)
    mean, std = network.backbone.mean, network.backbone.std
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        network = share_batch_norms(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = build_optimiser(block["optimiser"], network, heads)
    # Fabric ties one module to the optimiser; the heads are a module of their own
    learner, optimiser = fabric.setup(network, optimiser)
    projections = fabric.setup_module(heads)
    cache_mb = block["batch"]["cache_mb"]
    with ImageStore(images) as store:
        maps = None
        if cache_mb > 0 and block["schedule"]["epochs"] > 0:
            maps = frozen_maps(
                network,
                store,
                np.concatenate(made.frames),
                fabric=fabric,
                height=block["image"]["height"],
                width=block["image"]["width"],
                threads=threads,
                memory_mb=cache_mb,
            )
        task = BagTask(
            made,
            store,
            fabric=fabric,
            model=learner,
            heads=projections,
            base=base,
            base_options={name: value for name, value in block["loss"].items() if name != "name"},
            cpal=cpal,
            cpal_weight=weight,
            cpal_margin=block["cpal"]["margin"],
            height=block["image"]["height"],
            width=block["image"]["width"],
            mean=mean,
            std=std,
            augment_options=block["augment"],
            bags_per_batch=block["batch"]["bags"],
            frames_per_bag=block["batch"]["frames"],
            pairs=block["batch"]["pairs"],
            steps_per_epoch=block["schedule"]["steps_per_epoch"],
            seed=seed,
            threads=threads,
            maps=maps,
        )
        schedule = block["schedule"]
        record = fit(
            task,
            fabric=fabric,
            parts={"model": learner, "heads": projections},
            optimiser=optimiser,
            factor=lambda step: rate_factor(
                step,
                steps_per_epoch=task.steps_per_epoch,
                epochs=schedule["epochs"],
                name=schedule["name"],
                milestones=schedule["milestones"],
                factor=schedule["factor"],
                warm_up=schedule["warm_up"],
            ),
            epochs=schedule["epochs"],
            seed=seed,
            clip=block["optimiser"]["clip"],
            checkpoint_path=checkpoint,
            mark=checkpoints.fingerprint(block, code, bags, checkpoints.digest_of(store)),
        )
    leave(fabric)
    if not fabric.is_global_zero:
        return
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"heads.{name}": value for name, value in heads.state_dict().items()}
    about = {
        "model": block["model"],
        "image": block["image"],
        "precision": block["precision"],
        "heads": list(base.HEADS),
        "persons": made.persons.tolist(),
        "device": fabric.device.type,
    }
    write_history(history, record, block)
    write_json(timing, timing_of(record, time.monotonic() - started, fabric))
    checkpoints.save_weights(model, tensors, about)
    checkpoint.unlink(missing_ok=True)
    say(f"trained in {time.monotonic() - started:.0f} s on {device_name(fabric)}")


if __name__ == "__main__":
    run_stage(main)
