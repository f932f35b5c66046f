"""Stage: a network learns from labels that hold within a camera; what it joined comes out too."""

from pathlib import Path

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.clustering.graph_association import components, right
from weakreid.config.params import TrainIntraCamera
from weakreid.datasets.majority import main_persons
from weakreid.models.initial import seeded_linear
from weakreid.supervision.views import read_labels, read_tracks
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.intra_camera_task import IntraCameraTask, labelled_tracklets
from weakreid.training.loop import History
from weakreid.training.options import TrainingOptions, with_options

LESS_MEMORY = (
    "lower batch.tracklets, batch.frames or batch.cache_mb, or image.height and image.width"
)


def train(
    tracks: Path,
    labels: Path,
    images: Path,
    clusters: Path,
    params: TrainIntraCamera,
    options: TrainingOptions,
) -> None:
    """Train on labels within cameras, from the last checkpoint of this very training, if any.

    `clusters` are the tracklets of joined classes at the end.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    rows = read_tracks(tracks, cameras=True)
    shown = read_labels(labels, rows["tracklet_id"].nunique())
    made = labelled_tracklets(rows, shown)
    run = Run(params, options, clusters)
    network = run.network()
    kept = Kept({"model": network})
    classes = len(made.cameras)
    head = ("head", "camera")
    classifier = seeded_linear(network.dimension, classes, params.seed, *head, bias=False)
    model = run.set_up(network, classifier)
    classifier.to(run.fabric.device)
    with ImageStore(images) as store:
        (seen,) = run.images(network, Seen(store, np.concatenate(made.images), options.maps))
        task = IntraCameraTask(
            made,
            params,
            seen,
            fabric=run.fabric,
            network=network,
            model=model,
            classifier=classifier,
        )
        parts = {"model": model, "classifier": classifier}
        history = run.learn(task, parts, [tracks, labels, store], kept)
        history += task.finish(params.schedule.epochs)
    if run.first:
        # nothing is learnt any more: from here on the truth may be looked at, for measuring
        history += _right_rows(tracks, shown, task, params)
    joined = components(task.joins[-1], classes)
    found = {"tracklet_id": np.arange(len(shown)), "label": np.where(shown < 0, -1, joined[shown])}
    run.finish(history, kept, write=lambda plain: schemas.write(clusters, "clusters", found, plain))


def _right_rows(
    tracks: Path, shown: np.ndarray, task: IntraCameraTask, params: TrainIntraCamera
) -> History:
    """Return the share of right joins per epoch; where none can be judged there is no row."""
    truth = schemas.read_frame(tracks, "tracks", ["tracklet_id", "truth_person_id"], truth=True)
    persons = main_persons(truth["tracklet_id"], truth["truth_person_id"])
    known = shown >= 0
    of_classes = main_persons(shown[known], persons[known])
    first = params.schedule.epochs + 1 - len(task.joins)
    shares = enumerate((right(pairs, of_classes) for pairs in task.joins), start=first)
    return [
        (epoch, epoch * task.steps_per_epoch, "right", share)
        for epoch, share in shares
        if share is not None
    ]


main = with_options(train)
