"""Retrieval by the attributes of the query's person (COSAM, Table 7)."""

from collections.abc import Sequence

from weakreid.artifacts.files import read_json
from weakreid.config.faults import known
from weakreid.config.tables import AttributeTable
from weakreid.errors import ReidError
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report import published
from weakreid.report.of_tables import check_names, experiment_of, files_of_rows
from weakreid.report.protocol import Files, RowsOfFiles


class Params(RowsOfFiles):
    """Rows of what was measured; who made the labels; the paper's table."""

    attributes: list[str] | None
    transfer: str
    ranks: list[int]
    paper: str | None
    paper_table: str | None


def check(plan: Plan, where: str, table: AttributeTable) -> None:
    """Refuse rows, a transfer or a paper's table that is not there."""
    check_names(plan, where, table)
    if table.transfer is not None:
        known(f"{where}.transfer", table.transfer, plan.config.transfers)


def job(plan: Plan, name: str, table: AttributeTable, datasets: Sequence[str], output: str) -> Job:
    """Return what was measured of every run."""
    dataset = datasets[0]
    transfer = table.transfer or experiment_of(plan, table, dataset).transfer
    if transfer is None:
        raise ReidError(
            f"tables.{name}: the study {table.study} has no attributes; name a transfer"
        )
    rows, found = files_of_rows(plan, table, dataset, f"by_attribute/{transfer}.json")
    return Job(
        inputs={"metrics": found, "published": [published.path_of_ours()] if table.paper else []},
        params=Params(
            title=f"{table.title}: {dataset}",
            rows=rows,
            attributes=table.attributes,
            transfer=transfer,
            ranks=list(table.ranks),
            paper=table.paper,
            paper_table=table.paper_table,
        ),
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table, and below it the paper's."""
    # numpy takes a moment to import
    from weakreid.report.by_attribute import attribute_table, papers_table

    found = [read_json(path, ["queries", "all", "attributes"]) for path in files["metrics"]]
    rows = params.of(found)
    text = attribute_table(params.title, rows, params.attributes, params.transfer, params.ranks)
    if params.paper is None or params.paper_table is None:
        return text
    figures = published.read(files["published"][0])
    return f"{text}\n{papers_table(figures, params.paper, params.paper_table, params.ranks)}"
