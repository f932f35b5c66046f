"""The label audit's list, picture and table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from weakreid.report import audit, figures
from weakreid.report.audit import Example
from weakreid.retrieval.audit_score import by_chance, of_order
from weakreid.supervision.audit import FALSE_TAG, MISSING_TAG

BAGS = pd.DataFrame(
    {
        "bag_id": [4, 7, 9],
        "camera_id": [1, 2, 2],
        "frames": [np.arange(100, 120), np.arange(200, 203), np.arange(300, 310)],
        "frame_tracklets": [np.repeat([40, 41], 10), np.repeat(70, 3), np.repeat(90, 10)],
    }
)
FINDINGS = pd.DataFrame(
    [
        (1, 7, 5, MISSING_TAG, 0.91, True, [202, 200], 2.5),
        (2, 4, 6, FALSE_TAG, 0.75, True, [109, 110, 100], 1.0),
        (3, 4, 5, FALSE_TAG, 0.3, True, [100, 101], 1.0),
        (4, 9, 5, FALSE_TAG, 0.2, True, [309, 300], 0.5),
        (5, 9, 6, FALSE_TAG, 0.1, True, [301], 0.5),
        (6, 7, 8, FALSE_TAG, 0.99, False, [201], 2.5),
    ],
    columns=["rank", "bag_id", "person_id", "kind", "score", "judged", "evidence", "bag_loss"],
)


def test_listing() -> None:
    judged = FINDINGS[FINDINGS["judged"]]
    note = (
        "3 bags; 4 tags and, per bag, the likeliest missing people were looked at. Score: 0.5 is "
        "the most suspicious of its kind in the median bag. Tracklets and images (rows of the "
        "image store): the frames that fit the person best.\n"
    )
    assert audit.listing("study", judged, BAGS, 2) == (
        "# study: labels to check first\n"
        "\n"
        "| rank | bag | camera |                   what looks wrong | score | tracklets |"
        "        images |\n"
        "|------|----:|-------:|-----------------------------------:|------:|----------:|"
        "--------------:|\n"
        "| 1    |   7 |      2 | person 5 is not tagged: frames fit | 0.910 |        70 |"
        "      202, 200 |\n"
        "| 2    |   4 |      1 |   person 6 is tagged: no frame fits | 0.750 |    40, 41 |"
        " 109, 110, 100 |\n".replace("   person 6", "  person 6")
        + f"\n{note}"
    )


def test_the_list_says_what_could_not_be_judged() -> None:
    text = audit.listing("study", FINDINGS, BAGS, 20)
    assert (
        "| 6    |   7 |      2 |  person 8 is tagged: no frame fits | 0.990 (not judged) |" in text
    )
    assert "1 tags are of people who are tagged in one bag only" in text


def test_examples() -> None:
    first, second, *others = audit.examples(FINDINGS, BAGS)[:3]
    # beside person 5 in the bag where the tag is least suspicious
    assert first == Example(
        "1. is person 5 in bag 7 (camera 2)? not tagged, but the boxed frames fit, score 0.91",
        [200, 201, 202],
        frozenset({200, 202}),
        "person 5 in bag 9 (camera 2)",
        [309, 300],
    )
    assert second.question == (
        "2. is person 6 in bag 4 (camera 1)? tagged, but no frame fits (boxed: the nearest), "
        "score 0.75"
    )
    assert (second.beside, second.others) == ("person 6 in bag 9 (camera 2)", [301])
    assert len(second.frames) == audit.FRAMES_OF_BAG
    assert second.boxed == {100, 109, 110} <= set(second.frames)
    assert list(second.frames) == sorted(second.frames)
    # never beside the very bag that is doubted
    assert [one.beside for one in others] == ["person 5 in bag 9 (camera 2)"]
    assert len(audit.examples(FINDINGS, BAGS)) == 5


def test_the_same_picture_twice(tmp_path: Path) -> None:
    def frame(row: int) -> np.ndarray:
        return np.full((16, 8, 3), row % 250, np.uint8)

    for name in ("one.png", "two.png"):
        figure = audit.picture(audit.examples(FINDINGS, BAGS), frame, "study")
        figures.save(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    boxes = [len(axis.patches) for axis in figure.axes]
    # an edge and its white rim, on the left alone
    assert boxes[:4] == [4, 0, 6, 0]
    written = " ".join(text.get_text() for text in figure.texts)
    for part in ("study: labels to check first", "boxed:", "right: the person", "score"):
        assert part in written


def scored(*hits: bool) -> dict[str, Any]:
    """What audit.json holds: bags of which two are wrong, both by false tags."""
    lists = {"chance": by_chance(2, 10), "bag loss": of_order([True] * 2, 2, 10)}
    lists["label audit"] = of_order(hits, 2, 10)
    bags = {"items": 10, "wrong": 2, "lists": lists}
    labels = {name: lists[name] for name in ("chance", "label audit")}
    kinds = {FALSE_TAG: {"bags": bags, "labels": {**bags, "lists": labels}}}
    return {"bags": bags, "kinds": kinds}


def test_comparison() -> None:
    text = audit.comparison("Found again", {"walkers": [scored(True, False, True)]})
    lines = text.splitlines()
    assert lines[0] == "# Found again"
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[2][:6] == ["", "runs", "wrong bags", "P = R at all wrong", "P at 5 %", "R at 5 %"]
    assert cells[2][-3:] == ["P at 20 %", "R at 20 %", "AP"]
    assert cells[4][:6] == ["chance", "1", "2 of 10", "20.0", "20.0", "10.0"]
    assert cells[5][-3:] == ["100.0", "100.0", "100.0"]
    assert cells[6][:6] == ["label audit", "1", "2 of 10", "50.0", "100.0", "50.0"]
    assert cells[6][-1] == "83.3"
    assert lines[8] == "## By kind of error"
    assert cells[13] == ["false tag, bag loss", "1", "100.0", "100.0", "", ""]
    assert cells[14] == ["false tag, label audit", "1", "50.0", "83.3", "50.0", "83.3"]
    assert MISSING_TAG not in text


def test_comparison_of_runs_and_datasets() -> None:
    runs = [scored(True, True), scored(False, False, True)]
    text = audit.comparison("Found again", {"walkers": runs, "mars": runs[:1]})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert rows[6][:4] == ["label audit (walkers)", "2", "2 of 10", "50.0 ± 70.7"]
    assert rows[9][:4] == ["label audit (mars)", "1", "2 of 10", "100.0"]


@pytest.mark.parametrize("count", [1, 4])
def test_frames_around_the_evidence_where_a_bag_holds_no_more(count: int) -> None:
    bags = BAGS.assign(frames=[np.arange(100, 100 + count)] * 3)
    row = FINDINGS.iloc[[1, 4]].assign(evidence=[list(range(100, 100 + count)), [100]])
    found = audit.examples(row, bags)[0]
    assert list(found.frames) == list(range(100, 100 + count))
