"""Stage: a table of experiments."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.files import read_json
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.markdown import PROTOCOLS, comparison


def main(
    metrics: Annotated[list[Path], typer.Option(help="metrics.json of each row, in their order")],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write a table as Markdown."""
    block = json.loads(params)
    found = [read_json(path, ["dataset", "runs", *PROTOCOLS]) for path in metrics]
    labels = [row["label"] for row in block["rows"]]
    text = comparison(block["title"], dict(zip(labels, found, strict=True)))
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
