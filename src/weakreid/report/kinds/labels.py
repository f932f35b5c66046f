"""Labels: how right transferred attributes are, on datasets whose truth is known."""

from collections.abc import Sequence

from weakreid.artifacts.files import read_json
from weakreid.config.methods import Transfer
from weakreid.config.tables import LabelsTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_rows, transfers_of_rows, without_transfer
from weakreid.report.protocol import Files, Numbered, RowsOfFiles

KEYS = ("attributes", "only_in_truth", "rare_below", "train", "test")


Params = RowsOfFiles


def check(plan: Plan, where: str, table: LabelsTable) -> None:
    """Refuse rows that learn no attributes."""
    check_rows(plan, where, table, without_transfer)


def job(plan: Plan, name: str, table: LabelsTable, datasets: Sequence[str], output: str) -> Job:
    """Return what was measured of each run, or refuse data whose truth is unknown."""
    dataset = datasets[0]
    if not plan.knows_attributes(dataset):
        raise ReidError(
            f"tables.{name}: nobody knows the true attributes of dataset {dataset}; ask for "
            f"{paths.of_table(name, '/walkers', output)}"
        )
    quality = Numbered()
    rows = [
        quality.row(
            label, [paths.of_transfer(transfer, dataset, run, "quality.json") for run in runs]
        )
        for label, transfer, runs in transfers_of_rows(plan, f"tables.{name}", table, dataset)
        if isinstance(plan.config.transfers[transfer], Transfer)
    ]
    return Job(
        inputs={"quality": quality.paths},
        params=Params(title=f"{table.title}: {dataset}", rows=rows, notes=table.notes),
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # numpy takes a moment to import
    from weakreid.report.label_quality import label_table

    found = [read_json(path, KEYS) for path in files["quality"]]
    return label_table(params.title, params.of(found), params.notes)
