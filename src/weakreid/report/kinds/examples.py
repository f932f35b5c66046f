"""Examples: what attributes the transfers of rows see in some people (ATTR, Fig. 5)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weakreid.config import params
from weakreid.config.base import Positive
from weakreid.config.tables import ExamplesTable
from weakreid.plan import attribute_rules, paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_rows, experiment_of, transfers_of_rows, without_transfer
from weakreid.report.protocol import Files, Numbered, RowOfFiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Params(params.Params):
    """Rows, with the labels of one run of each; how many people, and frames of each."""

    title: str
    rows: list[RowOfFiles]
    persons: Positive = 6
    frames: Positive = 8


def check(plan: Plan, where: str, table: ExamplesTable) -> None:
    """Refuse rows that learn no attributes."""
    check_rows(plan, where, table, without_transfer)


def job(plan: Plan, name: str, table: ExamplesTable, datasets: Sequence[str], output: str) -> Job:
    """Return the labels of first runs, and the truth where it is known."""
    dataset = datasets[0]
    split = experiment_of(plan, table, dataset).splits[0]
    labels = Numbered()
    rows = [
        labels.row(label, [attribute_rules.labels(plan, transfer, dataset, runs[0])])
        for label, transfer, runs in transfers_of_rows(plan, f"tables.{name}", table, dataset)
    ]
    known = plan.knows_attributes(dataset)
    return Job(
        inputs={
            "labels": labels.paths,
            "truth": [paths.true_attributes(dataset)] if known else [],
            "tracklets": paths.tracklets(dataset, split),
            "frames": paths.frames(dataset),
            "images": paths.images(dataset),
        },
        params=Params(title=f"{table.title}: {dataset}", rows=rows),
    )


def render(output: str, params: Params, files: Files) -> "Figure":
    """Return the training people on whom the transfers disagree most."""
    # pandas and matplotlib take a second to import
    from weakreid.artifacts import schemas
    from weakreid.artifacts.image_store import ImageStore
    from weakreid.report import attribute_examples as examples
    from weakreid.report import figures

    labels, truth = (
        [
            examples.label_matrix(schemas.read_frame(path, "attribute_labels"), str(path))
            for path in files.get(of, [])
        ]
        for of in ("labels", "truth")
    )
    transfers = {row.label: labels[row.files[0]] for row in params.rows}
    real = truth[0] if truth else None
    split = schemas.read_frame(files["tracklets"][0], "tracklets")
    persons = examples.choose(transfers, split, params.persons)
    columns = ["tracklet_id", "position", "image"]
    frames = schemas.read_frame(files["frames"][0], "frames", columns)
    own = examples.images_of(frames, split, persons)
    found = examples.examples(transfers, persons, own, params.frames, real)
    with ImageStore(files["images"][0]) as store:
        return examples.sheet(
            found,
            list(transfers),
            figures.images_of(store),
            params.title,
            truth=real is not None,
        )
