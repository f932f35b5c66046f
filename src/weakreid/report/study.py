"""A table of a paper with ours beside it: every row an experiment, every figure twice.

A study is what a table or a figure of a paper asks: its rows, on which datasets, by which
protocols. Where we have no figure the table says why, and below it says whether the order of the
paper's rows is ours too.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weakreid.artifacts.files import read_json
from weakreid.errors import ReidError
from weakreid.report.markdown import cell, markdown
from weakreid.report.published import Published

NOT_YET = "no figure of ours: not part of this project yet"
NOT_HERE = "no figure of ours: there is no experiment of it on this dataset"


@dataclass(frozen=True)
class Dataset:
    """A dataset of ours beside one of the paper's.

    Attributes:
        name: of ours.
        published: the paper's name of the one whose figures are shown.
        own: whether the two are the same data, so that the paper's figures are a target.
    """

    name: str
    published: str
    own: bool = True


@dataclass(frozen=True)
class Cell:
    """What we have of a row on a dataset: an experiment's metrics.json, or why there is none."""

    metrics: Mapping[str, Any] | None = None
    why: str | None = None


@dataclass(frozen=True)
class Row:
    """A row of the paper's table; `cells` by the name of our dataset."""

    label: str
    cells: Mapping[str, Cell] = field(default_factory=dict)

    def on(self, dataset: str) -> Cell:
        """Return what we have on a dataset."""
        return self.cells.get(dataset, Cell())


@dataclass(frozen=True)
class Study:
    """What a table or figure of a paper asks.

    Attributes:
        title: of our table.
        paper: its short name, such as "WL".
        table: such as "III", or "Figure 4".
        protocols: "fine", "coarse" or both, in their order.
        ranks: of the CMC; mAP is always there.
        datasets: a block of the table each.
        rows: in their order.
    """

    title: str
    paper: str
    table: str
    protocols: Sequence[str]
    ranks: Sequence[int]
    datasets: Sequence[Dataset]
    rows: Sequence[Row]

    @property
    def place(self) -> str:
        """Where the paper has it."""
        return f"{self.paper}, {self.table if ' ' in self.table else f'Table {self.table}'}"


def read_study(block: Mapping[str, Any], metrics: Sequence[Path]) -> Study:
    """Return a study from a stage's params and the metrics.json files that they count off.

    Raises:
        ReidError: a metrics.json lacks a figure that is shown, or is of another dataset than the
            one it is to stand under.
    """
    found = [read_metrics(path, block["protocols"], block["ranks"]) for path in metrics]

    def read_cell(dataset: str, about: Mapping[str, Any]) -> Cell:
        number = about.get("metrics")
        if number is None:
            return Cell(why=about.get("why"))
        if found[number]["dataset"] != dataset:
            raise ReidError(
                f"{metrics[number]}: of dataset {found[number]['dataset']}, but it is to stand "
                f"under {dataset}; correct the table's rows"
            )
        return Cell(metrics=found[number])

    return Study(
        **{name: block[name] for name in ("title", "paper", "table", "protocols", "ranks")},
        datasets=[Dataset(**about) for about in block["datasets"]],
        rows=[
            Row(
                row["label"],
                {name: read_cell(name, about) for name, about in row["cells"].items()},
            )
            for row in block["rows"]
        ],
    )


def read_metrics(path: Path, protocols: Sequence[str], ranks: Sequence[int]) -> dict[str, Any]:
    """Read an experiment's metrics.json, which must have the figures of some protocols and ranks.

    Raises:
        ReidError: the file is missing or damaged, or lacks a figure.
    """
    metrics: dict[str, Any] = read_json(path, ["dataset", "runs", *protocols])
    blocks = ["chance"] + (["standard_deviation"] if len(metrics["runs"]) > 1 else [])
    for protocol in protocols:
        figures = metrics[protocol]
        require(figures, ["queries", "gallery", *blocks], f"{path}: {protocol}")
        for name, part in [(protocol, figures)] + [(f"{protocol}.{b}", figures[b]) for b in blocks]:
            require(part, ["mAP", "cmc"], f"{path}: {name}")
            for rank in ranks:
                if str(rank) not in part["cmc"]:
                    there = ", ".join(part["cmc"])
                    raise ReidError(
                        f"{path}: {name}.cmc has no rank {rank}; ask for some of {there}"
                    )
    return metrics


