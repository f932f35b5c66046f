"""A results table: every row an experiment, a paper's figures beside ours.

The columns of a dataset's block are levels of tracklet noise (or the one that there is), protocols
and metrics. Where we have no figure the table says why; below it stands what the figures are, and
whether the paper's order of rows is ours too.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from weakreid.artifacts.files import read_json
from weakreid.config.base import Strict
from weakreid.config.params import Params
from weakreid.errors import ReidError
from weakreid.report.markdown import cell, markdown
from weakreid.report.published import Published

ONE_CAMERA = "no other camera of the gallery sees their person"
OFFICIAL = "queries are in the gallery, all count, average precision by trapezoids"
ALONE = "the paper's figures alone; not part of this project"
WIDEST = 16
"""A table of more figures a line is cut into one per noise level."""

ISOLATED = {"impurity": "impurity", "clusters": "tracklets"}
"""What isolation left: the metric, and the key in the report of isolation."""
OF_PAPERS = {"impurity": "noise"}
"""Metrics that the published figures call otherwise."""

Figure = tuple[float, float | None]
"""A figure of ours, and its standard deviation; None after a single run."""


# --- what a table shows ---------------------------------------------------------------------------


class Cell(Strict):
    """What there is of a row at a noise level; all null: the paper's figures alone.

    Attributes:
        metrics: the place of an experiment's metrics.json.
        isolation: the place of the report of its isolation.
        why: the reason for which there is no experiment.
    """

    metrics: int | None = None
    isolation: int | None = None
    why: str | None = None


class Row(Strict):
    """A row of a block: a cell per column.

    Attributes:
        label: as the paper has it.
        at: its place on the axis, if any.
        cells: in the order of the columns.
    """

    label: str
    at: float | None = None
    cells: list[Cell]


class Column(Strict):
    """A noise level; with label "", the one that there is.

    Attributes:
        label: as it is shown.
        published: the paper's name of the dataset with this noise, if it has one.
    """

    label: str = ""
    published: str | None = None


class Block(Strict):
    """A dataset of ours.

    Attributes:
        dataset: its name.
        own: whether the paper's figures are of the same data, and so a target.
        columns: in their order; with several, the first is the clean one.
        rows: in their order.
    """

    dataset: str
    own: bool = True
    columns: list[Column]
    rows: list[Row]


class Results(Params):
    """A results table.

    Attributes:
        title: of the table.
        paper: its short name, such as "WL", if any.
        paper_table: such as "III", or "Figure 4".
        protocols: in their order.
        metrics: in their order (see `weakreid.config.tables.Metric`).
        axis: what the rows vary, if it is drawn.
        notes: what stands below every block.
        blocks: one per dataset.
    """

    title: str
    paper: str | None = None
    paper_table: str | None = None
    protocols: list[str]
    metrics: list[str]
    axis: str | None = None
    notes: list[str] = Field(default_factory=list)
    blocks: list[Block]

    @property
    def place(self) -> str:
        """Where the paper has it."""
        table = self.paper_table or ""
        return f"{self.paper}, {table if ' ' in table else f'Table {table}'}"

    @property
    def measures(self) -> list["Measure"]:
        """What is shown at each noise level; isolation is measured by no protocol."""
        found = [
            Measure("" if metric in ISOLATED else protocol, metric)
            for protocol in self.protocols
            for metric in self.metrics
        ]
        return list(dict.fromkeys(found))

    def leading(self, protocol: str) -> "Measure":
        """Return what rows are ordered by: the first rank of the CMC, or else mAP."""
        ranks = [metric for metric in self.metrics if metric.startswith("R-")]
        return Measure(protocol, ranks[0] if ranks else "mAP")


class Measure(NamedTuple):
    """A metric by a protocol."""

    protocol: str
    metric: str

    @property
    def name(self) -> str:
        """As the table calls it."""
        return f"{self.protocol} {self.metric}".strip()

    @property
    def of_papers(self) -> str:
        """As the published figures call it."""
        return OF_PAPERS.get(self.metric, self.name)

    def of(self, figures: Mapping[str, Any]) -> float:
        """Return it from a protocol's figures."""
        rank = self.metric.removeprefix("R-")
        return float(figures["mAP"] if self.metric == "mAP" else figures["cmc"][rank])

    def text(self, found: Figure | None) -> str:
        """Return a figure of ours as it stands in the table, "" without one."""
        if found is None or self.protocol:
            return "" if found is None else cell(*found)
        return f"{found[0]:.0f}" if self.metric == "clusters" else f"{found[0]:.2f}"

    def text_of_papers(self, value: float | None) -> str:
        """Return a figure of the paper as the paper prints it, "" without one."""
        if value is None:
            return ""
        return cell(value, None) if self.protocol else f"{value:g}"


