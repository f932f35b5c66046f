"""Fixtures that more than one room of tests uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests import warm

# no test asserts a time: a busy machine is slow
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED = Path(os.environ.get("WEAKREID_SHARED", Path(__file__).parents[2] / "shared" / "data"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a process of pytest-xdist whole files, and to one of them all that looks at one run."""
    of_one_run = "tiny" in getattr(item, "fixturenames", ())
    group = "tiny" if of_one_run else item.nodeid.split("::")[0]
    item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose files take longest, so that no process is alone at the end."""
    slow = ("workflow", "training")

    def room(item: pytest.Item) -> int:
        name = item.path.relative_to(Path(__file__).parent).parts[0]
        return slow.index(name) if name in slow else len(slow)

    items.sort(key=room)


@pytest.fixture(scope="session")
def warm_caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What lets the stages of a checkout, and Snakemake, start at once."""
    with warm.serving(tmp_path_factory.mktemp("warm")) as caller:
        yield caller


@pytest.fixture(scope="session")
def warm_path(warm_caller: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """PYTHONPATH of a training of two processes, the first of which starts at once."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "sitecustomize.py").write_text(warm_caller, encoding="utf-8")
    root = Path(__file__).parents[1]
    return os.pathsep.join(map(str, (folder, root / "src", root)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, where there is one."""
    if not (SHARED / "mars_mini").is_dir():
        pytest.skip(f"no real data at {SHARED} (set WEAKREID_SHARED)")
    return SHARED
