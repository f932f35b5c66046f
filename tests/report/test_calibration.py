"""The picture of what distances mean: a line per run, on both sides."""

import numpy as np
import pytest

from weakreid.report.calibration import calibration_figure
from weakreid.report.results import table_of
from weakreid.stages.collect import calibration_of

GROUPS = [
    {"said": 0.02, "found": 0.01, "pairs": 900},
    {"said": 0.55, "found": 0.7, "pairs": 40},
    {"said": 0.95, "found": 1.0, "pairs": 2},
]
AT = {"distance": 0.4, "false_match_rate": 0.002, "match_rate": 0.3}
NOTHING = {"distance": None, "false_match_rate": None, "match_rate": None}
RUN = {"found": {"reliability": GROUPS, "thresholds": {"0.001": AT, "1e-05": NOTHING}}}


def test_a_line_per_run_of_what_enough_pairs_say():
    figure = calibration_figure({"official-1": RUN, "official-2": RUN}, "hall")
    reliability, rates = figure.axes
    assert len(reliability.lines) == len(rates.lines) == 3
    np.testing.assert_allclose(reliability.lines[0].get_xydata(), [[2, 1], [55, 70]])
    np.testing.assert_allclose(rates.lines[0].get_xydata(), [[0.001, 0.002]])


def test_where_nothing_could_be_learnt_it_says_so():
    figure = calibration_figure({"official-1": {"why": "nobody"}}, "hall")
    assert any("no two training tracklets" in text.get_text() for text in figure.texts)


def test_the_page_of_metrics_says_what_a_distance_means():
    runs = [
        {"found": {"thresholds": {"0.001": {**AT, "false_match_rate": rate}, "1e-05": NOTHING}}}
        for rate in (0.001, 0.003)
    ]
    found = calibration_of(runs)
    assert found == {
        "0.001": {"distance": 0.4, "false_match_rate": pytest.approx(0.002), "match_rate": 0.3},
        "1e-05": NOTHING,
    }
    cmc = {"1": 50.0, "5": 60.0, "10": 70.0, "20": 80.0}
    figures = {"mAP": 40.0, "cmc": cmc, "chance": {"mAP": 1.0, "cmc": cmc}, "skipped": 0}
    figures |= {"queries": 9, "gallery": 8}
    metrics = {"dataset": "hall", "fine": figures, "coarse": figures, "runs": {"official-1": {}}}
    config = {"method": {"evaluation": {"rules": "later"}}, "dataset": {"kind": "mars"}}
    page = table_of("hall", {**metrics, "config": config, "calibration": found})
    assert "| 0.1 %               |          0.400 |               0.2 % |          30 % |" in page
    assert "too few pairs" in page
    nobody = table_of("hall", {**metrics, "config": config, "calibration": {"why": "no pair"}})
    assert "Nobody can say: no pair." in nobody
    assert calibration_of([{"why": "no pair"}]) == {"why": "no pair"}