@dataclass(frozen=True)
class Found:
    """A results table with the figures that were read.

    Attributes:
        shows: what it shows.
        metrics: metrics.json of experiments, by their places.
        isolation: what isolation left (see `read_isolation`), by their places.
        published: the papers' figures, None without a paper.
    """

    shows: Results
    metrics: Sequence[Mapping[str, Any]]
    isolation: Sequence[Mapping[str, float | None]]
    published: Published | None

    def metrics_of(self, row: Row, column: int) -> Mapping[str, Any] | None:
        """Return the metrics of a cell, None without an experiment."""
        place = row.cells[column].metrics
        return None if place is None else self.metrics[place]

    def ours(self, row: Row, column: int, measure: Measure) -> Figure | None:
        """Return a figure of ours, None without one."""
        if not measure.protocol:
            place = row.cells[column].isolation
            left = None if place is None else self.isolation[place][measure.metric]
            return None if left is None else (left, None)
        metrics = self.metrics_of(row, column)
        if metrics is None:
            return None
        figures = metrics[measure.protocol]
        spread = figures.get("standard_deviation")
        return measure.of(figures), None if spread is None else measure.of(spread)

    def papers(self, row: Row, column: Column, measure: Measure) -> float | None:
        """Return the paper's figure, None without one."""
        return self.of_paper(row, column, measure.of_papers)

    def of_paper(self, row: Row, column: Column, name: str) -> float | None:
        """Return a published figure of a row by its name, None without one."""
        paper, table = self.shows.paper, self.shows.paper_table
        if self.published is None or column.published is None:
            return None
        return self.published.value(str(paper), str(table), row.label, column.published, name)

    def known(self, block: Block, columns: Sequence[int]) -> Iterator[Mapping[str, Any]]:
        """Yield the metrics of the cells that have some."""
        for row in block.rows:
            for column in columns:
                if (metrics := self.metrics_of(row, column)) is not None:
                    yield metrics

    def chance(self, block: Block, columns: Sequence[int], measure: Measure) -> float | None:
        """Return the expected value of a random ranking, None where nothing is known."""
        metrics = next(self.known(block, columns), None)
        if metrics is None or not measure.protocol:
            return None
        return measure.of(metrics[measure.protocol]["chance"])


# --- reading --------------------------------------------------------------------------------------


def read(
    shows: Results, metrics: Sequence[Path], isolation: Sequence[Path], published: Published | None
) -> Found:
    """Return a results table with the figures of the files that its cells count.

    Raises:
        ReidError: a file lacks a figure that is shown, a metrics.json is of another dataset than
            the one it is to stand under, or the published figures have no such table.
    """
    if published is not None:
        published.rows(str(shows.paper), str(shows.paper_table))
    found = [read_metrics(path, shows) for path in metrics]
    for block in shows.blocks:
        for place in (own.metrics for row in block.rows for own in row.cells):
            if place is not None and found[place]["dataset"] != block.dataset:
                raise ReidError(
                    f"{metrics[place]}: of dataset {found[place]['dataset']}, but it is to stand "
                    f"under {block.dataset}; delete the file and run again"
                )
    return Found(shows, found, [read_isolation(path) for path in isolation], published)


