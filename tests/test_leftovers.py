"""What a killed writer leaves is removed by the next one, and never what another is writing."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from weakreid.artifacts import files
from weakreid.artifacts.files import remove_all_leftovers, remove_leftovers, replacing

WRITER = """
    import sys, time
    from pathlib import Path
    from weakreid.artifacts import files

    def stop(*_, **__):
        print("here", flush=True)
        time.sleep(600)

    path = Path(sys.argv[1])
    moment = sys.argv[2]
    if moment == "before its lock":
        files._try_lock = stop
    if moment == "before it takes its place":
        files._flush = stop
    if moment == "as it is removed":
        files._remove = stop
    with files.replacing(path) as aside:
        if moment == "a folder half full":
            (aside / "below").mkdir(parents=True)
            (aside / "below" / "file").write_text("half")
            stop()
        aside.write_text("half")
        if moment == "a file half written":
            stop()
"""
MOMENTS = (
    "before its lock",
    "a file half written",
    "a folder half full",
    "before it takes its place",
    "as it is removed",
)


def writer(path: Path, moment: str) -> subprocess.Popen[str]:
    """Start a process that writes to `path` and stops at a moment."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), moment]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def parts(folder: Path) -> list[Path]:
    return sorted(folder.rglob(".*.part"))


def age(part: Path, hours: float) -> None:
    """Make all of a leftover that many hours old."""
    then = time.time() - 3600 * hours
    for path in [part, *part.rglob("*")]:
        os.utime(path, (then, then))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_writers_part_is_removed_by_the_next(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "file"
    for _ in range(2):
        kill(writer(path, moment))
        assert len(parts(tmp_path)) == 1, "one killed run's, however many there were"
    with replacing(path) as aside:
        assert parts(tmp_path) == [aside.parent]
        aside.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("moment", MOMENTS[1:])
def test_what_is_being_written_stays(tmp_path: Path, moment: str) -> None:
    """Of this very file too: should two ever write it, the last one has it, whole."""
    path = tmp_path / "file"
    process = writer(path, moment)
    held = parts(tmp_path)
    remove_leftovers(path)
    assert remove_all_leftovers(tmp_path) == []
    with replacing(path) as aside:
        aside.write_text("whole")
    assert path.read_text() == "whole"
    assert parts(tmp_path) == held
    kill(process)
    assert remove_all_leftovers(tmp_path) == held
    assert parts(tmp_path) == []


def test_a_part_that_was_cleared_away_before_its_lock_is_made_anew(tmp_path, monkeypatch) -> None:
    real, seen = files._try_lock, []

    def swept_first(lock):
        if not seen:
            seen.append(lock)
            with monkeypatch.context() as patch:
                patch.setattr(files, "_try_lock", real)
                remove_leftovers(tmp_path / "file")
            assert parts(tmp_path) == []
        return real(lock)

    monkeypatch.setattr(files, "_try_lock", swept_first)
    with replacing(tmp_path / "file") as aside:
        aside.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_the_parts_of_the_files_that_are_named(tmp_path: Path) -> None:
    for name in ("checkpoint.pt", "checkpoint.pt.bak", "other.pt"):
        kill(writer(tmp_path / name, "a file half written"))
    (tmp_path / ".checkpoint.pt.12345.part").write_bytes(b"of an earlier version")
    (tmp_path / ".checkpoint.pt.mine.part").write_bytes(b"of somebody else")
    remove_leftovers(tmp_path / "checkpoint.pt", tmp_path / "none" / "checkpoint.pt")
    left = [path.name.split(".")[1:-2] for path in parts(tmp_path)]
    assert left == [["checkpoint", "pt", "bak"], ["checkpoint", "pt"], ["other", "pt"]]


def test_below_a_folder_all_go_that_are_nobodys(tmp_path: Path) -> None:
    """Whichever target is asked for next: links are followed, finished folders are not searched."""
    results, disk = tmp_path / "results", tmp_path / "disk"
    (disk / "mars").mkdir(parents=True)
    (disk / "circle").symlink_to(disk)
    results.mkdir()
    (results / "datasets").symlink_to(disk)
    kill(writer(results / "datasets" / "mars" / "images.arrow", "a file half written"))
    kill(writer(results / "t" / "runs" / "dev-1" / "model.safetensors", "a file half written"))
    crops = results / "crops"
    kill(writer(crops / "picture", "a file half written"))
    (crops / ".snakemake_timestamp").touch()
    busy = writer(results / "busy", "a file half written")
    found = remove_all_leftovers(results)
    assert [path.parent for path in found] == [
        results / "datasets" / "mars",
        results / "t" / "runs" / "dev-1",
    ]
    assert {path.parent for path in parts(tmp_path)} == {crops, results}
    kill(busy)


@pytest.mark.parametrize("where", ["another machine", "no locks", "an earlier version"])
def test_where_a_lock_says_nothing_a_part_must_lie_still_for_a_day(
    tmp_path: Path, monkeypatch, where: str
) -> None:
    path = tmp_path / "file"
    if where == "an earlier version":
        (tmp_path / ".file.123.part").write_text("half")
    else:
        kill(writer(path, "a file half written"))
    if where == "another machine":
        monkeypatch.setattr(files, "_kernel", lambda: "another")
    if where == "no locks":
        monkeypatch.setattr(files, "_try_lock", lambda _: None)
    part = parts(tmp_path)[0]
    age(part, hours=23)
    assert remove_all_leftovers(tmp_path) == []
    age(part, hours=25)
    assert remove_all_leftovers(tmp_path) == [part]


def test_a_restart_on_another_machine_does_not_wait(tmp_path: Path, monkeypatch) -> None:
    """A rule's output has one writer at a time: Slurm may start the job again elsewhere."""
    kill(writer(tmp_path / "file", "a file half written"))
    monkeypatch.setattr(files, "_kernel", lambda: "another")
    remove_leftovers(tmp_path / "file")
    assert parts(tmp_path) == []


def test_what_was_being_unpacked_goes_a_day_later(tmp_path: Path) -> None:
    part = tmp_path / f".{files.UNPACKING}.0123abcd.part"
    (part / "bbox_train").mkdir(parents=True)
    for hours, removed in ((0, []), (23, []), (25, [part])):
        age(part, hours=hours)
        assert remove_leftovers(tmp_path / files.UNPACKING, one_writer=False) == removed
