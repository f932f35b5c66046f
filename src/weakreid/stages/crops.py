"""Stage: a tracker's output and its frames become crops and tables of tracklets."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage, say
from weakreid.datasets import crops
from weakreid.files import write_json


def main(
    params: Annotated[str, typer.Option()],
    root: Annotated[Path, typer.Option(help="the folder of crops to make")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Cut the boxes of every track out of its frames."""
    block = json.loads(params)
    data = Path(block.pop("root"))
    counts = crops.make(root, data, block.pop("sequences"), **block)
    write_json(out, {"root": os.path.relpath(root, out.parent)})
    say("crops: " + ", ".join(f"{name} {value}" for name, value in counts.items()))


if __name__ == "__main__":
    run_stage(main)