def read_metrics(path: Path, shows: Results) -> dict[str, Any]:
    """Read an experiment's metrics.json, which must have the figures of a table.

    Raises:
        ReidError: the file is missing or damaged, or lacks a figure.
    """
    metrics: dict[str, Any] = read_json(path, ["dataset", "runs", *shows.protocols])
    blocks = ["chance"] + (["standard_deviation"] if len(metrics["runs"]) > 1 else [])
    ranks = [name.removeprefix("R-") for name in shows.metrics if name.startswith("R-")]
    for protocol in shows.protocols:
        figures = metrics[protocol]
        _require(figures, ["queries", "gallery", *blocks], f"{path}: {protocol}")
        for name, part in [(protocol, figures)] + [(f"{protocol}.{b}", figures[b]) for b in blocks]:
            _require(part, ["mAP", "cmc"], f"{path}: {name}")
            for rank in ranks:
                if rank not in part["cmc"]:
                    there = ", ".join(part["cmc"])
                    raise ReidError(
                        f"{path}: {name}.cmc has no rank {rank}; ask for some of {there}"
                    )
    return metrics


def read_isolation(path: Path) -> dict[str, float | None]:
    """Read what isolation left: impurity (per cent), clusters, kept (per cent of the frames).

    Impurity is None where nobody in the tracklets is known.

    Raises:
        ReidError: the file is missing or damaged, or a value is no number that can be.
    """
    report = read_json(path, ["after", "kept"])
    after = report["after"]
    _require(after, list(ISOLATED.values()), f"{path}: after")
    limits = {"impurity": 100.0, "clusters": math.inf}
    found = {"kept": _share(path, "kept", report["kept"], 100)}
    for metric, key in ISOLATED.items():
        unknown = metric == "impurity" and after[key] is None
        found[metric] = (
            None if unknown else _share(path, f"after.{key}", after[key], limits[metric])
        )
    return found


def _share(path: Path, key: str, value: Any, most: float) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not (0 <= value <= most and math.isfinite(value)):
        raise ReidError(f"{path}: {key} is {value!r}; delete the file and run again")
    return float(value)


