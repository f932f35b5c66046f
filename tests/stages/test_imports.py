"""What starting a stage imports: slow libraries only where a stage asks for them itself."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import weakreid

PACKAGE = Path(weakreid.__file__).parent
STAGES = [path.stem for path in sorted(PACKAGE.glob("stages/[a-z]*.py"))]

ASKED_BY = {
    "torch": {"torch", "weakreid.models", "weakreid.training", "weakreid.retrieval.inputs"},
    # takes as long as torch itself: for what learns alone
    "lightning_fabric": {"weakreid.training.frame", "weakreid.training.loop"},
    "optuna": {"weakreid.tuning"},
    "matplotlib": {"weakreid.report", "weakreid.datasets.crops"},
    "sklearn": {"weakreid.clustering", "weakreid.report.isolation"},
    # the function that builds a backbone of theirs imports them
    "torchvision": set(),
    "timm": set(),
}
"""By library, the modules and packages at the top of a stage that may bring it."""

FIND = """
import importlib, json, sys
libraries, modules = json.loads(sys.argv[1])
first = {}
for module in modules:
    importlib.import_module(module)
    for library in libraries:
        if library in sys.modules:
            first.setdefault(library, module)
print(json.dumps(first))
"""


def brought(libraries: Iterable[str], modules: Iterable[str]) -> dict[str, str]:
    """Import modules in turn in a fresh interpreter; return by library the first that brings it."""
    given = json.dumps([list(libraries), list(modules)])
    done = subprocess.run(
        [sys.executable, "-c", FIND, given], capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(done.stdout)


def top_imports(stage: str) -> set[str]:
    """Return what the top of a stage imports, each name with all packages that it is in."""
    text = (PACKAGE / "stages" / f"{stage}.py").read_text(encoding="utf-8")
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {".".join(of[:count]) for of in parts for count in range(1, len(of) + 1)}


ASKED = {
    stage: {library for library, askers in ASKED_BY.items() if askers & top_imports(stage)}
    for stage in STAGES
}


def test_stages_without_a_network_import_no_torch() -> None:
    plain = [stage for stage in STAGES if "torch" not in ASKED[stage]]
    assert {"evaluate", "table"} <= set(plain)
    assert brought(["torch"], [f"weakreid.stages.{stage}" for stage in plain]) == {}


def test_stages_import_no_slow_library_that_they_do_not_ask_for() -> None:
    others = [library for library in ASKED_BY if library != "torch"]

    def most_asked(stage: str) -> list[bool]:
        return [library in ASKED[stage] for library in reversed(others)]

    # the first to bring a library hides those after it: so those that may, come last
    order = sorted(STAGES, key=most_asked)
    assert not ASKED[order[0]] & set(others)
    first = brought(others, [f"weakreid.stages.{stage}" for stage in order])
    for library, module in first.items():
        assert library in ASKED[module.removeprefix("weakreid.stages.")], f"{module}: {library}"
    # else ASKED_BY lets stages off for nothing
    assert set(first) == {library for library in others if ASKED_BY[library]}


def test_the_plan_starts_without_what_reads_tables_and_draws() -> None:
    kinds = [path.stem for path in PACKAGE.glob("report/kinds/*.py") if path.stem != "__init__"]
    modules = ["weakreid.plan.plan", *(f"weakreid.report.kinds.{kind}" for kind in kinds)]
    assert brought(["numpy", "pandas", "pyarrow", "snakemake", *ASKED_BY], modules) == {}
