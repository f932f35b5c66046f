"""The reader of crops that were cut out of a tracker's output."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from tests.data.helpers import how

from weakreid.datasets import layout, mot
from weakreid.errors import ReidError

JPEG = simplejpeg.encode_jpeg(np.full((16, 8, 3), 90, np.uint8))
TRACKLETS = """tracklet_id,sequence,track_id,person_id,camera_id,role,first_frame,last_frame,\
frame_count
0,NA,0,7,1,train,1,2,2
1,NA,4,0,1,train,5,9,2
2,hall,1,7,2,query,1,1,1
3,hall,2,0,2,query,3,4,2
4,yard,1,100007,3,gallery,1,2,2
"""
PERSONS = (7, 0, 0, 8, 7, 0, 100_008, 100_007, 100_007)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tracklets.csv").write_text(TRACKLETS)
    spans = [
        ("NA/000000", (1, 2)),
        ("NA/000004", (5, 9)),
        ("hall/000001", (1,)),
        ("hall/000002", (3, 4)),
        ("yard/000001", (1, 2)),
    ]
    rows = ["tracklet_id,frame,file,person_id"]
    for number, (folder, frames) in enumerate(spans):
        for frame in frames:
            file = f"{folder}/{frame:06d}.jpg"
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_bytes(JPEG)
            rows.append(f"{number},{frame},{file},{PERSONS[len(rows) - 1]}")
    (tmp_path / "frames.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_reading(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reading = mot.read(root, how())
    table = reading.tracklets
    assert table["person_id"].tolist() == [7, 0, 7, 0, 100_007]
    assert table["camera_id"].tolist() == [1, 1, 2, 2, 3]
    # nobody can say what the right answer to the second query is, but it can be searched with
    assert table["role"].tolist() == ["train", "train", "query", "query", "gallery"]
    assert table["frame_count"].tolist() == [2, 2, 1, 2, 2]
    assert reading.files[0] == "NA/000000/000001.jpg"
    assert reading.frame_persons is not None
    assert reading.frame_persons.tolist() == list(PERSONS)
    assert reading.frame_persons.dtype == np.int32
    assert set(reading.partitions["partition"]) == {0}
    assert reading.partitions["role"].tolist() == table["role"].tolist()
    assert "of 2 queries 1 are of somebody unknown" in capsys.readouterr().err


def test_missing_crops(root: Path) -> None:
    (root / "NA" / "000004" / "000005.jpg").unlink()
    (root / "hall" / "000001" / "000001.jpg").unlink()
    with pytest.raises(ReidError, match="2 of 9 images are missing"):
        mot.read(root, how())
    reading = mot.read(root, how(on_bad_frame="leave_out"))
    assert reading.tracklets["frame_count"].tolist() == [2, 1, 2, 2]
    assert reading.frame_persons is not None
    assert reading.frame_persons.tolist() == [7, 0, 8, 0, 100_008, 100_007, 100_007]
    layout.check(reading, mot.NAME)


def test_it_needs_its_tables(root: Path) -> None:
    (root / "frames.csv").unlink()
    with pytest.raises(ReidError, match=r"lacks frames\.csv.*tracker_output\.md"):
        mot.read(root, how())


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (replaced("tracklets.csv", "camera_id", "camera"), "not a table of tracklet_id"),
        (replaced("tracklets.csv", "NA,0,7", "NA,0,x"), "not a table of .*'x'"),
        (replaced("tracklets.csv", "1,2,2\n", "1,2,3\n"), "rows are not those of tracklets.csv"),
        (replaced("tracklets.csv", "4,yard", "5,yard"), "rows are not those of tracklets.csv"),
        (replaced("tracklets.csv", "gallery", "test"), "role test is not one of"),
        (replaced("frames.csv", "yard/000001/000002", "yard/000001/000001"), "belong to two"),
        (lambda root: (root / "tracklets.csv").write_text(""), "not a table of"),
    ],
)
def test_bad_tables(root: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(root)
    with pytest.raises(ReidError, match=words) as caught:
        mot.read(root, how())
    assert "\n" not in str(caught.value)
