"""Files of the MOTChallenge, small ones and, where they are, real ones."""

import itertools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.datasets import motchallenge
from weakreid.errors import ReidError

READ: dict[str, Any] = {"first_number": 1, "on_bad_box": "stop"}


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def one_line(caught: pytest.ExceptionInfo[ReidError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


# ------------------------------------------------------------------ a tracker's output


def test_boxes(tmp_path: Path) -> None:
    path = written(
        tmp_path / "boxes.txt",
        "2,1,5.5,6,7,8,0.5,-1,-1,-1",
        "",
        "1,3.0,-1,-2.25,3,4,-0.2,-1,-1,-1",
        "2,0,1e1,2,3,4,1,-1,-1,-1",
    )
    boxes = motchallenge.read_boxes(path, **READ)
    assert boxes.columns.tolist() == [*motchallenge.COLUMNS, "bad", "confidence", "line"]
    assert boxes["frame"].tolist() == [1, 2, 2]
    assert boxes["track_id"].tolist() == [3, 0, 1]
    assert boxes["left"].tolist() == [-1, 10, 5.5]
    assert boxes["top"].tolist() == [-2.25, 2, 6]
    assert boxes["confidence"].tolist() == [-0.2, 1, 0.5]
    assert boxes["line"].tolist() == [3, 4, 1]
    kinds = boxes.dtypes.astype(str).to_dict()
    assert kinds["frame"] == kinds["track_id"] == "int64"
    assert {kinds[name] for name in motchallenge.BOX} == {"float64"}


def test_boxes_of_six_columns_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    path.write_bytes(b"\xef\xbb\xbf1, 1, 2, 3, 4, 5\r\n2, 1, 2, 3, 4, 5\r\n")
    boxes = motchallenge.read_boxes(path, **READ)
    assert boxes["confidence"].isna().all()
    assert boxes["line"].tolist() == [1, 2]


GOOD = "1,1,5,6,7,8,1,-1,-1,-1"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["1,1,5,6,7"], "line 1 has 5 columns and lacks height"),
        (["1 1 5 6 7 8"], "line 1 has 1 columns and lacks track_id"),
        ([GOOD, "2,1,5,6,7,8,1"], "line 2 has 7 columns, but line 1 has 10"),
        (["frame,id,left,top,width,height", "1,1,5,6,7,8"], "line 1: frame is 'frame'.*no header"),
        ([GOOD, "2,1,five,6,7,8,1,-1,-1,-1"], "line 2: left is 'five', not a number"),
        ([GOOD, "2,1,,6,7,8,1,-1,-1,-1"], "line 2: left is '', not a number"),
        ([GOOD, "2,1,1_0,6,7,8,1,-1,-1,-1"], "line 2: left is '1_0'"),
        ([GOOD, "2,1,5,nan,7,8,1,-1,-1,-1"], "line 2: top is 'nan'"),
        ([GOOD, "2,1,5,6,inf,8,1,-1,-1,-1"], "line 2: width is 'inf'"),
        ([GOOD, "2,1,5,6,7,8,1,-1,nan,-1"], "line 2: column 9 is 'nan'"),
        ([GOOD, "0,1,5,6,7,8,1,-1,-1,-1"], "line 2: frame is 0"),
        ([GOOD, "1.5,1,5,6,7,8,1,-1,-1,-1"], "line 2: frame is 1.5"),
        ([GOOD, "2,1.5,5,6,7,8,1,-1,-1,-1"], "line 2: id is 1.5"),
        ([GOOD, "2,-1,5,6,7,8,1,-1,-1,-1"], "line 2: id is -1"),
        ([GOOD, "2,1e10,5,6,7,8,1,-1,-1,-1"], "line 2: id is 1e"),
        ([GOOD, "2,1,5,6,0,8,1,-1,-1,-1"], "line 2: width is 0"),
        ([GOOD, "2,1,5,6,7,-8,1,-1,-1,-1"], "line 2: height is -8"),
        ([GOOD, "", GOOD], r"line 3: id 1 is in frame 1 already \(line 1\)"),
        (["1,-1,5,6,7,8,1,-1,-1,-1"] * 2, "these are detections; run a tracker"),
        ([""], "holds no box"),
    ],
)
def test_bad_boxes(tmp_path: Path, lines: list[str], words: str) -> None:
    path = written(tmp_path / "boxes.txt", *lines)
    with pytest.raises(ReidError, match=words) as caught:
        motchallenge.read_boxes(path, **READ)
    assert one_line(caught).startswith(str(path))


