"""What simulations give beside TMC's Table 1, letter by letter."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.report.noise_counts import (
    Level,
    Summary,
    noise_counts_table,
    off_by,
    read_summary,
)
from weakreid.report.published import Published

PAPER = Published(
    Path("published.csv"),
    {
        ("P", "1", "A 2 1", "A 2 1", "rFM"): 2.0,
        ("P", "1", "A 2 1", "A 2 1", "tracklets"): 200.0,
        ("P", "1", "A", "A", "tracklets"): 300.0,
    },
)
FIGURES = {
    "rfm": 2.002, "rsw": 1.25, "tracklets": 190, "persons": 40, "pairs": 100, "frames": 5000,
}  # fmt: skip


def table(*rows: tuple[Level, Summary]) -> str:
    levels = [level.model_copy(update={"summary": i}) for i, (level, _) in enumerate(rows)]
    summaries = [found for _, found in rows]
    return noise_counts_table("Title", levels, summaries, PAPER, paper="P", table="1")


def test_a_table() -> None:
    noisy = Level(label="two", dataset="a", published="A 2 1", rfm=2.0, rsw=1.25, summary=0)
    clean = Level(label="clean", dataset="a", published="A", summary=0)
    other = Level(label="three", dataset="b", summary=0)
    of_clean = {**FIGURES, "rfm": 3.0, "rsw": 1.0, "tracklets": 300}
    assert table((noisy, FIGURES), (clean, of_clean), (other, FIGURES)) == (
        "# Title\n"
        "\n"
        "|       | rFM asked | measured | off by % | rSW asked | measured | off by % |"
        " tracklets paper | ours | off by % | people | pairs | frames |\n"
        "|-------|----------:|---------:|---------:|----------:|---------:|---------:|"
        "----------------:|-----:|---------:|-------:|------:|-------:|\n"
        "| two   |         2 |    2.002 |     +0.1 |      1.25 |    1.250 |     +0.0 |"
        "             200 |  190 |     -5.0 |     40 |   100 |   5000 |\n"
        "| clean |           |    3.000 |          |           |    1.000 |          |"
        "             300 |  300 |     +0.0 |     40 |   100 |   5000 |\n"
        "| three |           |    2.002 |          |           |    1.250 |          |"
        "                 |  190 |          |     40 |   100 |   5000 |\n"
        "\n"
        "- Paper: P, Table 1. Ours: a, b, training tracklets. Off by: of what was asked, or of the"
        " paper's count, in per cent.\n"
        "- rFM: tracklets that show a pair of person and camera, mean over pairs (Eq. 7)."
        " rSW: people whom a tracklet shows, mean over tracklets (Eq. 8).\n"
        "- The paper has no count for b: other data.\n"
        "- Farthest off: rFM 0.10 %, rSW 0.00 %, tracklets 5.00 %.\n"
    )


def test_tracklets_of_people_whom_nobody_knows_have_no_rates() -> None:
    found = {**FIGURES, "rfm": None, "rsw": None}
    text = table((Level(label="tracked", dataset="a", summary=0), found))
    cells = [cell.strip() for cell in text.splitlines()[4].split("|")[1:-1]]
    assert cells == ["tracked", *[""] * 7, "190", "", "40", "100", "5000"]
    assert "Farthest" not in text


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(ReidError, match="no figure of table '2' of paper 'P'"):
        noise_counts_table("Title", [], [], PAPER, paper="P", table="2")


@given(st.floats(0.1, 1e6), st.floats(-99, 1e3))
def test_off_by(wanted: float, per_cent: float) -> None:
    assert off_by(wanted * (1 + per_cent / 100), wanted) == pytest.approx(per_cent, abs=1e-6)


def test_off_by_what_is_unknown() -> None:
    assert off_by(None, 1.0) is None
    assert off_by(1.0, None) is None
    assert off_by(1.0, 0.0) is None


def write(path: Path, **changes: Any) -> Path:
    found = {name: value for name, value in {**FIGURES, **changes}.items() if value != "gone"}
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rsw": "gone"}, "lacks 'rsw'"),
        ({"pairs": "gone"}, "lacks 'pairs'"),
        ({"tracklets": None}, "tracklets is None"),
        ({"tracklets": -1}, "tracklets is -1"),
        ({"rfm": "2"}, "rfm is '2'"),
        ({"rfm": True}, "rfm is True"),
        ({"rfm": float("nan")}, "rfm is nan"),
        ({"frames": float("inf")}, "frames is inf"),
    ],
)
def test_a_damaged_summary_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "noise.json", **changes)
    with pytest.raises(ReidError, match=message) as caught:
        read_summary(path)
    assert str(caught.value).startswith(str(path))
