"""Stage: the groups of attributes of a source, as Markdown (ATTR, Table 1)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.datasets.annotated import read_annotation
from weakreid.report import pages
from weakreid.report.ratios import groups_table


def main(
    annotation: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the groups with their rarest and most common attributes."""
    block = json.loads(params)
    found = read_annotation(annotation)
    text = groups_table(
        block["title"], found.attributes, found.labels, paper=block["paper"], table=block["table"]
    )
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
