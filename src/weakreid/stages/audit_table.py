"""Stage: a table of how well label audits find wrong labels, over datasets and runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.files import read_json
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.audit import comparison


def main(
    scores: Annotated[
        list[Path], typer.Option(help="audit.json of each run, dataset by dataset, in their order")
    ],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the table as Markdown."""
    block = json.loads(params)
    found = iter([read_json(path, ["bags", "kinds"]) for path in scores])
    datasets = {of["name"]: [next(found) for _ in of["runs"]] for of in block["datasets"]}
    text = comparison(block["title"], datasets)
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
