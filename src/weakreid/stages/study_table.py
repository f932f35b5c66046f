"""Stage: a table of a paper, ours beside it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report import published as figures
from weakreid.report.study import read_study, study_table


def main(
    params: Annotated[str, typer.Option()],
    published: Annotated[Path, typer.Option(help="the papers' figures, CSV")],
    out: Annotated[Path, typer.Option()],
    metrics: Annotated[
        list[Path], typer.Option(default_factory=list, help="metrics.json, as the params count")
    ],
) -> None:
    """Write a paper's table and ours as Markdown."""
    text = study_table(read_study(json.loads(params), metrics), figures.read(published))
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
