"""Stage: which attributes an annotator ticked for which image of a source."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import ReadAnnotation
from weakreid.console import run_stage, say
from weakreid.datasets import annotated, location, mars_attributes, rap
from weakreid.datasets.changes import look


def main(
    source_file: Annotated[Path, typer.Option(help="says where the source lies")],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Read the annotation of a source; no image is opened."""
    how = ReadAnnotation.parse(params)
    root = location.find(source_file)
    if how.kind == "walkers":
        found = annotated.read_generated(root)
    else:
        seen = look(root, [how.annotation])
        if how.kind == "rap":
            found = rap.read(root, annotation=how.annotation, partition=how.partition)
        else:
            found = mars_attributes.read(root, annotation=how.annotation)
        seen.save(out.parent / "read" / "annotation.json")
    annotated.write_annotation(out, found, how.model_dump(mode="json"))
    say(f"{source_file}: {len(found)} images, {len(found.attributes)} attributes")


if __name__ == "__main__":
    run_stage(main)
