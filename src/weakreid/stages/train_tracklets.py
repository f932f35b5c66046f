"""Stage: a network learns from tracklets without labels; weights, history, timing, clusters out."""

from pathlib import Path

import numpy as np
import torch

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainTracklets
from weakreid.supervision.views import read_tracks
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.mean_net import mean_of
from weakreid.training.options import TrainingOptions, with_options
from weakreid.training.pseudo_labels import quality_rows
from weakreid.training.tracklet_features import tracklets_of
from weakreid.training.tracklet_task import TrackletTask

LESS_MEMORY = (
    "lower batch.clusters, batch.tracklets, batch.frames or batch.cache_mb,"
    " or image.height and image.width"
)


def train(
    tracks: Path, images: Path, clusters: Path, params: TrainTracklets, options: TrainingOptions
) -> None:
    """Train on tracklets without labels, from the last checkpoint of this very training if any.

    `clusters` is what association made of them at the end.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    tracklets = tracklets_of(read_tracks(tracks))
    run = Run(params, options, clusters)
    network = run.network()
    mean = mean_of(network).to(run.fabric.device)
    kept = Kept({"model": mean if params.mean_net.keep == "mean" else network})
    # of one class until the first epoch's clusters are known
    classifier = torch.nn.Linear(network.dimension, 1, bias=False)
    model = run.set_up(network, classifier)
    with ImageStore(images) as store:
        (seen,) = run.images(network, Seen(store, np.concatenate(tracklets), options.maps))
        task = TrackletTask(
            tracklets,
            params,
            seen,
            fabric=run.fabric,
            network=network,
            model=model,
            mean=mean,
            classifier=classifier,
            optimiser=run.optimiser,
        )
        history = run.learn(task, {"model": model, "mean": mean}, [tracks, store], kept)
        history += task.finish(params.schedule.epochs)
    if run.first:
        # nothing is learnt any more: from here on the truth may be looked at, for measuring
        truth = schemas.read_frame(tracks, "tracks", ["tracklet_id", "truth_person_id"], truth=True)
        history += quality_rows(task.labels, truth, task.steps_per_epoch)
    found = {"tracklet_id": np.arange(len(tracklets)), "label": task.labels[-1]}
    run.finish(
        history,
        kept,
        timing={"association_s": round(sum(task.seconds) / len(task.seconds), 2)},
        write=lambda plain: schemas.write(clusters, "clusters", found, plain),
    )


main = with_options(train)
