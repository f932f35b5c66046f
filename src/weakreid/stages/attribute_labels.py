"""Stage: every person's attributes, by the votes of their frames (ATTR Eqs. 9 and 10)."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import LabelAttributes
from weakreid.console import run_stage
from weakreid.supervision.attribute_labels import voted_labels


def main(
    votes: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="threshold")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write a row per person and attribute."""
    threshold = LabelAttributes.parse(params).threshold
    held = schemas.read_frame(votes, "attribute_votes")
    attributes = schemas.read_params(votes)["attributes"]
    made = voted_labels(held, attributes, threshold)
    said = {"attributes": attributes, "threshold": threshold}
    schemas.write(out, "attribute_labels", made, said)


if __name__ == "__main__":
    run_stage(main)
