"""Ratios: how many pictures of a source have each attribute (ATTR, Fig. 4)."""

from collections.abc import Sequence

from weakreid.config.tables import RatiosTable
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_names

check = check_names


def job(plan: Plan, name: str, table: RatiosTable, datasets: Sequence[str], output: str) -> Job:
    """Return the figure of the source."""
    return Job(inputs={"figure": paths.of_source(table.source, "ratios.svg")})
