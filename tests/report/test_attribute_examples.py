"""Examples of transferred attributes: who is shown, and how words are marked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.attribute_examples import (
    Example,
    Truth,
    Word,
    choose,
    disagreement,
    examples,
    images_of,
    label_matrix,
    legend,
    lines_of,
    sheet,
)

NAMES = ("up-Red", "Female", "hs-Hat", "attach-Box")
BCE = {1: (1, 0, 0, 0), 2: (0, 1, 1, 0), 3: (1, 1, 0, 0), 8: (0, 0, 0, 0)}
WBCE = {1: (1, 0, 0, 1), 2: (0, 1, 1, 0), 3: (0, 1, 1, 1), 8: (1, 1, 1, 1)}
TRUE = {1: (1, 1, 0, 1), 2: (0, 1, -1, 0), 3: (0, 1, 1, 0)}

TRACKLETS = pd.DataFrame(
    {
        "tracklet_id": range(5),
        "person_id": [3, 1, 2, 3, 8],
        "camera_id": 1,
        "role": ["train"] * 4 + ["query"],
        "first_frame": [0, 3, 6, 9, 12],
        "frame_count": 3,
    }
)
FRAMES = pd.DataFrame(
    {
        "tracklet_id": np.repeat(range(5), 3),
        "position": list(range(3)) * 5,
        "file": [f"{image}.jpg" for image in range(15)],
        "image": range(15),
        "truth_person_id": 0,
    }
)


def labels(of: dict[int, tuple[int, ...]]) -> pd.DataFrame:
    rows = [
        (person, name, float(label == 1), label)
        for person, own in of.items()
        for name, label in zip(NAMES, own, strict=True)
    ]
    return pd.DataFrame(rows, columns=["person_id", "attribute", "probability", "label"])


def matrices() -> dict[str, pd.DataFrame]:
    return {"BCE": label_matrix(labels(BCE), "BCE"), "WBCE": label_matrix(labels(WBCE), "WBCE")}


def test_the_matrix_is_in_the_papers_order() -> None:
    table = matrices()["BCE"]
    assert list(table.columns) == ["Female", "hs-Hat", "up-Red", "attach-Box"]
    assert table.loc[2].tolist() == [1, 1, 0, 0]


def test_those_on_whom_transfers_disagree() -> None:
    transfers = matrices()
    assert disagreement(list(transfers.values()), [1, 2, 3]).tolist() == [1, 0, 3]
    # person 8 is a test person
    assert choose(transfers, TRACKLETS, 6) == [3, 1, 2]
    assert choose(transfers, TRACKLETS, 1) == [3]
    # of equals, the lower id
    assert choose({"BCE": transfers["BCE"]}, TRACKLETS, 2) == [1, 2]
    # only what all transfers have is compared
    transfers["WBCE"] = transfers["WBCE"].drop(columns=["attach-Box"])
    assert disagreement(list(transfers.values()), [1, 2, 3]).tolist() == [0, 0, 2]


def test_words_and_marks() -> None:
    images = images_of(FRAMES, TRACKLETS, [1, 2, 3])
    assert images == {1: [3, 4, 5], 2: [6, 7, 8], 3: [0, 1, 2, 9, 10, 11]}
    truth = label_matrix(labels(TRUE), "truth")
    first, second, third = examples(matrices(), [1, 2, 3], images, 2, truth)
    assert first.images == (3, 5)
    bce, wbce, true = first.columns
    male, red = Word("Male", True, "wrong"), Word("up-Red", True, "right")
    assert bce == ((male,), (red,))
    assert wbce == ((male,), (red,), (Word("attach-Box", False, "right"),))
    # bold in the truth: not every transfer found it
    assert true == (
        (Word("Female", False, "right"),),
        (red,),
        (Word("attach-Box", False, "right"),),
    )
    # the truth was left open
    assert second.columns[0][1] == (Word("Hat", True, "open"),)
    assert third.columns[0] == ((Word("Female", True, "right"),), (Word("up-Red", False, "wrong"),))


def said_of(found: list[Example], transfers: int) -> list[str]:
    return [mark.text for mark in legend(found, transfers)]


def test_without_truth_there_is_no_mark() -> None:
    (one,) = examples(matrices(), [1], images_of(FRAMES, TRACKLETS, [1]), 2)
    assert len(one.columns) == 2
    assert one.columns[1][-1] == (Word("attach-Box", False),)
    assert one.columns[1][-1][0].marked == "attach-Box"
    assert "bold: not every transfer found it" in said_of([one], 2)


def test_the_legend_explains_the_marks_that_there_are() -> None:
    def shown(*truths: Truth) -> Example:
        return Example(1, (0,), ((tuple(Word("x", True, truth) for truth in truths),),))

    assert said_of([shown("right", "unknown")], 1)[1:] == ["✓ blue: right", "✗ orange: wrong"]
    assert said_of([shown("open")], 1)[1:] == ["? grey: the truth was left open"]


def test_lines_are_broken_between_words() -> None:
    words = [Word(f"up-{number:04d}", True, "right") for number in range(5)]
    lines = lines_of(words, 22)
    assert [len(line) for line in lines] == [2, 2, 1]
    assert [one for line in lines for one in line] == words
    # one that is too long has a line of its own
    assert lines_of([Word("x" * 50, True)], 22) == [[Word("x" * 50, True)]]


def test_bad_input() -> None:
    transfers = matrices()
    with pytest.raises(ReidError, match="WBCE: person 1 has 2 labels of up-Red, not one"):
        label_matrix(pd.concat([labels(BCE), labels(BCE)]), "WBCE")
    with pytest.raises(ReidError, match="BCE: empty"):
        label_matrix(labels({}), "BCE")
    transfers["WBCE"] = transfers["WBCE"].drop(index=2)
    with pytest.raises(ReidError, match=r"WBCE: no labels of training person 2 \(1 such\)"):
        choose(transfers, TRACKLETS, 3)
    with pytest.raises(ReidError, match="there is nobody to show"):
        choose(transfers, TRACKLETS.assign(role="query"), 3)
    truth = label_matrix(labels(TRUE), "truth").drop(index=3)
    with pytest.raises(ReidError, match="the true labels lack person 3"):
        examples(matrices(), [3], images_of(FRAMES, TRACKLETS, [3]), 2, truth)


def test_the_sheet_says_what_it_marks(tmp_path: Path) -> None:
    truth = label_matrix(labels(TRUE), "truth")
    persons = [1, 2, 3]
    own = images_of(FRAMES, TRACKLETS, persons)

    def text(known: pd.DataFrame | None) -> str:
        found = examples(matrices(), persons, own, 4, known)
        picture = np.zeros((128, 64, 3), np.uint8)
        figure = sheet(found, ["BCE", "WBCE"], lambda image: picture, "T", truth=known is not None)
        figures.save(figure, tmp_path / "sheet.svg")
        return (tmp_path / "sheet.svg").read_text(encoding="utf-8")

    for said in ("✗Male", "✓attach-Box", "?Hat", ">truth<", "person 3", "✓ blue: right"):
        assert said in text(truth)
    assert "✓" not in text(None)
    assert ">Male<" in text(None)