def _require(value: Any, keys: Sequence[str], where: str) -> None:
    """Refuse what is no object, or lacks a key; `where` names it."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise ReidError(f"{where} lacks '{key}'; delete the file and run again")


def table_of(experiment: str, metrics: Mapping[str, Any]) -> str:
    """Return the results of one experiment as Markdown."""
    row = Row(label=experiment, cells=[Cell(metrics=0)])
    shows = Results(
        title=f"{experiment}: retrieval",
        protocols=["fine", "coarse"],
        metrics=["R-1", "R-5", "R-10", "mAP"],
        blocks=[Block(dataset=metrics["dataset"], columns=[Column()], rows=[row])],
    )
    return table(Found(shows, [metrics], [], None)) + _distances(metrics.get("calibration", {}))


def _distances(calibration: Mapping[str, Any]) -> str:
    """Return what distances mean, as Markdown: false-match rates as asked and as found."""
    if not calibration:
        return ""
    if set(calibration) == {"why"}:
        return f"\n## What a distance means\n\nNobody can say: {calibration['why']}.\n"
    head = ["false matches asked", "distance up to", "false matches found", "matches found"]
    rows = [
        [f"{100 * float(rate):g} %", *(_of_threshold(of, name) for name in of)]
        for rate, of in calibration.items()
        if rate != "why"
    ]
    words = "Learnt on training tracklets, found among people of query and gallery."
    return f"\n## What a distance means\n\n{words}\n\n{markdown(head, rows)}\n"


def _of_threshold(of: Mapping[str, float | None], name: str) -> str:
    value = of[name]
    if value is None:
        return "too few pairs" if name == "distance" else ""
    return f"{value:.3f}" if name == "distance" else f"{100 * value:.3g} %"


# --- the table ------------------------------------------------------------------------------------


class _Head(NamedTuple):
    """What a line's figure is: the noise level, the measure, whether it is the paper's."""

    column: int
    measure: Measure
    is_papers: bool


def table(found: Found) -> str:
    """Return a results table as Markdown, a block per dataset.

    Without a paper, the best figure of every column is bold.
    """
    blocks = found.shows.blocks
    parts = [f"# {found.shows.title}\n"]
    for block in blocks:
        parts += [f"## {block.dataset}\n"] if len(blocks) > 1 else []
        every = list(range(len(block.columns)))
        cut = len(every) > 1 and len(_heads(found, block, every)) > WIDEST
        for columns in [[column] for column in every] if cut else [every]:
            if cut:
                level = "###" if len(blocks) > 1 else "##"
                parts.append(f"{level} {block.columns[columns[0]].label}\n")
            parts.append(_lines(found, block, columns))
        parts.append("\n".join(_notes(found, block)) + "\n")
    return "\n".join(parts)


def _heads(found: Found, block: Block, columns: Sequence[int]) -> list[_Head]:
    heads = []
    for column in columns:
        for measure in found.shows.measures:
            theirs = (found.papers(row, block.columns[column], measure) for row in block.rows)
            if any(value is not None for value in theirs):
                heads.append(_Head(column, measure, True))
            heads.append(_Head(column, measure, False))
    return heads


def _lines(found: Found, block: Block, columns: Sequence[int]) -> str:
    shows, heads = found.shows, _heads(found, block, columns)
    best = _best(found, block, heads) if shows.paper is None and len(block.rows) > 1 else {}
    marks = {key: i for i, keys in enumerate(_reasons(block).values(), 1) for key in keys}
    chance = [
        None if head.is_papers else found.chance(block, [head.column], head.measure)
        for head in heads
    ]
    lines = [["chance", "", *("" if value is None else cell(value, None) for value in chance)]]
    lines = lines if any(value is not None for value in chance) else []
    for row in block.rows:
        runs = sizes(len(m["runs"]) for c in columns if (m := found.metrics_of(row, c)) is not None)
        texts = []
        for head in heads:
            if head.is_papers:
                value = found.papers(row, block.columns[head.column], head.measure)
                texts.append(head.measure.text_of_papers(value))
                continue
            text = head.measure.text(found.ours(row, head.column, head.measure))
            mark = marks.get((row.label, head.column))
            if text and _leading(text) == best.get(head):
                text = f"**{text}**"
            texts.append(text or ("" if mark is None else f"({mark})"))
        lines.append([row.label, runs, *texts])
    names = []
    for column, measure, is_papers in heads:
        level = f"{block.columns[column].label}: " if len(columns) > 1 else ""
        name = measure.name if len(shows.protocols) > 1 else measure.metric
        whose = "" if shows.paper is None else " paper" if is_papers else " ours"
        names.append(level + name + whose)
    return markdown(["", "runs", *names], lines)


def _leading(text: str) -> str:
    return text.split(" ")[0]


def _best(found: Found, block: Block, heads: Sequence[_Head]) -> dict[_Head, str]:
    """Return the highest figure of every column as it is printed, so that equals are all bold."""
    best = {}
    for head in heads:
        figures = [found.ours(row, head.column, head.measure) for row in block.rows]
        known = [figure for figure in figures if figure is not None]
        if known and head.measure.protocol:
            best[head] = _leading(head.measure.text(max(known, key=lambda figure: figure[0])))
    return best


def sizes(values: Iterable[Any]) -> str:
    """Return the different sizes; splits of different sizes come as lists."""
    found = {size for value in values for size in (value if isinstance(value, list) else [value])}
    return " or ".join(str(size) for size in sorted(found))


# --- what stands below it -------------------------------------------------------------------------


def _reasons(block: Block) -> dict[str, list[tuple[str, int]]]:
    """Return the (row, column) of every reason for which there is no experiment."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in block.rows:
        for column, own in enumerate(row.cells):
            if own.why is not None:
                found.setdefault(own.why, []).append((row.label, column))
    return found


def _named(block: Block, keys: Sequence[tuple[str, int]]) -> str:
    """Name rows, each with its noise levels where not all of them are meant."""
    texts = []
    for label in dict.fromkeys(label for label, _ in keys):
        columns = [block.columns[column].label for own, column in keys if own == label]
        whole = len(columns) == len(block.columns)
        texts.append(label if whole else f"{label} ({'; '.join(columns)})")
    return ", ".join(texts)


