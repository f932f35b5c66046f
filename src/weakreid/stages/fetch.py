"""Stage: a distributed dataset comes into its place, or is found there."""

import importlib
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import layout
from weakreid.datasets.fetch import Archive, fetch
from weakreid.datasets.unpack import unpack
from weakreid.files import write_json


def main(
    dataset: Annotated[str, typer.Option()],
    params: Annotated[str, typer.Option()],
    lock: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Fetch and unpack a dataset's archives, and check that its reader finds what it needs."""
    block = json.loads(params)
    root = Path(block["root"])
    archives = {name: Archive(**values) for name, values in block["archives"].items()}
    for path in fetch(archives, root, lock, dataset=dataset):
        say(f"unpacking {path} into {root}")
        unpack(path, root)
    reader = importlib.import_module(f"weakreid.datasets.{block['source']}")
    required = block.get("required", reader.REQUIRED)
    layout.require(root, required, dataset, reader.HOW_TO_GET)
    write_json(out, {"root": os.path.relpath(root, out.parent)})


if __name__ == "__main__":
    run_stage(main)
