"""Stage: how much of COSAM's masks lies on the person and on what is carried, on generated data.

The truth is read here, once the weights stand; no training sees any of it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.datasets.walkers.masks import carried_masks, person_masks
from weakreid.errors import ReidError
from weakreid.models.clips import ClipNetwork, build_clip_network, restore_clip_model
from weakreid.models.reid import ReidModel
from weakreid.retrieval.clip_maps import clip_maps, drawn_clips
from weakreid.retrieval.mask_shares import ACTIVATION, area, covering, summary
from weakreid.seeding import numpy_generator
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.frame import model_of
from weakreid.training.start import start_from


def main(
    model: Annotated[Path, typer.Option(help="weights, or a folder with those of each epoch")],
    tracklets: Annotated[Path, typer.Option(help="of a split")],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    root: Annotated[Path, typer.Option(help="generated folder of the dataset")],
    params: Annotated[str, typer.Option(help="seed, clips (how many), test, training_seed")],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
    init: Annotated[Path | None, typer.Option(help="weights that the training began with")] = None,
) -> None:
    """Measure the untrained and the trained network, or the network after every epoch."""
    block = json.loads(params)
    torch.set_num_threads(threads)
    paths = sorted(model.glob("*.safetensors")) if model.is_dir() else [model]
    if not paths:
        raise ReidError(f"{model}: holds no weights; run the training first")
    _, about = load_weights(paths[0])
    if "clips" not in about:
        raise ReidError(f"{model}: does not see clips; give a model that does")
    clips = drawn_clips(
        schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "role"]),
        schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
        length=about["clips"]["frames"],
        test=block["test"],
        count=block["clips"],
        generator=numpy_generator(block["seed"], "mask_shares"),
    )
    image = about["image"]
    person, carried = truth_of(clips.images.reshape(-1), frames, root, image)
    measured = {"clips": len(clips.images), **area(person, carried)}
    states = []
    with ImageStore(images) as store:
        for name, network in states_of(paths, about, block["training_seed"], init):
            found = clip_maps(
                network,
                store,
                clips.images,
                height=image["height"],
                width=image["width"],
                threads=threads,
                resized=image.get("resized"),
            )
            maps = {**found.masks, ACTIVATION: found.activation}
            flat = {of: values.reshape(-1, *values.shape[2:]) for of, values in maps.items()}
            shares = summary(flat, person, carried)
            states.append({"state": name, "shares": shares})
            say(f"{name}: " + _said(shares))
    write_json(out, {**measured, "states": states})


def truth_of(
    rows: np.ndarray, frames: Path, root: Path, image: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what of each pixel of the network's input the person, and what is carried, covers.

    Args:
        rows: of the image store [N].
        frames: the table of frames.
        root: of the generated dataset.
        image: the method's block.

    Returns:
        float32 [N, H, W], two of them.
    """
    table = schemas.read_frame(frames, "frames", ["image", "file"]).set_index("image")
    names = table["file"].str.rpartition("/")[2].reindex(rows).to_list()
    seen = person_masks(root, set(names))
    held = carried_masks(root, seen)
    size = image["height"], image["width"], image.get("resized")
    person, carried = (
        np.stack([covering(masks[name], *size) for name in names]) for masks in (seen, held)
    )
    return person, carried


def states_of(
    paths: list[Path], about: dict[str, Any], seed: int, init: Path | None
) -> Iterator[tuple[str, ReidModel]]:
    """Yield the network in its states: untrained, and trained or after each epoch kept."""
    begun = {**about, "model": model_of(about, init)}
    clips: ClipNetwork = build_clip_network(begun, seed)
    start = clips.network
    if init is not None:
        start_from(init, start)
    yield "untrained", start
    for path in paths:
        tensors, own = load_weights(path)
        parts = part_of(tensors, "model"), part_of(tensors, "heads")
        name = f"epoch {int(path.stem)}" if path.stem.isdigit() else "trained"
        yield name, restore_clip_model(own, *parts).clips.network


def _said(shares: dict[str, dict[str, float | None]]) -> str:
    return ", ".join(f"{name} {of['person']:.1f} % on the person" for name, of in shares.items())


if __name__ == "__main__":
    run_stage(main)
