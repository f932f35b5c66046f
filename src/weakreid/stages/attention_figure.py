"""Stage: attention per frame of some clips, erased frames marked, and mean weights (ATTN-CL)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from weakreid.artifacts.files import read_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Image
from weakreid.console import run_stage
from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.erased import picture
from weakreid.retrieval.erased import erase_some
from weakreid.retrieval.extract import decoded
from weakreid.seeding import numpy_generator

KEYS = ("erased", "before", "kept", "examples", "drawing")


def main(
    erased: Annotated[list[Path], typer.Option(help="erased_attention.json of a run of each row")],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="title, rows (labels)")],
    out: Annotated[Path, typer.Option()],
    visible: Annotated[list[Path] | None, typer.Option(help="visibility.json of each")] = None,
) -> None:
    """Draw the clips as they were erased, and what each experiment makes of them."""
    block = json.loads(params)
    found = [read_json(path, KEYS) for path in erased]
    shares = [read_json(path, ["groups"]) for path in visible or []] or [None] * len(found)
    drawn = [[one["number"], one["images"], one["erased"]] for one in found[0]["examples"]]
    for path, run in zip(erased, found, strict=True):
        if [[one["number"], one["images"], one["erased"]] for one in run["examples"]] != drawn:
            raise ReidError(
                f"{path}: other clips are erased than in {erased[0]}; compare experiments of the "
                "same dataset, clips, image and augment.erase"
            )
    rows = dict(zip(block["rows"], zip(found, shares, strict=True), strict=True))
    with ImageStore(images) as store:

        def frames(example: Mapping[str, Any], drawing: Mapping[str, Any]) -> np.ndarray:
            image = Image.model_validate(drawing["image"])
            clip = decoded(store, np.array(example["images"]), image, 1)
            generator = numpy_generator(drawing["seed"], "erased_attention", example["number"])
            return erase_some(clip, generator, drawing["erase"], drawing["fill"])[0]

        figures.save(picture(block["title"], rows, frames), out)


if __name__ == "__main__":
    run_stage(main)
