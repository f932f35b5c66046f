"""Stage: a network learns from bags; weights, history and timing out."""

import importlib
from pathlib import Path
from typing import cast

import numpy as np

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainBags
from weakreid.losses.bags.protocol import BagLoss
from weakreid.models.reid import Heads
from weakreid.supervision.views import read_bags
from weakreid.training.bag_task import BagTask, bags_of, check_learnable
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.options import TrainingOptions, with_options

LESS_MEMORY = (
    "lower batch.bags, batch.frames, batch.pairs or batch.cache_mb, or image.height and image.width"
)


def train(bags: Path, images: Path, params: TrainBags, options: TrainingOptions) -> None:
    """Train on bags, from the last checkpoint of this very training if there is one.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    rows = read_bags(bags, params.instances)
    of_frames = list(rows["frame_tracklets"]) if "frame_tracklets" in rows else None
    made = bags_of(list(rows["frames"]), list(rows["labels"]), of_frames)
    short = check_learnable(made, params)
    run = Run(params, options)
    if short:
        run.say(short)
    network = run.network()
    # losses are found by name, so that the digest of this stage's code covers only those in use
    module = f"weakreid.losses.bags.{params.loss.name}"
    base = cast("BagLoss", importlib.import_module(module))
    cpal = importlib.import_module("weakreid.losses.bags.cpal") if params.cpal.weight > 0 else None
    heads = Heads(base.HEADS, network.dimension, len(made.persons), params.seed)
    kept = Kept({"model": network, "heads": heads}, base.HEADS, made.persons.tolist())
    model = run.set_up(network, heads)
    projections = run.fabric.setup_module(heads)
    with ImageStore(images) as store:
        frames = np.concatenate(made.frames) if run.learns else None
        (seen,) = run.images(network, Seen(store, frames, options.maps))
        task = BagTask(
            made,
            params,
            seen,
            fabric=run.fabric,
            network=network,
            model=model,
            heads=projections,
            base=base,
            cpal=cpal,
        )
        parts = {"model": model, "heads": projections}
        history = run.learn(task, parts, [bags, store], kept)
    run.finish(history, kept)


main = with_options(train)
