"""Stage: a network learns from one labelled tracklet per identity and from unlabelled ones."""

from pathlib import Path

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainOneShot
from weakreid.errors import ReidError
from weakreid.models.initial import seeded_linear
from weakreid.supervision.views import read_labels, read_tracks
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.one_shot_task import OneShotTask, right_rows
from weakreid.training.options import TrainingOptions, with_options
from weakreid.training.tracklet_features import tracklets_of

LESS_MEMORY = (
    "lower batch.tracklets, batch.frames or batch.cache_mb, or image.height and image.width"
)


def train(
    tracks: Path,
    labels: Path,
    images: Path,
    clusters: Path,
    params: TrainOneShot,
    options: TrainingOptions,
) -> None:
    """Train on tracklets of which few have labels, from this training's last checkpoint if any.

    `clusters` is what the last step learnt from: labels, and pseudo-labels.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    tracklets = tracklets_of(read_tracks(tracks))
    given = read_labels(labels, len(tracklets))
    classes = int(given.max(initial=-1)) + 1
    if classes < 2:
        raise ReidError(
            f"{labels}: {classes} identities have a labelled tracklet, and there is nobody to tell "
            "apart; label tracklets of two or more"
        )
    run = Run(params, options, clusters)
    network = run.network()
    kept = Kept({"model": network})
    classifier = seeded_linear(network.dimension, classes, params.seed, "one-shot classifier")
    classifier.to(run.fabric.device)
    model = run.set_up(network, classifier)
    with ImageStore(images) as store:
        rows = np.concatenate(tracklets) if run.learns else None
        (seen,) = run.images(network, Seen(store, rows, options.maps))
        task = OneShotTask(
            tracklets,
            given,
            params,
            seen,
            fabric=run.fabric,
            network=network,
            model=model,
            classifier=classifier,
            optimiser=run.optimiser,
        )
        parts = {"model": model, "classifier": classifier}
        history = run.learn(
            task, parts, [tracks, labels, store], kept, epochs=task.epochs, factor=task.rate
        )
    if run.first:
        # nothing is learnt any more: from here on the truth may be looked at, for measuring
        truth = schemas.read_frame(tracks, "tracks", ["tracklet_id", "truth_person_id"], truth=True)
        history += right_rows(task, truth)
    last = task.labels[-1] if task.labels else given
    found = {"tracklet_id": np.arange(len(tracklets)), "label": last}
    run.finish(history, kept, write=lambda plain: schemas.write(clusters, "clusters", found, plain))


main = with_options(train)
