"""Stage: the quality of an experiment's pseudo-labels over the epochs."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.config.params import Curve
from weakreid.report import figures
from weakreid.report.clusters import cluster_figure


def main(
    history: Annotated[list[Path], "history.parquet of each run"], params: Curve, out: Path
) -> None:
    """Draw clusters, tracklets without one, and agreement with the truth over the epochs."""
    found = [schemas.read_frame(path, "history") for path in history]
    histories = dict(zip(params.runs, found, strict=True))
    figures.save(cluster_figure(histories, params.experiment), out)
