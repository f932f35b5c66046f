"""The table and the curve of how much of the masks lies on the person."""

from typing import Any

import pytest

from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.mask_shares import curve, shares_table


def run_of(trained: float, cosam: bool = True, **more: Any) -> dict[str, Any]:
    def shares(value: float) -> dict[str, Any]:
        found = {"activation": {"person": value / 2, "carried": 3.0}}
        return {"layer3": {"person": value, "carried": 4.0}, **found} if cosam else found

    return {
        "clips": 10,
        "frames": 40,
        "carrying_frames": 30,
        "area": {"person": 25.0, "carried": 2.0},
        "states": [
            {"state": "untrained", "shares": shares(25.0)},
            {"state": "trained", "shares": shares(trained)},
        ],
        **more,
    }


def cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_rows_and_the_picture_s_share() -> None:
    rows = {"TP": [run_of(50.0, cosam=False)], "COSAM": [run_of(40.0), run_of(60.0)]}
    text = shares_table("Masks", rows, ["A note."])
    assert text.startswith("# Masks\n")
    assert text.endswith("A note.\n")
    table = cells(text)[1:]
    assert table == [
        ["share of the picture", "", "", "25.0", "1.00", "2.0", "1.00"],
        ["TP: activation of the last map", "untrained", "1", "12.5", "0.50", "3.0", "1.50"],
        ["TP: activation of the last map", "trained", "1", "25.0", "1.00", "3.0", "1.50"],
        ["COSAM: COSAM after layer3", "untrained", "2", "25.0 ± 0.0", "1.00", "4.0 ± 0.0", "2.00"],
        ["COSAM: COSAM after layer3", "trained", "2", "50.0 ± 14.1", "2.00", "4.0 ± 0.0", "2.00"],
        *(line for line in table if line[0] == "COSAM: activation of the last map"),
    ]
    assert "10 clips, 40 frames that show the person, 30 that" in text


def test_nothing_is_carried() -> None:
    run = run_of(40.0)
    run["area"]["carried"] = None
    for state in run["states"]:
        for shares in state["shares"].values():
            shares["carried"] = None
    line = cells(shares_table("Masks", {"COSAM": [run]}))[2]
    assert line[5:] == ["", ""]
    assert "weight on what is carried" in str(curve(run, "T").axes[1].get_title())
    assert not curve(run, "T").axes[1].lines


def test_a_row_without_runs() -> None:
    with pytest.raises(ReidError, match="a row without a run"):
        shares_table("Masks", {"COSAM": []})


def test_the_curve_has_a_point_for_every_epoch(tmp_path: Any) -> None:
    figure = curve(run_of(40.0), "Masks over epochs")
    (line, _, area) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [0, 1]
    assert list(line.get_ydata()) == [25.0, 40.0]
    assert area.get_ydata()[0] == 25.0
    figures.save(figure, tmp_path / "curve.svg")
    drawn = (tmp_path / "curve.svg").read_text()
    for words in ("Masks over epochs", "COSAM after layer3", "share of the picture"):
        assert words in drawn