def test_boxes_that_are_not_there(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.txt", "no such file"), (tmp_path, "a folder, but")):
        with pytest.raises(ReidError, match=words) as caught:
            motchallenge.read_boxes(path, **READ)
        assert str(path) in one_line(caught)
    (tmp_path / "boxes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReidError, match="not a text file"):
        motchallenge.read_boxes(tmp_path / "boxes.txt", **READ)


# ------------------------------------------------------------------ ground truth


def test_truth_of_mot16(tmp_path: Path) -> None:
    path = written(
        tmp_path / "gt.txt",
        "1,2,5,6,7,8,1,1,0.5",
        "1,1,5,6,7,8,1,7,1",
        "2,2,5,6,7,8,0,1,0",
    )
    truth = motchallenge.read_truth(path, **READ)
    assert truth["track_id"].tolist() == [1, 2, 2]
    assert truth["kind"].tolist() == [7, 1, 1]
    assert truth["visibility"].tolist() == [1, 0.5, 0]
    assert truth["consider"].tolist() == [True, True, False]
    assert motchallenge.truth_rows(truth, [1])["track_id"].tolist() == [2]
    assert motchallenge.truth_rows(truth, (1, 7))["track_id"].tolist() == [1, 2]


def test_truth_of_mot15(tmp_path: Path) -> None:
    path = written(tmp_path / "gt.txt", "1,9,5,6,7,8,1,-4.15,-7.3,0", "2,9,5,6,7,8,0,-4.15,-7.3,0")
    truth = motchallenge.read_truth(path, **READ)
    assert truth["kind"].tolist() == [1, 1]
    assert truth["visibility"].isna().all()
    assert motchallenge.truth_rows(truth, [1])["frame"].tolist() == [1]


def test_truth_of_boxes_alone_counts_whole(tmp_path: Path) -> None:
    truth = motchallenge.read_truth(written(tmp_path / "gt.txt", "1,9,5,6,7,8"), **READ)
    assert len(motchallenge.truth_rows(truth, [1])) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2,0,5,6,7,8,1,1,1", "line 2: id is 0"),
        ("2,1,5,6,7,8,1,1.5,1", "line 2: class is 1.5"),
        ("2,1,5,6,7,8,1,-1,1", "line 2: class is -1"),
        ("2,1,5,6,7,8,1,1,1.5", "line 2: visibility is 1.5"),
    ],
)
def test_bad_truth(tmp_path: Path, line: str, words: str) -> None:
    path = written(tmp_path / "gt.txt", "1,1,5,6,7,8,1,1,1", line)
    with pytest.raises(ReidError, match=words) as caught:
        motchallenge.read_truth(path, **READ)
    one_line(caught)


# ------------------------------------------------------------------ matching

boxes_of_a_frame = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 9)),
    max_size=4,
).map(lambda rows: np.array(rows, float).reshape(-1, 4))


def painted(box: np.ndarray) -> set[tuple[int, int]]:
    x, y, w, h = (int(value) for value in box)
    return set(itertools.product(range(x, x + w), range(y, y + h)))


