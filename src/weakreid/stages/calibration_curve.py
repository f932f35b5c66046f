"""Stage: what was said of distances, and what was found, over an experiment's runs."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts.files import read_json
from weakreid.config.params import Curve
from weakreid.report import figures
from weakreid.report.calibration import calibration_figure


def main(
    metrics: Annotated[list[Path], "metrics.json of each run"], params: Curve, out: Path
) -> None:
    """Draw the reliability of probabilities, and false-match rates as asked and as found."""
    found = [read_json(path, ["calibration"])["calibration"] for path in metrics]
    runs = dict(zip(params.runs, found, strict=True))
    figures.save(calibration_figure(runs, params.experiment), out)
