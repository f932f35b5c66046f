"""Stage: weights of erased and of hidden frames, experiments side by side (ATTN-CL)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.files import read_json
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.erased import attention_table

KEYS = ("clips", "erased_frames", "erased", "before", "kept", "fall", "follows", "examples")


def main(
    erased: Annotated[list[Path], typer.Option(help="erased_attention.json of each run")],
    params: Annotated[
        str, typer.Option(help="title, rows (label, runs: places of its files), notes")
    ],
    out: Annotated[Path, typer.Option()],
    visible: Annotated[list[Path] | None, typer.Option(help="visibility.json of each")] = None,
) -> None:
    """Write the table as Markdown."""
    block = json.loads(params)
    found = [read_json(path, KEYS) for path in erased]
    shares = [read_json(path, ["groups"]) for path in visible or []]
    rows = {
        row["label"]: (
            [found[place] for place in row["runs"]],
            [shares[place] for place in row["runs"] if shares],
        )
        for row in block["rows"]
    }
    pages.write(out, attention_table(block["title"], rows, block.get("notes", [])))


if __name__ == "__main__":
    run_stage(main)
