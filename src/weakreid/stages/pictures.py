"""Stage: the pictures of an annotated source become a packed image store."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import annotated


def main(
    annotation: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    images: Annotated[Path, typer.Option(help="the image store to write")],
    out: Annotated[Path, typer.Option(help="the table of its rows to write")],
) -> None:
    """Pack the pictures that an annotation names."""
    block = json.loads(params)
    found = annotated.read_annotation(annotation)
    left_out = annotated.pack_pictures(
        found,
        Path(block.pop("folder")),
        images,
        out,
        block,
        source=block["source"],
        on_bad_frame=block["on_bad_frame"],
        threads=threads,
    )
    say(f"{block['source']}: {len(found) - left_out} pictures, {left_out} left out")


if __name__ == "__main__":
    run_stage(main)
