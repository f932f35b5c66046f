"""What a stage says: progress, and one line when it fails."""

import io
import subprocess
import sys

import pytest

from weakreid import console
from weakreid.errors import ReidError


class Clock:
    """A clock that moves on by a step at every look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_progress_yields_every_item_and_ends_in_one_line(capsys) -> None:
    assert list(console.progress(range(5), label="reading", unit="frames")) == [0, 1, 2, 3, 4]
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("reading: 5/5 frames, ")
    assert lines[0].endswith("/s")


def test_long_work_says_rate_and_time_left(capsys, monkeypatch) -> None:
    monkeypatch.setattr(console.time, "monotonic", Clock(5.0))
    list(console.progress(range(4), label="reading"))
    assert capsys.readouterr().err.splitlines() == [
        "reading: 2/4 items, 0.2/s, 10 s left",
        "reading: 4/4 items, 0.2/s",
        "reading: 4/4 items, 0.2/s",
    ]


def test_what_has_no_length_has_no_end(capsys) -> None:
    assert list(console.progress(iter("abc"), label="reading")) == ["a", "b", "c"]
    assert capsys.readouterr().err.startswith("reading: 3 items, ")


def test_nothing_to_do(capsys) -> None:
    assert list(console.progress([], label="reading")) == []
    assert capsys.readouterr().err.startswith("reading: 0 items, 0.0/s")


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch) -> None:
    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: True)
    assert list(console.progress([1, 2], label="reading", unit="frames")) == [1, 2]
    said = capsys.readouterr().err
    assert "reading" in said
    assert "2/2" in said


def test_what_takes_long_has_seconds_for_each() -> None:
    line = console._line("reading", 3, 10, "items", 75.0)
    assert line == "reading: 3/10 items, 25 s each, 3 min left"


def test_the_time_left_is_that_of_all_that_the_job_has_to_do() -> None:
    assert (
        console._line("epoch 1", 3, 4, "steps", 3.0, 80) == "epoch 1: 3/4 steps, 1.0/s, 81 s left"
    )
    assert (
        console._line("epoch 1", 4, 4, "steps", 4.0, 80) == "epoch 1: 4/4 steps, 1.0/s, 80 s left"
    )
    # one alone says nothing of those after it
    assert console._line("epoch 1", 1, 4, "steps", 9.0, 80) == "epoch 1: 1/4 steps, 0.1/s"
    assert (
        console._line("epoch 1", 2, 4, "steps", 2.0, 9000)
        == "epoch 1: 2/4 steps, 1.0/s, 2.5 h left"
    )


def test_a_reid_error_is_one_line_and_status_1(capsys) -> None:
    def main() -> None:
        raise ReidError("file.parquet: not whole (a library's words\n  on two lines); delete it")

    with pytest.raises(SystemExit) as left:
        console.exit_on_error(main)
    assert left.value.code == 1
    said = capsys.readouterr()
    wanted = "error: file.parquet: not whole (a library's words on two lines); delete it\n"
    assert (said.out, said.err) == ("", wanted)


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    def main() -> None:
        raise KeyError("name")

    with pytest.raises(KeyError):
        console.exit_on_error(main)


def test_options_come_from_the_command_line(capsys, monkeypatch) -> None:
    def main(number: int) -> None:
        console.say(f"number {number}")

    monkeypatch.setattr(console.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as left:
        console.run_stage(main, ["--number", "3"])
    assert left.value.code == 0
    assert capsys.readouterr().err == "number 3\n"


def test_a_warning_reaches_the_log_and_the_terminal(tmp_path) -> None:
    """A rule sends standard error to a file; whoever sits at the terminal sees standard output."""
    program = "from weakreid.console import warn; warn('hall: 3 of 4 boxes\\n were dropped')"
    told = "warning: hall: 3 of 4 boxes were dropped\n"
    apart = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (apart.stdout, apart.stderr) == (told, told)
    log = tmp_path / "log"
    with log.open("w") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, stderr=file, check=True)
    assert log.read_text() == told


def test_a_name_that_the_terminal_cannot_show_ends_nothing(monkeypatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    console.warn("caf\xe9 and caf\udce9 were left out")
    assert shown.getvalue() == b"warning: caf\\xe9 and caf\\udce9 were left out\n"


def test_a_person_at_the_terminal_sees_now_and_then_how_far_a_job_is(capsys, monkeypatch) -> None:
    monkeypatch.setattr(console.time, "monotonic", Clock(5.0))
    monkeypatch.setattr(console, "_shown", 0.0)
    monkeypatch.setattr(console.sys.stdout, "isatty", lambda: True)
    call = ["stages", "train_bags", "--model=results/demo/runs/official-1/model.safetensors"]
    monkeypatch.setattr(console.sys, "argv", call)
    list(console.progress(range(4), label="epoch 1 of 6", unit="steps"))
    captured = capsys.readouterr()
    shown = captured.out.splitlines()
    assert shown[0].startswith("train_bags demo/runs/official-1: epoch 1 of 6: ")
    assert " left" in shown[0]
    assert captured.err
