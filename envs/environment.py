"""The environment of --software-deployment-method conda, which each job then runs in.

    python envs/environment.py > envs/weakreid.yaml

It holds what the dependencies in pyproject.toml bring along, each at its version in
constraints.txt. This project is not in it: a rule's command finds it by path.
"""

import tomllib
from collections.abc import Collection, Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"
PLATFORM = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
}
HEAD = f"""\
# snakemake --software-deployment-method conda TARGET     builds it once, and runs every job in it
#
# Written by `make environments` from pyproject.toml and constraints.txt; do not edit. For machines
# with a GPU and without: from PyPI, torch for Linux brings its CUDA libraries and asks for a driver
# alone. An index with CPU builds, in pip's own settings, saves two gigabytes.
channels: [conda-forge, nodefaults]
dependencies:
  - python={PYTHON}
  - pip
  - pip:
"""


def environment() -> str:
    """Return the text of weakreid.yaml."""
    lines = (ROOT / "envs/constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {canonicalize_name(line.partition("==")[0]): line for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = brought(project["dependencies"], pins)
    return HEAD + "".join(f"      - {pins[name]}\n" for name in sorted(found))


def brought(dependencies: Iterable[str], pins: Collection[NormalizedName]) -> set[NormalizedName]:
    """Return which of the packages `pins` come with `dependencies`, themselves among them.

    What an installed package asks for in turn is read from its metadata.
    """
    found: set[tuple[NormalizedName, frozenset[str]]] = set()
    left = [Requirement(line) for line in dependencies]
    while left:
        wanted = left.pop()
        name, extras = canonicalize_name(wanted.name), frozenset({"", *wanted.extras})
        if name in pins and (name, extras) not in found:
            found.add((name, extras))
            for asked in map(Requirement, requires(name) or []):
                places = [{**PLATFORM, "extra": extra} for extra in extras]
                if asked.marker is None or any(map(asked.marker.evaluate, places)):
                    left.append(asked)
    return {name for name, _ in found}


if __name__ == "__main__":
    print(environment(), end="")
