"""Stage: COSAM's masks over the frames of some clips, as a picture (COSAM, Fig. 6)."""

from pathlib import Path
from typing import Annotated

import torch

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import Masks
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.retrieval.clip_maps import clip_maps
from weakreid.retrieval.inputs import clips_of_people, load_clip_network


def main(
    model: Path,
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    params: Masks,
    threads: int,
    out: Path,
) -> None:
    """Draw clips of different persons from the seed, and show them."""
    torch.set_num_threads(threads)
    network, about = load_clip_network(model)
    if about.model.cosam is None:
        raise ReidError(f"{model}: has no COSAM, so no masks; give a model with model.cosam")
    chosen, split = clips_of_people(tracklets, frames, about, params, "masks", one_each=True)
    of_tracklet = split.set_index("tracklet_id")
    with ImageStore(images) as store:
        found = clip_maps(network.clips.network, store, chosen.images, about.image, threads)
        # drawn last: matplotlib is slow to import
        from weakreid.report import figures
        from weakreid.report.masks import MaskedClip, picture

        clips = []
        for place, tracklet in enumerate(chosen.tracklet_ids):
            person = of_tracklet.loc[tracklet]
            title = f"person {person['person_id']}, {figures.camera_name(person['camera_id'])}"
            # cut as the network sees them, at one size
            shown = decoded(store, chosen.images[place], about.image, threads)
            masks = {stage: of[place] for stage, of in found.masks.items()}
            clips.append(MaskedClip(title, shown, masks))
    figures.save(picture(clips, params.title), out)
    say(f"{len(clips)} clips")
