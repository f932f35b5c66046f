"""ATTR's published figures: all there, and in agreement with what its text says of them."""

from pathlib import Path

import pytest

from weakreid.report import published
from weakreid.report.published import Published

FILE = Path(__file__).parents[2] / "workflow" / "resources" / "published.csv"
MARS, ILIDS, PRID = "MARS", "iLIDS-VID", "PRID-2011"
MAP, R1 = "fine mAP", "fine R-1"
FOUR = ((MARS, MAP), (MARS, R1), (ILIDS, R1), (PRID, R1))


@pytest.fixture(scope="module")
def attr() -> Published:
    return published.read(FILE)


@pytest.mark.parametrize(
    ("table", "row", "dataset", "metric", "value"),
    [
        ("2", "BCE", MARS, MAP, 67.4),
        ("2", "BCE+MMD", PRID, R1, 90.6),
        ("2", "WBCE", ILIDS, R1, 80.3),
        ("2", "WBCE+MMD", MARS, R1, 82.6),
        ("3", "ASTPN", MARS, MAP, None),
        ("3", "ASTPN", MARS, R1, 44.0),
        ("3", "ASTPN", PRID, "fine R-20", 99.0),
        ("3", "Joint-ST", MARS, "fine R-20", 97.6),
        ("3", "Seq-Decision", MARS, MAP, None),
        ("3", "Set2set", MARS, "fine R-5", 84.6),
        ("3", "k-reciprocal (CaffeNet)", MARS, MAP, 58.0),
        ("3", "k-reciprocal (Res-50)", MARS, R1, 73.9),
        ("3", "k-reciprocal (Res-50)", MARS, "fine R-5", None),
        ("3", "TriNet", MARS, "fine R-5", 91.4),
        ("3", "TriNet", ILIDS, R1, None),
        ("3", "DRSA", PRID, R1, 93.2),
        ("3", "Snippet", ILIDS, "fine R-20", 99.5),
        ("3", "Ours (Res-50)", PRID, "fine R-5", 99.5),
        ("4", "A", PRID, R1, 86.8),
        ("4", "D", ILIDS, R1, 80.4),
        ("4", "H", MARS, MAP, 70.5),
    ],
)
def test_figures(
    attr: Published, table: str, row: str, dataset: str, metric: str, value: float | None
) -> None:
    assert attr.value("ATTR", table, row, dataset, metric) == value


def test_all_is_there(attr: Published) -> None:
    counts: dict[str, int] = {}
    for paper, table, *_ in attr.figures:
        if paper == "ATTR":
            counts[table] = counts.get(table, 0) + 1
    # four figures a row in Tables 2 and 4; what Table 3 leaves out has no line
    assert counts == {"2": 16, "3": 79, "4": 32}
    assert attr.rows("ATTR", "2") == ["BCE", "BCE+MMD", "WBCE", "WBCE+MMD"]
    assert attr.rows("ATTR", "3") == [
        "ASTPN", "Joint-ST", "Seq-Decision", "Set2set", "k-reciprocal (CaffeNet)",
        "Ours (Res-18)", "k-reciprocal (Res-50)", "TriNet", "DRSA", "Snippet", "Ours (Res-50)",
    ]  # fmt: skip
    assert attr.rows("ATTR", "4") == list("ABCDEFGH")
    for table in ("2", "3", "4"):
        assert set(attr.datasets("ATTR", table)) == {MARS, ILIDS, PRID}
    figures = [value for key, value in attr.figures.items() if key[0] == "ATTR"]
    assert all(0 < value <= 100 for value in figures)


def _gain(attr: Published, table: str, better: str, than: str, *places: tuple[str, str]) -> object:
    return pytest.approx(
        [
            attr.figures["ATTR", table, better, *place] - attr.figures["ATTR", table, than, *place]
            for place in places
        ]
    )


def test_what_the_text_says_of_the_losses(attr: Published) -> None:
    assert _gain(attr, "2", "BCE+MMD", "BCE", (MARS, MAP)) == [2.6]
    assert _gain(attr, "2", "WBCE+MMD", "WBCE", (MARS, MAP)) == [2.0]
    for place in FOUR:
        value = {row: attr.figures["ATTR", "2", row, *place] for row in attr.rows("ATTR", "2")}
        assert value["BCE"] < value["BCE+MMD"] < value["WBCE+MMD"]
        assert value["BCE"] < value["WBCE"] < value["WBCE+MMD"]


def test_what_the_text_says_of_the_models(attr: Published) -> None:
    assert _gain(attr, "4", "C", "B", *FOUR[1:]) == [1.0, 1.0, 1.6]
    assert _gain(attr, "4", "F", "A", *FOUR) == [5.1, 3.6, 3.7, 4.9]


def test_what_the_text_says_of_other_methods(attr: Published) -> None:
    small, large = "Ours (Res-18)", "Ours (Res-50)"
    mars = ((MARS, MAP), (MARS, R1))
    assert _gain(attr, "3", small, "k-reciprocal (CaffeNet)", *mars) == [13.2, 14.8]
    assert _gain(attr, "3", large, "Snippet", (MARS, MAP)) == [2.1]
    assert _gain(attr, "3", large, "TriNet", (MARS, MAP)) == [10.5]
    assert _gain(attr, "3", large, "DRSA", *FOUR[1:]) == [4.7, 6.1, 0.7]


def test_the_tables_agree_but_for_one_figure(attr: Published) -> None:
    def of(table: str, row: str) -> list[float]:
        return [attr.figures["ATTR", table, row, *place] for place in FOUR]

    assert of("3", "Ours (Res-18)") == of("4", "F") == [71.2, 82.6, 82.0, 91.7]
    # a misprint of one of the two tables
    assert of("2", "WBCE+MMD") == [71.2, 82.6, 81.5, 91.7]


def test_a_cmc_rises(attr: Published) -> None:
    for row in attr.rows("ATTR", "3"):
        for dataset in (MARS, ILIDS, PRID):
            found = [attr.value("ATTR", "3", row, dataset, f"fine R-{k}") for k in (1, 5, 20)]
            curve = [value for value in found if value is not None]
            assert curve == sorted(curve)
            assert len(set(curve)) == len(curve)


@pytest.mark.shared
def test_the_columns_of_the_paper(attr: Published, shared_data: Path) -> None:
    """What the paper prints below each other stands below each other in its text."""
    papers = [path.read_text(encoding="utf-8") for path in shared_data.parent.glob("papers/*.txt")]
    text = next(text for text in papers if "Feature Disentangling" in text[:80])
    lines = "\n".join(line for line in text.split("\n") if line.strip())
    ranks = [(dataset, f"fine R-{k}") for dataset in (MARS, ILIDS, PRID) for k in (1, 5, 20)]
    blocks = [
        ("2", slice(0, 4), FOUR[1:]),
        ("3", slice(0, 4), ranks),
        ("3", slice(0, 6), FOUR[:2]),
        ("3", slice(6, 11), FOUR[:2]),
        ("3", slice(9, 11), ranks),
        ("4", slice(0, 8), FOUR),
    ]
    for table, rows, places in blocks:
        for place in places:
            column = [
                attr.value("ATTR", table, row, *place) for row in attr.rows("ATTR", table)[rows]
            ]
            run = "\n".join("-" if value is None else f"{value:.1f}" for value in column)
            assert f"\n{run}\n" in lines, (table, place, run)
