"""Configs that several rooms of tests begin with, as YAML gives them, and changes of them."""

import copy
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weakreid.config.sources import default_files, read_merged

ROOT = Path(__file__).resolve().parents[1]
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"


@functools.cache
def _read(*paths: Path) -> dict[str, Any]:
    return read_merged(paths)


def own() -> dict[str, Any]:
    """Return the project's config: the papers' files and config.yaml."""
    return copy.deepcopy(_read(*default_files(ROOT)))


def with_tiny() -> dict[str, Any]:
    """Return that with the tiny experiments, which the tests of the workflow run."""
    return copy.deepcopy(_read(*default_files(ROOT), TINY))


def tiny() -> dict[str, Any]:
    """Return the tiny experiments, with what they need of the project's config and no more.

    Its plan takes a tenth of the time.
    """
    mine, whole = copy.deepcopy(_read(TINY)), own()
    for kind, name in (
        ("datasets", "mars"),
        ("datasets", "walkers_tiny"),
        ("bags", "wl"),
        ("noise", "clean"),
    ):
        mine[kind][name] = whole[kind][name]
    return mine


def nested(key: str, value: Any) -> dict[str, Any]:
    """Return the blocks within which a key with dots stands."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with another one laid over it, as Snakemake does with files."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def changed(raw: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a config with one key (with dots) set."""
    *parents, last = key.split(".")
    result = copy.deepcopy(dict(raw))
    block = result
    for part in parents:
        block = block.setdefault(part, {})
    block[last] = value
    return result
