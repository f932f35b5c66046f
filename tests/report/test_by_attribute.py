"""The table of experiments by attribute."""

from pathlib import Path
from typing import Any

import pytest

from weakreid.errors import ReidError
from weakreid.report.by_attribute import attribute_table, papers_table
from weakreid.report.published import Published


def figures(queries: int, rank_1: float | None, mean: float | None) -> dict[str, Any]:
    cmc = None if rank_1 is None else {"1": rank_1, "5": 100.0}
    return {"queries": queries, "cmc": cmc, "mAP": mean}


def measured(plus: float = 0.0, **more: Any) -> dict[str, Any]:
    hat = {"with": figures(4, 50 + plus, 40 + plus), "without": figures(6, 60, 50), "unsure": 0}
    bag = {"with": figures(0, None, None), "without": figures(10, 56, 46), "unsure": 0}
    found = {"hs-Hat": hat, "attach-Box": bag, **more}
    return {"queries": 10, "skipped": 0, "all": figures(10, 56, 46), "attributes": found}


def cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_table() -> None:
    rows = {"A": [measured(), measured(4.0)], "B": [measured()]}
    text = attribute_table("By attribute", rows, None, "wbce")
    assert text.startswith("# By attribute\n")
    found = cells(text)
    # nobody has figures for attach-Box
    assert found[0] == ["", "all queries", "hs-Hat"]
    assert found[2] == [
        "A",
        "56.0 ± 0.0 / 46.0 ± 0.0 (10)",
        "52.0 ± 2.8 / 42.0 ± 2.8 (4)",
    ]
    assert found[3] == ["B", "56.0 / 46.0 (10)", "50.0 / 40.0 (4)"]
    assert found[4] == ["", "hs-Hat"]
    assert found[7] == ["B", "60.0 / 50.0 (6)"]
    assert "says the transfer 'wbce', which errs" in text
    assert "R-1 / mAP, per cent; in brackets: queries. With several runs, mean" in text
    assert "are true" in attribute_table("T", rows, None, "truth")


def test_asked_for_by_name_and_rank() -> None:
    found = cells(attribute_table("T", {"A": [measured()]}, ["attach-Box", "hs-Hat"], "x", (1, 5)))
    assert found[0] == ["", "all queries", "attach-Box", "hs-Hat"]
    assert found[2] == ["A", "56.0 / 100.0 / 46.0 (10)", "too few (0)", "50.0 / 100.0 / 40.0 (4)"]


def test_many_attributes_stand_below_each_other() -> None:
    more = {f"up-{number}": measured()["attributes"]["hs-Hat"] for number in range(9)}
    found = cells(attribute_table("T", {"A": [measured(**more)]}, None, "x"))
    assert found[0] == ["", "A"]
    assert [line[0] for line in found[2:5]] == ["all queries", "hs-Hat", "up-0"]


def test_bad_input() -> None:
    with pytest.raises(ReidError, match="'A' was not measured by 'hat', but by hs-Hat, attach-Box"):
        attribute_table("T", {"A": [measured()]}, ["hat"], "x")
    with pytest.raises(ReidError, match="the row 'A' has no run"):
        attribute_table("T", {"A": []}, None, "x")
    none = measured()
    del none["attributes"]["hs-Hat"]
    with pytest.raises(ReidError, match="no attribute has figures in every row"):
        attribute_table("T", {"A": [measured()], "B": [none]}, None, "x")


def test_the_papers_own_table() -> None:
    figures_of = {
        ("COSAM", "7", "B", "Duke", "hs-Hat mAP"): 93.5,
        ("COSAM", "7", "B", "Duke", "hs-Hat R-1"): 94.0,
        ("COSAM", "7", "C", "Duke", "a b R-1"): 5.0,
    }
    text = papers_table(Published(Path("published.csv"), figures_of), "COSAM", "7", [1])
    assert text.startswith("## COSAM, Table 7, on Duke: R-1 / mAP\n")
    assert cells(text)[0] == ["", "hs-Hat", "a b"]
    assert cells(text)[2:] == [["B", "94.0 / 93.5", "/"], ["C", "/", "5.0 /"]]
