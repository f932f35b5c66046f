"""The three noise levels of TMC's Table 1 on MARS's official metadata: asked, measured, seconds.

    python benchmarks/noise.py INFO.ZIP [OBSERVED.parquet]

INFO.ZIP holds the five files of the folder info; no picture is needed. OBSERVED is a distribution
that the stage noise_rates wrote; without it the distribution is fitted to the mean. The bound: each
number of tracklets within 3 % of the paper's, measured rates within 1 % of those asked for.
"""

import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from weakreid.artifacts import schemas
from weakreid.datasets import mars
from weakreid.supervision import noise

LEVELS = ((1.7, 1.2, 2835), (2.5, 1.2, 4023), (2.5, 1.5, 3272))
"""rFM, rSW and the paper's number of tracklets."""


def main(arguments: list[str]) -> None:
    if not arguments:
        print("no metadata given: python benchmarks/noise.py INFO.ZIP [OBSERVED.parquet]")
        return
    tracklets, frames = mars_tables(Path(arguments[0]))
    observed = None
    if len(arguments) > 1:
        table = schemas.read_frame(Path(arguments[1]), "id_counts")
        observed = noise.observed_counts(table)
    print(f"MARS: {(tracklets['role'] == 'train').sum()} training tracklets")
    print("asked rFM, rSW    measured rFM, rSW   tracklets   paper    off   seconds")
    for rfm, rsw, theirs in LEVELS:
        started = time.perf_counter()
        made = noise.simulate(tracklets, frames, rfm=rfm, rsw=rsw, seed=1, observed=observed)
        seconds = time.perf_counter() - started
        got = noise.measured(made)
        count = made["tracklet_id"].nunique()
        print(
            f"{rfm:9.1f} {rsw:6.1f} {got[0]:14.4f} {got[1]:7.4f} {count:11} {theirs:7} "
            f"{100 * (count / theirs - 1):+5.1f} % {seconds:7.2f}"
        )


def mars_tables(info: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tracklets and frames of MARS from its metadata alone; images are numbered."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(info) as archive:
        archive.extractall(folder)
        (table,) = Path(folder).rglob("tracks_train_info.mat")
        tracklets, _ = mars.read_info(table.parent)
    counts = tracklets["frame_count"].to_numpy()
    first = np.repeat(tracklets["first_frame"].to_numpy(), counts)
    rows = np.arange(counts.sum())
    frames = pd.DataFrame(
        {
            "tracklet_id": np.repeat(tracklets["tracklet_id"].to_numpy(), counts),
            "position": rows - first,
            "image": rows,
            "truth_person_id": np.repeat(tracklets["person_id"].to_numpy(), counts),
        }
    )
    return tracklets, frames


if __name__ == "__main__":
    main(sys.argv[1:])
