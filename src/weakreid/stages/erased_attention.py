"""Stage: what attention makes of test clips of which some frames lost a patch (ATTN-CL)."""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from weakreid.artifacts.decoding import decoded
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import ErasedAttention
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.models.clips import ClipModel
from weakreid.retrieval.erased import erase_some, measure
from weakreid.retrieval.inputs import clips_of_people, load_clip_network
from weakreid.seeding import numpy_generator


def main(
    model: Path,
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    images: Path,
    params: ErasedAttention,
    threads: int,
    out: Path,
) -> None:
    """Show the network drawn clips as they are and with erased patches; keep some as examples."""
    torch.set_num_threads(threads)
    network, about = load_clip_network(model)
    if about.aggregation is None or about.aggregation.name != "attention":
        raise ReidError(f"{model}: attends to no frames; give a model of aggregation: attention")
    network.eval()
    clips, split = clips_of_people(tracklets, frames, about, params, "erased_attention")
    fill = network.clips.network.backbone.mean
    weights: list[list[np.ndarray]] = [[], []]
    erased = []
    with ImageStore(images) as store:
        for number, rows in enumerate(clips.images):
            clip = decoded(store, rows, about.image, threads)
            generator = numpy_generator(params.seed, "erased_attention", number)
            changed, lost = erase_some(clip, generator, params.erase, params.erase_aspect, fill)
            erased.append(lost)
            for of, pixels in zip(weights, (clip, changed), strict=True):
                of.append(attention(network, pixels))
    whole, spoilt = (np.stack(of).astype(np.float64) for of in weights)
    lost = np.stack(erased)
    found = measure(whole, spoilt, lost, clips.tracklet_ids, params.seed)
    persons = split.set_index("tracklet_id")["person_id"].loc[clips.tracklet_ids].to_numpy()
    examples = [
        {
            "number": int(place),
            "tracklet_id": int(clips.tracklet_ids[place]),
            "images": clips.images[place].tolist(),
            "erased": lost[place].tolist(),
            "weights": [round(float(weight), 6) for weight in spoilt[place]],
        }
        for place in examples_of(lost, persons, params.examples)
    ]
    drawing = {
        "image": about.image.model_dump(mode="json"),
        "fill": list(fill),
        "erase": params.erase,
        "erase_aspect": params.erase_aspect,
        "seed": params.seed,
    }
    write_json(out, {**found, "drawing": drawing, "examples": examples})
    say(f"weight x T of erased frames {found['erased']['value']:.3f}, before {_of(found)}")


def attention(network: ClipModel, clip: np.ndarray) -> np.ndarray:
    """Return the weights [T] of a clip, uint8 [T, H, W, 3]."""
    with torch.inference_mode():
        _, weights = network.extract(torch.from_numpy(np.ascontiguousarray(clip)))
    found: np.ndarray = weights[0, 0].numpy()
    return found


def examples_of(lost: np.ndarray, persons: np.ndarray, count: int) -> np.ndarray:
    """Return the first clips of which a part is erased, one of a person."""
    part = np.flatnonzero(lost.any(axis=1) & ~lost.all(axis=1))
    _, first = np.unique(persons[part], return_index=True)
    return part[np.sort(first)][:count]


def _of(found: dict[str, dict[str, float]]) -> str:
    return f"{found['before']['value']:.3f}, of the others {found['kept']['value']:.3f}"
