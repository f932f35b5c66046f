"""The readers, on small datasets in the official layouts, and on the real ones where they are."""

import errno
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import simplejpeg
from tests.data.helpers import how

from weakreid.datasets import dukev, ilids, layout, mars, prid
from weakreid.datasets.layout import Reading
from weakreid.datasets.unpack import unpack_all
from weakreid.errors import ReidError

JPEG = simplejpeg.encode_jpeg(np.full((16, 8, 3), 90, np.uint8))


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(JPEG)


def one_line(caught: pytest.ExceptionInfo[ReidError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


# ------------------------------------------------------------------ MARS

# (person, camera, frames), the person as the folder says it
TRAIN = [("0001", 1, 3), ("0001", 1, 2), ("0001", 2, 1), ("0007", 6, 4)]
TEST = [("00-1", 1, 2), ("0000", 3, 2), ("0002", 1, 3), ("0002", 1, 1), ("0002", 5, 2)]


def mars_names(tracklets: list[tuple[str, int, int]]) -> list[str]:
    return [
        f"{person}C{camera}T{number:04d}F{frame:03d}.jpg"
        for number, (person, camera, frames) in enumerate(tracklets, 1)
        for frame in range(1, frames + 1)
    ]


def mars_rows(tracklets: list[tuple[str, int, int]]) -> np.ndarray:
    last = np.cumsum([frames for _, _, frames in tracklets])
    first = last - [frames - 1 for _, _, frames in tracklets]
    persons = [-1 if person == "00-1" else int(person) for person, _, _ in tracklets]
    return np.stack([first, last, persons, [camera for _, camera, _ in tracklets]], axis=1)


def save_mat(path: Path, name: str, value: object) -> None:
    scipy.io.savemat(path, {name: value}, do_compression=True)


@pytest.fixture
def mars_root(tmp_path: Path) -> Path:
    root = tmp_path / "mars"
    for side, tracklets in (("train", TRAIN), ("test", TEST)):
        names = mars_names(tracklets)
        for name in names:
            touch(root / f"bbox_{side}" / name[:4] / name)
        (root / "info").mkdir(exist_ok=True)
        (root / "info" / f"{side}_name.txt").write_text("\n".join(names) + "\n")
        mat = root / "info" / f"tracks_{side}_info.mat"
        save_mat(mat, f"track_{side}_info", mars_rows(tracklets))
    save_mat(root / "info" / "query_IDX.mat", "query_IDX", np.array([[3]], np.uint16))
    return root


def test_mars_small(mars_root: Path) -> None:
    reading = mars.read(mars_root, how())
    table = reading.tracklets
    assert table["person_id"].tolist() == [1, 1, 1, 7, -1, 0, 2, 2, 2]
    assert table["camera_id"].tolist() == [1, 1, 2, 6, 1, 3, 1, 1, 5]
    assert table["frame_count"].tolist() == [3, 2, 1, 4, 2, 2, 3, 1, 2]
    splits = ["train"] * 4 + ["junk", "gallery", "query", "gallery", "gallery"]
    assert table["role"].tolist() == splits
    assert reading.files[0] == "bbox_train/0001/0001C1T0001F001.jpg"
    assert reading.files[10] == "bbox_test/00-1/00-1C1T0001F001.jpg"
    assert all((mars_root / file).is_file() for file in reading.files)
    assert reading.partitions["role"].tolist() == splits
    assert set(reading.partitions["partition"]) == {0}
    pd.testing.assert_frame_equal(table, mars.read_info(mars_root / "info")[0])


def test_mars_needs_its_files(mars_root: Path) -> None:
    (mars_root / "info" / "query_IDX.mat").unlink()
    (mars_root / "bbox_test").rename(mars_root / "elsewhere")
    with pytest.raises(ReidError, match=r"lacks bbox_test, info/query_IDX\.mat") as caught:
        mars.read(mars_root, how())
    assert "project_mars.html" in one_line(caught)


def test_mars_missing_pictures(mars_root: Path) -> None:
    for name in mars_names(TRAIN)[2:7]:
        (mars_root / "bbox_train" / name[:4] / name).unlink()
    with pytest.raises(ReidError, match="5 of 20 images") as caught:
        mars.read(mars_root, how())
    text = one_line(caught)
    assert "0001C1T0001F003.jpg" in text
    assert "and 2 more" in text
    assert "on_bad_frame" in text
    reading = mars.read(mars_root, how(on_bad_frame="leave_out"))
    assert reading.tracklets["tracklet_id"].tolist() == list(range(7))
    assert reading.tracklets["frame_count"].tolist() == [2, 3, 2, 2, 3, 1, 2]
    assert reading.left_out_tracklets == 2
    assert len(reading.left_out_frames) == 5
    assert reading.partitions["tracklet_id"].tolist() == list(range(7))
    layout.check(reading, "MARS")


def test_mars_whole_folder_missing(mars_root: Path) -> None:
    (mars_root / "bbox_train" / "0007").rename(mars_root / "0007")
    with pytest.raises(ReidError, match="4 of 20 images"):
        mars.read(mars_root, how())


def test_mars_says_what_it_does_not_read(
    mars_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    touch(mars_root / "bbox_train" / "0001" / "0001C1T0009F001.jpg")
    touch(mars_root / "bbox_train" / "0001" / "._0001C1T0001F001.jpg")
    touch(mars_root / "bbox_train" / "0001" / "Thumbs.db")
    assert len(mars.read(mars_root, how()).files) == 20
    assert "warning: MARS: 1 images beside the 20 that" in capsys.readouterr().out


def change_rows(row: int, column: int, value: int) -> Callable[[Path], None]:
    def change(info: Path) -> None:
        rows = mars_rows(TEST)
        rows[row, column] = value
        save_mat(info / "tracks_test_info.mat", "track_test_info", rows)

    return change


def query(*rows: int) -> Callable[[Path], None]:
    return lambda info: save_mat(info / "query_IDX.mat", "query_IDX", np.array([rows]))


def text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(info: Path) -> None:
        path = info / name
        path.write_text(path.read_text().replace(old, new, 1))

    return change


def raw(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda info: (info / name).write_bytes(data) and None


MISFITS: dict[str, tuple[Callable[[Path], None], str]] = {
    "person": (change_rows(3, 2, 8), r"row 4 says person 8 camera 1, but test_name.txt line 8"),
    "camera": (change_rows(2, 3, 2), r"row 3 .* 0002C1T0003F001\.jpg"),
    "past the end": (change_rows(4, 1, 99), "row 5 spans frames 9 to 99"),
    "backwards": (change_rows(4, 1, 3), "row 5 spans frames 9 to 3"),
    "zero-based": (change_rows(0, 0, 0), "row 1 spans frames 0 to 2"),
    "overlap": (change_rows(3, 0, 7), r"row 4 takes 0002C1T0003F003\.jpg"),
    "query outside": (query(3, 6), "query rows must lie in 1 to 5"),
    "query zero": (query(0), "query rows must lie in"),
    "query twice": (query(3, 3), "named twice"),
    "query junk": (query(1), "query row 1 is person -1"),
    "query distractor": (query(2, 3), "query row 2 is person 0"),
    "a short name list": (text("test_name.txt", "00-1C1T0001F001.jpg\n", ""), "row "),
    "not a name": (text("train_name.txt", "0001C1T0001F002", "holiday"), "line 2 is 'holiday.jpg'"),
    "a gap": (text("train_name.txt", "0001C1T0001F002.jpg", ""), "line 2 is ''"),
    "binary names": (raw("train_name.txt", b"\xff\xd8\xff"), "not a list of MARS image names"),
    "infinity": (
        lambda info: save_mat(info / "query_IDX.mat", "query_IDX", np.array([[3, np.inf]])),
        "not a matrix of whole numbers",
    ),
    "not a mat": (raw("query_IDX.mat", b"hello"), "not a whole MATLAB file"),
    "an empty mat": (raw("query_IDX.mat", b""), "not a whole MATLAB file"),
    "another mat": (
        lambda info: scipy.io.savemat(info / "query_IDX.mat", {"a": 1, "b": 2}),
        "no matrix 'query_IDX'",
    ),
    "a word": (
        lambda info: save_mat(info / "query_IDX.mat", "query_IDX", "text"),
        "not a matrix of whole numbers",
    ),
    "three columns": (
        lambda info: save_mat(
            info / "tracks_test_info.mat", "track_test_info", mars_rows(TEST)[:, :3]
        ),
        "3 columns, expected 4",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_mars_tables_that_do_not_fit(mars_root: Path, case: str) -> None:
    spoil, message = MISFITS[case]
    spoil(mars_root / "info")
    with pytest.raises(ReidError, match=message) as caught:
        mars.read(mars_root, how())
    assert str(mars_root / "info") in one_line(caught)


@pytest.mark.parametrize("keep", [100, 200, -8])
def test_mars_cut_mat(mars_root: Path, keep: int) -> None:
    path = mars_root / "info" / "tracks_test_info.mat"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReidError, match=r"tracks_test_info\.mat") as caught:
        mars.read(mars_root, how())
    one_line(caught)


def test_mars_train_has_no_junk(mars_root: Path) -> None:
    names = mars_names([("0000", 1, 2), *TRAIN[1:]])
    (mars_root / "info" / "train_name.txt").write_text("\n".join(names))
    rows = mars_rows([("0000", 1, 2), *TRAIN[1:]])
    save_mat(mars_root / "info" / "tracks_train_info.mat", "track_train_info", rows)
    with pytest.raises(ReidError, match="row 1 has person 0"):
        mars.read(mars_root, how())


def test_mars_rows_in_another_order(mars_root: Path) -> None:
    rows = mars_rows(TRAIN)[::-1]
    save_mat(mars_root / "info" / "tracks_train_info.mat", "track_train_info", rows)
    reading = mars.read(mars_root, how())
    assert reading.tracklets["person_id"].tolist()[:4] == [7, 1, 1, 1]
    assert reading.files[0] == "bbox_train/0007/0007C6T0004F001.jpg"
    assert reading.tracklets["first_frame"].tolist()[:4] == [0, 4, 5, 7]


@pytest.mark.parametrize(
    "saved_anew",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text + b"\n\n",
    ],
)
def test_mars_names_that_an_editor_saved(
    mars_root: Path, saved_anew: Callable[[bytes], bytes]
) -> None:
    path = mars_root / "info" / "train_name.txt"
    path.write_bytes(saved_anew(path.read_bytes()))
    assert len(mars.read(mars_root, how()).files) == 20
    path.write_bytes(path.read_text("utf-8-sig").encode("utf-16"))
    with pytest.raises(ReidError, match="UTF-16 or no text; save it in UTF-8, or get the official"):
        mars.read(mars_root, how())


def test_mars_in_a_folder_of_its_own(mars_root: Path, tmp_path: Path) -> None:
    """An archive unpacked into a folder of its name: leaving out is neither advised nor done."""
    (mars_root / "bbox_train").rename(tmp_path / "x")
    (mars_root / "bbox_train").mkdir()
    (tmp_path / "x").rename(mars_root / "bbox_train" / "bbox_train")
    with pytest.raises(ReidError, match="10 of 20 images") as caught:
        mars.read(mars_root, how())
    text = one_line(caught)
    assert "bbox_train/bbox_train is there: move what is in it one folder up" in text
    assert "leave_out" not in text
    with pytest.raises(ReidError, match="here 10 of 10 images of role train; put them right"):
        mars.read(mars_root, how(on_bad_frame="leave_out"))


def test_mars_with_names_in_another_case(mars_root: Path) -> None:
    for path in (mars_root / "bbox_train" / "0001").iterdir():
        path.rename(path.with_suffix(".JPG"))
    with pytest.raises(
        ReidError, match=r"6 are there, spelt otherwise, such as \S+\.JPG: re"
    ) as caught:
        mars.read(mars_root, how())
    one_line(caught)


def test_mars_without_junk_is_told_and_can_be_read(
    mars_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Junk is in no measure: all of it may go; what goes is said with its numbers."""
    shutil.rmtree(mars_root / "bbox_test" / "00-1")
    with pytest.raises(ReidError, match=r"nothing is in bbox_test/00-1.*leave_out$"):
        mars.read(mars_root, how())
    reading = mars.read(mars_root, how(on_bad_frame="leave_out"))
    assert layout.counts(reading)["junk_tracklets"] == 0
    said = capsys.readouterr().out
    assert said.startswith("warning: MARS: 2 of 20 images ")
    assert "left out, and with them 1 of 9 tracklets and 0 of 3 persons" in said


def test_mars_through_links(mars_root: Path, tmp_path: Path) -> None:
    (mars_root / "bbox_train").rename(tmp_path / "elsewhere")
    (mars_root / "bbox_train").mkdir()
    for person in (tmp_path / "elsewhere").iterdir():
        (mars_root / "bbox_train" / person.name).symlink_to(person)
    assert len(mars.read(mars_root, how()).files) == 20
    (mars_root / "bbox_train" / "0007").unlink()
    (mars_root / "bbox_train" / "0007").symlink_to("nowhere")
    with pytest.raises(ReidError, match="bbox_train/0007 is a link to nowhere, where there is"):
        mars.read(mars_root, how())


@pytest.mark.parametrize("name", ["train_name.txt", "tracks_train_info.mat"])
def test_mars_without_the_right_to_read(
    mars_root: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, mars_root / "info" / name)
    with pytest.raises(ReidError, match=f"info/{name}: no right to read it") as caught:
        mars.read(mars_root, how())
    assert "again" not in one_line(caught)


def deny(monkeypatch: pytest.MonkeyPatch, closed: Path) -> None:
    """Deny what root may always do: to read a file, to list a folder."""
    real_read, real_scan = Path.read_bytes, os.scandir
    error = PermissionError(errno.EACCES, "Permission denied", str(closed))

    def read_bytes(path: Path) -> bytes:
        if path == closed:
            raise error
        return real_read(path)

    def scandir(path: Path) -> object:
        if Path(path) == closed:
            raise error
        return real_scan(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    monkeypatch.setattr(os, "scandir", scandir)


def test_official_counts_are_checked_when_asked(mars_root: Path) -> None:
    with pytest.raises(ReidError, match="4 train tracklets, officially 8298"):
        mars.read(mars_root, how(official=True))


@pytest.mark.shared
def test_mars_official_tables(shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data / "mars_info" / "info.zip") as held:
        held.extractall(tmp_path)
    table, _ = mars.read_info(tmp_path / "info")
    assert table["role"].value_counts().to_dict() == {
        "train": 8298,
        "query": 1980,
        "gallery": 9330,
        "junk": 870,
    }
    assert (table["person_id"] == 0).sum() == 3248
    train = table[table["role"] == "train"]
    assert train["person_id"].nunique() == 625
    assert len(train.groupby(["person_id", "camera_id"])) == 1955
    assert train["frame_count"].sum() == 509_914
    test = table[table["role"].isin(["query", "gallery"]) & (table["person_id"] > 0)]
    assert test["person_id"].nunique() == 634
    assert table.loc[table["role"] == "query", "person_id"].nunique() == 626


@pytest.mark.shared
def test_mars_mini(shared_data: Path, tmp_path: Path) -> None:
    archives = [shared_data / "mars_mini" / f"{n}.zip" for n in ("bbox_train", "bbox_test", "info")]
    unpack_all({path.name: (path, "") for path in archives}, tmp_path / "mars")
    found = layout.counts(mars.read(tmp_path / "mars", how()))
    assert found["train_tracklets"] == 786
    assert found["query_tracklets"] == 140
    assert found["gallery_tracklets"] == 292
    assert found["train_persons"] == 302
    assert found["test_persons"] == 152
    assert found["frames"] == 8 * (786 + 432)


# ------------------------------------------------------------------ DukeMTMC-VideoReID


@pytest.fixture
def duke_root(tmp_path: Path) -> Path:
    root = tmp_path / "duke"
    for place in (
        "train/0001/0001/0001_C6_F0002_X30831.jpg",
        "train/0001/0001/0001_C6_F0001_X30823.jpg",
        "train/0001/0002/0001C1F0001X00001.jpg",
        "train/0012/0001/0012_C1_F0001_X00001.jpg",
        "query/0003/0001/0003_C1_F0001_X00001.jpg",
        "gallery/0003/0002/0003_C2_F0001_X00001.jpg",
        "gallery/0900/0001/0900_C8_F0001_X00001.jpg",
    ):
        touch(root / "DukeMTMC-VideoReID" / place)
    return root


def test_duke_small(duke_root: Path) -> None:
    reading = dukev.read(duke_root, how())
    table = reading.tracklets
    assert table["person_id"].tolist() == [1, 1, 12, 3, 3, 0]
    assert table["camera_id"].tolist() == [6, 1, 1, 1, 2, 8]
    assert table["role"].tolist() == ["train"] * 3 + ["query", "gallery", "gallery"]
    base = "DukeMTMC-VideoReID/train/0001/0001/0001_C6_"
    assert reading.files[:2] == [f"{base}F0001_X30823.jpg", f"{base}F0002_X30831.jpg"]


def test_duke_frames_are_in_time_order_past_four_digits(duke_root: Path) -> None:
    place = duke_root / "DukeMTMC-VideoReID" / "query" / "0003" / "0001"
    for frame in (10000, 9999):
        touch(place / f"0003_C1_F{frame}_X00001.jpg")
    reading = dukev.read(duke_root, how())
    named = [file.rpartition("_F")[2][:5] for file in reading.files if "query" in file]
    assert named == ["0001_", "9999_", "10000"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("train/0001/0001/0001_C5_F0003_X1.jpg", r"cameras \[5, 6\] in one tracklet"),
        ("train/0001/0001/0002_C6_F0003_X1.jpg", "not an image of person 0001"),
        ("train/0001/0001/holiday.jpg", "not an image of person 0001"),
        ("train/misc/0001/0001_C6_F0003_X1.jpg", "not a person's folder"),
        ("train/0003/0001/0003_C6_F0003_X1.jpg", "1 persons are in train and in query: 0003"),
    ],
)
def test_duke_misfits(duke_root: Path, place: str, message: str) -> None:
    touch(duke_root / "DukeMTMC-VideoReID" / place)
    with pytest.raises(ReidError, match=message) as caught:
        dukev.read(duke_root, how())
    one_line(caught)


def test_duke_is_not_offered(tmp_path: Path) -> None:
    with pytest.raises(ReidError, match="withdrew") as caught:
        dukev.read(tmp_path, how())
    assert "http" not in one_line(caught)


def test_empty_tracklet_stops_or_is_left_out(duke_root: Path) -> None:
    (duke_root / "DukeMTMC-VideoReID" / "train" / "0012" / "0005").mkdir()
    with pytest.raises(ReidError, match=r"1 of 7 tracklets have no image: person 12"):
        dukev.read(duke_root, how())
    reading = dukev.read(duke_root, how(on_bad_frame="leave_out"))
    assert len(reading.tracklets) == 6
    assert reading.left_out_tracklets == 1


# ------------------------------------------------------------------ iLIDS-VID and PRID-2011


@pytest.fixture
def ilids_root(tmp_path: Path) -> Path:
    root = tmp_path / "ilids"
    for person in (1, 2, 5, 9):
        for camera in (1, 2):
            for frame in range(person):
                name = f"cam{camera}_person{person:03d}_{frame:05d}.png"
                folder = root / "i-LIDS-VID" / "sequences" / f"cam{camera}"
                touch(folder / f"person{person:03d}" / name)
    path = root / ilids.SPLITS
    path.parent.mkdir()
    save_mat(path, "ls_set", np.array([[1, 3, 2, 4], [4, 3, 2, 1]]))
    return root


def roles(reading: Reading, partition: int) -> set[tuple[int, int, str]]:
    part = reading.partitions[reading.partitions["partition"] == partition]
    table = reading.tracklets.drop(columns="role").merge(part, on="tracklet_id")
    return set(zip(table["person_id"], table["camera_id"], table["role"], strict=True))


def test_ilids_official_splits(ilids_root: Path) -> None:
    reading = ilids.read(ilids_root, how())
    assert len(reading.tracklets) == 8
    # the first half of a row tests; 1-based places among the sorted persons
    assert roles(reading, 0) == {
        (1, 1, "query"),
        (1, 2, "gallery"),
        (5, 1, "query"),
        (5, 2, "gallery"),
        (2, 1, "train"),
        (2, 2, "train"),
        (9, 1, "train"),
        (9, 2, "train"),
    }
    assert {(9, 1, "query"), (5, 2, "gallery"), (1, 1, "train")} <= roles(reading, 1)
    first = reading.tracklets[["person_id", "camera_id", "role"]].itertuples(index=False)
    assert set(first) == roles(reading, 0)


def test_ilids_drawn_splits(ilids_root: Path) -> None:
    (ilids_root / ilids.SPLITS).unlink()
    with pytest.raises(ReidError, match="set split_seed"):
        ilids.read(ilids_root, how())
    ten = ilids.read(ilids_root, how(split_seed=1)).partitions
    assert sorted(set(ten["partition"])) == list(range(10))
    assert not ten.equals(ilids.read(ilids_root, how(split_seed=2)).partitions)
    for number in range(10):
        held = ten[ten["partition"] == number]["role"].value_counts().to_dict()
        assert held == {"train": 4, "query": 2, "gallery": 2}


def test_ilids_misfits(ilids_root: Path) -> None:
    sequences = ilids_root / "i-LIDS-VID" / "sequences"
    save_mat(ilids_root / ilids.SPLITS, "ls_set", np.array([[1, 2, 3, 4], [1, 2, 3, 3]]))
    with pytest.raises(ReidError, match="row 2 does not name each of the 4 persons once"):
        ilids.read(ilids_root, how())
    (sequences / "cam2" / "person009").rename(ilids_root / "x")
    with pytest.raises(ReidError, match="1 persons are in one camera only: person009"):
        ilids.read(ilids_root, how())
    (ilids_root / "x").rename(sequences / "cam2" / "person009")
    touch(sequences / "cam2" / "person009" / "cam1_person009_00000.png")
    with pytest.raises(ReidError, match="another person or camera"):
        ilids.read(ilids_root, how())


@pytest.fixture
def prid_root(tmp_path: Path) -> Path:
    root = tmp_path / "prid"
    for letter, persons in (("a", range(1, 8)), ("b", range(1, 7))):
        for person in persons:
            folder = root / "prid_2011" / "multi_shot" / f"cam_{letter}" / f"person_{person:04d}"
            for frame in range(1, 2 if person == 3 else 4):
                touch(folder / f"{frame:04d}.png")
    splits = [{"train": ["person_0001", "person_0004"], "test": ["person_0002", "person_0006"]}]
    (root / prid.SPLITS).write_text(json.dumps(splits))
    return root


def test_prid_official_splits(prid_root: Path) -> None:
    reading = prid.read(prid_root, how())
    assert sorted(set(reading.tracklets["person_id"])) == [1, 2, 4, 6]
    assert {(2, 1, "query"), (2, 2, "gallery"), (1, 2, "train")} <= roles(reading, 0)


def test_prid_drawn_splits_take_long_tracklets_of_both_cameras(
    prid_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (prid_root / prid.SPLITS).unlink()
    with pytest.raises(ReidError, match="set split_seed"):
        prid.read(prid_root, how())
    with pytest.raises(ReidError, match="0 persons cannot be split"):
        prid.read(prid_root, how(split_seed=0))
    monkeypatch.setitem(prid.MINIMUM_FRAMES, 178, 2)
    reading = prid.read(prid_root, how(split_seed=0))
    assert sorted(set(reading.tracklets["person_id"])) == [1, 2, 4, 5, 6]


def test_prid_with_all_whom_both_cameras_saw(prid_root: Path) -> None:
    reading = prid.read(prid_root, how(split_seed=0, persons=200))
    assert sorted(set(reading.tracklets["person_id"])) == [1, 2, 3, 4, 5, 6]
    with pytest.raises(ReidError, match="6 train tracklets, officially 200"):
        prid.read(prid_root, how(split_seed=0, persons=200, official=True))


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({}, "not a list of splits"),
        ([{"train": ["person_0001"]}], "split 0 has no list 'test'"),
        ([{"train": ["person_0001"], "test": ["0002"]}], "names '0002'"),
        ([{"train": ["person_0001"], "test": ["person_0001"]}], "in train and test"),
        ([{"train": ["person_0001"] * 2, "test": ["person_0002"]}], "a person twice"),
        (
            [{"train": ["person_0001"], "test": ["person_0007"]}],
            r"1 folders .* cam_b/person_0007",
        ),
    ],
)
def test_prid_misfits(prid_root: Path, splits: object, message: str) -> None:
    (prid_root / prid.SPLITS).write_text(json.dumps(splits))
    with pytest.raises(ReidError, match=message) as caught:
        prid.read(prid_root, how())
    one_line(caught)


@pytest.mark.shared
def test_prid_official_split_file(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "prid2011" / "splits_prid2011.json").read_text()
    (tmp_path / prid.SPLITS).write_text(data)
    held = json.loads(data)
    for letter in "ab":
        for name in held[0]["train"] + held[0]["test"]:
            touch(tmp_path / "prid_2011" / "multi_shot" / f"cam_{letter}" / name / "0001.png")
    reading = prid.read(tmp_path, how(official=True))
    for number in range(10):
        part = reading.partitions[reading.partitions["partition"] == number]
        assert part["role"].value_counts().to_dict() == {
            "train": 178,
            "query": 89,
            "gallery": 89,
        }


@pytest.mark.parametrize("reader", [mars, dukev, ilids, prid])
def test_every_reader_says_how_to_get_its_data(reader: object, tmp_path: Path) -> None:
    with pytest.raises(ReidError, match="lacks") as caught:
        reader.read(tmp_path, how())  # type: ignore[attr-defined]
    assert reader.HOW_TO_GET in one_line(caught)  # type: ignore[attr-defined]


# ------------------------------------------------------------------ what systems and people leave

PLACES = {
    "duke_root": [
        "DukeMTMC-VideoReID",
        "DukeMTMC-VideoReID/train",
        "DukeMTMC-VideoReID/train/0001",
        "DukeMTMC-VideoReID/train/0001/0001",
    ],
    "ilids_root": [
        "i-LIDS-VID/sequences",
        "i-LIDS-VID/sequences/cam1",
        "i-LIDS-VID/sequences/cam1/person001",
    ],
    "prid_root": [
        "prid_2011/multi_shot",
        "prid_2011/multi_shot/cam_a",
        "prid_2011/multi_shot/cam_a/person_0001",
    ],
    "mars_root": ["", "info", "bbox_train", "bbox_train/0001"],
}
READERS = {"duke_root": dukev, "ilids_root": ilids, "prid_root": prid, "mars_root": mars}


@pytest.mark.parametrize("layout_of", PLACES)
def test_what_systems_leave_in_folders_is_no_data(
    layout_of: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    root = request.getfixturevalue(layout_of)
    before = READERS[layout_of].read(root, how())
    for place in PLACES[layout_of]:
        for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._0001.jpg"):
            (root / place / name).write_bytes(b"\xd0\xcf\x11\xe0")
        touch(root / place / "__MACOSX" / "._0001.jpg")
    after = READERS[layout_of].read(root, how())
    assert after.files == before.files
    pd.testing.assert_frame_equal(after.tracklets, before.tracklets)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("layout_of", ["duke_root", "ilids_root", "prid_root"])
def test_what_else_lies_there_is_named(
    layout_of: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    root = request.getfixturevalue(layout_of)
    reader = READERS[layout_of]
    *above, pictures = PLACES[layout_of]
    for place in above[1:]:
        for name, make in (("notes.txt", touch), ("lost", lambda path: path.symlink_to("nowhere"))):
            make(root / place / name)
            with pytest.raises(ReidError, match=f"{name}: a (file|link that leads nowhere)"):
                reader.read(root, how())
            (root / place / name).unlink()
    # an image that is not read would leave a gap in time
    touch(root / pictures / "0002.bmp")
    with pytest.raises(ReidError, match=r"1 images are not \.\S+.*: 0002\.bmp; convert them"):
        reader.read(root, how())
    (root / pictures / "0002.bmp").unlink()
    inside = root / pictures / Path(pictures).name
    inside.mkdir()
    with pytest.raises(ReidError, match="is there: move what is in it one folder up"):
        reader.read(root, how())
    inside.rmdir()
    (root / pictures / "notes.txt").write_text("rainy")
    reader.read(root, how())
    assert "1 files beside the images are no images" in capsys.readouterr().out


@pytest.mark.parametrize("layout_of", PLACES)
def test_a_folder_without_the_right_to_look(
    layout_of: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = request.getfixturevalue(layout_of)
    for place in PLACES[layout_of][-2:]:
        with monkeypatch.context() as patch:
            deny(patch, root / place)
            with pytest.raises(ReidError, match="no right to read it") as caught:
                READERS[layout_of].read(root, how())
            one_line(caught)


@pytest.mark.parametrize("layout_of", ["ilids_root", "prid_root"])
def test_frames_without_leading_zeros_are_in_time_order(
    layout_of: str, request: pytest.FixtureRequest
) -> None:
    root = request.getfixturevalue(layout_of)
    place = root / PLACES[layout_of][-1]
    for path in list(place.iterdir()):
        path.unlink()
    for frame in (1, 2, 9, 10, 11, 100):
        touch(place / f"{frame}.png")
    reading = READERS[layout_of].read(root, how())
    own = [int(Path(file).stem) for file in reading.files if str(place) in str(root / file)]
    assert own == [1, 2, 9, 10, 11, 100]
    touch(place / "0010.png")
    with pytest.raises(ReidError, match=r"0010\.png and 10\.png have one number"):
        READERS[layout_of].read(root, how())


@pytest.mark.parametrize("layout_of", ["ilids_root", "prid_root"])
def test_a_name_that_is_not_in_utf_8(layout_of: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(layout_of)
    folder = os.fsencode(root / PLACES[layout_of][-1])
    Path(os.fsdecode(folder + b"/caf\xe9_1.png")).write_bytes(JPEG)
    with pytest.raises(ReidError, match="is not in UTF-8; rename it") as caught:
        READERS[layout_of].read(root, how())
    assert str(caught.value).isprintable()


def test_a_frame_twice_in_duke(duke_root: Path) -> None:
    touch(duke_root / "DukeMTMC-VideoReID" / "train/0001/0001/0001C6F0001X30823.jpg")
    with pytest.raises(ReidError, match=r"are one frame; remove one"):
        dukev.read(duke_root, how())


def test_a_split_without_a_tracklet(duke_root: Path) -> None:
    for split in ("query", "gallery"):
        shutil.rmtree(duke_root / "DukeMTMC-VideoReID" / split)
        (duke_root / "DukeMTMC-VideoReID" / split).mkdir()
    with pytest.raises(ReidError, match="no tracklet of role query, gallery; unpack"):
        dukev.read(duke_root, how())


@pytest.mark.parametrize("layout_of", ["ilids_root", "prid_root"])
def test_persons_that_lost_the_pictures_of_one_camera(
    layout_of: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    root = request.getfixturevalue(layout_of)
    reader = READERS[layout_of]
    camera = (root / PLACES[layout_of][-1]).parent
    persons = [folder for folder in sorted(camera.iterdir()) if "3" not in folder.name][:3]
    for path in persons[0].iterdir():
        path.unlink()
    with pytest.raises(ReidError, match=r"1 of 8 tracklets have no image.*or set on_bad_frame"):
        reader.read(root, how())
    reader.read(root, how(on_bad_frame="leave_out"))
    said = capsys.readouterr().out
    assert "1 of 8 tracklets have no image: person 1 camera 1 (train); left out" in said
    assert "1 of 4 persons have images of one camera alone: 1; in the other" in said
    for folder in persons[1:]:
        for path in folder.iterdir():
            path.unlink()
    with pytest.raises(ReidError, match="3 of 4 persons have images of one camera alone"):
        reader.read(root, how(on_bad_frame="leave_out"))


def test_most_of_a_split_is_not_left_out(duke_root: Path) -> None:
    for path in (duke_root / "DukeMTMC-VideoReID/query").glob("*/*/*.jpg"):
        path.unlink()
    with pytest.raises(ReidError, match="1 of 6 tracklets have no image") as caught:
        dukev.read(duke_root, how())
    assert "leave_out" not in one_line(caught)
    with pytest.raises(ReidError, match="here 1 of 1 tracklets of role query; put them right"):
        dukev.read(duke_root, how(on_bad_frame="leave_out"))


def test_prid_says_whom_a_drawn_split_leaves_out(
    prid_root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(prid.MINIMUM_FRAMES, 178, 2)
    prid.read(prid_root, how(split_seed=0))
    assert (
        "5 persons are taken: 1 are seen by one camera alone, and 1 in fewer than 2 images"
        in capsys.readouterr().out
    )


def test_prid_splits_that_an_editor_saved(prid_root: Path) -> None:
    path = prid_root / prid.SPLITS
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(prid.read(prid_root, how()).tracklets) == 8
    path.write_text("[{")
    with pytest.raises(ReidError, match=r"not JSON .*; correct it, or get the official file"):
        prid.read(prid_root, how())
