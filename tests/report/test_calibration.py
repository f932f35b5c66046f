"""The picture of what distances mean: a line per run, on both sides."""

import numpy as np

from weakreid.report.calibration import calibration_figure

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
