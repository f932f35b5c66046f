"""Pictures that other rules made: matching examples, weights, isolation, ratios."""

from pathlib import Path
from typing import Any

import pytest
from tests.report.kinds.helpers import job_of, make

from weakreid.errors import ReidError

RUN = "runs/official-1"
MATCHES = {"kind": "matches", "study": "mini", "datasets": ["mars"]}
WEIGHTS = {"kind": "weights", "study": "mini_attr", "datasets": ["walkers_tiny"]}
ISOLATION = {
    "kind": "isolation",
    "study": "mini_tmc",
    "datasets": ["walkers_tiny"],
    "level": "noisy",
    "shows": "switches",
}
RATIOS = {"kind": "ratios", "source": "tiny"}


@pytest.mark.parametrize(
    ("block", "output", "source"),
    [
        (MATCHES, "fine.png", f"results/mini_mars/{RUN}/matches_fine.png"),
        (MATCHES, "coarse.png", f"results/mini_mars/{RUN}/matches_coarse.png"),
        (WEIGHTS, "weights.png", f"results/mini_attr_walkers_tiny/{RUN}/temporal_weights.png"),
        (
            ISOLATION,
            "plot.svg",
            "results/datasets/walkers_tiny/official/isolated/tiny-tiny_switches.svg",
        ),
        (RATIOS, "plot.svg", "results/sources/tiny/ratios.svg"),
    ],
)
def test_a_picture_is_copied(
    block: dict[str, Any], output: str, source: str, tmp_path: Path
) -> None:
    job = job_of(block, output)
    assert job.paths() == [source]
    assert job.params is None
    (tmp_path / source).parent.mkdir(parents=True)
    (tmp_path / source).write_bytes(b"a picture")
    assert make(job, output, tmp_path).read_bytes() == b"a picture"


def test_of_another_dataset() -> None:
    job = job_of(MATCHES, "fine.png", "walkers_tiny")
    assert job.paths() == [f"results/mini_walkers_tiny/{RUN}/matches_fine.png"]


@pytest.mark.parametrize(
    ("block", "output", "message"),
    [
        ({**ISOLATION, "study": "mini"}, "plot.svg", "shown.level: 'noisy' does not exist"),
        ({**RATIOS, "source": "rab"}, "plot.svg", "shown.source: 'rab' does not exist"),
        (WEIGHTS, "sheet.png", "the table shown has only weights.png"),
    ],
)
def test_refused(block: dict[str, Any], output: str, message: str) -> None:
    with pytest.raises(ReidError, match=message):
        job_of(block, output)
    with pytest.raises(ReidError, match="shown has no datasets to choose from; ask for results/"):
        job_of(RATIOS, "plot.svg", "mars")
