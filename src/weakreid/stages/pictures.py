"""Stage: the pictures of an annotated source become a packed image store."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import annotated
from weakreid.files import read_json


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
    root = source_file.parent / read_json(source_file, ["root"])["root"]
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
    say(f"{block['name']}: {len(found) - left_out} pictures, {left_out} left out")


if __name__ == "__main__":
    run_stage(main)
