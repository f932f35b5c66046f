"""No process outlives the one that started it, however that ended."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WAITING = """
import os, subprocess, sys, time
child = "import sys, time; from weakreid.parents import end_with; end_with(int(sys.argv[1]));"
child += "time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child, str(os.getpid())])
time.sleep(600)
"""
RENDERING = """
import sys
from pathlib import Path
from weakreid.datasets.walkers import layout
layout.generate(Path(sys.argv[1]), layout.SIZES["demo"], seed=1, style="street", workers=2)
"""


@pytest.mark.parametrize("program", [WAITING, RENDERING], ids=["waiting", "rendering"])
def test_processes_end_when_their_parent_was_killed(program: str, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "walkers")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wanted = 1 if program is WAITING else 3  # two workers, and multiprocessing's own
        children = wait_for(lambda: enough(children_of(parent.pid), wanted))
        # the first frames: the workers are at work
        if program is RENDERING:
            wait_for(lambda: any(tmp_path.glob(".*.part/*/bbox_*/*/*.jpg")))
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_for(lambda: not any(alive(child) for child in children))


def enough(found: list[int], wanted: int) -> list[int]:
    return found if len(found) >= wanted else []


def wait_for(condition):
    until = time.monotonic() + 90
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def children_of(process: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == process:
            found.append(int(folder.name))
    return found


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
