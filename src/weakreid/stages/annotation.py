"""Stage: which attributes an annotator ticked for which picture of a source."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import annotated, location, mars_attributes, rap
from weakreid.datasets.changes import look


def main(
    source_file: Annotated[Path, typer.Option(help="says where the source lies")],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Read the annotation of a source; no picture is opened."""
    block = json.loads(params)
    root = location.find(source_file)
    if block["source"] == "walkers":
        found = annotated.read_generated(root)
    else:
        seen = look(root, [block["annotation"]])
        if block["source"] == "rap":
            found = rap.read(root, annotation=block["annotation"], partition=block["partition"])
        else:
            found = mars_attributes.read(root, annotation=block["annotation"])
        seen.save(out.parent / "read" / "annotation.json")
    annotated.write_annotation(out, found, block)
    say(f"{source_file}: {len(found)} pictures, {len(found.attributes)} attributes")


if __name__ == "__main__":
    run_stage(main)
