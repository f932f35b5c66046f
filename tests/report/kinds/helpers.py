"""A small plan, jobs of its tables, and their files made by the stage as the workflow calls it."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
import yaml
from pydantic import TypeAdapter
from typer.testing import CliRunner

from weakreid.artifacts.image_store import write_store
from weakreid.config.tables import AnyTable
from weakreid.console import program_of
from weakreid.plan.plan import Plan
from weakreid.plan.read import RULES, plan_of
from weakreid.plan.rules import Job, Rule, listed
from weakreid.plan.table_rules import kind_of
from weakreid.stages import table as stage

TINY = Path(__file__).parents[2] / "workflow" / "tiny.yaml"
NAME = "shown"
OWN = {
    "datasets": {
        "mars": {"kind": "mars", "root": "data/mars"},
        "walkers_tiny": {"kind": "walkers", "size": "tiny"},
    },
    "bags": {"wl": {}},
    "noise": {"clean": {}},
}


@functools.cache
def small() -> Plan:
    """The tiny studies on generated people, and on MARS."""
    raw = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    for key, blocks in OWN.items():
        raw[key] = {**raw.get(key, {}), **blocks}
    del raw["tuning"], raw["tables"]
    # WL-MARS is the paper's name of MARS
    raw["studies"]["mini"]["datasets"]["mars"] = {"published": "WL-MARS"}
    return plan_of(raw)


def planned(block: dict[str, Any]) -> Plan:
    """The small plan with one table, which is checked."""
    table: Any = TypeAdapter(AnyTable).validate_python({"title": "Title", **block})
    config = small().config.model_copy(update={"tables": {NAME: table}})
    plan = dataclasses.replace(small(), config=config)
    kind_of(table).check(plan, f"tables.{NAME}", table)
    return plan


def rule_of(output: str) -> Rule:
    return RULES[{".md": "table", ".svg": "plot", ".png": "picture"}[Path(output).suffix]]


def job_of(block: dict[str, Any], output: str = "table.md", dataset: str = "") -> Job:
    """What a file of a table needs."""
    wildcards = {"table": NAME, "place": f"/{dataset}" if dataset else ""}
    if output.endswith(".png"):
        wildcards["picture"] = Path(output).stem
    return rule_of(output).needs(planned(block), **wildcards)


def inputs_of(job: Job) -> dict[str, Sequence[str]]:
    return {name: listed(paths) for name, paths in job.inputs.items()}


def make(job: Job, output: str, folder: Path) -> Path:
    """Make a file as the workflow does, its inputs below a folder."""
    rule = rule_of(output)
    inputs = {
        name: [path if name == "published" else str(folder / path) for path in listed(paths)]
        for name, paths in job.inputs.items()
    }
    out = folder / "made" / output
    words = rule.call(job, inputs, dict.fromkeys(rule.outputs, str(out)))
    app = program_of(stage.main)
    CliRunner().invoke(app, words, catch_exceptions=False, standalone_mode=False)
    return out


def write(folder: Path, paths: Sequence[str], *values: Any) -> None:
    """Write JSON files that a job asks for."""
    for path, value in zip(paths, values, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(value), encoding="utf-8")


def rows_of(path: Path) -> dict[str, list[str]]:
    """The lines of Markdown's tables: first cell: the others."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    split = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {cells[0]: cells[1:] for cells in split}


def make_images(path: Path, count: int) -> None:
    """Write an image store of JPEGs of one colour each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shades = (np.full((32, 16, 3), 10 * number, np.uint8) for number in range(count))
    write_store(path, (simplejpeg.encode_jpeg(shade) for shade in shades))
