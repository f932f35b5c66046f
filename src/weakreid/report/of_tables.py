"""What kinds of tables look up in the plan: names, experiments of rows, and their files."""

from collections.abc import Callable

from weakreid.config.faults import known
from weakreid.config.tables import OfRows, OfSource, OfStudy, ResultsTable, Table, WithPaper
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.experiments import Experiment
from weakreid.plan.plan import Plan
from weakreid.report import published
from weakreid.report.protocol import Numbered, RowOfFiles


def check_names(plan: Plan, where: str, table: Table) -> None:
    """Refuse a source, a study, a dataset, a row or a paper's table that is not there.

    Raises:
        ReidError: one is not.
    """
    if isinstance(table, OfSource):
        known(f"{where}.source", table.source, plan.config.attribute_sources)
    if not isinstance(table, OfStudy | ResultsTable) or table.study is None:
        return
    known(f"{where}.study", table.study, plan.config.studies)
    for dataset in table.datasets:
        known(f"{where}.datasets", dataset, plan.config.datasets)
    if isinstance(table, OfRows | ResultsTable):
        for label, row in table.rows.items():
            if row is not None:
                known(f"{where}.rows.{label}", row, plan.config.studies[table.study].rows)
    if isinstance(table, WithPaper):
        _check_paper(plan, where, table, table.study)


def _check_paper(plan: Plan, where: str, table: WithPaper, study: str) -> None:
    """Refuse a table, or datasets of its study, that the published figures do not have."""
    if table.paper is None or table.paper_table is None:
        return
    block, figures = plan.config.studies[study], published.read_ours()
    of_places = [place.published for place in block.datasets.values()]
    of_levels = [level.published for level in block.levels.values()]
    try:
        figures.rows(table.paper, table.paper_table)
        for name in filter(None, [block.reference, *of_places, *of_levels]):
            figures.check_dataset(table.paper, name)
    except ReidError as error:
        raise ReidError(f"{where}: {error}") from None


def check_rows(plan: Plan, where: str, table: OfRows, fault: Callable[[Experiment], str]) -> None:
    """Refuse names that are not there, and rows that a kind cannot show.

    Args:
        plan: of the whole config.
        where: the table's place in the config.
        table: its block.
        fault: says what is wrong with an experiment; "": nothing.

    Raises:
        ReidError: what is wrong.
    """
    check_names(plan, where, table)
    for label, row in table.rows.items():
        experiment = experiment_of(plan, table, table.datasets[0], row)
        if text := fault(experiment):
            raise ReidError(f"{where}.rows.{label}: {experiment.name} {text}")


def check_bags(plan: Plan, where: str, table: OfStudy, row: str = "") -> None:
    """Refuse names that are not there, and a row that does not learn from bags.

    Raises:
        ReidError: what is wrong.
    """
    check_names(plan, where, table)
    if row:
        known(f"{where}.row", row, plan.config.studies[table.study].rows)
    for dataset in table.datasets:
        experiment = experiment_of(plan, table, dataset, row)
        if experiment.bags is None:
            raise ReidError(
                f"{where}.study: {experiment.name} does not learn from bags, which a table of kind "
                f"{table.kind} shows; take a study or row that does"
            )


def experiment_of(
    plan: Plan, table: OfStudy, dataset: str, row: str = "", level: str | None = None
) -> Experiment:
    """Return the experiment of a row of a table's study; row "" is the study's own method."""
    return plan.experiments[plan.row(table.study, dataset, row, level)]


def of_dataset(plan: Plan, study: str, dataset: str) -> published.Dataset:
    """Return a dataset of ours and the one of the paper whose figures stand beside it."""
    block = plan.config.studies[study]
    own = block.datasets[dataset].published if dataset in block.datasets else None
    return published.Dataset(name=dataset, published=own or block.reference, own=own is not None)


def of_first_run(plan: Plan, table: OfStudy, dataset: str, name: str) -> str:
    """Return a file of the first run of the study's own method."""
    experiment = experiment_of(plan, table, dataset)
    return paths.of_run(experiment.name, experiment.runs[0], name)


def files_of_rows(
    plan: Plan, table: OfRows, dataset: str, name: str, first: bool = False
) -> tuple[list[RowOfFiles], list[str]]:
    """Return a table's rows, and a file of every run, or first run, of each."""
    files = Numbered()
    rows = []
    for label, row in table.rows.items():
        experiment = experiment_of(plan, table, dataset, row)
        runs = experiment.runs[:1] if first else experiment.runs
        rows.append(files.row(label, [paths.of_run(experiment.name, run, name) for run in runs]))
    return rows, files.paths


def transfers_of_rows(
    plan: Plan, where: str, table: OfRows, dataset: str
) -> list[tuple[str, str, list[str]]]:
    """Return (label, transfer, runs) of rows that differ in their transfers.

    Raises:
        ReidError: a row learns no attributes there.
    """
    found = []
    for label, row in table.rows.items():
        experiment = experiment_of(plan, table, dataset, row)
        if experiment.transfer is None:
            raise ReidError(
                f"{where}.rows.{label}: {experiment.name} {without_transfer(experiment)}"
            )
        found.append((label, experiment.transfer, experiment.runs))
    return found


def without_transfer(experiment: Experiment) -> str:
    """Say that an experiment learns no attributes, if so."""
    return "" if experiment.transfer else "learns no attributes; take another row of the study"


def without_clips(experiment: Experiment) -> str:
    """Say that an experiment learns from no clips, if so."""
    return "" if experiment.method.learns == "clips" else "learns from no clips; take another row"
