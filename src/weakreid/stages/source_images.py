"""Stage: the images of an annotated source become a packed image store."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import PackImages
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
    """Pack the images that an annotation names."""
    how = PackImages.parse(params)
    found = annotated.read_annotation(annotation)
    root = location.find(source_file)
    # what the workflow made itself, beside its own file, nobody else changes
    watched = not location.is_beside(root, source_file)
    seen = look(root, [how.pictures] if watched else [], threads)
    left_out = annotated.pack_images(
        found,
        root / how.pictures,
        images,
        out,
        how.model_dump(mode="json"),
        source=how.name,
        on_bad_frame=how.on_bad_frame,
        threads=threads,
    )
    if watched:
        seen.add_some(root, [f"{how.pictures}/{name}" for name in found.file])
        seen.save(out.parent / "read" / "source_images.json")
    say(f"{how.name}: {len(found) - left_out} images, {left_out} left out")


if __name__ == "__main__":
    run_stage(main)
