"""The ranking against a version written in loops from the protocol."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.retrieval.ranking import bag_relevance, evaluate, person_relevance


def of_persons(distances, qp, gp, qc=None, gc=None, **more):
    """Measure persons; without cameras, every query's is another than the gallery's."""
    cameras = (np.zeros(len(qp), int), np.ones(len(gp), int)) if qc is None else (qc, gc)
    return evaluate(distances, person_relevance(qp, np.asarray(gp, int), *cameras), **more)


def brute(distances, is_match, is_out, keep=50):
    """Full stable argsort, one loop per query: is_match(q, g), is_out(q, g)."""
    precision, first, tops, matches, valids = [], [], [], [], []
    for query, row in enumerate(distances):
        order = [g for g in np.argsort(row, kind="stable") if not is_out(query, g)]
        hits = [rank for rank, g in enumerate(order, start=1) if is_match(query, g)]
        terms = [(number / rank) for number, rank in enumerate(hits, start=1)]
        precision.append(math.fsum(terms) / len(terms) if terms else float("nan"))
        first.append(hits[0] if hits else 0)
        tops.append(order[:keep])
        matches.append(len(hits))
        valids.append(len(order))
    used = [rank for rank in first if rank]
    return {
        "precision": precision,
        "first": first,
        "top": tops,
        "matches": matches,
        "valid": valids,
        "queries": len(used),
        "cmc": {k: 100.0 * sum(r <= k for r in used) / len(used) for k in (1, 5, 10, 20)}
        if used
        else {},
        "map": 100.0 * math.fsum(p for p in precision if p == p) / len(used) if used else None,
    }


def agree(result, wanted, distances):
    np.testing.assert_array_equal(result.average_precision, wanted["precision"])
    np.testing.assert_array_equal(result.first_match, wanted["first"])
    np.testing.assert_array_equal(result.match_counts, wanted["matches"])
    np.testing.assert_array_equal(result.valid_counts, wanted["valid"])
    assert result.cmc == wanted["cmc"]
    assert result.mean_average_precision == wanted["map"]
    assert result.queries == wanted["queries"]
    assert result.skipped == len(distances) - wanted["queries"]
    for query, top in enumerate(wanted["top"]):
        assert result.top_gallery[query].tolist() == top
        np.testing.assert_array_equal(result.top_distances[query], distances[query, top])


@st.composite
def problems(draw):
    """Few persons, cameras and distance values, so that ties, skips and junk abound."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    queries, gallery = draw(st.integers(1, 70)), draw(st.integers(1, 60))
    levels = draw(st.sampled_from([1, 2, 5, 40, 10**6]))
    values = rng.integers(0, levels, (queries, gallery))
    distances = (values / 7 - 1).astype(draw(st.sampled_from([np.float32, np.float64])))
    if draw(st.booleans()):
        distances[rng.random(distances.shape) < 0.1] = np.inf
    persons = draw(st.integers(1, 8))
    cameras = draw(st.integers(1, 4))
    return (
        distances,
        rng.integers(-1 if draw(st.booleans()) else 1, persons + 1, queries),
        rng.integers(-1, persons + 1, gallery),
        rng.integers(1, cameras + 1, queries),
        rng.integers(1, cameras + 1, gallery),
        draw(st.integers(0, 12)),
        draw(st.integers(1, 3)),
    )


@settings(max_examples=250, deadline=None)
@given(problems(), st.booleans())
def test_persons_and_cameras_equal_the_loops(problem, filtered):
    distances, qp, gp, qc, gc, keep, threads = problem

    def is_match(q, g):
        return qp[q] > 0 and qp[q] == gp[g] and not (filtered and qc[q] == gc[g])

    def is_out(q, g):
        same = qp[q] > 0 and qp[q] == gp[g] and qc[q] == gc[g]
        return gp[g] == -1 or (filtered and same)

    wanted = brute(distances, is_match, is_out, keep)
    cameras = (qc, gc) if filtered else ()
    if not wanted["queries"]:
        with pytest.raises(ReidError, match="has a match"):
            of_persons(distances, qp, gp, *cameras, keep=keep, threads=threads)
        return
    before = distances.copy()
    result = of_persons(distances, qp, gp, *cameras, keep=keep, threads=threads)
    np.testing.assert_array_equal(distances, before)
    agree(result, wanted, distances)
    assert result.gallery == np.sum(gp >= 0)
    for query, top in enumerate(result.top_gallery):
        assert result.top_matches[query].tolist() == [bool(is_match(query, g)) for g in top]


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1))
def test_bags_equal_the_loops(problem, seed):
    distances, qp, gp, _, _, keep, threads = problem
    rng = np.random.default_rng(seed)
    labels = [rng.integers(-1, 9, rng.integers(0, 5)) for _ in gp]

    def is_match(q, g):
        return qp[q] > 0 and qp[q] in labels[g]

    wanted = brute(distances, is_match, lambda q, g: False, keep)
    if not wanted["queries"]:
        with pytest.raises(ReidError, match="has a match"):
            evaluate(distances, bag_relevance(qp, labels), keep=keep, threads=threads)
        return
    relevance = bag_relevance(qp, labels)
    agree(evaluate(distances, relevance, keep=keep, threads=threads), wanted, distances)


