"""Stage: the labels that look wrong, by what a trained network makes of the bags."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import AuditLabels
from weakreid.console import progress, say
from weakreid.errors import ReidError
from weakreid.retrieval.extract import extract_features
from weakreid.retrieval.feature_table import BATCH, batches_of
from weakreid.retrieval.inputs import FrameNetwork, load_frame_network
from weakreid.supervision.audit import audit, bag_losses, frames_per_tag


def main(
    model: Path,
    bags: Path,
    images: Path,
    params: AuditLabels,
    device: str,
    threads: int,
    out: Path,
    markdown: Path,
    picture: Path,
    votes: Annotated[
        Path | None, "attributes of the tracklets, seen with params' threshold"
    ] = None,
    frames: Annotated[Path | None, "with --votes: which tracklet a frame is of"] = None,
) -> None:
    """Rank the labels of the training bags; write the table, the list and the picture."""
    trained = load_frame_network(model, device, threads)
    rows = schemas.read_frame(
        bags, "bags", ["bag_id", "role", "camera_id", "frames", "frame_tracklets", "labels"]
    )
    rows = rows[rows["role"] == "train"].reset_index(drop=True)
    persons = np.array(trained.about.persons)
    labels = [np.searchsorted(persons, of_bag) for of_bag in rows["labels"]]
    _check(rows, persons, model)
    chosen = [_spread(len(of_bag), params.frames) for of_bag in rows["frames"]]
    shown = [of_bag[places] for of_bag, places in zip(rows["frames"], chosen, strict=True)]
    with ImageStore(images) as store:
        flat = _features(trained, store, np.concatenate(shown), threads)
        logits = flat @ trained.tensors["heads.projections.identity.weight"].numpy().T
        logits += trained.tensors["heads.projections.identity.bias"].numpy()
        ends = np.cumsum([len(of_bag) for of_bag in shown])[:-1]
        features, scores = np.split(flat, ends), np.split(logits, ends)
        found = audit(features, scores, labels)
        # more frames are looked at than a training step samples: its k would be too small here
        losses = bag_losses(scores, labels, frames_per_tag(features, labels))
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(found) + 1),
                "bag_id": [rows["bag_id"][one.bag] for one in found],
                "person_id": [persons[one.person] for one in found],
                "kind": [one.kind for one in found],
                "score": [one.score for one in found],
                "judged": [one.judged for one in found],
                "evidence": [shown[one.bag][list(one.evidence)] for one in found],
                "bag_loss": [losses[one.bag] for one in found],
            }
        )
        # drawn last: matplotlib is slow to import
        from weakreid.report import audit as report
        from weakreid.report import figures, pages

        seen = None if votes is None else _looks(table.head(params.top), votes, frames, params)
        schemas.write(out, "audit", table, params.model_dump(mode="json"))
        text = report.listing(params.experiment, table, rows, params.top, seen)
        pages.write(markdown, text)
        figure = report.picture(
            report.examples(table, rows),
            figures.images_of(store),
            params.experiment,
        )
        figures.save(figure, picture)
    say(f"{len(rows)} bags, {len(table)} findings")


def _looks(findings: pd.DataFrame, votes: Path, frames: Path | None, how: AuditLabels) -> list[str]:
    """Return what the evidence looks like, without reading whose tracklets they are."""
    assert how.threshold is not None, "votes come with a threshold"
    if frames is None:
        # the tracklets of a bag are numbered anew where they were cut, shuffled or tracked
        raise ReidError("--votes needs --frames, the dataset's, to know the tracklet of a frame")
    of_image = schemas.read_frame(frames, "frames", ["image", "tracklet_id"])
    seen = schemas.read_frame(votes, "attribute_votes", ["tracklet_id", "probabilities"])
    # as in `main`
    from weakreid.report.audit import evidence_attributes

    return evidence_attributes(
        findings,
        dict(zip(of_image["image"], of_image["tracklet_id"], strict=True)),
        dict(zip(seen["tracklet_id"], seen["probabilities"], strict=True)),
        schemas.read_params(votes)["attributes"],
        how.threshold,
    )


def _check(rows: pd.DataFrame, persons: np.ndarray, model: Path) -> None:
    """Refuse bags that a model was not trained on."""
    if rows.empty:
        raise ReidError("no bag of role 'train': there is nothing to audit")
    strangers = np.setdiff1d(np.concatenate(list(rows["labels"])), persons)
    if len(strangers):
        raise ReidError(
            f"{model}: was not trained on these bags (they have person {strangers[0]}, "
            f"whom it does not know); audit a model with its own bags"
        )


def _features(
    trained: FrameNetwork, store: ImageStore, images: np.ndarray, threads: int
) -> np.ndarray:
    """Return what the classifier sees of frames, [N, d]: features before normalisation."""
    network, computer, about, _ = trained
    network.normalise_features = False
    batches = batches_of(images)
    extracted = extract_features(
        network, store, batches, about.image, computer=computer, threads=threads
    )
    steps = progress(
        extracted,
        total=len(batches),
        label="extracting features",
        unit=f"batches of {BATCH}",
    )
    return np.concatenate(list(steps))


def _spread(count: int, most: int) -> np.ndarray:
    """Return the places of at most so many frames, evenly spread over a bag's."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)
