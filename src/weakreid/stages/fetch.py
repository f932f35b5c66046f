"""Stage: a distributed dataset comes into its place, or is found there."""

import importlib
import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.datasets import location
from weakreid.datasets.fetch import Archive
from weakreid.datasets.obtain import bring


def main(
    dataset: Annotated[str, typer.Option()],
    params: Annotated[str, typer.Option()],
    lock: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Fetch and unpack a dataset's archives, and check that its reader finds what it needs."""
    block = json.loads(params)
    root = Path(block["root"])
    reader = importlib.import_module(f"weakreid.datasets.{block['source']}")
    bring(
        {name: Archive(**values) for name, values in block["archives"].items()},
        root,
        lock,
        required=block.get("required", reader.REQUIRED),
        optional=block.get("optional", reader.OPTIONAL),
        dataset=dataset,
        how_to_get=reader.HOW_TO_GET,
    )
    location.note(out, root)


if __name__ == "__main__":
    run_stage(main)
