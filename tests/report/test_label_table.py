"""The table of how right transferred attributes are."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from weakreid.errors import ReidError
from weakreid.report.label_quality import MAJORITY, label_table
from weakreid.supervision.attribute_labels import quality

NAMES = ("Female", "hs-Hat", "hs-BlackHair", "up-Red")
TRUE = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 0]])
RATIOS = {"Female": 0.4, "hs-Hat": 0.05, "hs-BlackHair": 0.8, "up-Red": 0.04}


def labels(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": np.repeat(np.arange(1, len(values) + 1), values.shape[1]),
            "attribute": list(NAMES) * len(values),
            "probability": values.reshape(-1).astype(np.float32),
            "label": values.reshape(-1).astype(np.int8),
        }
    )


def measured(
    found: np.ndarray, training: tuple[int, ...] = (1, 2, 3), **changes: float
) -> dict[str, Any]:
    ratios = {**RATIOS, **changes}
    return quality((labels(found), NAMES), (labels(TRUE), NAMES), set(training), ratios)


def flipped(*places: tuple[int, int]) -> np.ndarray:
    values = TRUE.copy()
    for place in places:
        values[place] = 1 - values[place]
    return values


RIGHT = measured(TRUE)
WRONG = measured(flipped((0, 0), (1, 1)))


def blocks(text: str) -> list[dict[str, list[str]]]:
    """The tables as {first cell: other cells}."""
    found: list[dict[str, list[str]]] = []
    before = ""
    for line in text.splitlines():
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append({})
            first, *rest = (cell.strip() for cell in line.split("|")[1:-1])
            found[-1][first] = rest
        before = line
    return found


def test_the_table() -> None:
    text = label_table("Labels", {"BCE": [WRONG, RIGHT], "WBCE": [RIGHT]}, ["A note."])
    assert text.startswith("# Labels\n\n## Training persons (whose labels are used): 3\n")
    assert "## Test persons: 1\n" in text
    assert text.endswith("\nA note.\n")
    together, each, test, _ = blocks(text)
    assert together[""] == [
        "runs",
        "accuracy",
        "mean accuracy",
        "F1 Gender & Age",
        "F1 Head-Shoulder",
        "F1 Up-Body",
        "F1 all",
        "recall of rare",
        "precision of rare",
    ]
    assert next(iter(list(together)[2:])) == MAJORITY
    # of 12 labels the majority has 7: nobody but for black hair; it finds nothing rare
    assert together[MAJORITY][:3] == ["", "58.3", "50.0"]
    assert together[MAJORITY][-2:] == ["0.0", ""]
    assert together["WBCE"] == ["1", *["100.0"] * 8]
    # 10 of 12 labels right
    assert together["BCE"][:2] == ["2", "91.7 ± 11.8"]
    # one of two rare ones found, all that was found right
    assert together["BCE"][-2:] == ["75.0 ± 35.4", "100.0 ± 0.0"]
    assert each["mean accuracy"] == ["have it: source", "here", "BCE", "WBCE"]
    assert each["up-Red"] == ["4.0", "33.3", "100.0 ± 0.0", "100.0"]
    assert each["hs-Hat"] == ["5.0", "33.3", "75.0 ± 35.4", "100.0"]
    assert test["WBCE"][:2] == ["1", "100.0"]
    assert "4 attributes are compared" in text
    assert "Rare: the 2 attributes that less than 10 %" in text


def test_of_other_sources_the_majority_differs() -> None:
    other = measured(TRUE, Female=0.6)
    together = blocks(label_table("T", {"A": [RIGHT], "B": [other]}))[0]
    assert list(together)[2:] == [f"{MAJORITY} (A)", "A", f"{MAJORITY} (B)", "B"]


def test_without_test_persons_there_is_no_block_of_them() -> None:
    text = label_table("T", {"A": [measured(TRUE, (1, 2, 3, 4))]})
    assert "Test persons" not in text
    assert len(blocks(text)) == 2


def test_an_attribute_that_one_transfer_lacks() -> None:
    less = json.loads(json.dumps(RIGHT))
    del less["train"]["per_attribute"]["up-Red"]
    less["only_in_truth"] = ["up-Red"]
    text = label_table("T", {"A": [RIGHT], "B": [less]})
    assert blocks(text)[1]["up-Red"][-2:] == ["100.0", ""]
    assert "Not transferred: up-Red." in text


def test_bad_input() -> None:
    with pytest.raises(ReidError, match="the row 'A' has no run"):
        label_table("T", {"A": []})
    with pytest.raises(ReidError, match="no row: there is nothing to show"):
        label_table("T", {})
