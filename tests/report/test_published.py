"""The published figures: WL's and TMC's tables, and what the file's reader refuses."""

from pathlib import Path

import pytest

from weakreid.errors import ReidError
from weakreid.report import published
from weakreid.report.published import Published

FILE = Path(__file__).parents[2] / "workflow" / "resources" / "published.csv"
HEAD = "paper,table,row,dataset,metric,value\n"

TABLES = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "Figure 4"]
MARS, DUKE = "WL-MARS", "WL-DukeV"
OURS = "OURS (MIL+CPAL)"


@pytest.fixture(scope="module")
def wl() -> Published:
    return published.read(FILE)


@pytest.mark.parametrize(
    ("table", "row", "dataset", "metric", "value"),
    [
        ("I", "Coarse", MARS, "coarse train bags", 2081),
        ("I", "Fine", MARS, "fine gallery tracklets", 12180),
        ("I", "Coarse", DUKE, "coarse gallery bags", 483),
        ("I", "Fine", DUKE, "fine gallery IDs", 1110),
        ("II", "WSDDN", MARS, "coarse R-1", 63.4),
        ("II", "OURS*", DUKE, "coarse mAP", 68.3),
        ("III", "SSLR", DUKE, "fine R-10", 83.0),
        ("III", "EUG", DUKE, "fine mAP", 63.2),
        ("III", "EUG", MARS, "fine R-10", None),
        ("III", "UGA", DUKE, "fine R-1", None),
        ("III", "Baseline", MARS, "fine mAP", 65.5),
        ("IV", "k = 5", MARS, "fine R-20", 89.7),
        ("IV", "k = 20", MARS, "fine mAP", 38.4),
        ("IV", "k = 20", DUKE, "fine mAP", None),
        ("V", "CV-MIML*", MARS, "coarse mAP", 10.7),
        ("VI", "UGA", MARS, "fine mAP", 40.5),
        ("VII", "OURS", MARS, "fine R-1", 48.1),
        ("VIII", "WSDDN+CPAL", MARS, "coarse R-10", 93.4),
        ("VIII", "WSDDN+CPAL", MARS, "fine R-10", 84.0),
        ("Figure 4", "λ = 1", MARS, "coarse mAP", 41.3),
        ("Figure 4", "λ = 1", MARS, "coarse R-5", None),
    ],
)
def test_figures_of_the_paper(
    wl: Published, table: str, row: str, dataset: str, metric: str, value: float | None
) -> None:
    assert wl.value("WL", table, row, dataset, metric) == value


def test_the_whole_paper_is_there(wl: Published) -> None:
    counts = dict.fromkeys(TABLES, 0)
    for paper, table, *_ in wl.figures:
        if paper == "WL":
            counts[table] += 1
    assert list(counts.values()) == [24, 48, 68, 20, 12, 21, 16, 64, 8]
    assert wl.rows("WL", "III") == [
        "WSDDN", "HSLR", "SSLR", "MIL", OURS, "OURS*", "BUC", "EUG", "UGA", "Baseline",
    ]  # fmt: skip
    assert wl.datasets("WL", "III") == [MARS, DUKE]
    assert wl.datasets("WL", "IV") == [MARS]
    # nothing else is a per cent of anything
    per_cent = [value for key, value in wl.figures.items() if key[0] == "WL" and key[1] != "I"]
    assert all(0 < value < 100 for value in per_cent)


def _row(wl: Published, table: str, row: str, protocol: str, dataset: str = MARS) -> list[float]:
    names = [f"{protocol} {name}" for name in ("R-1", "R-5", "R-10", "mAP")]
    return [wl.figures["WL", table, row, dataset, name] for name in names]


def test_the_paper_agrees_with_itself(wl: Published) -> None:
    coarse = _row(wl, "II", OURS, "coarse")
    assert coarse == _row(wl, "V", "OURS", "coarse") == _row(wl, "VIII", OURS, "coarse")
    fine = _row(wl, "III", OURS, "fine")
    assert fine == _row(wl, "IV", "k = 5", "fine") == _row(wl, "VIII", OURS, "fine")
    for row in ("HSLR", "SSLR", "WSDDN", "MIL"):
        assert _row(wl, "II", row, "coarse") == _row(wl, "VIII", row, "coarse")
        assert _row(wl, "III", row, "fine") == _row(wl, "VIII", row, "fine")
    assert _row(wl, "III", "BUC", "fine") == _row(wl, "VI", "BUC", "fine")
    for row, label in (("λ = 0.5", OURS), ("λ = 1", "MIL")):
        for metric in ("coarse R-1", "coarse mAP", "fine R-1", "fine mAP"):
            there = wl.figures["WL", "VIII", label, MARS, metric]
            assert wl.figures["WL", "Figure 4", row, MARS, metric] == there


