"""Bags that a training cannot learn from: refused before a network is built or a picture opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.training.helpers import make_bags, method, run_here

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.stages import train_bags
from weakreid.training import frame


def as_they_are(rows: pd.DataFrame) -> None:
    """Leave the bags alone: 8 of 6 frames, 2 tracklets and 2 persons each."""


def one_person_each(rows: pd.DataFrame) -> None:
    rows["labels"] = [[person] for person in range(1, len(rows) + 1)]


def unlabelled(rows: pd.DataFrame) -> None:
    rows["labels"] = [[] if bag == 3 else labels for bag, labels in enumerate(rows["labels"])]


def without_training_bags(rows: pd.DataFrame) -> None:
    rows["role"] = "gallery"


MIL = {"name": "mil", "k": 7}
REFUSED: dict[str, tuple[Callable[[pd.DataFrame], None], dict[str, Any], str]] = {
    "k, frames": (
        as_they_are,
        {"loss": MIL},
        "loss.k = 7 is larger than every bag: the largest has 6 frames",
    ),
    "k, tracklets": (
        as_they_are,
        {"loss": {**MIL, "k": 3}, "instances": "tracklets"},
        "loss.k = 3 is larger than every bag: the largest has 2 tracklets",
    ),
    "CPAL": (one_person_each, {}, "no two of the 8 bags share an identity: CPAL cannot be"),
    "pairs": (as_they_are, {"batch__pairs": 3}, "3 pairs need 6 bags, but a batch holds 4"),
    "labels": (unlabelled, {}, "bag 3 has no labels; leave it out of the bags"),
    "split": (without_training_bags, {}, "no training bags"),
}


@pytest.fixture
def nothing_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(*_: Any, **__: Any) -> None:
        raise AssertionError("the training had begun")

    for name in ("fabric_for", "launch", "build_model", "frozen_maps"):
        monkeypatch.setattr(frame, name, too_late)
    for name in ("Heads", "ImageStore"):
        monkeypatch.setattr(train_bags, name, too_late)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_computed(case: str, tmp_path: Path, nothing_built) -> None:
    change, changes, message = REFUSED[case]
    make_bags(tmp_path / "bags.parquet")
    rows = schemas.read_frame(tmp_path / "bags.parquet", "bags", truth=True)
    change(rows)
    schemas.write(tmp_path / "bags.parquet", "bags", rows, {})
    with pytest.raises(ReidError, match=message) as caught:
        # there are no pictures
        run_here(tmp_path, tmp_path / "out", method(**changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loss": {"name": "mil", "k": 6}}, ""),
        (
            {"loss": {"name": "mil", "k": 3}},
            "1 of 9 bags have fewer than k = 3 frames: these use all\n",
        ),
        # without CPAL nobody needs to be in two bags
        ({"cpal__weight": 0.0}, ""),
    ],
)
def test_bags_that_can_be_learnt_from(changes, said, tmp_path, monkeypatch, capsys) -> None:
    class Begun(BaseException):
        pass

    def begin(*_: Any, **__: Any) -> None:
        raise Begun

    monkeypatch.setattr(frame, "build_model", begin)
    make_bags(tmp_path / "bags.parquet")
    rows = schemas.read_frame(tmp_path / "bags.parquet", "bags", truth=True)
    if said:
        short = rows.iloc[0].to_dict() | {"bag_id": 8, "frames": [1, 2], "frame_tracklets": [1, 1]}
        rows.loc[len(rows)] = short
    if "cpal__weight" in changes:
        one_person_each(rows)
    schemas.write(tmp_path / "bags.parquet", "bags", rows, {})
    with pytest.raises(Begun):
        run_here(tmp_path, tmp_path / "out", method(**changes))
    assert capsys.readouterr().err == said
