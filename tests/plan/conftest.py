"""A folder for plans: what a rule reads there is there, and nothing else."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tracker's output and its pictures, all of them empty."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "film" / "pictures").mkdir(parents=True)
    for name in ("boxes.txt", "truth.txt", "names.csv", "hall.avi"):
        (folder / "film" / name).touch()
    return folder


@pytest.fixture(autouse=True)
def here(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in that folder."""
    monkeypatch.chdir(film)
