"""Stage: one worker's part in a search of a method's values, on a split of training identities.

A trial is a training as any other, of the same code; after some epochs features of the split's
queries and gallery are extracted, and retrieval is measured.
"""

import importlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.methods import AnyMethod, epochs_of
from weakreid.config.params import (
    AnyTraining,
    TrainClips,
    Tune,
    clip_features_params,
    training_params,
)
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.retrieval.feature_table import open_features
from weakreid.retrieval.measure import measure_coarse, measure_fine
from weakreid.retrieval.reranking import Reranking
from weakreid.training.checkpoint import fingerprint
from weakreid.training.loop import DivergedError, Watch
from weakreid.training.options import TrainingOptions
from weakreid.tuning.ranges import drawn, with_values
from weakreid.tuning.search import GivenUpError, Running, Search

METHOD: TypeAdapter[AnyMethod] = TypeAdapter(AnyMethod)
LESS_MEMORY = "lower what the method's batch holds, or image.height and image.width"


@dataclass(frozen=True)
class Data:
    """What is learnt from and searched in: files of one split, those that the method takes."""

    tracklets: Path
    frames: Path
    images: Path
    bags: Path | None
    tracks: Path | None
    together: Path | None
    labels: Path | None
    attributes: Path | None
    truth: Path | None
    coarse: Path | None
    init: Path | None

    def given(self) -> list[Path]:
        """Return the files whose content a figure depends on, but for the pictures."""
        return [path for name, path in vars(self).items() if path is not None and name != "images"]


@dataclass(frozen=True)
class Machine:
    """What computes."""

    device: str
    threads: int


def main(
    tracklets: Annotated[Path, "of the split dev"],
    frames: Path,
    images: Path,
    params: Tune,
    code: Annotated[str, "digest of this stage's code"],
    worker: int,
    journal: Annotated[Path, "that all workers of the search share"],
    folder: Annotated[Path, "for what trials leave while they go on"],
    device: str,
    threads: int,
    out: Path,
    bags: Path | None = None,
    tracks: Path | None = None,
    together: Annotated[Path | None, "frames of a tracker: who is seen when"] = None,
    labels: Annotated[Path | None, "of tracklets"] = None,
    attributes: Annotated[Path | None, "labels of persons"] = None,
    truth: Annotated[Path | None, "truth/frames.parquet of the generated dataset"] = None,
    coarse: Annotated[Path | None, "the coarse test set of the split"] = None,
    init: Annotated[Path | None, "weights to start from"] = None,
) -> None:
    """Try values until all workers together have made the trials that were asked for."""
    seen = (bags, tracks, together, labels, attributes, truth)
    data = Data(tracklets, frames, images, *seen, coarse, init)
    machine = Machine(device, threads)
    # more trials go on with those before
    known = params.model_dump(mode="json", exclude={"trials", "search_seed"})
    # a search is begun with whole tables: its journal outlives a trial that cannot be
    schemas.read_frame(tracklets, "tracklets")
    schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"])
    with ImageStore(images) as store:
        mark = fingerprint(known, params.search_seed, code, *data.given(), store)
    search = Search(
        journal,
        mark,
        worker=worker,
        seed=params.search_seed,
        trials=params.trials,
        prune=params.prune,
        draw=lambda trial: drawn(trial, params.ranges),
    )
    for trial in search.running():
        say(f"trial {trial.number} of {params.trials}: {json.dumps(trial.values)}")
        try:
            figure = tried(params, trial, data, machine, folder, code)
        except GivenUpError:
            say("given up: below the median of the trials before")
            search.given_up(trial)
        except DivergedError as error:
            say(f"{error}: counted as 0")
            search.diverged(trial)
        else:
            say(f"{params.metric} {figure:.2f}")
            search.done(trial, figure)
        shutil.rmtree(folder, ignore_errors=True)
    write_json(out, [asdict(trial) for trial in search.found()])


