"""Stage: the attributes that generated people were made with, a row per person and attribute."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid import tables
from weakreid.console import run_stage
from weakreid.supervision.attribute_labels import true_labels


def main(
    annotation: Annotated[Path, typer.Option(help="of the generated dataset's pictures")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the same table as the stage attribute_labels does, from the truth."""
    held = tables.read_frame(annotation, "annotation", ["file", "person_id", "labels"])
    attributes = tables.read_params(annotation)["attributes"]
    made = true_labels(held, attributes)
    tables.write(out, "attribute_labels", made, {"attributes": attributes})


if __name__ == "__main__":
    run_stage(main)
