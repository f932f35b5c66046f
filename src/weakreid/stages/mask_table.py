"""Stage: a table of how much of COSAM's masks lies on the person, experiments side by side."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.files import read_json
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.mask_shares import shares_table

KEYS = ("clips", "frames", "carrying_frames", "area", "states")


def main(
    shares: Annotated[list[Path], typer.Option(help="mask_shares.json of each run")],
    params: Annotated[
        str, typer.Option(help="title, rows (label, shares: places of its runs), notes")
    ],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the table as Markdown."""
    block = json.loads(params)
    found = [read_json(path, KEYS) for path in shares]
    rows = {row["label"]: [found[place] for place in row["shares"]] for row in block["rows"]}
    pages.write(out, shares_table(block["title"], rows, block.get("notes", [])))


if __name__ == "__main__":
    run_stage(main)
