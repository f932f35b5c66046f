"""Retrieval grouped by the attributes of the people who are looked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.config.params import MeasureByAttribute
from weakreid.errors import ReidError
from weakreid.retrieval.by_attribute import by_attribute
from weakreid.stages import attribute_metrics as stage

# person, rank of the first match, average precision; 0: no match
FINE = [(1, 1, 1.0), (1, 3, 0.5), (2, 1, 0.8), (3, 6, 0.2), (4, 0, None)]
LABELS = {
    1: {"hs-Hat": 1, "attach-Backpack": 0},
    2: {"hs-Hat": 0, "attach-Backpack": 1},
    3: {"hs-Hat": 1, "attach-Backpack": -1},
}


def rankings(fine: list[tuple[int, int, float | None]]) -> pd.DataFrame:
    rows = [("fine", *row) for row in fine] + [("coarse", 9, 1, 1.0)]
    columns = ["protocol", "person_id", "first_match", "average_precision"]
    return pd.DataFrame(rows, columns=columns)


def labels(of: dict[int, dict[str, int]]) -> pd.DataFrame:
    rows = [(p, name, 0.5, label) for p, own in of.items() for name, label in own.items()]
    return pd.DataFrame(rows, columns=["person_id", "attribute", "probability", "label"])


def test_by_hand() -> None:
    found = by_attribute(rankings(FINE), labels(LABELS), None, 1)
    assert (found["queries"], found["skipped"]) == (4, 1)
    assert found["all"]["mAP"] == pytest.approx(62.5)
    assert list(found["attributes"]) == ["hs-Hat", "attach-Backpack"]
    hat, bag = found["attributes"].values()
    assert hat["with"]["queries"] == 3
    assert hat["with"]["mAP"] == pytest.approx(100 * 1.7 / 3)
    assert hat["with"]["cmc"] == pytest.approx(
        {"1": 100 / 3, "5": 200 / 3, "10": 100.0, "20": 100.0}
    )
    assert hat["without"] == {
        "queries": 1,
        "cmc": dict.fromkeys(("1", "5", "10", "20"), 100.0),
        "mAP": pytest.approx(80.0),
    }
    assert (bag["with"]["queries"], bag["without"]["queries"], bag["unsure"]) == (1, 2, 1)


def test_few_queries_give_no_figure() -> None:
    found = by_attribute(rankings(FINE), labels(LABELS), ["attach-Backpack"], 2)
    own = found["attributes"]["attach-Backpack"]
    assert own["with"] == {"queries": 1, "cmc": None, "mAP": None}
    assert own["without"]["mAP"] == pytest.approx(75.0)


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 30), st.floats(0.01, 1.0)),
        min_size=1,
        max_size=20,
    ),
    st.lists(st.sampled_from([0, 1]), min_size=5, max_size=5),
)
def test_with_and_without_make_up_all(
    fine: list[tuple[int, int, float | None]], ticked: list[int]
) -> None:
    own = labels({person: {"hs-Hat": label} for person, label in enumerate(ticked, start=1)})
    found = by_attribute(rankings(fine), own, None, 1)
    parts = [found["attributes"]["hs-Hat"][which] for which in ("with", "without")]
    assert sum(part["queries"] for part in parts) == len(fine)
    for figure in (lambda part: part["mAP"], lambda part: part["cmc"] and part["cmc"]["5"]):
        total = sum(part["queries"] * (figure(part) or 0.0) for part in parts)
        assert total / len(fine) == pytest.approx(figure(found["all"]))
    # whoever stands first
    shuffled = by_attribute(rankings(fine), own.iloc[::-1], None, 1)
    assert shuffled["attributes"]["hs-Hat"] == found["attributes"]["hs-Hat"]


def test_bad_input() -> None:
    table = rankings(FINE)
    with pytest.raises(ReidError, match=r"no labels of 2 of 3 people who are looked for \(1, 3\)"):
        by_attribute(table, labels({2: LABELS[2]}), None, 1)
    many = rankings([(person, 1, 1.0) for person in range(1, 10)])
    with pytest.raises(ReidError, match=r"no labels of 8 of 9 people .*\(1, 3, 4, 5, 6 and 3 more"):
        by_attribute(many, labels({2: LABELS[2]}), None, 1)
    with pytest.raises(ReidError, match="no labels of attribute 'hat'; there are hs-Hat, attach-"):
        by_attribute(table, labels(LABELS), ["hat"], 1)
    with pytest.raises(ReidError, match="empty"):
        by_attribute(table, labels({}), None, 1)
    twice = pd.concat([labels(LABELS), labels({3: {"hs-Hat": 0}})])
    with pytest.raises(ReidError, match="person 3 has 2 labels of hs-Hat, not one"):
        by_attribute(table, twice, None, 1)
    with pytest.raises(ReidError, match="person 2 has 0 labels of attach-Backpack, not one"):
        by_attribute(table, labels({**LABELS, 2: {"hs-Hat": 0}}), None, 1)


def test_the_stage(tmp_path: Path) -> None:
    rows = rankings(FINE)
    lists: dict[str, Any] = {
        name: [[]] * len(rows) for name in ("gallery", "distances", "matches", "frames")
    }
    rows = rows.assign(query=np.arange(len(rows)), **lists)
    schemas.write(tmp_path / "rankings.parquet", "rankings", rows, {})
    schemas.write(tmp_path / "labels.parquet", "attribute_labels", labels(LABELS), {})
    params = MeasureByAttribute(attributes=None, min_queries=1)
    for name in ("one", "two"):
        stage.main(
            rankings=tmp_path / "rankings.parquet",
            labels=tmp_path / "labels.parquet",
            params=params,
            out=tmp_path / name,
        )
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    expected = by_attribute(rankings(FINE), labels(LABELS), None, 1)
    assert json.loads((tmp_path / "one").read_text()) == expected
