"""Cost: what labels cost, from datasets' own counts (WL, section III-A)."""

from collections.abc import Sequence

from weakreid.config import params
from weakreid.config.tables import CostTable
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_bags, experiment_of
from weakreid.report.protocol import Files


class Params(params.Params):
    """Datasets, and into how many parts their tracklets are cut; files are in their order."""

    title: str
    tracklet_parts: dict[str, int]


def check(plan: Plan, where: str, table: CostTable) -> None:
    """Refuse a study without bags."""
    check_bags(plan, where, table)


def job(plan: Plan, name: str, table: CostTable, datasets: Sequence[str], output: str) -> Job:
    """Return tracklets and bags of datasets, on their first splits."""
    own = [experiment_of(plan, table, dataset) for dataset in datasets]
    return Job(
        inputs={
            "tracklets": [paths.tracklets(of.dataset, of.splits[0]) for of in own],
            "bags": [paths.bags(of.dataset, of.splits[0], str(of.bags)) for of in own],
        },
        params=Params(
            title=table.title,
            tracklet_parts={
                of.dataset: plan.config.bags[str(of.bags)].tracklet_parts for of in own
            },
        ),
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    # pandas takes a second to import
    from weakreid.artifacts import schemas
    from weakreid.report.counts import cost_table
    from weakreid.supervision.counting import labour

    columns = ["bag_id", "role", "tracklet_ids", "labels"]
    of_datasets = zip(params.tracklet_parts.items(), files["tracklets"], files["bags"], strict=True)
    found = {
        name: labour(
            schemas.read_frame(tracklets, "tracklets"),
            schemas.read_frame(bags, "bags", columns),
            parts,
        )
        for (name, parts), tracklets, bags in of_datasets
    }
    return cost_table(params.title, found)
