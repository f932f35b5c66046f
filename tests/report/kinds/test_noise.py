"""What simulations give, beside TMC's Table 1."""

from pathlib import Path

import pytest
from tests.report.kinds.helpers import job_of, make, rows_of, write

from weakreid.errors import ReidError

NOISE = {
    "kind": "noise",
    "study": "mini_tmc",
    "datasets": ["walkers_tiny"],
    "paper": "TMC",
    "paper_table": "1",
}
MORE = {"persons": 12, "pairs": 24, "frames": 100}


def test_the_table(tmp_path: Path) -> None:
    job = job_of(NOISE)
    folder = "results/datasets/walkers_tiny/official/noise"
    summaries = [f"{folder}/clean.json", f"{folder}/tiny.json"]
    assert job.inputs["summaries"] == summaries
    found = [{"rfm": 1.0, "rsw": 1.0, "tracklets": 24}, {"rfm": 1.65, "rsw": 1.2, "tracklets": 30}]
    write(tmp_path, summaries, *({**own, **MORE} for own in found))
    out = make(job, "table.md", tmp_path)
    rows = rows_of(out)
    assert rows["clean"][:3] == ["", "1.000", ""]
    assert rows["noisy"][:6] == ["1.5", "1.650", "+10.0", "1.2", "1.200", "+0.0"]
    # not the paper's data
    assert rows["noisy"][6:] == ["", "30", "", "12", "24", "100"]
    assert "The paper has no count for walkers_tiny: other data." in out.read_text(encoding="utf-8")
    several = job_of({**NOISE, "datasets": ["mars", "walkers_tiny"]})
    assert several.params.rows[0].label == "mars: clean"


def test_a_study_without_levels_is_refused() -> None:
    with pytest.raises(ReidError, match="mini has no levels of noise; take"):
        job_of({**NOISE, "study": "mini", "paper": "WL", "paper_table": "I"})
