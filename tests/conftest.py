"""Fixtures that more than one room of tests uses."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
def shared_data() -> Path:
    """The folder of real data, where there is one."""
    if not (SHARED / "mars_mini").is_dir():
        pytest.skip(f"no real data at {SHARED} (set WEAKREID_SHARED)")
    return SHARED
