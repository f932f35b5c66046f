"""Stage: a network learns attributes from a source; weights, history, timing out."""

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import remove_leftovers, write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.models.attribute_head import attribute_head
from weakreid.supervision.attribute_pictures import lesson
from weakreid.supervision.views import read_frames_only
from weakreid.training import checkpoint as checkpoints
from weakreid.training.devices import device_name, fabric_for, launch, leave
from weakreid.training.frame import about, build_network, learn, pictures_of
from weakreid.training.frozen import FrozenMaps
from weakreid.training.history import timing_of, write_history
from weakreid.training.optimiser import build_optimiser
from weakreid.training.transfer_task import Discrepancy, TransferTask, maps_of_both

LESS_MEMORY = "lower batch.source, batch.target or batch.cache_mb, or image.height and image.width"


def main(
    pictures: Annotated[Path, typer.Option(help="of the source, with attributes")],
    source_images: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option(help="of a split of the target")],
    frames: Annotated[Path, typer.Option(help="of the target")],
    images: Annotated[Path, typer.Option(help="of the target")],
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
    batch, epochs = block["batch"], block["schedule"]["epochs"]
    lessons = lesson(
        schemas.read_frame(pictures, "pictures", ["image", "split", "labels"]),
        schemas.read_params(pictures)["attributes"],
        block["attributes"],
        block["on_constant"],
    )
    discrepancy = None
    target_rows = np.empty(0, np.int64)
    if block["mmd"] > 0:
        discrepancy = Discrepancy(block["mmd"], block["alpha"], block["normalise"])
        target_rows = read_frames_only(tracklets, frames)
    fabric = fabric_for(device, devices, block["precision"], threads)
    threads = launch(fabric, threads)
    if fabric.is_global_zero:
        remove_leftovers(checkpoint, model, history, timing)
        if lessons.left_out:
            names = ", ".join(lessons.left_out)
            say(f"left out, the same in all training pictures of the source: {names}")
    network = build_network(block, fabric)
    head = attribute_head(network.dimension, len(lessons.attributes), block["seed"])
    head.to(fabric.device)
    optimiser = build_optimiser(block["optimiser"], network, head)
    learner, optimiser = fabric.setup(network, optimiser)
    with ImageStore(source_images) as source, ImageStore(images) as target:
        maps: tuple[FrozenMaps | None, FrozenMaps | None] = (None, None)
        if epochs > 0:
            maps = maps_of_both(
                block,
                network,
                (source, lessons.images),
                None if discrepancy is None else (target, target_rows),
                fabric=fabric,
                threads=threads,
            )
        of_source, of_target = (
            pictures_of(block, network, store, of_store, threads)
            for store, of_store in zip((source, target), maps, strict=True)
        )
        task = TransferTask(
            of_source,
            lessons.images,
            lessons.labels,
            of_target,
            target_rows,
            fabric=fabric,
            network=network,
            learner=learner,
            head=head,
            ratios=lessons.ratios if block["loss"] == "wbce" else None,
            sigma=block["sigma"],
            discrepancy=discrepancy,
            source_size=batch["source"],
            target_size=batch["target"],
            steps_per_epoch=block["schedule"]["steps_per_epoch"],
            seed=block["seed"],
        )
        looked_at = (source, target) if discrepancy is not None else (source,)
        record = learn(
            task,
            block,
            fabric=fabric,
            parts={"model": learner, "heads": head},
            optimiser=optimiser,
            checkpoint_path=checkpoint,
            mark=checkpoints.fingerprint(
                block,
                code,
                pictures,
                target_rows.tolist(),
                *(checkpoints.digest_of(store) for store in looked_at),
            ),
        )
    leave(fabric)
    if not fabric.is_global_zero:
        return
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"heads.{name}": value for name, value in head.state_dict().items()}
    said = {
        **about(block, fabric, heads=[], persons=[]),
        "attributes": list(lessons.attributes),
        "ratios": lessons.ratios.tolist(),
        "left_out": lessons.left_out,
    }
    write_history(history, record, block)
    write_json(timing, timing_of(record, time.monotonic() - started, fabric))
    checkpoints.save_weights(model, tensors, said)
    checkpoint.unlink(missing_ok=True)
    say(
        f"{len(lessons.attributes)} attributes of {len(lessons.images):,} pictures learnt in "
        f"{time.monotonic() - started:.0f} s on {device_name(fabric)}"
    )


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
