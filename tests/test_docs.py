"""README and docs name files, tables, links and commands that are there."""

import functools
import importlib.util
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from weakreid.config import params
from weakreid.config.sources import default_files, read_merged
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of
from weakreid.plan.targets import maker_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = {
    "EXPERIMENT": ["wl_walkers", "tmc_walkers", "attr_walkers", "cosam_walkers"],
    "SPLIT-SEED": ["official-1"],
    "RUN": ["official-1"],
    "SPLIT": ["official"],
    "TRANSFER": ["studio"],
    "DATASET": ["walkers", "hall"],
    "SOURCE": ["studio"],
    "SEARCH": ["attn_cl_walkers"],
    "TABLE": ["wl_table3"],
    "TRACKER": ["mot17_deepsort"],
    "NAME": ["wl_walkers", "attn_cl_walkers"],
    "FRONT": ["012345abcdef"],
}
"""What may stand for the names in paths that a reader chooses."""

of_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@functools.cache
def plan() -> Plan:
    """Return the plan of the project's config and what the docs tell readers to add to it."""
    raw: dict[str, Any] = read_merged(default_files(ROOT))
    for block in blocks(ROOT / "docs/tracker_output.md", "yaml"):
        update_config(raw, yaml.safe_load(block))
    tracker = yaml.safe_load(blocks(ROOT / "docs/noise.md", "yaml")[0])
    update_config(raw, tracker)
    # new losses and kinds are looked at in a copy of the project (tests/extending)
    (mine,) = [b for b in blocks(ROOT / "docs/extending.md", "yaml") if "\nmethods:" in b]
    update_config(raw, yaml.safe_load(mine))
    update_config(raw, {"datasets": {"tomorrow": raw["datasets"]["hall"]}})
    return plan_of(raw)


def is_made(path: str) -> bool:
    """Return whether a rule makes a path, with some names for what a reader chooses."""
    for word, names in NAMES.items():
        place = rf"(?<![A-Z]){word}(?![A-Z])"
        if re.search(place, path):
            return any(is_made(re.sub(place, name, path)) for name in names)
    return maker_of(plan(), path) is not None


@of_page
def test_every_file_that_is_named_has_a_rule(page: Path) -> None:
    # those of a folder are of the dataset that it belongs to
    within = r"/(crops|logs)/"
    named = re.findall(r"results/[\w./-]+\.\w+", page.read_text())
    assert [path for path in named if not re.search(within, path) and not is_made(path)] == []


def test_the_table_of_targets_has_rules() -> None:
    text = (ROOT / "docs/running.md").read_text()
    rows = re.findall(r"^\| (`[A-Za-z]+/.*?) \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) > 8
    for files, more in rows:
        first, *others = re.findall("`(.*?)`", files)
        folder = "" if not first.endswith("/") else first
        others = [f"{first.rpartition('/')[0]}/{name}" for name in others if "/" not in name]
        if folder:
            others = [folder + name for name in re.findall(r"`([\w/]+\.\w+)`", more)]
        for path in [first, *others]:
            if not path.endswith("/"):
                assert is_made(f"results/{path}"), path


def test_every_table_of_the_papers_is_listed_with_its_files() -> None:
    text = (ROOT / "docs/tables.md").read_text()
    rows = re.findall(r"^\| (`\w+`.*?) \| .* \| (.*) \|$", text, re.MULTILINE)
    listed = {}
    for names, files in rows:
        for name in re.findall(r"`(\w+)`", names):
            listed[name] = (re.findall("`(.*?)`", files), "°" not in names)
    tables = plan().config.tables
    assert sorted(listed) == sorted(read_merged(ROOT.glob("workflow/papers/*.yaml"))["tables"])
    for name, (files, by_dataset) in listed.items():
        assert tuple(files) == tables[name].outputs(), name
        assert by_dataset == (getattr(tables[name], "study", None) is not None), name


@of_page
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@functools.cache
def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in words}


@of_page
def test_commands_of_this_project_are_there(page: Path) -> None:
    for block in blocks(page, "sh"):
        for line in re.sub(r"\\\n *", "", block).splitlines():
            words = shlex.split(line, comments=True)
            match words:
                case ["weakreid", "plan", name]:
                    known = [*plan().experiments, *plan().same]
                    assert any(Path(of).match(name) for of in known), line
                case ["python", "-m", "weakreid.stages", stage, *options]:
                    assert importlib.util.find_spec(f"weakreid.stages.{stage}"), line
                    if "--params" in options:
                        model = {"search": params.Search}[stage]
                        model.model_validate(json.loads(options[options.index("--params") + 1]))
                case ["make", target, *_]:
                    assert f"\n{target}:" in (ROOT / "Makefile").read_text(), line


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
