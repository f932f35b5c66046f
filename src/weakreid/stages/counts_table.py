"""Stage: what datasets with weak labels hold, beside the paper's counts (WL, Table I)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report import published as figures
from weakreid.report.counts import counts_table
from weakreid.report.study import Dataset
from weakreid.supervision.counting import counts


def main(
    params: Annotated[str, typer.Option()],
    published: Annotated[Path, typer.Option(help="the papers' figures, CSV")],
    tracklets: Annotated[list[Path], typer.Option(help="of each dataset, in their order")],
    bags: Annotated[list[Path], typer.Option(help="training bags of each dataset")],
    coarse: Annotated[list[Path], typer.Option(help="coarse test set of each dataset")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the counts of datasets as Markdown."""
    block = json.loads(params)
    found = {}
    for about, *paths in zip(block["datasets"], tracklets, bags, coarse, strict=True):
        found[Dataset(**about)] = counts(
            schemas.read_frame(paths[0], "tracklets", ["tracklet_id", "person_id", "role"]),
            schemas.read_frame(paths[1], "bags", ["role", "labels"]),
            schemas.read_frame(paths[2], "bags", ["role", "labels"]),
        )
    text = counts_table(
        block["title"],
        found,
        figures.read(published),
        paper=block["paper"],
        table=block["table"],
    )
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
