"""Stage: which attributes an annotator ticked for which image of a source."""

from pathlib import Path
from typing import Annotated

from weakreid.config.params import ReadAnnotation
from weakreid.console import say
from weakreid.datasets import annotated, location, mars_attributes, rap
from weakreid.datasets.changes import look


def main(
    source_file: Annotated[Path, "says where the source lies"], params: ReadAnnotation, out: Path
) -> None:
    """Read the annotation of a source; no image is opened."""
    root = location.find(source_file)
    if params.kind == "walkers":
        found = annotated.read_generated(root)
    else:
        seen = look(root, [params.annotation])
        if params.kind == "rap":
            found = rap.read(root, annotation=params.annotation, partition=params.partition)
        else:
            found = mars_attributes.read(root, annotation=params.annotation)
        seen.save(out.parent / "read" / "annotation.json")
    annotated.write_annotation(out, found, params.model_dump(mode="json"))
    say(f"{source_file}: {len(found)} images, {len(found.attributes)} attributes")
