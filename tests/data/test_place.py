"""Where a dataset lies, through links and in checkouts that moved."""

from pathlib import Path

import pytest

from weakreid.datasets import location
from weakreid.errors import ReidError

SAID = Path("results/datasets/mars/fetched.json")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    (folder / "data/mars").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def link_results(checkout: Path, to: Path) -> None:
    to.mkdir(parents=True)
    (checkout / "results").symlink_to(to)


@pytest.mark.parametrize("linked", [False, True], ids=["folder", "link"])
def test_results_on_another_disk(checkout: Path, tmp_path: Path, linked: bool) -> None:
    if linked:
        link_results(checkout, tmp_path / "scratch/deep/er/results")
    location.note(SAID, Path("data/mars"))
    assert location.find(SAID).samefile(checkout / "data/mars")


@pytest.mark.parametrize("linked", [False, True], ids=["folder", "link"])
def test_a_checkout_that_moved(
    checkout: Path, tmp_path: Path, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if linked:
        link_results(checkout, tmp_path / "scratch/results")
    location.note(SAID, Path("data/mars"))
    outside = tmp_path / "outside"
    outside.mkdir()
    elsewhere = SAID.with_name("other.json")
    location.note(elsewhere, outside)
    moved = tmp_path / "a/b/c/moved"
    moved.parent.mkdir(parents=True)
    checkout.rename(moved)
    monkeypatch.chdir(moved)
    assert location.find(SAID).samefile(moved / "data/mars")
    assert location.find(elsewhere).samefile(outside)


def test_a_path_over_a_link_s_parent(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "disk/sub").mkdir(parents=True)
    (tmp_path / "disk/mars").mkdir()
    (checkout / "link").symlink_to(tmp_path / "disk/sub")
    location.note(SAID, Path("link/../mars"))
    assert location.find(SAID).samefile(tmp_path / "disk/mars")


def test_what_lies_beside_moves_along(tmp_path: Path) -> None:
    said = tmp_path / "results/generated.json"
    (tmp_path / "results/generated").mkdir(parents=True)
    location.note(said, tmp_path / "results/generated", content="x")
    (tmp_path / "results").rename(tmp_path / "moved")
    found = location.find(tmp_path / "moved/generated.json")
    assert found.samefile(tmp_path / "moved/generated")
    assert location.is_beside(found, tmp_path / "moved/generated.json")
    assert not location.is_beside(tmp_path, tmp_path / "moved/generated.json")


def test_another_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"root": 3}')
    with pytest.raises(ReidError, match="'root' is not a path"):
        location.find(tmp_path / "x.json")