def _notes(found: Found, block: Block) -> list[str]:
    reasons = _reasons(block).items()
    alone = [row.label for row in block.rows if all(own == Cell() for own in row.cells)]
    facts = [f"{', '.join(alone)}: {ALONE}."] if alone else []
    facts += _facts(found, block)
    for protocol in found.shows.protocols:
        if losses := _losses(found, block, found.shows.leading(protocol)):
            facts.append(losses)
    for column in range(len(block.columns)):
        for protocol in found.shows.protocols:
            if order := _order(found, block, column, found.shows.leading(protocol)):
                facts.append(order)
    facts += found.shows.notes
    numbered = [f"{i}. {_named(block, keys)}: {why}" for i, (why, keys) in enumerate(reasons, 1)]
    return numbered + [f"- {text}" for text in facts]


def _facts(found: Found, block: Block) -> list[str]:
    """Return what the figures are, and on how many queries ours were measured."""
    shows, every = found.shows, range(len(block.columns))
    by = f", {shows.protocols[0]} protocol" if len(shows.protocols) == 1 else ""
    facts = [f"Per cent{by}; several runs: mean ± std. Ours: {block.dataset}."]
    if found.published is not None:
        facts += _beside(found, block, found.published)
    facts += _isolated(found, block)
    for protocol in shows.protocols:
        measured = [metrics[protocol] for metrics in found.known(block, every)]
        if measured:
            queries, gallery = (sizes([m[key] for m in measured]) for key in ("queries", "gallery"))
            facts.append(f"{protocol}: {queries} queries, {gallery} in the gallery.")
            facts += _rules(protocol, measured, found.known(block, every))
    facts += _halves(found.known(block, every))
    if shows.paper is None and len(block.rows) > 1:
        facts.append("Bold: the best mean of a column, even if by less than the std.")
    return facts