@pytest.mark.parametrize(
    ("table", "protocol", "dataset", "drops"),
    [
        ("II", "coarse", MARS, [0.5, 1.8, 2.4, 4.4]),
        ("II", "coarse", DUKE, [3.3, 0.9, 0.2, 3.8]),
        ("III", "fine", MARS, [5.2, 4.2, 3.3, 5.4]),
        ("III", "fine", DUKE, [1.0, 1.0, 1.3, 1.2]),
    ],
)
def test_the_drops_printed_beside_missing_annotation(
    wl: Published, table: str, protocol: str, dataset: str, drops: list[float]
) -> None:
    whole = _row(wl, table, OURS, protocol, dataset)
    missed = _row(wl, table, "OURS*", protocol, dataset)
    found = [a - b for a, b in zip(whole, missed, strict=True)]
    assert found == pytest.approx(drops)


def test_a_cmc_rises(wl: Published) -> None:
    for (*place, metric), value in wl.figures.items():
        protocol, _, name = metric.partition(" ")
        if name == "R-1":
            higher = [wl.value(*place, f"{protocol} R-{rank}") for rank in (5, 10, 20)]
            curve = [value, *(figure for figure in higher if figure is not None)]
            assert curve == sorted(curve)


NOISY = ("MARS 1.7 1.2", "MARS 2.5 1.2", "MARS 2.5 1.5")


@pytest.mark.parametrize(
    ("table", "row", "dataset", "metric", "value"),
    [
        ("1", NOISY[1], NOISY[1], "tracklets", 4023),
        ("1", "MARS", "MARS", "tracklets", 8298),
        ("1", "MARS", "MARS", "rFM", None),
        ("2", "eps = 0.65", "MARS", "fine mAP", 26.2),
        ("2", "data-dependent", "MARS", "fine R-1", 72.4),
        ("2", "data-dependent", "MARS", "eps", 0.676),
        ("3", "TMC-", NOISY[0], "fine mAP", 8.0),
        ("3", "TMC", NOISY[2], "fine R-1", 63.7),
        ("4", "eps = 0.4", NOISY[0], "noise", 0.57),
        ("4", "eps = 0.6", NOISY[1], "clusters", 9383),
        ("4", "eps = 0.7", NOISY[2], "fine R-1", 19.9),
        ("5", "DAL", "PRID 2011", "fine R-10", 98.8),
        ("5", "DAL", "PRID 2011", "fine mAP", None),
        ("5", "EUG", "MARS", "fine R-5", 74.9),
        ("5", "EUG", "PRID 2011", "fine R-1", None),
        ("5", "STAN", "MARS", "fine mAP", 65.8),
        ("5", "STAN", "MARS", "fine R-5", None),
        ("5", "SDM", "MARS", "fine R-5", 85.7),
    ],
)
def test_figures_of_tmc(
    wl: Published, table: str, row: str, dataset: str, metric: str, value: float | None
) -> None:
    assert wl.value("TMC", table, row, dataset, metric) == value


def test_the_whole_of_tmc_is_there(wl: Published) -> None:
    counts: dict[str, int] = {}
    for paper, table, *_ in wl.figures:
        if paper == "TMC":
            counts[table] = counts.get(table, 0) + 1
    # Table 1: two rates of three sets and four counts; Table 2: six rows and the eps of one;
    # Table 5: ten rows of 3 + 4, less EUG's 3 and 6 more that are not printed
    assert counts == {"1": 10, "2": 13, "3": 16, "4": 48, "5": 61}
    assert wl.rows("TMC", "5") == [
        "DAL", "RACE", "DGM", "DGM+", "UTAL", "EUG", "TMC-", "TMC", "STAN", "SDM",
    ]  # fmt: skip
    assert wl.datasets("TMC", "4") == list(NOISY)
    swept = [f"eps = {value}" for value in ("0.6", "0.65", "0.67")]
    assert wl.rows("TMC", "2") == [*swept, "data-dependent", "eps = 0.68", "eps = 0.7"]


