"""Stage: a network learns from clips of labelled tracklets; weights, history and timing out."""

import importlib
import json
import shutil
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import remove_leftovers, replacing, write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.errors import ReidError
from weakreid.models.clips import ClipHeads, ClipNetwork, build_clip_network
from weakreid.supervision.views import read_attribute_labels
from weakreid.training import checkpoint as checkpoints
from weakreid.training.clip_task import ClipTask, Term, attribute_labels, labelled_tracklets
from weakreid.training.devices import device_name, fabric_for, launch, leave
from weakreid.training.frame import about, learn, maps_within, model_of, pictures_of, prepared
from weakreid.training.history import timing_of, write_history
from weakreid.training.job import Job
from weakreid.training.loop import Watch
from weakreid.training.optimiser import build_optimiser
from weakreid.training.start import start_from

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
    init: Annotated[Path | None, typer.Option(help="weights to start from")] = None,
    epochs: Annotated[Path | None, typer.Option(help="folder for each epoch's weights")] = None,
) -> None:
    """Train from the last checkpoint of this very training, if there is one.

    With `epochs` it starts anew: the weights of the epochs before a checkpoint are gone.
    """
    watch = None
    if epochs is not None:
        checkpoint.unlink(missing_ok=True)
        epochs.mkdir(parents=True, exist_ok=True)
        watch = Watch(1, lambda done: copy_whole(model, epochs / f"{done:03d}.safetensors"))
    job = Job(
        *(json.loads(params), code, checkpoint, device, devices, threads),
        *(model, history, timing, init, watch),
    )
    train(tracklets, frames, images, attributes, job)


def copy_whole(path: Path, copy: Path) -> None:
    """Copy a file, wholly or not at all."""
    with replacing(copy) as aside:
        shutil.copyfile(path, aside)


def train(tracklets: Path, frames: Path, images: Path, attributes: Path | None, job: Job) -> None:
    """Train on the tracklets of a split; `attributes` are labels of its persons.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    started = time.monotonic()
    block, init, code, checkpoint = job.block, job.init, job.code, job.checkpoint
    seed, batch = block["seed"], block["batch"]
    made = labelled_tracklets(
        schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "role"]),
        schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
    )
    if block["schedule"]["epochs"] > 0 and batch["persons"] > len(made.ids):
        raise ReidError(
            f"{tracklets}: batch.persons asks for {batch['persons']} persons in a batch, and there "
            f"are {len(made.ids)} to learn from; set it to {len(made.ids)} or fewer"
        )
    aggregation = block["aggregation"]
    learnt = aggregation if aggregation["name"] == "groups" else None
    if (learnt is None) != (attributes is None):
        raise ReidError(
            f"{attributes}: labels were given, but the method learns no attributes; leave them out"
            if learnt is None
            else "the method learns attributes, but no labels were given; give --attributes"
        )
    labels = {}
    if attributes is not None and learnt is not None:
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
        block = {**block, "aggregation": {**aggregation, "groups": of_groups.groups}}
        labels = of_groups.labels
    fabric = fabric_for(job.device, job.devices, block["precision"], job.threads)
    threads = launch(fabric, job.threads)
    if fabric.is_global_zero:
        remove_leftovers(checkpoint, job.model, job.history, job.timing)
    clips: ClipNetwork = build_clip_network({**block, "model": model_of(block, init)}, seed)
    terms = {
        name: Term(
            importlib.import_module(f"weakreid.losses.clips.{name}"),
            options["weight"],
            {key: value for key, value in options.items() if key not in ("weight", "rate")},
        )
        for name, options in block["losses"].items()
        if options is not None
    }
    centers = block["losses"]["center"]
    heads = ClipHeads(
        clips.aggregation.dimension,
        len(made.ids),
        neck=block["neck"] is not None,
        centers=centers is not None,
        seed=seed,
    )
    if init is not None:
        start_from(init, clips.network, aggregation=clips.aggregation, neck=heads.neck)
    clips = prepared(clips, fabric)
    network = clips.network
    learning = [clips.aggregation, heads.classifier, *([heads.neck] if heads.neck else [])]
    optimiser = build_optimiser(block["optimiser"], network, *learning)
    # Fabric ties one module to the optimiser; the heads are a module of their own
    learner, optimiser = fabric.setup(clips, optimiser)
    behind = fabric.setup_module(heads)

    def keep() -> None:
        tensors = {f"model.{name}": value for name, value in clips.state_dict().items()}
        tensors |= {f"heads.{name}": value for name, value in heads.state_dict().items()}
        named = about(block, fabric, ["classifier"], made.ids.tolist())
        checkpoints.save_weights(job.model, tensors, named)

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
            own_heads=heads,
            mean=network.backbone.mean,
            std=network.backbone.std,
            losses=terms,
            metric_before_neck=block["neck"] is not None and block["neck"]["trains"] == "before",
            attributes=labels,
            attribute_weight=0.0 if learnt is None else learnt["weight"],
            center_rate=0.0 if centers is None else centers["rate"],
            persons=batch["persons"],
            clips=batch["clips"],
            frames=block["clips"]["frames"],
            sampling=block["clips"]["sampling"],
            steps_per_epoch=block["schedule"]["steps_per_epoch"],
            seed=seed,
        )
        inputs = [path for path in (tracklets, frames, attributes, init) if path is not None]
        record = learn(
            task,
            block,
            fabric=fabric,
            parts={"model": learner, "heads": behind},
            optimiser=optimiser,
            hooks=task,
            watch=job.watched(keep),
            checkpoint_path=checkpoint,
            mark=checkpoints.fingerprint(block, code, *inputs, checkpoints.digest_of(store)),
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
