"""Results: experiments, or rows of a study, beside the paper's figures; plot.svg too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weakreid.config.faults import known
from weakreid.config.tables import ResultsTable, place_on_axis
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report import published, results
from weakreid.report.of_tables import check_names, of_dataset
from weakreid.report.protocol import Files, Numbered
from weakreid.report.results import ISOLATED, Block, Cell, Column, Results, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Params = Results


def check(plan: Plan, where: str, table: ResultsTable) -> None:
    """Refuse a study, a dataset, a level, a row or a paper's table that is not there."""
    if table.study is None:
        for label, name in table.rows.items():
            known(f"{where}.rows.{label}", str(name), {**plan.experiments, **plan.same})
        return
    check_names(plan, where, table)
    for level in table.levels:
        known(f"{where}.levels", level, plan.config.studies[table.study].levels)


def job(plan: Plan, name: str, table: ResultsTable, datasets: Sequence[str], output: str) -> Job:
    """Return the figures of the experiments that are not refused, and what isolation left."""
    cells = _Cells(plan, table)
    if table.study is None:
        blocks = cells.of_experiments()
    else:
        blocks = [cells.of_study(table.study, dataset) for dataset in datasets]
    return Job(
        inputs={
            "metrics": cells.metrics.paths,
            "isolation": cells.isolation.paths,
            "published": [published.path_of_ours()] if table.paper else [],
        },
        params=Results(
            title=table.title,
            paper=table.paper,
            paper_table=table.paper_table,
            protocols=list(table.protocols),
            metrics=list(table.metrics),
            axis=table.axis,
            notes=table.notes,
            blocks=blocks,
        ),
    )


class _Cells:
    """The cells of a table, and the files that they count."""

    def __init__(self, plan: Plan, table: ResultsTable) -> None:
        self.plan, self.table = plan, table
        self.metrics, self.isolation = Numbered(), Numbered()
        shown = set(table.metrics)
        self.measured, self.isolated = shown - set(ISOLATED), shown & set(ISOLATED)

    def of_study(self, study: str, dataset: str) -> Block:
        """Return the rows of a study on a dataset."""
        table, beside = self.table, of_dataset(self.plan, study, dataset)
        levels = self.plan.config.studies[study].levels
        names: list[str | None] = [*table.levels] or [None]
        columns = []
        for level in names:
            theirs = levels[level].published if level else beside.published
            label = levels[level].label if level else ""
            columns.append(Column(label=label, published=theirs if table.paper else None))
        rows = [
            self._row(label, [row and self.plan.row(study, dataset, row, level) for level in names])
            for label, row in table.rows.items()
        ]
        own = beside.own or table.paper is None
        return Block(dataset=dataset, own=own, columns=columns, rows=rows)

    def of_experiments(self) -> list[Block]:
        """Return experiments under their datasets."""
        blocks: dict[str, list[Row]] = {}
        for label, asked in self.table.rows.items():
            name = self.plan.same.get(str(asked), str(asked))
            dataset = self.plan.experiments[name].dataset
            blocks.setdefault(dataset, []).append(self._row(label, [name]))
        return [
            Block(dataset=dataset, columns=[Column()], rows=rows)
            for dataset, rows in blocks.items()
        ]

    def _row(self, label: str, experiments: Sequence[str | None]) -> Row:
        at = None if self.table.axis is None else place_on_axis(label)
        cells = [Cell() if name is None else self._cell(name) for name in experiments]
        return Row(label=label, at=at, cells=cells)

    def _cell(self, name: str) -> Cell:
        if name in self.plan.refused:
            return Cell(why=self.plan.refused[name].removeprefix(f"experiments.{name}: "))
        metrics = self.metrics.place(paths.metrics(name)) if self.measured else None
        isolation = None
        of = self.plan.experiments[name]
        if self.isolated and of.isolation is not None:
            split, noise = of.splits[0], str(of.noise)
            report = paths.isolated(of.dataset, split, noise, of.isolation, ".json")
            isolation = self.isolation.place(report)
        return Cell(metrics=metrics, isolation=isolation)


def render(output: str, params: Results, files: Files) -> "str | Figure":
    """Return the table or the plot."""
    metrics, isolation, papers = (
        files.get(name, []) for name in ("metrics", "isolation", "published")
    )
    figures = published.read(papers[0]) if papers else None
    found = results.read(params, metrics, isolation, figures)
    if output == "table.md":
        return results.table(found)
    # matplotlib takes a second to import
    from weakreid.report import results_plot

    return results_plot.plot(found)
