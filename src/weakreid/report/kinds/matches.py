"""Matches: matching examples of the first run of a study's own method (WL, Fig. 5)."""

from collections.abc import Sequence

from weakreid.config.tables import MatchesTable
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_names, of_first_run

check = check_names


def job(plan: Plan, name: str, table: MatchesTable, datasets: Sequence[str], output: str) -> Job:
    """Return the picture of a run."""
    return Job(inputs={"picture": of_first_run(plan, table, datasets[0], f"matches_{output}")})
