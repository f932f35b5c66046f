"""Stage: a network learns from tracklets without labels; weights, history, timing, clusters out."""

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import remove_leftovers, write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.supervision.views import read_tracks
from weakreid.training import checkpoint as checkpoints
from weakreid.training.devices import device_name, fabric_for, launch, leave
from weakreid.training.frame import about, build_network, learn, maps_within, pictures_of
from weakreid.training.history import timing_of, write_history
from weakreid.training.job import Job
from weakreid.training.mean_net import mean_of
from weakreid.training.optimiser import build_optimiser
from weakreid.training.pseudo_labels import Associating, quality_rows
from weakreid.training.tracklet_task import TrackletTask, tracklets_of

LESS_MEMORY = (
    "lower batch.clusters, batch.tracklets, batch.frames or batch.cache_mb,"
    " or image.height and image.width"
)


def main(
    tracks: Annotated[Path, typer.Option()],
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
    clusters: Annotated[Path, typer.Option()],
    init: Annotated[Path | None, typer.Option(help="weights to start from")] = None,
) -> None:
    """Train from the last checkpoint of this very training, if there is one."""
    job = Job(
        *(json.loads(params), code, checkpoint, device, devices, threads),
        *(model, history, timing, init),
    )
    train(tracks, images, clusters, job)


def train(tracks: Path, images: Path, clusters: Path, job: Job) -> None:
    """Train on tracklets without labels; `clusters` is what association made of them at the end.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    started = time.monotonic()
    block, init, code, checkpoint = job.block, job.init, job.code, job.checkpoint
    schedule, batch = block["schedule"], block["batch"]
    tracklets = tracklets_of(read_tracks(tracks))
    fabric = fabric_for(job.device, job.devices, block["precision"], job.threads)
    threads = launch(fabric, job.threads)
    if fabric.is_global_zero:
        remove_leftovers(checkpoint, job.model, job.history, job.timing, clusters)
    network = build_network(block, fabric, init)
    mean = mean_of(network).to(fabric.device)
    # of one class until the first epoch's clusters are known
    classifier = torch.nn.Linear(network.dimension, 1, bias=False)
    optimiser = build_optimiser(block["optimiser"], network, classifier)
    learner, optimiser = fabric.setup(network, optimiser)
    kept = mean if block["mean_net"]["keep"] == "mean" else network

    def keep() -> None:
        tensors = {f"model.{name}": value for name, value in kept.state_dict().items()}
        checkpoints.save_weights(job.model, tensors, about(block, fabric, heads=[], persons=[]))

    with ImageStore(images) as store:
        frames = np.concatenate(tracklets)
        maps = maps_within(block, network, store, frames, fabric=fabric, threads=threads)
        task = TrackletTask(
            tracklets,
            pictures_of(block, network, store, maps, threads),
            fabric=fabric,
            network=network,
            learner=learner,
            mean=mean,
            classifier=classifier,
            optimiser=optimiser,
            associating=Associating(**block["association"]),
            losses=block["losses"],
            momentum=block["mean_net"]["momentum"],
            clusters=batch["clusters"],
            tracklets_per_cluster=batch["tracklets"],
            frames=batch["frames"],
            steps_per_epoch=schedule["steps_per_epoch"],
            seed=block["seed"],
            of_clips=block["clips"] is not None,
        )
        record = learn(
            task,
            block,
            fabric=fabric,
            parts={"model": learner, "mean": mean},
            optimiser=optimiser,
            watch=job.watched(keep),
            checkpoint_path=checkpoint,
            mark=checkpoints.fingerprint(
                block, code, tracks, *([init] if init else []), checkpoints.digest_of(store)
            ),
            hooks=task,
        )
        record += task.finish(schedule["epochs"])
    leave(fabric)
    if not fabric.is_global_zero:
        return
    keep()
    found = {"tracklet_id": np.arange(len(tracklets)), "label": task.labels[-1]}
    schemas.write(clusters, "clusters", found, block)
    took = timing_of(record, time.monotonic() - started, fabric)
    seconds = sum(task.seconds) / len(task.seconds)
    write_json(job.timing, {**took, "association_s": round(seconds, 2)})
    # the weights stand: from here on the truth may be looked at, for measuring
    truth = schemas.read_frame(tracks, "tracks", ["tracklet_id", "truth_person_id"], truth=True)
    record += quality_rows(task.labels, truth, task.steps_per_epoch)
    write_history(job.history, record, block)
    checkpoint.unlink(missing_ok=True)
    say(f"trained in {time.monotonic() - started:.0f} s on {device_name(fabric)}")


if __name__ == "__main__":
    run_stage(main, less_memory=LESS_MEMORY)
