"""Stage: a dataset in its official layout becomes tables and a packed image store."""

import importlib
import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import pack
from weakreid.files import read_json


def main(
    dataset: Annotated[str, typer.Option()],
    source: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option(help="tracklets.parquet; the others go beside it")],
) -> None:
    """Read a dataset with the reader of its source and pack it."""
    block = json.loads(params)
    root = source.parent / read_json(source, ["root"])["root"]
    reader = importlib.import_module(f"weakreid.datasets.{block['source']}")
    reading = reader.read(root, **block["options"])
    summary = pack.pack(
        reading,
        root,
        out.parent,
        block,
        dataset=dataset,
        on_bad_frame=block["options"]["on_bad_frame"],
        threads=threads,
    )
    say(f"{dataset}: " + ", ".join(f"{name} {value}" for name, value in summary.items()))


if __name__ == "__main__":
    run_stage(main)
