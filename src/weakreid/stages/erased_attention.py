"""Stage: what attention makes of test clips of which some frames lost a patch (ATTN-CL)."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.errors import ReidError
from weakreid.models.clips import ClipModel, restore_clip_model
from weakreid.retrieval.clip_maps import drawn_clips
from weakreid.retrieval.erased import erase_some, measure
from weakreid.seeding import numpy_generator
from weakreid.training.checkpoint import load_weights, part_of


def main(
    model: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option(help="of a split")],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="seed, clips, test, erase, examples (how many)")],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Describe drawn clips as they are and with erased patches; keep some as examples."""
    block = json.loads(params)
    torch.set_num_threads(threads)
    tensors, about = load_weights(model)
    if "clips" not in about or about["aggregation"]["name"] != "attention":
        raise ReidError(f"{model}: attends to no frames; give a model of aggregation: attention")
    network = restore_clip_model(about, part_of(tensors, "model"), part_of(tensors, "heads"))
    network.eval()
    split = schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "role"])
    clips = drawn_clips(
        split,
        schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"]),
        length=about["clips"]["frames"],
        test=block["test"],
        count=block["clips"],
        generator=numpy_generator(block["seed"], "erased_attention"),
    )
    image, fill = about["image"], network.clips.network.backbone.mean
    weights: list[list[np.ndarray]] = [[], []]
    erased = []
    with ImageStore(images) as store:
        for number, rows in enumerate(clips.images):
            clip = decoded(
                store, rows, image["height"], image["width"], threads, image.get("resized")
            )
            generator = numpy_generator(block["seed"], "erased_attention", number)
            changed, lost = erase_some(clip, generator, block["erase"], fill)
            erased.append(lost)
            for of, pixels in zip(weights, (clip, changed), strict=True):
                of.append(attention(network, pixels))
    whole, spoilt = (np.stack(of).astype(np.float64) for of in weights)
    lost = np.stack(erased)
    found = measure(whole, spoilt, lost, clips.tracklet_ids, block["seed"])
    persons = split.set_index("tracklet_id")["person_id"].loc[clips.tracklet_ids].to_numpy()
    examples = [
        {
            "number": int(place),
            "tracklet_id": int(clips.tracklet_ids[place]),
            "images": clips.images[place].tolist(),
            "erased": lost[place].tolist(),
            "weights": [round(float(weight), 6) for weight in spoilt[place]],
        }
        for place in examples_of(lost, persons, block["examples"])
    ]
    drawing = {
        "image": image,
        "fill": list(fill),
        "erase": block["erase"],
        "seed": block["seed"],
    }
    write_json(out, {**found, "drawing": drawing, "examples": examples})
    say(f"weight x T of erased frames {found['erased']['value']:.3f}, before {_of(found)}")


def attention(network: ClipModel, clip: np.ndarray) -> np.ndarray:
    """Return the weights [T] of a clip, uint8 [T, H, W, 3]."""
    with torch.inference_mode():
        _, weights = network.describe(torch.from_numpy(np.ascontiguousarray(clip)))
    found: np.ndarray = weights[0, 0].numpy()
    return found


def examples_of(lost: np.ndarray, persons: np.ndarray, count: int) -> np.ndarray:
    """Return the first clips of which a part is erased, one of a person."""
    part = np.flatnonzero(lost.any(axis=1) & ~lost.all(axis=1))
    _, first = np.unique(persons[part], return_index=True)
    return part[np.sort(first)][:count]


def _of(found: dict[str, dict[str, float]]) -> str:
    return f"{found['before']['value']:.3f}, of the others {found['kept']['value']:.3f}"


if __name__ == "__main__":
    run_stage(main)
