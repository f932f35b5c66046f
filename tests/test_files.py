"""Files are written whole or not at all."""

import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.artifacts import files
from weakreid.artifacts.files import read_fault, read_json, replacing, write_json
from weakreid.errors import ReidError


def test_the_new_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "file.svg"
    path.write_text("old")
    with replacing(path) as aside:
        aside.write_text("new")
        assert aside.suffix == path.suffix, "some libraries look at it for the format"
        assert aside.parent.parent == tmp_path, "a rename across disks would be a copy"
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_on_the_way(tmp_path: Path) -> None:
    with replacing(tmp_path / "a" / "b" / "file") as aside:
        aside.write_text("text")
    assert (tmp_path / "a" / "b" / "file").read_text() == "text"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_on_a_failure_the_old_file_stays(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(type(error)), replacing(path) as aside:
        aside.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole_or_removed(tmp_path: Path) -> None:
    with replacing(tmp_path / "folder") as aside:
        aside.mkdir()
        (aside / "file").write_text("text")
    assert (tmp_path / "folder" / "file").read_text() == "text"
    with pytest.raises(ValueError, match="no"), replacing(tmp_path / "other") as aside:
        aside.mkdir()
        (aside / "file").write_text("half")
        raise ValueError("no")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_nothing_written_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "file"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_so(number: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    words = f"the disk is full: {path} was not written; free some space"
    with pytest.raises(ReidError, match=words), replacing(path) as aside:
        aside.write_text("half")
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ReidError, match="pipe is no file"), replacing(path) as aside:
        aside.write_text("new")
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_stays_where_even_the_lock_cannot_be_written(tmp_path: Path, monkeypatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self) -> None:
            self.flush()

        def fileno(self) -> int:
            return 0

    def opened(path: Path, *given: Any, **named: Any) -> Any:
        path.touch()
        return Full()

    monkeypatch.setattr(files, "_try_lock", lambda lock: True)
    monkeypatch.setattr(files, "_is", lambda path, lock: True)
    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ReidError, match="the disk is full"), replacing(tmp_path / "file"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(ReidError, match=f"{path} was not written"), replacing(path) as aside:
        raise PermissionError(errno.EACCES, "Permission denied", str(aside))


def test_what_was_read_meanwhile_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), replacing(tmp_path / "file"):
        raise PermissionError(errno.EACCES, "Permission denied", "/some/other/place")


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@given(JSON)
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "file.json"
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_bytes().endswith(b"\n")


def test_json_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"mAP": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "no such file; run the stage that makes it"),
        (b"", "not JSON"),
        (b'{"a": 1', "not JSON .line 1"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "lacks 'root'"),
        (b'{"rot": 1}', "lacks 'root'"),
    ],
)
def test_json_that_is_not_what_it_should_be(data: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ReidError, match=f"{path}: {words}"):
        read_json(path, ["root"])


def test_a_folder_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ReidError, match=f"{tmp_path}: a folder, but a file is needed"):
        read_json(tmp_path)


def test_letters_are_written_as_they_are(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"λ": "é"})
    text = (tmp_path / "file.json").read_text(encoding="utf-8")
    assert text == '{\n  "λ": "é"\n}\n'
    assert json.loads(text) == {"λ": "é"}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "no such file; put it there"),
        (errno.ENOTDIR, "no such file; put it there"),
        (errno.EACCES, "no right to read it (Permission denied); ask its owner"),
        (errno.EPERM, "no right to read it (Operation not permitted); ask its owner"),
        (errno.EISDIR, "a folder, but a file is needed here"),
        (errno.ELOOP, "a link that leads back to itself"),
        (errno.EIO, "cannot be read (Input/output error); see to the disk"),
        (errno.ESTALE, "cannot be read (Stale file handle); see to the disk"),
    ],
)
def test_each_fault_of_reading_has_its_remedy(number: int, words: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    said = str(read_fault(path, OSError(number, os.strerror(number)), "put it there"))
    assert said.startswith(f"{path}: {words}")
    assert ("put it there" in said) == (number in (errno.ENOENT, errno.ENOTDIR))


def test_a_closed_folder_and_a_link_to_nowhere_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("gone/names.txt")
    lost = FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert "a link to gone/names.txt, which is not" in str(read_fault(tmp_path / "link", lost, "x"))
    closed = tmp_path / "closed"
    # to somebody who may read everything no folder is closed
    monkeypatch.setattr(os, "access", lambda place, _: not Path(place).is_relative_to(closed))
    said = str(read_fault(closed / "a" / "file", PermissionError(errno.EACCES, ""), "x"))
    assert f"no right to read its folder {closed} (" in said


def test_a_json_file_without_the_right_to_read_is_not_to_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(path: Path, **_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", deny)
    with pytest.raises(ReidError, match="no right to read it") as caught:
        read_json(tmp_path / "file")
    assert "delete" not in str(caught.value)