def require(value: Any, keys: Sequence[str], where: str) -> None:
    """Refuse what is no object, or lacks a key; `where` names it."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise ReidError(f"{where} lacks '{key}'; delete the file and run again")


def metric_name(protocol: str, rank: int | None) -> str:
    """Return a metric's name among the published figures; rank None is mAP."""
    return f"{protocol} mAP" if rank is None else f"{protocol} R-{rank}"


def measured(
    metrics: Mapping[str, Any], protocol: str, rank: int | None
) -> tuple[float, float | None]:
    """Return a figure of ours in per cent and its standard deviation, None after a single run."""
    figures = metrics[protocol]
    spread = figures.get("standard_deviation")
    return _pick(figures, rank), None if spread is None else _pick(spread, rank)


def _pick(figures: Mapping[str, Any], rank: int | None) -> float:
    return float(figures["mAP"] if rank is None else figures["cmc"][str(rank)])


def study_table(study: Study, published: Published) -> str:
    """Return a study as Markdown, a block per dataset.

    Raises:
        ReidError: the published figures have no such table.
    """
    published.rows(study.paper, study.table)
    parts = [f"# {study.title}\n"]
    for dataset in study.datasets:
        if len(study.datasets) > 1:
            parts.append(f"## {dataset.name}\n")
        parts.append(_block(study, published, dataset))
    return "\n".join(parts)


def _block(study: Study, published: Published, dataset: Dataset) -> str:
    columns = [(protocol, rank) for protocol in study.protocols for rank in (*study.ranks, None)]
    reasons = _reasons(study.rows, dataset.name)
    numbers = {label: i for i, labels in enumerate(reasons.values(), 1) for label in labels}
    lines = []
    ours = [row.on(dataset.name).metrics for row in study.rows]
    known = [metrics for metrics in ours if metrics is not None]
    if known:
        chance = [
            cell(_pick(known[0][protocol]["chance"], rank), None) for protocol, rank in columns
        ]
        lines.append(["chance", "", *itertools.chain.from_iterable(("", text) for text in chance)])
    for row, metrics in zip(study.rows, ours, strict=True):
        mark = f" ({numbers[row.label]})" if row.label in numbers else ""
        line = [row.label + mark, str(len(metrics["runs"])) if metrics is not None else ""]
        for protocol, rank in columns:
            value = _of_paper(study, published, row, dataset, metric_name(protocol, rank))
            line.append("" if value is None else cell(value, None))
            line.append("" if metrics is None else cell(*measured(metrics, protocol, rank)))
        lines.append(line)
    names = [
        metric_name(protocol, rank) if len(study.protocols) > 1 else _short(rank)
        for protocol, rank in columns
    ]
    heads = [f"{name} {whose}" for name in names for whose in ("paper", "ours")]
    notes = [f"{i}. {', '.join(to)}: {why}" for i, (why, to) in enumerate(reasons.items(), 1)]
    empty = _without(study.rows, dataset.name)
    notes += [f"- {', '.join(labels)}: {why}" for why, labels in empty.items() if labels]
    notes += [f"- {text}" for text in _facts(study, published, dataset, known)]
    notes += [
        f"- {text}"
        for protocol in study.protocols
        if (text := order_of(study, published, dataset, protocol))
    ]
    return markdown(["", "runs", *heads], lines) + "\n" + "\n".join(notes) + "\n"


def _short(rank: int | None) -> str:
    return "mAP" if rank is None else f"R-{rank}"


def _of_paper(
    study: Study, published: Published, row: Row, dataset: Dataset, metric: str
) -> float | None:
    return published.value(study.paper, study.table, row.label, dataset.published, metric)


