"""Every kind keeps the protocol, and is cheap to plan."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

from weakreid.config import params, tables
from weakreid.report import kinds

NAMES = [module.name for module in pkgutil.iter_modules(kinds.__path__)]


def test_every_block_has_a_module_and_every_module_a_block() -> None:
    blocks = [block.model_fields["kind"].annotation.__args__[0] for block in tables._BLOCKS]
    assert sorted(blocks) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_checks_and_plans_and_draws_or_copies(name: str) -> None:
    kind = importlib.import_module(f"weakreid.report.kinds.{name}")
    assert callable(kind.check)
    assert callable(kind.job)
    if hasattr(kind, "render"):
        assert issubclass(kind.Params, params.Params)


def test_planning_imports_nothing_that_draws() -> None:
    names = ", ".join(f"weakreid.report.kinds.{name}" for name in NAMES)
    heavy = "{'numpy', 'pandas', 'matplotlib', 'torch', 'pyarrow'}"
    code = f"import sys, {names}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("old", ["experiments", "study", "grid"])
def test_old_kinds_are_refused_with_the_new_name(old: str) -> None:
    from weakreid.config.faults import ConfigError, validated
    from weakreid.config.load import Config

    raw = {"datasets": {}, "methods": {}, "tables": {"x": {"kind": old, "title": "T"}}}
    with pytest.raises(ConfigError, match=f"'tables.x.kind': {old} is called results now"):
        validated(Config, raw, "config.yaml")
    raw["tables"]["x"] = {"kind": "results", "title": "T", "rows": {"a": "b"}, "ranks": [1]}
    with pytest.raises(ConfigError, match=r"unknown key .*ranks'; it is called metrics now"):
        validated(Config, raw, "config.yaml")
