"""Stage: a tracker's output and its frames become crops and tables of tracklets."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say, tell
from weakreid.datasets import crops
from weakreid.files import write_json


def main(
    dataset: Annotated[str, typer.Option(help="its name")],
    params: Annotated[str, typer.Option()],
    root: Annotated[Path, typer.Option(help="the folder of crops to make")],
    picture: Annotated[Path, typer.Option(help="the sheet to look at, PNG")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Cut the boxes of every track out of its frames."""
    block = json.loads(params)
    data = Path(block.pop("root"))
    sequences = block.pop("sequences")
    counts = crops.make(root, data, sequences, sheet=picture, title=dataset, **block)
    write_json(out, {"root": os.path.relpath(root, out.parent)})
    say("crops: " + ", ".join(f"{name} {value}" for name, value in counts.items()))
    tell(
        f"{dataset}: {counts['tracklets']:,} tracklets, {counts['crops']:,} crops. Look at"
        f" {picture} before you go on: do the boxes lie on people?"
    )


if __name__ == "__main__":
    run_stage(main)
