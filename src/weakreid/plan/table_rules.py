"""Rules of tables and figures: one per kind of file; what each shows says its kind."""

import dataclasses
import importlib
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any, Protocol, cast

from weakreid.config.tables import Table
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job, Only, Output, listed, rule


class Planned(Protocol):
    """What the plan asks of a kind of table; `weakreid.report.protocol` says the rest."""

    def check(self, plan: Plan, where: str, table: Any) -> None:
        """Refuse a table that names what is not there; `where` is its place in the config.

        Raises:
            ReidError: what is wrong.
        """

    def job(self, plan: Plan, name: str, table: Any, datasets: Sequence[str], output: str) -> Job:
        """Return what making one of a table's files needs.

        Args:
            plan: of the whole config.
            name: of the table.
            table: its block.
            datasets: those to show: the table's own, or the one in the path.
            output: one of the table's files, such as "table.md".

        Raises:
            ReidError: it cannot be made for these datasets.
        """


def kind_of(table: Table) -> Planned:
    """Return a table's kind, a module above the plan."""
    return cast("Planned", importlib.import_module(f"weakreid.report.kinds.{table.kind}"))


def _having(suffix: str) -> Only:
    return lambda plan: [
        name
        for name, block in plan.config.tables.items()
        if any(file.endswith(suffix) for file in block.outputs())
    ]


def _pictures(plan: Plan) -> Iterable[str]:
    names = [PurePath(file) for block in plan.config.tables.values() for file in block.outputs()]
    return dict.fromkeys(name.stem for name in names if name.suffix == ".png")


def _output(name: str, shown: str, caption: str, option: str = "out") -> Output:
    return Output(paths.of_table("{table}", "{place}", name), option, shown, caption)


def _job(plan: Plan, table: str, place: str, output: str) -> Job:
    block, target = plan.config.tables[table], paths.of_table(table, place, output)
    if output not in block.outputs():
        raise ReidError(f"{target}: the table {table} has only {', '.join(block.outputs())}")
    datasets = getattr(block, "datasets", [])
    if place and not datasets:
        raise ReidError(
            f"{target}: the table {table} has no datasets to choose from; ask for "
            f"{paths.of_table(table, '', output)}"
        )
    datasets = [place.removeprefix("/")] if place else datasets
    job = kind_of(block).job(plan, table, block, datasets, output)
    return dataclasses.replace(
        job,
        modules=[f"report.kinds.{block.kind}"],
        told={"kind": block.kind},
        # workers that share no files have no checkout
        here=frozenset(listed(job.inputs.get("published", []))),
    )


@rule(
    "table",
    only={"table": _having("table.md")},
    markdown=_output("table.md", "table, as Markdown", "table"),
    page=_output("table.html", "table", "table", option=""),
)
def table(plan: Plan, table: str, place: str = "") -> Job:
    """A table, as Markdown and as a page."""
    return _job(plan, table, place, "table.md")


@rule("table", only={"table": _having("plot.svg")}, figure=_output("plot.svg", "plot", "plot"))
def plot(plan: Plan, table: str, place: str = "") -> Job:
    """A plot."""
    return _job(plan, table, place, "plot.svg")


@rule(
    "table",
    only={"table": _having(".png"), "picture": _pictures},
    picture=_output("{picture}.png", "picture", "picture"),
)
def picture(plan: Plan, table: str, picture: str, place: str = "") -> Job:
    """A picture of people."""
    return _job(plan, table, place, f"{picture}.png")
