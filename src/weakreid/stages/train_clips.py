"""Stage: a network learns from clips of labelled tracklets; weights, history and timing out."""

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from weakreid import tables
from weakreid.console import run_stage, say
from weakreid.errors import ReidError
from weakreid.files import remove_leftovers, write_json
from weakreid.images import ImageStore
from weakreid.models.clips import ClipHeads, build_aggregation
from weakreid.supervision.visible import read_attribute_labels
from weakreid.training import checkpoint as checkpoints
from weakreid.training.clip_task import ClipTask, attribute_labels, labelled_tracklets
from weakreid.training.devices import device_name, fabric_for, launch, leave
from weakreid.training.optimiser import build_optimiser
from weakreid.training.record import timing_of, write_history
from weakreid.training.setup import about, build_network, learn, maps_within, pictures_of

LESS_MEMORY = (
    "lower batch.persons, batch.clips or batch.cache_mb, clips.frames,"
    " or image.height and image.width"
)


def main(
    tracklets: Annotated[Path, typer.Option(help="of a split")],
    frames: Annotated[Path, typer.Option()],
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
    attributes: Annotated[Path | None, typer.Option(help="labels of persons")] = None,
) -> None:
    """Train from the last checkpoint of this very training, if there is one."""
    started = time.monotonic()
    block = json.loads(params)
    seed, batch = block["seed"], block["batch"]
    made = labelled_tracklets(
        tables.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "split"]),
        tables.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
    )
    learnt = block["attributes"]
    if (learnt is None) != (attributes is None):
        raise ReidError(
            f"{attributes}: labels were given, but the method learns no attributes; leave them out"
            if learnt is None
            else "the method learns attributes, but no labels were given; give --attributes"
        )
    labels = {}
    if attributes is not None:
        known = read_attribute_labels(attributes, made.ids)
        of_groups = attribute_labels(known, learnt["groups"], made.ids)
        absent = [
            name
            for group, names in learnt["groups"].items()
            for name in names
            if name not in of_groups.groups[group]
        ]
        if absent:
            say(f"no training person has a label for {', '.join(absent)}: not learnt")
        learnt, labels = {**learnt, "groups": of_groups.groups}, of_groups.labels
    fabric = fabric_for(device, devices, block["precision"], threads)
    threads = launch(fabric, threads)
    if fabric.is_global_zero:
        remove_leftovers(checkpoint, model, history, timing)
    network = build_network(block, fabric)
    heads = ClipHeads(build_aggregation(learnt, network.dimension, seed), len(made.ids), seed)
    optimiser = build_optimiser(block["optimiser"], network, heads)
    # Fabric ties one module to the optimiser; the heads are a module of their own
    learner, optimiser = fabric.setup(network, optimiser)
    behind = fabric.setup_module(heads)
    with ImageStore(images) as store:
        maps = None
        if block["schedule"]["epochs"] > 0:
            rows = np.concatenate(made.images)
            maps = maps_within(block, network, store, rows, fabric=fabric, threads=threads)
        task = ClipTask(
            made,
            pictures_of(block, network, store, maps, threads),
            fabric=fabric,
            learner=learner,
            heads=behind,
            mean=network.backbone.mean,
            std=network.backbone.std,
            attributes=labels,
            attribute_weight=0.0 if learnt is None else learnt["weight"],
            smoothing=block["losses"]["smoothing"],
            persons=batch["persons"],
            clips=batch["clips"],
            frames=block["clips"]["frames"],
            sampling=block["clips"]["sampling"],
            steps_per_epoch=block["schedule"]["steps_per_epoch"],
            seed=seed,
        )
        inputs = [tracklets, frames] if attributes is None else [tracklets, frames, attributes]
        record = learn(
            task,
            block,
            fabric=fabric,
            parts={"model": learner, "heads": behind},
            optimiser=optimiser,
            checkpoint_path=checkpoint,
            mark=checkpoints.fingerprint(block, code, *inputs, checkpoints.digest_of(store)),
        )
    leave(fabric)
    if not fabric.is_global_zero:
        return
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"heads.{name}": value for name, value in heads.state_dict().items()}
    write_history(history, record, block)
    write_json(timing, timing_of(record, time.monotonic() - started, fabric))
    named = about(block, fabric, ["classifier"], made.ids.tolist())
    named |= {"learns": "clips", "clips": block["clips"], "attributes": learnt}
    checkpoints.save_weights(model, tensors, named)
    checkpoint.unlink(missing_ok=True)
    say(f"trained in {time.monotonic() - started:.0f} s on {device_name(fabric)}")


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
