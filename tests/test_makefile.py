"""What make does before there is an environment, and that pre-commit runs what make check runs."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
# as much of an interpreter as the Makefile asks for
PYTHON = """#!/bin/sh
case "$*" in
  *sys.exit*) exit {unfit};;
  *version_info*) echo "{version}";;
  -V) echo "Python {dotted}";;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "envs").mkdir()
    for name in ("Makefile", "pyproject.toml", "envs/constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for minor, unfit in ((10, 1), (11, 0)):
        script = tmp_path / f"python{minor}"
        script.write_text(
            PYTHON.format(unfit=unfit, version=f"3 {minor}", dotted=f"3.{minor}.7"), "utf-8"
        )
        script.chmod(0o755)
    return tmp_path


def set_up(folder: Path, minor: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", ".venv/.ready", f"PYTHON={folder / f'python{minor}'}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_refused_before_anything_is_made(folder: Path) -> None:
    done = set_up(folder, 10)
    assert done.returncode != 0
    assert "error: weakreid needs Python 3.11 to 3.13" in done.stderr
    assert "Python 3.10.7" in done.stderr
    assert not (folder / ".venv").exists()


def test_an_environment_of_an_old_python_is_made_anew(folder: Path) -> None:
    (folder / ".venv/bin").mkdir(parents=True)
    shutil.copy(folder / "python10", folder / ".venv/bin/python")
    (folder / ".venv/left").touch()
    assert set_up(folder, 11).returncode == 0
    assert (folder / ".venv/bin/python").read_text() == (folder / "python11").read_text()
    assert not (folder / ".venv/left").exists()
    assert "up to date" in set_up(folder, 11).stdout


def test_pre_commit_runs_what_make_check_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    done = subprocess.run(
        # as if the environment were there
        ["make", "--no-print-directory", "-n", "--old-file=.venv/.ready", "CORES=1", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = [line.split('$PATH" ')[1] for line in done.stdout.splitlines()]
    assert [hook["entry"] for hook in hooks] == commands
    for hook in hooks:
        assert (hook["language"], hook["pass_filenames"], hook["always_run"]) == (
            "system",
            False,
            True,
        )
