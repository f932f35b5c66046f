"""Results: experiments, or rows of a study, beside the paper's figures; plot.svg too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weakreid.config.faults import known
from weakreid.config.tables import ResultsTable, place_on_axis
from weakreid.plan import paths
from weakreid.plan.experiments import Experiment
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report import published, results
from weakreid.report.of_tables import check_names, of_dataset
from weakreid.report.protocol import Files, Numbered
from weakreid.report.results import Block, Cell, Column, Results, Row

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
    metrics, isolation = Numbered(), Numbered()

    def cell(experiment: str) -> Cell:
        if experiment in plan.refused:
            return Cell(why=plan.refused[experiment].removeprefix(f"experiments.{experiment}: "))
        report = _report_of(plan.experiments[experiment])
        left = report is not None and bool(set(table.metrics) & set(results.ISOLATED))
        learnt = bool(set(table.metrics) - set(results.ISOLATED))
        return Cell(
            metrics=metrics.place(paths.metrics(experiment)) if learnt else None,
            isolation=isolation.place(str(report)) if left else None,
        )

    blocks = []
    if table.study is None:
        names = {label: plan.same.get(str(own), str(own)) for label, own in table.rows.items()}
        of = {label: plan.experiments[name].dataset for label, name in names.items()}
        for dataset in dict.fromkeys(of.values()):
            rows = [
                Row(label=label, at=_at(table, label), cells=[cell(name)])
                for label, name in names.items()
                if of[label] == dataset
            ]
            blocks.append(Block(dataset=dataset, columns=[Column()], rows=rows))
    levels: list[str | None] = [*table.levels]
    for dataset in datasets:
        study = str(table.study)
        beside, known_levels = of_dataset(plan, study, dataset), plan.config.studies[study].levels
        columns = [
            Column(label=known_levels[level].label, published=known_levels[level].published)
            for level in table.levels
        ]
        rows = []
        for label, row in table.rows.items():
            cells = [
                Cell() if row is None else cell(plan.row(study, dataset, row, level))
                for level in levels or [None]
            ]
            rows.append(Row(label=label, at=_at(table, label), cells=cells))
        blocks.append(
            Block(
                dataset=dataset,
                own=beside.own,
                columns=columns or [Column(published=beside.published)],
                rows=rows,
            )
        )
    return Job(
        inputs={
            "metrics": metrics.paths,
            "isolation": isolation.paths,
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


def _at(table: ResultsTable, label: str) -> float | None:
    return None if table.axis is None else place_on_axis(label)


def _report_of(experiment: Experiment) -> str | None:
    """Return the report of an experiment's isolation on its first split, if it isolates."""
    if experiment.isolation is None:
        return None
    split, noise = experiment.splits[0], str(experiment.noise)
    return paths.isolated(experiment.dataset, split, noise, experiment.isolation, ".json")


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
