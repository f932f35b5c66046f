"""Stage: what attributes each transfer sees in some persons (ATTR, Fig. 5)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.console import run_stage, say
from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.attribute_examples import choose, examples, images_of, label_matrix, sheet

_HEIGHT, _WIDTH = 128, 64


def main(
    labels: Annotated[list[Path], typer.Option(help="labels.parquet of each transfer")],
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="title, rows (of labels), persons, frames")],
    out: Annotated[Path, typer.Option()],
    truth: Annotated[Path | None, typer.Option(help="the true labels, where known")] = None,
) -> None:
    """Draw the training persons on whom the transfers disagree most."""
    block = json.loads(params)
    rows = block["rows"]
    if len(set(rows)) != len(labels) or len(rows) != len(labels):
        raise ReidError(f"{len(labels)} tables of labels, but the rows {rows}; name each once")
    transfers = {
        row: label_matrix(schemas.read_frame(path, "attribute_labels"), str(path))
        for row, path in zip(rows, labels, strict=True)
    }
    real = None
    if truth is not None:
        real = label_matrix(schemas.read_frame(truth, "attribute_labels"), str(truth))
    split = schemas.read_frame(tracklets, "tracklets")
    persons = choose(transfers, split, block["persons"])
    held = schemas.read_frame(frames, "frames", ["tracklet_id", "position", "image"])
    own = images_of(held, split, persons)
    found = examples(transfers, persons, own, block["frames"], real)
    with ImageStore(images) as store:
        figure = sheet(
            found,
            rows,
            lambda image: store.batch([image], _HEIGHT, _WIDTH)[0],
            block["title"],
            truth=real is not None,
        )
    figures.save(figure, out)
    say(f"{len(found)} persons, {len(transfers)} transfers")


if __name__ == "__main__":
    run_stage(main)
