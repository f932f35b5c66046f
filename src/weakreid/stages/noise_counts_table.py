"""Stage: what simulations of noisy tracklets give, beside the paper's counts (TMC, Table 1)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report import published as figures
from weakreid.report.noise_counts import noise_counts_table, read_levels


def main(
    params: Annotated[str, typer.Option()],
    published: Annotated[Path, typer.Option(help="the papers' figures, CSV")],
    out: Annotated[Path, typer.Option()],
    summary: Annotated[
        list[Path], typer.Option(default_factory=list, help="of tracklets, as the params count")
    ],
) -> None:
    """Write rates and counts of noisy tracklets as Markdown."""
    block = json.loads(params)
    text = noise_counts_table(
        block["title"],
        read_levels(block["rows"], summary),
        figures.read(published),
        paper=block["paper"],
        table=block["table"],
    )
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
