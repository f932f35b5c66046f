"""What a killed job leaves half-written goes with the next call, whatever that asks for."""

import textwrap
from pathlib import Path

# Python loads it before anything else: the stage is killed when all is written and nothing placed
KILLED = """
import os, signal
from pathlib import Path

if Path("kill").exists() and b"stages\\0dataset" in Path("/proc/self/cmdline").read_bytes():
    from weakreid.artifacts import files

    def kill(path):
        if path.name == "images.arrow":
            os.kill(os.getpid(), signal.SIGKILL)

    files._flush = kill
else:
"""
MADE = "results/datasets/film/tracklets.parquet"


def leftovers(folder: Path) -> list[str]:
    found = (folder / "results").rglob(".*.part")
    return sorted(path.name.rpartition(".")[0].rpartition(".")[0] for path in found)


def test_another_target_removes_what_a_killed_job_left(empty, warm_caller: str) -> None:
    start = KILLED + textwrap.indent(warm_caller, "    ")
    (empty.folder / "src" / "sitecustomize.py").write_text(start)
    (empty.folder / "kill").touch()
    for _ in range(2):
        done = empty.tiny(MADE)
        assert done.returncode != 0
        # each killed run's own, whose predecessor's were removed
        assert leftovers(empty.folder) == [
            ".frames.parquet",
            ".images.arrow",
            ".partitions.parquet",
            ".tracklets.parquet",
        ]
    assert not (empty.folder / MADE).exists()
    (empty.folder / "kill").unlink()
    done = empty.tiny("results/trackers/tiny/rates.md")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "left by a job that was killed; removed" in done.stdout
    assert "4 such leftovers in all" in done.stdout
    assert leftovers(empty.folder) == []
    done = empty.tiny(MADE)
    assert done.returncode == 0, done.stdout[-2000:]
    assert leftovers(empty.folder) == []