def tried(
    how: Tune,
    trial: Running,
    data: Data,
    machine: Machine,
    folder: Path,
    code: str,
) -> float:
    """Return the figure of a method with a trial's values, after its last epoch.

    Raises:
        GivenUpError: it is worse than others.
        DivergedError: it cannot be trained with these values.
    """
    method = METHOD.validate_python(with_values(how.method, trial.values))
    epochs, model = epochs_of(method), folder / "model.safetensors"

    def look(done: int) -> None:
        if trial.figure_after(done) is None:
            figure = measured(method, how.metric, model, data, machine, folder)
            say(f"after {done} of {epochs} epochs: {how.metric} {figure:.2f}")
            trial.report(done, figure)
        else:
            trial.report(done, trial.curve[done])

    options = TrainingOptions(
        code,
        folder / "checkpoint.pt",
        machine.device,
        1,
        machine.threads,
        model,
        folder / "history.parquet",
        folder / "timing.json",
        data.init,
        watch=Watch(how.every, look),
    )
    train(training_params(method, how.seed), data, options, folder)
    figure = trial.figure_after(epochs)
    if figure is None:
        raise ReidError(f"{folder}: a trial ended before its last epoch; delete it and run again")
    return figure


def train(params: AnyTraining, data: Data, options: TrainingOptions, folder: Path) -> None:
    """Train as an experiment of that way of learning does."""
    # by its name, so that the digest of this stage's code covers the one in use
    stage = importlib.import_module(f"weakreid.stages.train_{params.learns}")
    if params.learns == "bags":
        stage.train(data.bags, data.images, params, options)
    elif params.learns in ("tracklets", "merging"):
        seen = {"together": data.together} if params.learns == "tracklets" else {}
        clusters = folder / "clusters.parquet"
        stage.train(data.tracks, data.images, clusters, params, options, **seen)
    elif params.learns in ("one_shot", "intra_camera"):
        labelled = (data.tracks, data.labels, data.images, folder / "clusters.parquet")
        stage.train(*labelled, params, options)
    else:
        inputs = (data.tracklets, data.frames, data.images, data.attributes)
        assert isinstance(params, TrainClips), "the last way of learning"
        truth = data.truth if params.visibility == "learnt" else None
        stage.train(*inputs, truth, params, options)


def measured(
    method: AnyMethod,
    metric: str,
    model: Path,
    data: Data,
    machine: Machine,
    folder: Path,
) -> float:
    """Return the retrieval figure of a network on the split's queries and gallery, in per cent.

    Raises:
        DivergedError: its features say nothing.
    """
    features = folder / "features.parquet"
    common = {
        "model": model,
        "tracklets": data.tracklets,
        "frames": data.frames,
        "images": data.images,
        "device": machine.device,
        "threads": machine.threads,
        "out": features,
    }
    clips = method.clips is not None
    if clips:
        stage = importlib.import_module("weakreid.stages.clip_features")
        how = clip_features_params(method)
        stage.main(**common, params=how, weights=folder / "weights.parquet")
    else:
        importlib.import_module("weakreid.stages.features").main(**common)
    protocol, name = metric.split()
    found, evaluation = open_features(features), method.evaluation
    # zeros have no direction: a collapsed network is as bad as one that diverged
    if not all(np.isfinite(block).all() and block.any(axis=1).all() for block in found.blocks()):
        raise DivergedError("training: features are not finite, or zero; lower optimiser.lr")
    if protocol == "coarse":
        if data.coarse is None:
            raise ReidError("the coarse test set was not given; give --coarse")
        result, _, _ = measure_coarse(
            found,
            schemas.read_frame(data.coarse, "bags"),
            metric=evaluation.metric,
            memory_bytes=evaluation.memory_mb * 2**20,
            unit="clips" if clips else "frames",
            threads=machine.threads,
        )
    else:
        result, _, _ = measure_fine(
            found,
            schemas.read_frame(data.tracklets, "tracklets"),
            metric=evaluation.metric,
            reranking=Reranking() if protocol == "reranked" else None,
            rules=evaluation.rules,
            threads=machine.threads,
        )
    return result.mean_average_precision if name == "mAP" else result.cmc[1]
