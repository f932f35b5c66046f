"""Isolation: a picture of it at work on one dataset and noise level (TMC, Fig. 3 and 4)."""

from collections.abc import Sequence

from weakreid.config.faults import known
from weakreid.config.tables import IsolationTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_names, experiment_of


def check(plan: Plan, where: str, table: IsolationTable) -> None:
    """Refuse a study, a dataset or a noise level that is not there."""
    check_names(plan, where, table)
    known(f"{where}.level", table.level, plan.config.studies[table.study].levels)


def job(plan: Plan, name: str, table: IsolationTable, datasets: Sequence[str], output: str) -> Job:
    """Return the figure of the study's own isolation, or refuse a dataset without one."""
    of = experiment_of(plan, table, datasets[0], level=table.level)
    if of.isolation is None:
        raise ReidError(
            f"tables.{name}: the study {table.study} isolates nothing on {of.dataset}; give it an "
            "isolation"
        )
    made = paths.isolated(
        of.dataset, of.splits[0], str(of.noise), of.isolation, f"_{table.shows}.svg"
    )
    return Job(inputs={"figure": made})
