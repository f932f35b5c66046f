"""Stage: a table of rows by noise levels, the paper's figures beside ours."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report import published as figures
from weakreid.report.grid import grid_table, read_grid


def main(
    params: Annotated[str, typer.Option()],
    published: Annotated[Path, typer.Option(help="the papers' figures, CSV")],
    out: Annotated[Path, typer.Option()],
    metrics: Annotated[
        list[Path], typer.Option(default_factory=list, help="metrics.json, as the params count")
    ],
    isolation: Annotated[
        list[Path], typer.Option(default_factory=list, help="isolation.json, as the params count")
    ],
) -> None:
    """Write rows by noise levels as Markdown."""
    grid = read_grid(json.loads(params), metrics, isolation)
    text = grid_table(grid, figures.read(published))
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
