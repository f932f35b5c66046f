"""Stage: the figure of a table of rows by noise levels, or of a value swept at every level."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.report import figures
from weakreid.report import published as papers
from weakreid.report.grid import read_grid
from weakreid.report.grid_figures import grid_figure


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
    """Draw rows over the noise levels, or noise levels over the swept value."""
    grid = read_grid(json.loads(params), metrics, isolation)
    figures.save(grid_figure(grid, papers.read(published)), out)


if __name__ == "__main__":
    run_stage(main)