@settings(max_examples=150, deadline=None)
@given(boxes=boxes_of_a_frame, truth=boxes_of_a_frame, iou=st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_matching_is_the_best_there_is(boxes: np.ndarray, truth: np.ndarray, iou: float) -> None:
    overlaps = np.zeros((len(boxes), len(truth)))
    for i, j in np.ndindex(overlaps.shape):
        one, two = painted(boxes[i]), painted(truth[j])
        overlaps[i, j] = len(one & two) / len(one | two)
    np.testing.assert_allclose(motchallenge.overlap(boxes, truth), overlaps, atol=1e-12)

    matched = motchallenge.match_frame(boxes, truth, iou)
    assert len(matched) == len(boxes)
    taken = matched[matched >= 0]
    assert len(set(taken.tolist())) == len(taken)
    pairs = [(i, j) for i, j in enumerate(matched.tolist()) if j >= 0]
    assert all(overlaps[pair] >= iou - 1e-9 for pair in pairs)

    def best(i: int, free: frozenset[int]) -> float:
        if i == len(boxes):
            return 0.0
        takes = [
            overlaps[i, j] + best(i + 1, free - {j}) for j in free if overlaps[i, j] >= iou - 1e-9
        ]
        return max([best(i + 1, free), *takes])

    total = sum(overlaps[pair] for pair in pairs)
    assert total == pytest.approx(best(0, frozenset(range(len(truth)))))

    if len(truth):
        most = motchallenge.match_frame(boxes, truth, iou, one_to_one=False)
        for row, j in zip(overlaps, most.tolist(), strict=True):
            assert row[j] == row.max() if j >= 0 else row.max() < iou + 1e-9


def test_matching_of_frames(tmp_path: Path) -> None:
    boxes = motchallenge.read_boxes(
        written(
            tmp_path / "boxes.txt",
            "1,0,10,10,10,20",
            "1,1,12,10,10,20",
            "2,0,10,10,10,20",
            "3,0,10,10,10,20",
        ),
        **READ,
    )
    truth = motchallenge.read_truth(
        written(tmp_path / "gt.txt", "1,4,12,10,10,20", "1,5,9,10,10,20", "3,4,20,10,10,20"),
        **READ,
    )
    assert motchallenge.match_boxes(boxes, truth, 0.5).tolist() == [5, 4, 0, 0]
    # the rows' own order does not matter
    shuffled = boxes.iloc[[3, 1, 0, 2]].reset_index(drop=True)
    assert motchallenge.match_boxes(shuffled, truth[::-1], 0.5).tolist() == [0, 4, 5, 0]
    assert motchallenge.match_boxes(boxes, truth[:0], 0.5).tolist() == [0] * 4
    assert motchallenge.match_boxes(boxes[:0], truth, 0.5).tolist() == []


# ------------------------------------------------------------------ real files


@pytest.mark.shared
def test_all_of_mot17(shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data / "mot17" / "mot17_train_frcnn.zip") as held:
        held.extractall(tmp_path)
    found = {}
    for folder in sorted((tmp_path / "gt").iterdir()):
        truth = motchallenge.read_truth(folder / "gt" / "gt.txt", **READ)
        length = int(truth["frame"].max())
        counted = motchallenge.truth_rows(truth, [1])
        assert set(truth["kind"]) <= set(range(1, 14))
        found[folder.name] = (length, len(truth), counted["track_id"].nunique(), len(counted))
        for tracker in ("deepsort", "mpntrack"):
            boxes = motchallenge.read_boxes(
                tmp_path / "trackers" / tracker / f"{folder.name}.txt", **READ
            )
            assert boxes["frame"].max() <= length
            assert (motchallenge.match_boxes(boxes, counted, 0.5) > 0).mean() > 0.8
    # frames, all boxes; persons and boxes that count
    assert {name[:8]: value for name, value in found.items()} == {
        "MOT17-02": (600, 30003, 62, 18581),
        "MOT17-04": (1050, 108005, 83, 47557),
        "MOT17-05": (837, 8013, 133, 6917),
        "MOT17-09": (525, 10411, 26, 5325),
        "MOT17-10": (654, 17450, 57, 12839),
        "MOT17-11": (900, 10617, 75, 9436),
        "MOT17-13": (750, 20202, 110, 11642),
    }


@pytest.mark.shared
def test_all_of_pets09(shared_data: Path) -> None:
    folder = shared_data / "pets09"
    truth = motchallenge.read_truth(folder / "gt.txt", **READ)
    counted = motchallenge.truth_rows(truth, [1])
    assert truth["frame"].max() == 795
    assert (len(truth), len(counted), counted["track_id"].nunique()) == (4650, 4476, 19)
    for name, tracks in (("tracker_masa", 25), ("tracker_masa-hung-kf", 19)):
        boxes = motchallenge.read_boxes(folder / f"{name}.txt", **READ)
        assert boxes["track_id"].nunique() == tracks
        assert (motchallenge.match_boxes(boxes, counted, 0.5) > 0).mean() > 0.95
    with pytest.raises(ReidError, match="these are detections"):
        motchallenge.read_boxes(folder / "det.txt", **READ)
