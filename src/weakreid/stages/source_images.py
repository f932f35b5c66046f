"""Stage: the images of an annotated source become a packed image store."""

from pathlib import Path
from typing import Annotated

from weakreid.config.params import PackImages
from weakreid.console import say
from weakreid.datasets import annotated, location
from weakreid.datasets.changes import look


def main(
    source_file: Annotated[Path, "says where the source lies"],
    annotation: Path,
    params: PackImages,
    threads: int,
    images: Annotated[Path, "the image store to write"],
    out: Annotated[Path, "the table of its rows to write"],
) -> None:
    """Pack the images that an annotation names."""
    found = annotated.read_annotation(annotation)
    root = location.find(source_file)
    # what the workflow made itself, beside its own file, nobody else changes
    watched = not location.is_beside(root, source_file)
    seen = look(root, [params.pictures] if watched else [], threads)
    left_out = annotated.pack_images(
        found,
        root / params.pictures,
        images,
        out,
        params.model_dump(mode="json"),
        source=params.name,
        on_bad_frame=params.on_bad_frame,
        threads=threads,
    )
    if watched:
        seen.add_some(root, [f"{params.pictures}/{name}" for name in found.file])
        seen.save(out.parent / "read" / "source_images.json")
    say(f"{params.name}: {len(found) - left_out} images, {left_out} left out")
