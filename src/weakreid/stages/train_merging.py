"""Stage: a network learns from tracklets that are merged bottom-up (BUC)."""

from pathlib import Path

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainMerging
from weakreid.supervision.views import read_tracks
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.merging_task import MergingTask
from weakreid.training.options import TrainingOptions, with_options
from weakreid.training.pseudo_labels import quality_rows
from weakreid.training.tracklet_features import tracklets_of

LESS_MEMORY = (
    "lower batch.tracklets, batch.frames or batch.cache_mb, or image.height and image.width"
)


def train(
    tracks: Path, images: Path, clusters: Path, params: TrainMerging, options: TrainingOptions
) -> None:
    """Train on tracklets without labels, from the last checkpoint of this very training if any.

    `clusters` is what merging made of them at the end.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    tracklets = tracklets_of(read_tracks(tracks))
    run = Run(params, options, clusters)
    network = run.network()
    kept = Kept({"model": network})
    model = run.set_up(network)
    with ImageStore(images) as store:
        rows = np.concatenate(tracklets) if run.learns else None
        (seen,) = run.images(network, Seen(store, rows, options.maps))
        task = MergingTask(tracklets, params, seen, fabric=run.fabric, network=network, model=model)
        history = run.learn(task, {"model": model}, [tracks, store], kept)
        history += task.finish(params.schedule.epochs)
    if run.first:
        # nothing is learnt any more: from here on the truth may be looked at, for measuring
        truth = schemas.read_frame(tracks, "tracks", ["tracklet_id", "truth_person_id"], truth=True)
        history += quality_rows(task.labels, truth, task.steps_per_epoch)
    found = {"tracklet_id": np.arange(len(tracklets)), "label": task.labels[-1]}
    run.finish(
        history,
        kept,
        timing={"merging_s": round(sum(task.seconds) / max(1, len(task.seconds)), 2)},
        write=lambda plain: schemas.write(clusters, "clusters", found, plain),
    )


main = with_options(train)
