"""Stage: how much of COSAM's masks lies on the person and on what is carried, on generated data.

The truth is read here, once the weights stand; no training sees any of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Image
from weakreid.config.params import MaskShares
from weakreid.config.trained import Trained
from weakreid.console import say
from weakreid.datasets.walkers.masks import carried_masks, person_masks
from weakreid.errors import ReidError
from weakreid.models.build import without_weights
from weakreid.models.clips import ClipNetwork, build_clip_network
from weakreid.models.reid import ReidModel
from weakreid.retrieval.clip_maps import clip_maps
from weakreid.retrieval.inputs import clips_of_people, load_clip_network
from weakreid.retrieval.mask_shares import ACTIVATION, area, covering, summary
from weakreid.training.checkpoint import load_weights
from weakreid.training.start import start_from


def main(
    model: Annotated[Path, "weights, or a folder with those of each epoch"],
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    root: Annotated[Path, "generated folder of the dataset"],
    params: MaskShares,
    threads: int,
    out: Path,
    init: Annotated[Path | None, "weights that the training began with"] = None,
) -> None:
    """Measure the untrained and the trained network, or the network after every epoch."""
    torch.set_num_threads(threads)
    paths = sorted(model.glob("*.safetensors")) if model.is_dir() else [model]
    if not paths:
        raise ReidError(f"{model}: holds no weights; run the training first")
    _, about = load_weights(paths[0])
    if about.clips is None:
        raise ReidError(f"{model}: does not see clips; give a model that does")
    clips, _ = clips_of_people(tracklets, frames, about, params, "mask_shares")
    person, carried = truth_of(clips.images.reshape(-1), frames, root, about.image)
    measured = {"clips": len(clips.images), **area(person, carried)}
    states = []
    with ImageStore(images) as store:
        for name, network in states_of(paths, about, params.training_seed, init):
            found = clip_maps(network, store, clips.images, about.image, threads)
            maps = {**found.masks, ACTIVATION: found.activation}
            flat = {of: values.reshape(-1, *values.shape[2:]) for of, values in maps.items()}
            shares = summary(flat, person, carried)
            states.append({"state": name, "shares": shares})
            say(f"{name}: " + _said(shares))
    write_json(out, {**measured, "states": states})


def truth_of(
    rows: np.ndarray, frames: Path, root: Path, image: Image
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
    person, carried = (
        np.stack([covering(masks[name], image) for name in names]) for masks in (seen, held)
    )
    return person, carried


def states_of(
    paths: list[Path], about: Trained, seed: int, init: Path | None
) -> Iterator[tuple[str, ReidModel]]:
    """Yield the network in its states: untrained, and trained or after each epoch kept."""
    model = about.model if init is None else without_weights(about.model)
    clips: ClipNetwork = build_clip_network(about, model, seed)
    start = clips.network
    if init is not None:
        start_from(init, start)
    yield "untrained", start
    for path in paths:
        name = f"epoch {int(path.stem)}" if path.stem.isdigit() else "trained"
        yield name, load_clip_network(path)[0].clips.network


def _said(shares: dict[str, dict[str, float | None]]) -> str:
    return ", ".join(f"{name} {of['person']:.1f} % on the person" for name, of in shares.items())
