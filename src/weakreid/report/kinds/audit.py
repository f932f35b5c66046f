"""Audit: how well label audits find wrong labels, over datasets and runs."""

from collections.abc import Sequence

from weakreid.artifacts.files import read_json
from weakreid.config.tables import AuditTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_bags, experiment_of
from weakreid.report.protocol import Files, Numbered, RowsOfFiles

Params = RowsOfFiles


def check(plan: Plan, where: str, table: AuditTable) -> None:
    """Refuse a row that has no bags, or bags whose labels are right."""
    check_bags(plan, where, table, table.row)
    for dataset in table.datasets:
        experiment = experiment_of(plan, table, dataset, table.row)
        bags = plan.config.bags[str(experiment.bags)]
        planted = bags.planted is not None and bags.planted.removed + bags.planted.added > 0
        if not planted and bags.missing is None:
            raise ReidError(
                f"{where}.row: no label is wrong in the bags of {experiment.name}, so nothing can "
                "be scored; take a row whose bags have planted or missing"
            )


def job(plan: Plan, name: str, table: AuditTable, datasets: Sequence[str], output: str) -> Job:
    """Return the scores of every run."""
    scores = Numbered()
    rows = []
    for dataset in datasets:
        of = experiment_of(plan, table, dataset, table.row)
        rows.append(
            scores.row(dataset, [paths.of_run(of.name, run, "audit.json") for run in of.runs])
        )
    return Job(inputs={"scores": scores.paths}, params=Params(title=table.title, rows=rows))


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # pandas takes a second to import
    from weakreid.report.audit import comparison

    found = [read_json(path, ["bags", "kinds"]) for path in files["scores"]]
    return comparison(params.title, params.of(found))
