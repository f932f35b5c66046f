"""Stage: what frames count in clips' descriptors, as a picture (ATTR, Fig. 6)."""

from pathlib import Path

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TemporalWeights
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.temporal_weights import choose, clips, picture


def main(
    weights: Path, tracklets: Path, frames: Path, images: Path, params: TemporalWeights, out: Path
) -> None:
    """Draw the clips whose weights vary most, of different persons."""
    rows = schemas.read_frame(weights, "frame_weights")
    split = schemas.read_frame(tracklets, "tracklets")
    found = clips(rows, split, choose(rows, split, params.sequences))
    known = schemas.read(frames, "frames", ["image"])["image"].to_numpy()
    shown = np.array([image for clip in found for image in clip.images])
    strange = shown[~np.isin(shown, known)]
    if len(strange):
        raise ReidError(
            f"{weights}: image {strange[0]} is not in {frames}; extract the features of clips again"
        )
    with ImageStore(images) as store:
        figure = picture(found, figures.images_of(store), params.title)
    figures.save(figure, out)
    say(f"{len(found)} sequences")
