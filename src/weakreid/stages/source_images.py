"""Stage: the pictures of an annotated source become a packed image store."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import annotated, location
from weakreid.datasets.changes import look


def main(
    source_file: Annotated[Path, typer.Option(help="says where the source lies")],
    annotation: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    images: Annotated[Path, typer.Option(help="the image store to write")],
    out: Annotated[Path, typer.Option(help="the table of its rows to write")],
) -> None:
    """Pack the pictures that an annotation names."""
    block = json.loads(params)
    found = annotated.read_annotation(annotation)
    root = location.find(source_file)
    # what the workflow made itself, beside its own file, nobody else changes
    watched = not location.is_beside(root, source_file)
    seen = look(root, [block["pictures"]] if watched else [], threads)
    left_out = annotated.pack_pictures(
        found,
        root / block["pictures"],
        images,
        out,
        block,
        source=block["name"],
        on_bad_frame=block["on_bad_frame"],
        threads=threads,
    )
    if watched:
        folder = block["pictures"]
        seen.add_some(root, [f"{folder}/{name}" for name in found.file])
        seen.save(out.parent / "read" / "pictures.json")
    say(f"{block['name']}: {len(found) - left_out} pictures, {left_out} left out")


if __name__ == "__main__":
    run_stage(main)
