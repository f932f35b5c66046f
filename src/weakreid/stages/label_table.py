"""Stage: a table of how right transferred attributes are."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.files import read_json
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.label_quality import label_table


def main(
    quality: Annotated[list[Path], typer.Option(help="quality.json of each run")],
    params: Annotated[
        str, typer.Option(help="title, rows (label, quality: places of its runs), notes")
    ],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the table as Markdown."""
    block = json.loads(params)
    keys = ["attributes", "only_in_truth", "rare_below", "train", "test"]
    found = [read_json(path, keys) for path in quality]
    rows = {row["label"]: [found[place] for place in row["quality"]] for row in block["rows"]}
    text = label_table(block["title"], rows, block.get("notes", []))
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
