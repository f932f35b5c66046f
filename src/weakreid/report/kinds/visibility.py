"""Visibility: whether temporal weights go where a part is really visible, on generated data."""

from collections.abc import Sequence

from weakreid.artifacts.files import read_json
from weakreid.config.methods import ClipMethod
from weakreid.config.tables import VisibilityTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.experiments import Experiment
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_rows, files_of_rows
from weakreid.report.protocol import Files, RowsOfFiles

KEYS = ("hidden_below", "groups")


Params = RowsOfFiles


def check(plan: Plan, where: str, table: VisibilityTable) -> None:
    """Refuse rows whose frames have no weights by group of attributes."""
    check_rows(plan, where, table, _without_groups)


def _without_groups(experiment: Experiment) -> str:
    method = experiment.method
    known = isinstance(method, ClipMethod) and method.attributes is not None
    return "" if known else "has no groups of attributes; take another row of the study"


def job(plan: Plan, name: str, table: VisibilityTable, datasets: Sequence[str], output: str) -> Job:
    """Return what was measured of each run, or refuse data of which nobody knows what it shows."""
    dataset = datasets[0]
    if not plan.generated(dataset):
        raise ReidError(
            f"tables.{name}: nobody knows what the frames of dataset {dataset} show; ask for "
            f"{paths.of_table(name, '/walkers', output)}"
        )
    rows, measured = files_of_rows(plan, table, dataset, "visibility.json")
    return Job(
        inputs={"measured": measured},
        params=Params(title=f"{table.title}: {dataset}", rows=rows, notes=table.notes),
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # numpy and matplotlib take a second to import
    from weakreid.report.visibility import visibility_table

    found = [read_json(path, KEYS) for path in files["measured"]]
    return visibility_table(params.title, params.of(found), params.notes)
