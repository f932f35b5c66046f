"""Counts: what datasets with weak labels hold, beside the paper's counts (WL, Table I)."""

from collections.abc import Sequence

from weakreid.config import params
from weakreid.config.tables import CountsTable
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report import published
from weakreid.report.of_tables import check_bags, experiment_of, of_dataset
from weakreid.report.protocol import Files


class Params(params.Params):
    """What stands beside what; the files of datasets are in their order."""

    title: str
    paper: str
    paper_table: str
    datasets: list[published.Dataset]


def check(plan: Plan, where: str, table: CountsTable) -> None:
    """Refuse a study without bags, or a paper's table that is not there."""
    check_bags(plan, where, table)


def job(plan: Plan, name: str, table: CountsTable, datasets: Sequence[str], output: str) -> Job:
    """Return tracklets, bags and coarse test sets of datasets, on their first splits."""
    own = [experiment_of(plan, table, dataset) for dataset in datasets]
    splits = [(of.dataset, of.splits[0]) for of in own]
    return Job(
        inputs={
            "tracklets": [paths.tracklets(*split) for split in splits],
            "bags": [
                paths.bags(*split, str(of.bags)) for split, of in zip(splits, own, strict=True)
            ],
            "coarse": [paths.coarse(*split) for split in splits],
            "published": published.path_of_ours(),
        },
        params=Params(
            title=table.title,
            paper=table.paper,
            paper_table=table.paper_table,
            datasets=[of_dataset(plan, table.study, dataset) for dataset in datasets],
        ),
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # pandas takes a second to import
    from weakreid.artifacts import schemas
    from weakreid.report.counts import counts_table
    from weakreid.supervision.counting import counts

    of_datasets = zip(files["tracklets"], files["bags"], files["coarse"], strict=True)
    found = [
        counts(
            schemas.read_frame(tracklets, "tracklets", ["tracklet_id", "person_id", "role"]),
            schemas.read_frame(bags, "bags", ["role", "labels"]),
            schemas.read_frame(coarse, "bags", ["role", "labels"]),
        )
        for tracklets, bags, coarse in of_datasets
    ]
    return counts_table(
        params.title,
        dict(zip(params.datasets, found, strict=True)),
        published.read(files["published"][0]),
        paper=params.paper,
        table=params.paper_table,
    )
