"""Noise: what simulating a study's levels gives, beside the paper's counts (TMC, Table 1)."""

from collections.abc import Sequence

from weakreid.config import params
from weakreid.config.tables import NoiseTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report import noise_counts, published
from weakreid.report.noise_counts import Level
from weakreid.report.of_tables import check_names, experiment_of, of_dataset
from weakreid.report.protocol import Files, Numbered


class Params(params.Params):
    """The noise levels of datasets."""

    title: str
    paper: str
    paper_table: str
    rows: list[Level]


def check(plan: Plan, where: str, table: NoiseTable) -> None:
    """Refuse a study without noise levels, or a paper's table that is not there."""
    check_names(plan, where, table)
    if not plan.config.studies[table.study].levels:
        raise ReidError(f"{where}.study: {table.study} has no levels of noise; take another study")


def job(plan: Plan, name: str, table: NoiseTable, datasets: Sequence[str], output: str) -> Job:
    """Return the summaries of noisy tracklets, on the datasets' first splits."""
    summaries = Numbered()
    rows = []
    for dataset in datasets:
        split = experiment_of(plan, table, dataset).splits[0]
        own = of_dataset(plan, table.study, dataset).own
        for level in plan.config.studies[table.study].levels.values():
            noise = plan.config.noise[level.noise]
            rows.append(
                Level(
                    label=f"{dataset}: {level.label}" if len(datasets) > 1 else level.label,
                    dataset=dataset,
                    published=level.published if own else None,
                    rfm=noise.rfm,
                    rsw=noise.rsw,
                    summary=summaries.place(paths.noisy(dataset, split, level.noise, "json")),
                )
            )
    return Job(
        inputs={"summaries": summaries.paths, "published": published.path_of_ours()},
        params=Params(
            title=table.title, paper=table.paper, paper_table=table.paper_table, rows=rows
        ),
    )


def render(output: str, params: Params, files: Files) -> str:
    """Return the table."""
    return noise_counts.noise_counts_table(
        params.title,
        params.rows,
        [noise_counts.read_summary(path) for path in files["summaries"]],
        published.read(files["published"][0]),
        paper=params.paper,
        table=params.paper_table,
    )
