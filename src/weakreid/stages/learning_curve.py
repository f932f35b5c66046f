"""Stage: the learning curve of an experiment's runs."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.config.params import Curve
from weakreid.report import figures
from weakreid.report.learning_curve import learning_curve


def main(
    history: Annotated[list[Path], "history.parquet of each run"], params: Curve, out: Path
) -> None:
    """Draw the losses and the learning rate over the steps."""
    found = [schemas.read_frame(path, "history") for path in history]
    histories = dict(zip(params.runs, found, strict=True))
    figures.save(learning_curve(histories, params.experiment, params.base), out)
