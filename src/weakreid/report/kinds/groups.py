"""Groups: the groups of attributes of a source (ATTR, Table 1)."""

from collections.abc import Sequence

from weakreid.config.params import Titled
from weakreid.config.tables import GroupsTable
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_names
from weakreid.report.protocol import Files

Params = Titled
check = check_names


def job(plan: Plan, name: str, table: GroupsTable, datasets: Sequence[str], output: str) -> Job:
    """Return the source's annotation."""
    annotation = paths.of_source(table.source, "annotation.parquet")
    return Job(inputs={"annotation": annotation}, params=Params(title=table.title))


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # pandas and matplotlib take a second to import
    from weakreid.datasets.annotated import read_annotation
    from weakreid.report.ratios import groups_table

    found = read_annotation(files["annotation"][0])
    return groups_table(params.title, found.attributes, found.labels)