def _rules(
    protocol: str, measured: Sequence[Mapping[str, Any]], known: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return what was skipped, and by whose rules, where that is not the rule."""
    facts = []
    skipped = sizes([figures["skipped"] for figures in measured])
    if skipped != "0":
        why = "no bag of the gallery has their person" if protocol == "coarse" else ONE_CAMERA
        facts.append(f"{protocol}: {skipped} more queries are skipped: {why}.")
    rules = {metrics["config"]["method"]["evaluation"]["rules"] for metrics in known}
    if protocol != "coarse" and "official" in rules:
        some = "" if len(rules) == 1 else "some rows "
        facts.append(f"{protocol}: {some}by MARS's official rules ({OFFICIAL}).")
    return facts


def _halves(known: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return whose halves the splits are, where a dataset is split in halves, and of how many."""
    blocks = [metrics["config"]["dataset"] for metrics in known]
    halves = [block for block in blocks if "split_seed" in block]
    facts = []
    for seed, persons in dict.fromkeys((b["split_seed"], b.get("persons")) for b in halves):
        of = "" if persons is None else f" of {persons} persons"
        origin = "of the published file" if seed is None else f"drawn with seed {seed}"
        facts.append(f"Halves{of}: {origin}.")
    return facts


def _isolated(found: Found, block: Block) -> list[str]:
    """Return what impurity and clusters are, and how many frames isolation kept."""
    if not set(found.shows.metrics) & set(ISOLATED):
        return []
    facts = [
        (
            "impurity: after isolation, the share of a tracklet's frames that are not of its "
            "person, mean over tracklets; clusters: the number of these tracklets."
        )
    ]
    places = {own.isolation for row in block.rows for own in row.cells} - {None}
    kept = [share for i in places if (share := found.isolation[i or 0]["kept"]) is not None]
    if kept:
        facts.append(f"Isolation kept {min(kept):.1f} to {max(kept):.1f} % of the frames.")
    return facts


def _beside(found: Found, block: Block, published: Published) -> list[str]:
    """Return which figures of the paper stand beside ours, and whether they are a target."""
    shows = found.shows
    there = published.datasets(str(shows.paper), str(shows.paper_table))
    facts = []
    shown = [column for column in block.columns if column.published in there]
    if shown:
        names = [f"{c.label}: {c.published}" if c.label else str(c.published) for c in shown]
        facts.append(f"Paper: {shows.place} ({'; '.join(names)}).")
    lacking = [c.label or str(c.published) for c in block.columns if c not in shown]
    if lacking:
        facts.append(f"{shows.place} has no figure for {'; '.join(lacking)}.")
    if shown and not block.own:
        facts.append(f"The paper's figures are of other data, and no target for {block.dataset}.")
    return facts


def _losses(found: Found, block: Block, measure: Measure) -> str | None:
    """Say what every row loses from the first noise level to its worst; None for a sweep."""
    if found.shows.axis is not None or len(block.columns) < 2:
        return None
    losses: dict[str, tuple[int, Figure, str]] = {}
    for row in block.rows:
        clean, *noisy = (found.ours(row, i, measure) for i in range(len(block.columns)))
        known = [(figure, i) for i, figure in enumerate(noisy, 1) if figure is not None]
        if clean is None or not known:
            continue
        worst, column = min(known, key=lambda item: item[0][0])
        theirs = [found.papers(row, block.columns[i], measure) for i in (0, column)]
        beside = ""
        if theirs[0] is not None and theirs[1] is not None:
            beside = f"paper {cell(theirs[0] - theirs[1], None)}"
        losses[row.label] = (column, _difference(clean, worst), beside)
    if not losses:
        return None
    columns = {column for column, *_ in losses.values()}
    # named once where it is the same of all
    where = "the worst level of each row"
    if len(columns) == 1:
        where = f"{block.columns[min(columns)].label}, the worst level of every row"
    texts = []
    for label, (column, loss, beside) in sorted(losses.items(), key=lambda item: item[1][1][0]):
        level = block.columns[column].label if len(columns) > 1 else ""
        about = "; ".join(text for text in (level, beside) if text)
        texts.append(f"{label} {cell(*loss)}" + (f" ({about})" if about else ""))
    return (
        f"Points of {measure.name} lost from {block.columns[0].label} to {where}, ± the root sum "
        f"of squares of both std, the least first: {', '.join(texts)}."
    )


def _difference(one: Figure, other: Figure) -> Figure:
    """Return a difference, and the root sum of squares of the two deviations."""
    known = one[1] is not None and other[1] is not None
    return one[0] - other[0], math.hypot(one[1] or 0, other[1] or 0) if known else None


def _order(found: Found, block: Block, column: int, measure: Measure) -> str | None:
    """Say how the rows that have both figures are ordered; None where fewer than two have."""
    theirs: dict[str, float] = {}
    ours: dict[str, Figure] = {}
    for row in block.rows:
        value = found.papers(row, block.columns[column], measure)
        own = found.ours(row, column, measure)
        if value is not None and own is not None:
            theirs[row.label], ours[row.label] = value, own
    if len(theirs) < 2:
        return None
    papers, own_order = _ranked(theirs), _ranked({label: own[0] for label, own in ours.items()})
    otherwise = [
        f"{lower} above {upper} by {_gap(_difference(ours[lower], ours[upper]))}"
        for above, below in itertools.pairwise(papers)
        for upper in above
        for lower in below
        if ours[lower][0] > ours[upper][0]
    ]
    verdict = (
        f"Adjacent rows that we rank the other way: {'; '.join(otherwise)}."
        if otherwise
        else "We rank no adjacent rows the other way."
    )
    level = f"{block.columns[column].label}. " if len(block.columns) > 1 else ""
    order = f"Order by {measure.name}. Paper: {_chain(papers)}. Ours: {_chain(own_order)}."
    return f"{level}{order} {verdict}"


def _ranked(figures: Mapping[str, float]) -> list[list[str]]:
    """Return the labels by falling figure; those of one figure together, in their order."""
    labels = sorted(figures, key=lambda label: -figures[label])
    return [list(group) for _, group in itertools.groupby(labels, key=lambda x: figures[x])]


def _chain(groups: Sequence[Sequence[str]]) -> str:
    return " > ".join(" = ".join(group) for group in groups)


def _gap(difference: Figure) -> str:
    value, both = difference
    if both is None:
        return f"{value:.1f} (a single run, no std)"
    word = "more than" if value > both else "within"
    return f"{value:.1f} ({word} {both:.1f}, the root sum of squares of both std)"
