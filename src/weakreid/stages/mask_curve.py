"""Stage: how much of COSAM's masks lies on the person, over the epochs of a training."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts.files import read_json
from weakreid.config.params import Titled
from weakreid.report import figures
from weakreid.report.mask_shares import curve


def main(
    shares: Annotated[Path, "of the stage mask_shares, a state per epoch"],
    params: Titled,
    out: Path,
) -> None:
    """Draw the curve."""
    figures.save(curve(read_json(shares, ["area", "states"]), params.title), out)