def _reasons(rows: Sequence[Row], dataset: str) -> dict[str, list[str]]:
    """Return the rows of every reason for which there is no figure of ours."""
    found: dict[str, list[str]] = {}
    for row in rows:
        own = row.on(dataset)
        if own.metrics is None and own.why is not None:
            found.setdefault(own.why, []).append(row.label)
    return found


def _without(rows: Sequence[Row], dataset: str) -> dict[str, list[str]]:
    """Return the rows that have neither a figure of ours nor a reason of their own."""
    found: dict[str, list[str]] = {NOT_YET: [], NOT_HERE: []}
    for row in rows:
        if row.on(dataset) == Cell():
            elsewhere = any(own != Cell() for own in row.cells.values())
            found[NOT_HERE if elsewhere else NOT_YET].append(row.label)
    return found


def _facts(
    study: Study, published: Published, dataset: Dataset, known: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what the figures are, and on how many queries ours were measured."""
    facts = [
        (
            f"Per cent. Paper: {study.place}, {dataset.published}. Ours: {dataset.name}; with "
            "several runs, mean ± standard deviation."
        ),
    ]
    if dataset.published not in published.datasets(study.paper, study.table):
        facts.append(f"The paper has no figure for {dataset.published} here.")
    elif not dataset.own:
        facts.append(
            f"The paper's figures are those of {dataset.published}: other data, and no target for "
            f"{dataset.name}."
        )
    for protocol in study.protocols:
        if known:
            queries = sizes([metrics[protocol]["queries"] for metrics in known])
            gallery = sizes([metrics[protocol]["gallery"] for metrics in known])
            facts.append(f"{protocol}: {queries} queries, {gallery} in the gallery.")
    return facts


def sizes(values: Sequence[Any]) -> str:
    """Return the different sizes; splits of different sizes come as lists."""
    found = {size for value in values for size in (value if isinstance(value, list) else [value])}
    return " or ".join(str(size) for size in sorted(found))


def order_of(study: Study, published: Published, dataset: Dataset, protocol: str) -> str | None:
    """Say how the rows that have both figures are ordered; None where fewer than two have."""
    rank = study.ranks[0] if study.ranks else None
    metric = metric_name(protocol, rank)
    theirs: dict[str, float] = {}
    ours: dict[str, tuple[float, float | None]] = {}
    for row in study.rows:
        value = _of_paper(study, published, row, dataset, metric)
        metrics = row.on(dataset.name).metrics
        if value is not None and metrics is not None:
            theirs[row.label] = value
            ours[row.label] = measured(metrics, protocol, rank)
    if len(theirs) < 2:
        return None
    papers = _ranked(theirs)
    own = _ranked({label: value for label, (value, _) in ours.items()})
    reversed_pairs = [
        f"{lower} above {upper} by {_gap(ours[lower], ours[upper])}"
        for above, below in itertools.pairwise(papers)
        for upper in above
        for lower in below
        if ours[lower][0] > ours[upper][0]
    ]
    verdict = (
        f"Neighbours of the paper's order that are reversed with us: {'; '.join(reversed_pairs)}."
        if reversed_pairs
        else "No neighbours of the paper's order are reversed with us."
    )
    return f"Order by {metric}. Paper: {_chain(papers)}. Ours: {_chain(own)}. {verdict}"


def _ranked(figures: Mapping[str, float]) -> list[list[str]]:
    """Return the labels by falling figure; those of one figure together, in their order."""
    labels = sorted(figures, key=lambda label: -figures[label])
    return [list(group) for _, group in itertools.groupby(labels, key=lambda x: figures[x])]


def _chain(groups: Sequence[Sequence[str]]) -> str:
    return " > ".join(" = ".join(group) for group in groups)


def _gap(upper: tuple[float, float | None], lower: tuple[float, float | None]) -> str:
    """Say a difference, and how it compares with the two deviations' root sum of squares."""
    difference = upper[0] - lower[0]
    if upper[1] is None or lower[1] is None:
        return f"{difference:.1f} (one run, no deviation)"
    both = math.hypot(upper[1], lower[1])
    word = "more than" if difference > both else "within"
    return f"{difference:.1f} ({word} {both:.1f}, the deviations' root sum of squares)"
