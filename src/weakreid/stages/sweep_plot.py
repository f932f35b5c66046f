"""Stage: a plot of a swept value, the paper's points beside ours."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.report import figures
from weakreid.report import published as papers
from weakreid.report.study import read_study
from weakreid.report.sweeps import FIRST_RANK, sweep_figure


def main(
    params: Annotated[str, typer.Option()],
    published: Annotated[Path, typer.Option(help="the papers' figures, CSV")],
    out: Annotated[Path, typer.Option()],
    metrics: Annotated[
        list[Path], typer.Option(default_factory=list, help="metrics.json, as the params count")
    ],
) -> None:
    """Draw rank-1 and mAP over the swept value."""
    block = json.loads(params)
    study = read_study({**block, "ranks": [FIRST_RANK]}, metrics)
    figures.save(sweep_figure(study, papers.read(published), block.get("axis")), out)


if __name__ == "__main__":
    run_stage(main)
