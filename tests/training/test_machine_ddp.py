"""A training on several processes, one of which fails: the log's lines say why, all of them end."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.training.helpers import arguments, environment, make_data, method

FAILING = """
import os, signal
from tests.training import helpers
from weakreid.training.bag_task import BagTask

loss = BagTask.loss

def failing(task, batch):
    if os.environ.get("LOCAL_RANK", "0") == os.environ["FAILING"]:
        if os.environ["HOW"] == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise MemoryError("Unable to allocate 3.00 GiB for an array")
    return loss(task, batch)

BagTask.loss = failing
helpers.on_cpu_processes(helpers.train_bags)
"""
OTHER = "error: another process of this training ended or cannot be reached"
MEMORY = "error: out of memory (3.00 GiB were asked for): lower batch.bags, batch.frames"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failing", "how", "wanted"),
    [("0", "memory", MEMORY), ("1", "memory", MEMORY), ("1", "killed", OTHER)],
)
def test_one_process_of_several_fails(tmp_path: Path, failing: str, how: str, wanted: str) -> None:
    program = tmp_path / "failing.py"
    program.write_text(FAILING)
    out = tmp_path / "out"
    options = arguments(make_data(tmp_path), out, method(), devices="2")
    done = subprocess.run(
        [sys.executable, str(program), *options],
        env=environment(FAILING=failing, HOW=how),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors
    assert all(line.startswith((wanted, OTHER)) for line in errors), errors
    assert any(line.startswith(wanted) for line in errors), errors
    assert not out.exists() or not list(out.iterdir())
