"""Stage: the learning curve of an experiment's runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.console import run_stage
from weakreid.report import figures
from weakreid.report.learning_curve import learning_curve


def main(
    history: Annotated[list[Path], typer.Option(help="history.parquet of each run")],
    params: Annotated[str, typer.Option(help="experiment, runs, base (the loss of bags)")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Draw the losses and the learning rate over the steps."""
    block = json.loads(params)
    found = [schemas.read_frame(path, "history") for path in history]
    histories = dict(zip(block["runs"], found, strict=True))
    figures.save(learning_curve(histories, block["experiment"], block.get("base")), out)


if __name__ == "__main__":
    run_stage(main)
