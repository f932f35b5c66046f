"""Data that changed since it was read is noticed, and a copy of the same data is none."""

import json
import os
import shutil
from pathlib import Path

import pytest

from weakreid.datasets import changes
from weakreid.errors import ReidError

NAMES = ["train", "info/names.txt"]
PICTURES = [f"train/{person:04d}/{frame}.jpg" for person in (1, 2) for frame in (1, 2, 3)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for number, name in enumerate(PICTURES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(bytes(number + 1))
    (root / "info").mkdir()
    (root / "info/names.txt").write_text("one")
    return root


@pytest.fixture
def record(root: Path, tmp_path: Path) -> Path:
    record = tmp_path / "results/read/dataset.json"
    found = changes.look(root, NAMES, threads=2)
    found.add_some(root, PICTURES, ["train/0001/none.jpg"])
    found.save(record)
    assert changes.changes(record, root) == []
    return record


def later(path: Path) -> None:
    """Give a file or folder another time, as whatever changes it does."""
    time = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(time, time))


def test_a_file_with_other_bytes_of_the_same_size(root: Path, record: Path) -> None:
    (root / "info/names.txt").write_text("two")
    later(root / "info/names.txt")
    assert changes.changes(record, root) == ["info/names.txt"]


def test_a_picture_that_is_new_gone_or_replaced(root: Path, record: Path) -> None:
    (root / "train/0001/4.jpg").write_bytes(b"new")
    later(root / "train/0001")
    assert changes.changes(record, root) == ["train/0001"]
    (root / "train/0001/4.jpg").unlink()
    assert changes.changes(record, root) == []
    (root / "aside").write_bytes(b"another")
    (root / "aside").replace(root / "train/0002/1.jpg")
    assert changes.changes(record, root) == ["train/0002", "train/0002/1.jpg"]


def test_a_picture_overwritten_in_place(root: Path, record: Path) -> None:
    (root / PICTURES[0]).write_bytes(b"another")
    assert changes.changes(record, root) == [PICTURES[0]]


def test_a_folder_of_a_person_that_comes_or_goes(root: Path, record: Path) -> None:
    (root / "train/0003").mkdir()
    later(root / "train")
    assert changes.changes(record, root) == ["train"]
    (root / "train/0003").rmdir()
    shutil.rmtree(root / "train/0002")
    assert "train/0002" in changes.changes(record, root)


def test_what_was_left_out_and_is_there_now(root: Path, record: Path) -> None:
    (root / "train/0001/none.jpg").write_bytes(b"here")
    assert "train/0001/none.jpg" in changes.changes(record, root)


def test_a_copy_is_no_change_and_is_looked_at_once(root: Path, record: Path) -> None:
    for path in root.rglob("*"):
        later(path)
    before = record.read_text()
    assert changes.changes(record, root) == []
    assert record.read_text() != before
    # whatever the times were, now they are known
    names = json.loads(record.read_text())["folders"]
    assert names["train"][0] == (root / "train").stat().st_mtime_ns


def test_other_places_of_the_root(root: Path, record: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    root.rename(moved)
    assert changes.changes(record, moved) == []
    # packed already, and then deleted to save space
    assert changes.changes(record, root) == []
    shutil.rmtree(moved / "train")
    assert changes.changes(record, moved) == []


def test_what_systems_leave_is_no_change(root: Path, record: Path) -> None:
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
        (root / "train/0001" / name).write_bytes(b"x")
    later(root / "train/0001")
    assert changes.changes(record, root) == []


@pytest.mark.parametrize("text", [None, "{", "[]", '{"version": 0}'])
def test_without_a_record_nothing_is_said(root: Path, record: Path, text: str | None) -> None:
    if text is None:
        record.unlink()
    else:
        record.write_text(text)
    (root / "info/names.txt").write_text("changed")
    assert changes.changes(record, root) == []


def test_links_to_folders_and_a_circle_of_them(root: Path, tmp_path: Path) -> None:
    (root / "train/0001").rename(tmp_path / "apart")
    (root / "train/0001").symlink_to(tmp_path / "apart")
    (root / "train/up").symlink_to(root / "train")
    (root / "train/nowhere").symlink_to("nothing")
    record = tmp_path / "record.json"
    changes.look(root, NAMES).save(record)
    assert changes.changes(record, root) == []
    (tmp_path / "apart/9.jpg").write_bytes(b"x")
    later(tmp_path / "apart")
    assert changes.changes(record, root) == ["train/0001"]


def test_only_older_files_are_said_of_inputs(root: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_text("")
    later(root / "info/names.txt")
    os.utime(root / "train", (0, 0))
    assert changes.older(["train", "info/names.txt", "gone"], root, made) == ["train", "gone"]


def test_a_folder_without_rights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(changes.os, "scandir", refuse)
    with pytest.raises(ReidError, match="no right to read"):
        changes.look(root, NAMES)
