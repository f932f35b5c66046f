"""Stage: a network learns from tracklets without labels; weights, history, timing, clusters out."""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainTracklets
from weakreid.datasets.majority import main_persons
from weakreid.supervision.views import read_together, read_tracks
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.mean_net import mean_of
from weakreid.training.options import TrainingOptions, with_options
from weakreid.training.pseudo_classes import Centres, Classifiers, PseudoClasses
from weakreid.training.pseudo_labels import quality_rows
from weakreid.training.tracklet_features import tracklets_of
from weakreid.training.tracklet_task import TrackletTask

LESS_MEMORY = (
    "lower batch.clusters, batch.tracklets, batch.frames or batch.cache_mb,"
    " or image.height and image.width"
)


def train(
    tracks: Path,
    images: Path,
    clusters: Path,
    params: TrainTracklets,
    options: TrainingOptions,
    together: Annotated[Path | None, "frames of a tracker: who is seen when"] = None,
) -> None:
    """Train on tracklets without labels, from the last checkpoint of this very training if any.

    `clusters` is what association made of them at the end. `together` is for `association.apart`.

    Raises:
        ReidError: the data does not fit the method, or the training diverged.
    """
    how = params.association
    rows = read_tracks(tracks, cameras=how.centred)
    tracklets = tracklets_of(rows)
    cameras = rows.groupby("tracklet_id")["camera_id"].first().to_numpy() if how.centred else None
    persons = _main_persons(tracks) if how.truth else None
    apart = read_together(tracks, together) if how.apart and together is not None else None
    run = Run(params, options, clusters)
    if apart is not None:
        run.say(f"{len(apart)} pairs of tracklets are seen at the same time: never joined")
    network = run.network()
    mean = mean_of(network).to(run.fabric.device)
    kept = Kept({"model": mean if params.mean_net.keep == "mean" else network})
    classes: PseudoClasses
    if params.contrast is None:
        # of one class until the first epoch's clusters are known
        classifier = torch.nn.Linear(network.dimension, 1, bias=False)
        model = run.set_up(network, classifier)
        classes = Classifiers(classifier, run.optimiser, params.losses)
    else:
        model = run.set_up(network)
        classes = Centres(params.contrast)
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
            classes=classes,
            cameras=cameras,
            persons=persons,
            apart=apart,
        )
        inputs = [tracks, store, *([together] if together is not None else [])]
        history = run.learn(task, {"model": model, "mean": mean}, inputs, kept)
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


def _main_persons(tracks: Path) -> NDArray[np.int64]:
    """Return who a tracklet shows most: for `association.truth`, which measures and says so."""
    shown = schemas.read_frame(tracks, "tracks", ["tracklet_id", "truth_person_id"], truth=True)
    return main_persons(shown["tracklet_id"].to_numpy(), shown["truth_person_id"].to_numpy())


main = with_options(train)
