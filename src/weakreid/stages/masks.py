"""Stage: COSAM's masks over the frames of some clips, as a picture (COSAM, Fig. 6)."""

import json
from pathlib import Path
from typing import Annotated

import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.errors import ReidError
from weakreid.models.clips import restore_clip_model
from weakreid.retrieval.clip_maps import clip_maps, drawn_clips
from weakreid.seeding import numpy_generator
from weakreid.training.checkpoint import load_weights, part_of


def main(
    model: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option(help="of a split")],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="title, seed, clips (how many), test (of clips)")],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Draw clips of different persons from the seed, and show them."""
    block = json.loads(params)
    torch.set_num_threads(threads)
    tensors, about = load_weights(model)
    if "clips" not in about or about["model"].get("cosam") is None:
        raise ReidError(f"{model}: has no COSAM, so no masks; give a model with model.cosam")
    network = restore_clip_model(about, part_of(tensors, "model"), part_of(tensors, "heads"))
    split = schemas.read_frame(
        tracklets, "tracklets", ["tracklet_id", "person_id", "camera_id", "role"]
    )
    chosen = drawn_clips(
        split,
        schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
        length=about["clips"]["frames"],
        test=block["test"],
        count=block["clips"],
        generator=numpy_generator(block["seed"], "masks"),
        one_each=True,
    )
    image = about["image"]
    of_tracklet = split.set_index("tracklet_id")
    with ImageStore(images) as store:
        found = clip_maps(
            network.clips.network,
            store,
            chosen.images,
            height=image["height"],
            width=image["width"],
            threads=threads,
            resized=image.get("resized"),
        )
        # drawn last: matplotlib is slow to import
        from weakreid.report import figures
        from weakreid.report.masks import MaskedClip, picture

        clips = []
        for place, tracklet in enumerate(chosen.tracklet_ids):
            person = of_tracklet.loc[tracklet]
            title = f"person {person['person_id']}, {figures.camera_name(person['camera_id'])}"
            # cut as the network sees them, at one size
            shown = decoded(
                store, chosen.images[place], image["height"], image["width"], threads,
                image.get("resized"),
            )  # fmt: skip
            masks = {stage: of[place] for stage, of in found.masks.items()}
            clips.append(MaskedClip(title, shown, masks))
    figures.save(picture(clips, block["title"]), out)
    say(f"{len(clips)} clips")


if __name__ == "__main__":
    run_stage(main)
