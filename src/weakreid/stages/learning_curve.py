"""Stage: the learning curve of an experiment's runs."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import Curve
from weakreid.console import run_stage
from weakreid.report import figures
from weakreid.report.learning_curve import learning_curve


def main(
    history: Annotated[list[Path], typer.Option(help="history.parquet of each run")],
    params: Annotated[str, typer.Option(help="experiment, runs, base (the loss of bags)")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Draw the losses and the learning rate over the steps."""
    how = Curve.parse(params)
    found = [schemas.read_frame(path, "history") for path in history]
    histories = dict(zip(how.runs, found, strict=True))
    figures.save(learning_curve(histories, how.experiment, how.base), out)


if __name__ == "__main__":
    run_stage(main)
