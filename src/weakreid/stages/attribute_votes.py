"""Stage: the probability of every attribute in every tracklet, the mean over its frames."""

from pathlib import Path
from typing import Annotated

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import progress
from weakreid.errors import ReidError
from weakreid.models.attribute_head import restore_head
from weakreid.retrieval.attribute_votes import probabilities, tracklet_means
from weakreid.retrieval.feature_table import BATCH, batches_of
from weakreid.retrieval.inputs import load_frame_network
from weakreid.training.checkpoint import part_of

LESS_MEMORY = "lower image.height and image.width"


def main(
    model: Path,
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    device: str,
    threads: int,
    out: Path,
) -> None:
    """Look at all frames of every tracklet but junk; whose it is does not matter."""
    network, computer, about, tensors = load_frame_network(model, device, threads)
    if about.attributes is None:
        raise ReidError(f"{model}: recognises no attributes; give what the stage transfer wrote")
    head = restore_head(part_of(tensors, "heads")).to(computer.device)
    rows = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "role"])
    rows = rows[rows["role"] != "junk"]
    rows = rows.sort_values("tracklet_id").reset_index(drop=True)
    if rows.empty:
        raise ReidError(f"{tracklets}: no tracklet; choose a split that has some")
    ids = rows["tracklet_id"].to_numpy()
    chosen = schemas.read_frame(frames, "frames", ["tracklet_id", "image"])
    chosen = chosen[chosen["tracklet_id"].isin(ids)].reset_index(drop=True)
    places = np.searchsorted(ids, chosen["tracklet_id"].to_numpy())
    with ImageStore(images) as store:
        batches = batches_of(chosen["image"].to_numpy())
        found = probabilities(
            network,
            head,
            store,
            batches,
            about.image,
            computer=computer,
            threads=threads,
        )
        shown = progress(found, total=len(batches), label="recognising", unit=f"batches of {BATCH}")
        means = tracklet_means(places, shown, len(about.attributes))
    votes = {
        "tracklet_id": ids,
        "person_id": rows["person_id"],
        "frame_count": np.bincount(places, minlength=len(ids)),
        "probabilities": list(means),
    }
    schemas.write(out, "attribute_votes", votes, {"attributes": about.attributes})
