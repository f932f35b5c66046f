"""Fixtures that more than one room of tests uses."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# no test asserts a time: a busy machine is slow
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED = Path(os.environ.get("WEAKREID_SHARED", Path(__file__).parents[2] / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the whole workflow's tests begin first, in one process: they share one computed project.

    All others run beside it in a second one (`make test`).
    """
    of_workflow = [item for item in items if "workflow" in item.path.parts]
    for item in of_workflow:
        item.add_marker(pytest.mark.xdist_group("workflow"))
    chosen = set(of_workflow)
    items[:] = of_workflow + [item for item in items if item not in chosen]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, where there is one."""
    if not (SHARED / "mars_mini").is_dir():
        pytest.skip(f"no real data at {SHARED} (set WEAKREID_SHARED)")
    return SHARED
