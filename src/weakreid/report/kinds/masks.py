"""Masks: how much of COSAM's masks lies on the person, on generated data."""

from collections.abc import Sequence

from weakreid.artifacts.files import read_json
from weakreid.config.tables import MasksTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_rows, experiment_of, files_of_rows, without_clips
from weakreid.report.protocol import Files, RowsOfFiles

KEYS = ("clips", "frames", "carrying_frames", "area", "states")


Params = RowsOfFiles


def check(plan: Plan, where: str, table: MasksTable) -> None:
    """Refuse rows that learn from no clips."""
    check_rows(plan, where, table, without_clips)


def job(plan: Plan, name: str, table: MasksTable, datasets: Sequence[str], output: str) -> Job:
    """Return the shares of each run, or refuse data of which nobody knows where people are."""
    dataset = datasets[0]
    if not plan.generated(dataset):
        raise ReidError(
            f"tables.{name}: nobody knows where people are in the pictures of dataset {dataset}; "
            f"ask for {paths.of_table(name, '/walkers', output)}"
        )
    if output == "plot.svg":
        return Job(inputs={"figure": _curve(plan, name, table, dataset)})
    rows, shares = files_of_rows(plan, table, dataset, "mask_shares.json")
    return Job(
        inputs={"shares": shares},
        params=Params(title=f"{table.title}: {dataset}", rows=rows, notes=table.notes),
    )


def _curve(plan: Plan, name: str, table: MasksTable, dataset: str) -> str:
    for row in table.rows.values():
        of = experiment_of(plan, table, dataset, row)
        if of.method.model.cosam is not None:
            return paths.of_run(of.name, of.runs[0], "mask_curve.svg")
    raise ReidError(
        f"tables.{name}.rows: none has COSAM, whose masks the plot is of; add a row with "
        "model.cosam"
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # numpy and matplotlib take a second to import
    from weakreid.report.mask_shares import shares_table

    found = [read_json(path, KEYS) for path in files["shares"]]
    return shares_table(params.title, params.of(found), params.notes)