def test_tmc_agrees_with_itself_but_for_one_figure(wl: Published) -> None:
    clean = {row: wl.figures["TMC", "3", row, "MARS", "fine R-1"] for row in ("TMC-", "TMC")}
    assert clean["TMC-"] == wl.figures["TMC", "2", "data-dependent", "MARS", "fine R-1"]
    assert clean == {row: wl.figures["TMC", "5", row, "MARS", "fine R-1"] for row in clean}
    # Table 3 shows the best eps of Table 4
    differing = []
    for dataset in NOISY:
        best = max(
            wl.rows("TMC", "4"), key=lambda row: wl.figures["TMC", "4", row, dataset, "fine mAP"]
        )
        for metric in ("fine mAP", "fine R-1"):
            pair = [
                wl.figures["TMC", "3", "TMC", dataset, metric],
                wl.figures["TMC", "4", best, dataset, metric],
            ]
            if pair[0] != pair[1]:
                differing.append((dataset, metric, *pair))
    # a misprint of one of the two tables
    assert differing == [(NOISY[0], "fine R-1", 67.3, 66.2)]


def test_more_eps_less_tracklets_and_more_noise(wl: Published) -> None:
    for dataset in NOISY:
        rows = wl.rows("TMC", "4")
        noise = [wl.figures["TMC", "4", row, dataset, "noise"] for row in rows]
        clusters = [wl.figures["TMC", "4", row, dataset, "clusters"] for row in rows]
        assert noise == sorted(noise)
        assert clusters == sorted(clusters, reverse=True)


def test_an_unknown_table_is_refused(wl: Published) -> None:
    with pytest.raises(ReidError, match=r"no figure of table 'IX' of paper 'WL'; it has WL I, "):
        wl.rows("WL", "IX")
    assert wl.value("WL", "IX", "MIL", MARS, "fine R-1") is None
    assert wl.datasets("WL", "IX") == []


GOOD = "WL,I,MIL,WL-MARS,fine R-1,63.6\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the columns are ''"),
        ("paper,table,row,metric,value\n", "line 1: the columns are 'paper,table,row,metric,"),
        (HEAD + GOOD + "WL,I,MIL,WL-MARS,63.6\n", "line 3: 5 cells"),
        (HEAD + GOOD + "\n", "line 3: 0 cells"),
        (HEAD + GOOD[:-1] + ",1\n", "line 2: 7 cells"),
        (HEAD + GOOD + GOOD.replace("63.6", "1"), "line 3: WL, I, MIL, .* stands on line 2"),
        (HEAD + GOOD.replace("63.6", "-"), "line 2: value is '-'; there must be a number"),
        (HEAD + GOOD.replace("63.6", "nan"), "line 2: value is 'nan'"),
        (HEAD + GOOD.replace("63.6", "inf"), "line 2: value is 'inf'"),
        (HEAD + GOOD.replace("63.6", "63,6"), "line 2: 7 cells"),
        (HEAD + GOOD.replace("63.6", ""), "line 2: value is ''"),
        (HEAD + GOOD.replace("MIL", " MIL"), "line 2: row is ' MIL'"),
        (HEAD + GOOD.replace("MIL", '"MIL'), "not a CSV file"),
    ],
)
def test_a_damaged_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReidError, match=message) as caught:
        published.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReidError, match="no such file"):
        published.read(tmp_path / "published.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes((HEAD + GOOD.replace("MIL", "Mül")).encode("latin-1"))
    with pytest.raises(ReidError, match="not a CSV file in UTF-8"):
        published.read(path)


def test_a_mark_at_the_beginning_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    path.write_text(HEAD + GOOD, encoding="utf-8-sig")
    assert list(published.read(path).figures.values()) == [63.6]


def test_a_dataset_without_figures_is_named(wl: Published) -> None:
    wl.check_dataset("WL", DUKE)
    with pytest.raises(ReidError) as caught:
        wl.check_dataset("WL", "WL-MARZ")
    assert str(caught.value).endswith(
        "no figure of dataset 'WL-MARZ' of paper 'WL'; it has WL-MARS, WL-DukeV"
    )