def test_a_ranking_worked_by_hand():
    # person 7, camera 1: item 1 is of its camera; then 3 (miss), 0 (hit), 4 (miss), 2 (hit)
    distances = np.array([[0.2, 0.0, 0.9, 0.1, 0.2]], np.float32)
    result = of_persons(distances, [7], [7, 7, 7, 0, 9], [1], [2, 1, 3, 1, 1], keep=50)
    assert result.first_match.tolist() == [2]
    assert result.average_precision[0] == (1 / 2 + 2 / 4) / 2
    assert result.cmc == {1: 0.0, 5: 100.0, 10: 100.0, 20: 100.0}
    assert result.top_gallery[0].tolist() == [3, 0, 4, 2]
    assert result.top_matches[0].tolist() == [False, True, False, True]
    assert result.summary() == {
        "mAP": 50.0,
        "cmc": {"1": 0.0, "5": 100.0, "10": 100.0, "20": 100.0},
        "queries": 1,
        "gallery": 5,
        "skipped": 0,
    }


def test_threads_do_not_change_the_result():
    rng = np.random.default_rng(1)
    distances = np.round(rng.random((300, 200)), 2)
    qp, gp = rng.integers(1, 20, 300), rng.integers(0, 20, 200)
    one = of_persons(distances, qp, gp, threads=1)
    four = of_persons(distances, qp, gp, threads=4)
    np.testing.assert_array_equal(one.average_precision, four.average_precision)
    assert one.summary() == four.summary()


@pytest.mark.parametrize("row", [0, 33, 69])
def test_nan_is_refused_with_its_row(row):
    distances = np.ones((70, 5), np.float32)
    distances[row, 3] = np.nan
    with pytest.raises(ReidError, match=f"NaN in row {row} "):
        of_persons(distances, np.ones(70, int), np.ones(5, int), threads=2)


def test_an_empty_gallery_is_refused():
    with pytest.raises(ReidError, match="has a match in the gallery of 0"):
        of_persons(np.ones((2, 0), np.float32), [1, 1], [])


def test_relevance_is_ascending_and_disjoint():
    rng = np.random.default_rng(3)
    relevance = person_relevance(
        rng.integers(1, 5, 40),
        rng.integers(-1, 5, 90),
        rng.integers(1, 3, 40),
        rng.integers(1, 3, 90),
    )
    for matches, excluded in zip(relevance.matches, relevance.excluded, strict=True):
        assert np.all(np.diff(matches) > 0)
        assert np.all(np.diff(excluded) > 0)
        assert not set(matches) & set(excluded)


def official(order, good, junk):
    """A port of MARS's own program (compute_AP): what a query scores, and its CMC."""
    cmc = np.zeros(len(order))
    old_recall, old_precision, ap = 0.0, 1.0, 0.0
    intersect, j, good_now, njunk = 0, 0, 0, 0
    for n, item in enumerate(order):
        flag = False
        if item in good:
            cmc[n - njunk :] = 1
            flag = True
            good_now += 1
        if item in junk:
            njunk += 1
            continue
        if flag:
            intersect += 1
        recall = intersect / len(good) if good else 0.0
        precision = intersect / (j + 1)
        ap += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
        j += 1
        if good_now == len(good):
            break
    return ap, cmc


@settings(max_examples=150, deadline=None)
@given(problems())
def test_by_the_official_rules_it_is_what_mars_s_program_says(problem):
    distances, qp, gp, qc, gc, *_ = problem
    relevance = person_relevance(qp, gp, qc, gc)
    if not any(len(matches) for matches in relevance.matches):
        return
    found = evaluate(distances, relevance, rules="official")
    precision, cmc = [], []
    for query, row in enumerate(distances):
        good = {g for g in range(len(gp)) if gp[g] == qp[query] > 0 and gc[g] != qc[query]}
        junk = {
            g
            for g in range(len(gp))
            if gp[g] < 0 or (gp[g] == qp[query] > 0 and gc[g] == qc[query])
        }
        ap, of_query = official(np.argsort(row, kind="stable"), good, junk)
        precision.append(ap)
        cmc.append(of_query)
    np.testing.assert_allclose(found.average_precision, precision, atol=1e-12)
    assert found.mean_average_precision == pytest.approx(100 * np.mean(precision))
    assert (found.queries, found.skipped) == (len(distances), 0)
    for rank in (1, 5):
        if rank <= len(gp):
            assert found.cmc[rank] == pytest.approx(100 * np.mean([of[rank - 1] for of in cmc]))
