"""Jobs run in the environment that Snakemake has conda build, which holds what is pinned."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workflow.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
STANDIN = Path(__file__).with_name("conda_standin.py")


def test_the_environment_is_what_the_dependencies_bring_each_at_its_pinned_version() -> None:
    run = [sys.executable, str(ROOT / "envs/environment.py")]
    written = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "envs/weakreid.yaml").read_text(encoding="utf-8") == written


@pytest.mark.slow
def test_jobs_run_in_the_environment_and_find_weakreid_by_path(
    empty: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty.folder / "src/sitecustomize.py").unlink()  # jobs start in their environment
    programs = tmp_path / "conda/bin"
    programs.mkdir(parents=True)
    (programs / "conda").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{STANDIN}" "{programs.parent}" "$@"\n'
    )
    (programs / "conda").chmod(0o755)
    (programs / "activate").write_text('PATH="$1/bin:$PATH"\n')
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    made = "results/sources/tiny/ratios.svg"
    how = ("--software-deployment-method", "conda", "--configfile", "tiny.yaml")
    done = empty.snakemake(made, "--cores", "1", *how)
    assert done.returncode == 0, done.stdout[-4000:]
    assert (empty.folder / made).is_file()
    (environment,) = (empty.folder / ".snakemake/conda").glob("*_/")
    assert (environment / "ran").is_file()
