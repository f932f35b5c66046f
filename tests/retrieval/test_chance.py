"""Chance figures against every permutation, and against simulation through the evaluation."""

import itertools

import numpy as np
import pytest

from weakreid.retrieval.chance import expected, expected_of
from weakreid.retrieval.ranking import evaluate, person_relevance


@pytest.mark.parametrize("rules", ["later", "official"])
@pytest.mark.parametrize(("matches", "items"), [(1, 1), (1, 2), (2, 2), (1, 6), (3, 7), (6, 7)])
def test_every_order_of_a_small_gallery(matches, items, rules):
    precision, first = [], []
    for hits in itertools.combinations(range(1, items + 1), matches):
        at = [number / rank for number, rank in enumerate(hits, start=1)]
        before = [(n - 1) / (r - 1) if r > 1 else 1 for n, r in enumerate(hits, start=1)]
        precision.append(np.mean(at if rules == "later" else [at, before]))
        first.append(hits[0])
    found = expected([matches], [items], ranks=(1, 2, 5, 10), rules=rules)
    assert found.mean_average_precision == pytest.approx(100 * np.mean(precision), rel=1e-12)
    for k, value in found.cmc.items():
        assert value == pytest.approx(100 * np.mean(np.array(first) <= k), rel=1e-12)


@pytest.mark.parametrize("rules", ["later", "official"])
def test_simulation_through_the_protocol(rules):
    rng = np.random.default_rng(5)
    qp, gp = rng.integers(1, 9, 30), rng.integers(-1, 8, 80)
    qc, gc = rng.integers(1, 4, 30), rng.integers(1, 4, 80)
    relevance = person_relevance(qp, gp, qc, gc)
    runs = [evaluate(rng.random((30, 80)), relevance, rules=rules) for _ in range(400)]
    wanted = expected_of(runs[0])
    assert (runs[0].skipped > 0) == (rules == "later")
    for name, truth in [("mAP", wanted.mean_average_precision), *wanted.cmc.items()]:
        seen = [run.mean_average_precision if name == "mAP" else run.cmc[name] for run in runs]
        error = np.std(seen) / np.sqrt(len(seen))
        assert abs(np.mean(seen) - truth) < 4 * error + 1e-9


def test_queries_without_a_match_are_skipped():
    found = expected([0, 2, 0], [5, 5, 0])
    assert found.cmc[1] == pytest.approx(40.0)
    assert found.cmc[20] == 100.0
    assert found.summary()["cmc"]["1"] == found.cmc[1]
