"""Stage: how well the label audit finds the labels that are wrong."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid import tables
from weakreid.console import run_stage
from weakreid.files import write_json
from weakreid.retrieval.findings import score


def main(
    audit: Annotated[Path, typer.Option()],
    bags: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Score an audit against the truth that it did not see."""
    rows = tables.read_frame(bags, "bags", truth=True)
    found = score(tables.read_frame(audit, "audit"), rows[rows["split"] == "train"])
    write_json(out, {**json.loads(params), **found})


if __name__ == "__main__":
    run_stage(main)
