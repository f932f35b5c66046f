"""Stage: what labels cost, from datasets' own counts (WL, section III-A)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.counts import cost_table
from weakreid.supervision.counting import labour


def main(
    params: Annotated[str, typer.Option()],
    tracklets: Annotated[list[Path], typer.Option(help="of each dataset, in their order")],
    bags: Annotated[list[Path], typer.Option(help="training bags of each dataset")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write what labels cost as Markdown."""
    block = json.loads(params)
    found = {}
    for about, of_tracklets, of_bags in zip(block["datasets"], tracklets, bags, strict=True):
        found[about["name"]] = labour(
            schemas.read_frame(of_tracklets, "tracklets"),
            schemas.read_frame(of_bags, "bags", ["bag_id", "role", "tracklet_ids", "labels"]),
            about["tracklet_parts"],
        )
    text = cost_table(block["title"], found)
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
