"""Stage: a network learns from clips of labelled tracklets; weights, history and timing out."""

import dataclasses
import importlib
import shutil
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from weakreid.artifacts import schemas
from weakreid.artifacts.files import replacing
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainClips
from weakreid.models.clips import ClipHeads, ClipNetwork, build_clip_network
from weakreid.supervision.views import read_attribute_labels
from weakreid.supervision.visible import read_shares, shares_by_group
from weakreid.training.clip_task import (
    ClipTask,
    attribute_labels,
    check_learnable,
    labelled_tracklets,
)
from weakreid.training.frame import Kept, Run, Seen, prepared
from weakreid.training.loop import Watch
from weakreid.training.options import TrainingOptions, with_options
from weakreid.training.start import start_from

LESS_MEMORY = (
    "lower batch.persons, batch.clips or batch.cache_mb, clips.frames,"
    " or image.height and image.width"
)


@with_options
def main(
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    params: TrainClips,
    options: TrainingOptions,
    attributes: Annotated[Path | None, "labels of persons"] = None,
    truth: Annotated[Path | None, "truth/frames.parquet of the generated dataset"] = None,
    epochs: Annotated[Path | None, "folder for each epoch's weights"] = None,
) -> None:
    """Train from the last checkpoint of this very training, if there is one.

    With `epochs` it starts anew: the weights of the epochs before a checkpoint are gone.
    """
    if epochs is not None:
        folder, model = epochs, options.model
        options.checkpoint.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        watch = Watch(1, lambda done: copy_whole(model, folder / f"{done:03d}.safetensors"))
        options = dataclasses.replace(options, watch=watch)
    train(tracklets, frames, images, attributes, truth, params, options)


def copy_whole(path: Path, copy: Path) -> None:
    """Copy a file, wholly or not at all."""
    with replacing(copy) as aside:
        shutil.copyfile(path, aside)


def train(
    tracklets: Path,
    frames: Path,
    images: Path,
    attributes: Path | None,
    truth: Path | None,
    params: TrainClips,
    options: TrainingOptions,
) -> None:
    """Train on the tracklets of a split.

    Args:
        tracklets, frames, images: of the dataset.
        attributes: labels of its persons.
        truth: what its frames show.
        params, options: of the training.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    made = labelled_tracklets(
        schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "role"]),
        schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
    )
    check_learnable(made, params, tracklets, attributes, truth)
    labels, absent = {}, list[str]()
    if attributes is not None and params.attributes is not None:
        rows_of_labels = read_attribute_labels(attributes, made.ids)
        found = attribute_labels(rows_of_labels, params.attributes.groups, made.ids)
        absent, labels = found.absent, found.labels
        learnt = params.attributes.model_copy(update={"groups": found.groups})
        params = params.model_copy(update={"aggregation": learnt})
    run = Run(params, options)
    if absent:
        run.say(f"no training person has a label for {', '.join(absent)}: not learnt")
    clips: ClipNetwork = build_clip_network(params, run.model_block(), params.seed)
    visible = None
    if truth is not None:
        shares = read_shares(truth, schemas.read_frame(frames, "frames", ["image", "file"]))
        by_row = shares.reindex(range(int(shares.index.max()) + 1))
        found_shares = shares_by_group(by_row, clips.aggregation.groups)
        visible = torch.from_numpy(found_shares).float()
    heads = ClipHeads(
        clips.aggregation.dimension,
        len(made.ids),
        neck=params.neck is not None,
        centers=params.losses.center is not None,
        seed=params.seed,
    )
    if options.init is not None:
        start_from(options.init, clips.network, aggregation=clips.aggregation, neck=heads.neck)
    clips = prepared(clips, run.fabric)
    kept = Kept({"model": clips, "heads": heads}, ["classifier"], made.ids.tolist())
    learning = [clips.aggregation, heads.classifier, *([heads.neck] if heads.neck else [])]
    model = run.set_up(clips, *learning, of=clips.network)
    behind = run.fabric.setup_module(heads)
    # losses are found by name, so that the digest of this stage's code covers only those in use;
    # in the order of their names, in which their sum is rounded
    names = sorted(name for name, term in params.losses if term is not None)
    losses = {name: importlib.import_module(f"weakreid.losses.clips.{name}") for name in names}
    with ImageStore(images) as store:
        rows = np.concatenate(made.images) if run.learns else None
        (seen,) = run.images(clips.network, Seen(store, rows, options.maps))
        task = ClipTask(
            made,
            params,
            seen,
            fabric=run.fabric,
            network=clips.network,
            model=model,
            heads=behind,
            own_heads=heads,
            losses=losses,
            attributes=labels,
            visible=visible,
        )
        known = [path for path in (attributes, truth) if path is not None]
        inputs = [tracklets, frames, *known, store]
        history = run.learn(task, {"model": model, "heads": behind}, inputs, kept)
    run.finish(history, kept)
