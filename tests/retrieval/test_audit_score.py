"""Precision and recall of a list of suspicions, by hand and against every order."""

import itertools

import numpy as np
import pandas as pd
import pytest

from weakreid.errors import ReidError
from weakreid.retrieval.audit_score import by_chance, of_order, score, wrong_labels
from weakreid.supervision.audit import FALSE_TAG, MISSING_TAG


def bags(labels: list[list[int]], truth: list[list[int]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"bag_id": range(10, 10 + len(labels)), "labels": labels, "truth_frame_persons": truth}
    ).map(lambda value: np.array(value) if isinstance(value, list) else value)


def findings(rows: list[tuple[int, int, str]], losses: dict[int, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["bag_id", "person_id", "kind"])
    return table.assign(rank=range(1, len(rows) + 1), bag_loss=table["bag_id"].map(losses))


# bag 10: person 3 is tagged and absent; bag 12: person 1 is there without a tag
BAGS = bags([[1, 2, 3], [1, 3], [2], [2]], [[1, 1, 2], [3, 1], [2, 1], [2]])
FOUND = findings(
    [
        (12, 1, MISSING_TAG),
        (11, 1, FALSE_TAG),
        (10, 3, FALSE_TAG),
        (13, 1, MISSING_TAG),
        (12, 3, MISSING_TAG),
        (13, 2, FALSE_TAG),
    ],
    {10: 1.0, 11: 3.0, 12: 0.5, 13: 2.0},
)


def test_wrong_labels() -> None:
    assert wrong_labels(BAGS) == {FALSE_TAG: {(10, 3)}, MISSING_TAG: {(12, 1)}}


def test_of_order() -> None:
    found = of_order([True, False, True, False], wrong=3, items=40)
    assert found["average_precision"] == pytest.approx(100 * (1 + 2 / 3) / 3)
    assert found["all wrong"] == pytest.approx(
        {"count": 3, "precision": 100 * 2 / 3, "recall": 100 * 2 / 3}
    )
    assert found["shares"]["5"] == pytest.approx({"count": 2, "precision": 50.0, "recall": 100 / 3})
    # the list ends before the share does: what it does not hold is never found
    assert found["shares"]["20"] == pytest.approx(
        {"count": 8, "precision": 25.0, "recall": 100 * 2 / 3}
    )


@pytest.mark.parametrize(("wrong", "items"), [(1, 1), (2, 5), (3, 3), (4, 7)])
def test_chance_is_the_mean_of_every_order(wrong: int, items: int) -> None:
    found = []
    for places in itertools.combinations(range(items), wrong):
        found.append(of_order([place in places for place in range(items)], wrong, items))
    wanted = by_chance(wrong, items)
    for cut in ("5", "10", "20"):
        for name in ("count", "precision", "recall"):
            mean = np.mean([one["shares"][cut][name] for one in found])
            assert wanted["shares"][cut][name] == pytest.approx(mean)
    for name in ("precision", "recall"):
        mean = np.mean([one["all wrong"][name] for one in found])
        assert wanted["all wrong"][name] == pytest.approx(mean)
    mean = np.mean([one["average_precision"] for one in found])
    assert wanted["average_precision"] == pytest.approx(mean)


def test_score() -> None:
    # the rows' order does not matter: the ranks count
    found = score(FOUND.iloc[::-1], BAGS)
    lists = found["bags"]["lists"]
    assert (found["bags"]["items"], found["bags"]["wrong"]) == (4, 2)
    assert list(lists) == ["chance", "bag loss", "label audit"]
    # bags by the audit: 12 11 10 13, by their loss: 11 13 10 12
    assert lists["label audit"]["all wrong"]["precision"] == 50.0
    assert lists["label audit"]["average_precision"] == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert lists["bag loss"]["average_precision"] == pytest.approx(100 * (1 / 3 + 2 / 4) / 2)
    assert lists["chance"]["all wrong"]["precision"] == 50.0
    false, missing = found["kinds"][FALSE_TAG], found["kinds"][MISSING_TAG]
    assert false["bags"]["lists"]["label audit"]["average_precision"] == 50.0
    assert missing["bags"]["lists"]["label audit"]["average_precision"] == 100.0
    # 7 tags; 4 bags of 3 people less 7
    assert (false["labels"]["items"], missing["labels"]["items"]) == (7, 5)
    assert list(false["labels"]["lists"]) == ["chance", "label audit"]
    assert false["labels"]["lists"]["label audit"]["average_precision"] == 50.0
    assert missing["labels"]["lists"]["label audit"]["all wrong"]["precision"] == 100.0


def test_one_kind_of_error_alone() -> None:
    right = BAGS.assign(labels=[*BAGS["labels"][:2], np.array([1, 2]), BAGS["labels"][3]])
    assert list(score(FOUND, right)["kinds"]) == [FALSE_TAG]


def test_bad_input() -> None:
    right = BAGS.assign(labels=[np.unique(truth) for truth in BAGS["truth_frame_persons"]])
    with pytest.raises(ReidError, match="no label of these bags is wrong: nothing to score"):
        score(FOUND, right)
    with pytest.raises(ReidError, match="do not hold the same bags"):
        score(FOUND[FOUND["bag_id"] != 11], BAGS)
