"""docs/extending.md, followed to the letter in a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from snakemake.cli import get_argument_parser

from snakemake_logger_plugin_weakreid import commandline
from weakreid.config.sources import default_files, read_merged
from weakreid.plan.read import RULES, plan_of
from weakreid.plan.rules import code_of
from weakreid.plan.training_rules import modules_of

ROOT = Path(__file__).parents[2]
PROFILE = "workflow/profiles/mycluster/config.yaml"
pytestmark = pytest.mark.xdist_group("extending")


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield the section, the file and the text of each block of the page that says its file."""
    section = ""
    tokens = MarkdownIt().parse((ROOT / "docs/extending.md").read_text())
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and after is not None:
            section = after.content
        first, _, text = token.content.partition("\n")
        if token.type == "fence" and first.startswith("# "):
            yield section, first.removeprefix("# "), text


def changed(text: str, change: str) -> str:
    """Return a file's text after a change in lines that begin with `+`, `-` or a space."""
    lines = change.splitlines()
    before = "\n".join(line[1:] for line in lines if line[:1] in (" ", "-"))
    after = "\n".join(line[1:] for line in lines if line[:1] in (" ", "+"))
    assert text.count(f"\n{before}\n") == 1, f"the page changes lines that are not there: {before}"
    return text.replace(f"\n{before}\n", f"\n{after}\n")


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with all that the page adds; my.yaml has the keys of it all."""
    folder = tmp_path_factory.mktemp("extended")
    for name in ("src", "workflow"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.yaml", folder)
    mine: dict[str, Any] = {}
    for _, name, text in blocks():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == "my.yaml":
            for key, block in yaml.safe_load(text).items():
                mine.setdefault(key, {}).update(block)
        elif re.match("[-+ ]", text):
            path.write_text(changed(path.read_text(), text))
        else:
            assert not path.exists(), f"{name} is there already"
            path.write_text(text)
    (folder / "my.yaml").write_text(yaml.safe_dump(mine))
    return folder


def run(copy: Path, *words: str) -> str:
    """Run Python in the copy; return what it prints."""
    path = os.pathsep.join([str(copy / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def found(copy: Path) -> dict[str, Any]:
    """Return what the copy's plan says of what the page adds."""
    printed: dict[str, Any] = json.loads(run(copy, "-m", "tests.extending.in_copy"))
    return printed


def test_things_take_as_many_files_as_the_page_says() -> None:
    files = Counter(section for section, name, _ in blocks() if name not in ("my.yaml", PROFILE))
    assert files == {
        "A bag loss": 3,
        "An aggregation": 3,
        "A dataset reader": 4,
        "A kind of table": 3,
    }


def test_the_tests_of_the_page_pass(copy: Path) -> None:
    tests = [name for _, name, _ in blocks() if name.startswith("tests/")]
    assert len(tests) == 4
    run(copy, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "--confcutdir", ".", *tests)


def test_code_of_the_page_is_in_the_format_of_the_project(copy: Path) -> None:
    new = [name for _, name, text in blocks() if name.endswith(".py")]
    config = ["--config", str(ROOT / "pyproject.toml")]
    run(copy, "-m", "ruff", "format", "--check", *config, *new)
    run(copy, "-m", "ruff", "check", *config, *new)


def test_the_config_takes_what_is_added(found: dict[str, Any]) -> None:
    assert found["learns_with"] == {
        "walkers_noisy_or": ["losses.bags.noisy_or", "losses.bags.cpal"],
        "walkers_maximum": [
            *("losses.clips.identity", "losses.clips.triplet"),
            *("models.aggregations.maximum", "models.cosam"),
        ],
        "wl_corridor": ["losses.bags.mil", "losses.bags.cpal"],
        "mine_walkers": ["losses.bags.mil", "losses.bags.cpal"],
        "small_wsddn": ["losses.bags.wsddn", "losses.bags.cpal"],
        "wl_mars_margin": ["losses.bags.mil", "losses.bags.cpal"],
    }
    assert found["reader"] == ["datasets.corridor"]
    assert found["kind"] == ["report.kinds.speed"]
    assert "`alpha` | number ≥ 0 | `1.0` | weight of the absent identities" in found["page"]


def test_what_is_added_reruns_no_other_training(found: dict[str, Any]) -> None:
    plan = plan_of(read_merged(default_files(ROOT)))
    for name, digest in found["digests"].items():
        method = plan.experiments[name].method
        assert digest == code_of(f"stages.train_{method.learns}", *modules_of(method)), name


@pytest.mark.parametrize("test", ["loss", "aggregation"])
def test_a_small_training_learns_with_it(copy: Path, test: str) -> None:
    terms = json.loads(run(copy, "-m", "tests.extending.in_copy", test).splitlines()[-1])
    assert len(terms) == 12
    assert all(0 < value < 100 for value in terms)
    assert terms[0] != terms[-1]


def test_the_profile_is_one(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)
    settings = yaml.safe_load(Path(PROFILE).read_text())
    options = {
        option.removeprefix("--")
        for action in get_argument_parser()._actions
        for option in action.option_strings
    }
    assert set(settings) <= options
    assert {*settings["set-resources"], *settings["set-threads"]} <= set(RULES)
    commandline.check(["--workflow-profile", str(Path(PROFILE).parent)])
