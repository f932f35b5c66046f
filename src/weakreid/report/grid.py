"""Rows by noise levels: a table whose columns are levels of tracklet noise.

The rows are methods (TMC, Table 3; the noise board) or values of a swept setting (TMC, Tables 2
and 4, Figure 7). Every cell is an experiment, measured by the fine protocol, and where asked what
isolation left of the noise. A paper's figures stand beside ours where there are some.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from weakreid.artifacts.files import read_json
from weakreid.errors import ReidError
from weakreid.report.markdown import cell, markdown
from weakreid.report.published import Published
from weakreid.report.study import (
    NOT_HERE,
    NOT_YET,
    Cell,
    Dataset,
    Row,
    Study,
    measured,
    metric_name,
    order_of,
    read_metrics,
    require,
    sizes,
)

PROTOCOL = "fine"
NOT_THIS = "no figure of ours: there is no experiment of it at this noise level"
WIDEST = 16
"""A table of more figures a line is cut into one per noise level."""

ISOLATED = {"noise": "noise", "clusters": "tracklets"}
"""What isolation left: our metric's (and the paper's) name: the key in its report's "after"."""

_RANK = re.compile(r"R-([1-9][0-9]*)")

Spot = tuple[str, str, int]
"""The name of a dataset, the label of a row, the number of a column."""


@dataclass(frozen=True)
class Column:
    """A noise level.

    Attributes:
        label: as it is shown, such as "rFM 1.7, rSW 1.2".
        published: the paper's name of the dataset with this noise, None where it has none.
    """

    label: str
    published: str | None = None


@dataclass(frozen=True)
class Block:
    """A dataset of ours; `own` says whether the paper's figures are of the same data."""

    name: str
    own: bool = True


@dataclass(frozen=True)
class Line:
    """A row: `cells` by the name of our dataset, one per noise level."""

    label: str
    cells: Mapping[str, Sequence[Cell]] = field(default_factory=dict)

    def on(self, dataset: str, column: int) -> Cell:
        """Return what we have on a dataset at a noise level."""
        found = self.cells.get(dataset)
        return Cell() if found is None else found[column]


@dataclass(frozen=True)
class Grid:
    """What a table of rows by noise levels shows.

    Attributes:
        title: of the table and of the figure.
        paper: its short name, None where ours stand alone.
        table: of the paper.
        axis: what the rows sweep, such as "eps"; None where they are methods.
        metrics: "R-1", "mAP" (fine, per cent), "noise" (per cent), "clusters", in their order.
        columns: the noise levels in their order; of methods, the first is the clean set.
        blocks: the datasets, each a block of the table and a line of panels of the figure.
        rows: in their order.
        isolation: what isolation left (see `read_isolation`) of (dataset, row label, column),
            the columns counted from 0.
        notes: what stands below every block of the table.
    """

    title: str
    paper: str | None
    table: str | None
    axis: str | None
    metrics: Sequence[str]
    columns: Sequence[Column]
    blocks: Sequence[Block]
    rows: Sequence[Line]
    isolation: Mapping[Spot, Mapping[str, float | None]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def place(self) -> str:
        """Where the paper has it."""
        table = self.table or ""
        return f"{self.paper}, {table if ' ' in table else f'Table {table}'}"


def read_grid(
    block: Mapping[str, Any], metrics: Sequence[Path], isolation: Sequence[Path] = ()
) -> Grid:
    """Return a grid from a stage's params and the files that they count off.

    Args:
        block: `title`, `paper`, `table`, `axis`, `metrics`, `columns`, `datasets`, `rows`,
            `isolation`, `notes`, as the attributes of `Grid`. A cell is `{"metrics": number}`,
            `{"why": reason}` or `{}`; an isolation report is of a `dataset`, a `row` (its
            label) and a `column`, and `report` is its number; all numbers count from 0.
        metrics: metrics.json files of experiments.
        isolation: reports of isolation (JSON).

    Raises:
        ReidError: a metric is unknown, a label stands twice, a row has more or fewer cells than
            there are noise levels, a number counts no file, a file lacks a figure, a metrics.json
            is of another dataset, or a report of no cell, or of one that has one already.
    """
    names = list(block["metrics"])
    ranks = [rank for name in names if (rank := rank_of(name)) is not None]
    columns = [Column(**about) for about in block["columns"]]
    _once("column", [column.label for column in columns])
    _once("row", [row["label"] for row in block["rows"]])
    found = [read_metrics(path, [PROTOCOL], ranks) for path in metrics]

    def read_cell(row: str, dataset: str, about: Mapping[str, Any]) -> Cell:
        number = about.get("metrics")
        if number is None:
            return Cell(why=about.get("why"))
        own = found[_counted(number, metrics, "metrics.json", f"row '{row}'")]
        if own["dataset"] != dataset:
            raise ReidError(
                f"{metrics[number]}: of dataset {own['dataset']}, but it is to stand under "
                f"{dataset}; correct the table's rows"
            )
        return Cell(metrics=own)

    rows = []
    for row in block["rows"]:
        for dataset, cells in row["cells"].items():
            if len(cells) != len(columns):
                raise ReidError(
                    f"row '{row['label']}': {len(cells)} cells on {dataset}, but there are "
                    f"{len(columns)} noise levels; give one for each, {{}} where there is nothing"
                )
        cells = {
            dataset: [read_cell(row["label"], dataset, about) for about in cells]
            for dataset, cells in row["cells"].items()
        }
        rows.append(Line(row["label"], cells))
    grid = Grid(
        title=block["title"],
        paper=block["paper"],
        table=block["table"],
        axis=block["axis"],
        notes=block.get("notes", []),
        metrics=names,
        columns=columns,
        blocks=[Block(**about) for about in block["datasets"]],
        rows=rows,
    )
    reports = _read_isolation(grid, block["isolation"], isolation)
    return replace(grid, isolation=reports)


def rank_of(metric: str) -> int | None:
    """Return the rank of "R-k", None for every other metric that a grid can show.

    Raises:
        ReidError: there is no such metric.
    """
    fits = _RANK.fullmatch(metric)
    if fits is None and metric != "mAP" and metric not in ISOLATED:
        raise ReidError(
            f"metric '{metric}' is unknown; ask for some of R-1, R-5, R-10, R-20, mAP, "
            + ", ".join(ISOLATED)
        )
    return int(fits[1]) if fits else None


def _once(what: str, labels: Sequence[str]) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise ReidError(f"{what} '{label}' stands twice; name every {what} once")


def _counted(number: int, files: Sequence[Path], kind: str, where: str) -> int:
    if not 0 <= number < len(files):
        raise ReidError(
            f"{where}: counts {kind} number {number}, but {len(files)} are given, counted from 0; "
            "correct the table's rows"
        )
    return number


def _read_isolation(
    grid: Grid, entries: Sequence[Mapping[str, Any]], files: Sequence[Path]
) -> dict[Spot, dict[str, float | None]]:
    names = [block.name for block in grid.blocks]
    labels = [row.label for row in grid.rows]
    reports: dict[Spot, dict[str, float | None]] = {}
    for entry in entries:
        spot = (entry["dataset"], entry["row"], entry["column"])
        if spot[0] not in names or spot[1] not in labels or spot[2] not in range(len(grid.columns)):
            raise ReidError(
                f"isolation: the table has no place {spot[0]}, '{spot[1]}', column {spot[2]}; "
                "correct the table's rows"
            )
        where = f"isolation of {spot[0]}, '{spot[1]}', column {spot[2]}"
        if spot in reports:
            raise ReidError(f"{where}: two reports; give one")
        reports[spot] = read_isolation(files[_counted(entry["report"], files, "report", where)])
    return reports


def read_isolation(path: Path) -> dict[str, float | None]:
    """Read what isolation left: noise (per cent), clusters (tracklets), kept (per cent of frames).

    Noise is None where nobody in the tracklets is known.

    Raises:
        ReidError: the file is missing or damaged, or a value is no number that can be.
    """
    report = read_json(path, ["after", "kept"])
    after = report["after"]
    require(after, list(ISOLATED.values()), f"{path}: after")
    noise = after["noise"]
    return {
        "kept": _share(path, "kept", report["kept"], 100),
        "noise": None if noise is None else _share(path, "after.noise", noise, 100),
        "clusters": _share(path, "after.tracklets", after["tracklets"], math.inf),
    }


def _share(path: Path, key: str, value: Any, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not (0 <= value <= most and math.isfinite(value)):
        raise ReidError(f"{path}: {key} is {value!r}; delete the file and run again")
    return float(value)


def ours(
    grid: Grid, dataset: str, row: Line, column: int, metric: str
) -> tuple[float, float | None] | None:
    """Return a figure of ours and its standard deviation (None after one run), None without one."""
    if metric in ISOLATED:
        left = grid.isolation.get((dataset, row.label, column), {}).get(metric)
        return None if left is None else (left, None)
    metrics = row.on(dataset, column).metrics
    return None if metrics is None else measured(metrics, PROTOCOL, rank_of(metric))


def papers(
    grid: Grid, published: Published, row: Line, column: Column, metric: str
) -> float | None:
    """Return the paper's figure, None without one."""
    if grid.paper is None or grid.table is None or column.published is None:
        return None
    name = metric if metric in ISOLATED else metric_name(PROTOCOL, rank_of(metric))
    return published.value(grid.paper, grid.table, row.label, column.published, name)


def check_paper(grid: Grid, published: Published) -> None:
    """Refuse a grid whose table the published figures do not have."""
    if grid.paper is not None:
        published.rows(grid.paper, grid.table or "")


# --- the table -----------------------------------------------------------------------------------


def grid_table(grid: Grid, published: Published) -> str:
    """Return a grid as Markdown, a block per dataset.

    Without a paper, the best figure of every column is bold.

    Raises:
        ReidError: the published figures have no such table.
    """
    check_paper(grid, published)
    parts = [f"# {grid.title}\n"]
    for block in grid.blocks:
        several = len(grid.blocks) > 1
        parts += [f"## {block.name}\n"] if several else []
        every = range(len(grid.columns))
        parts_of_it = [list(every)]
        if len(_heads(grid, published, every)) > WIDEST:
            parts_of_it = [[column] for column in every]
        for columns in parts_of_it:
            if len(parts_of_it) > 1:
                parts.append(f"##{'#' * several} {grid.columns[columns[0]].label}\n")
            parts.append(_table(grid, published, block, columns))
        parts.append("\n".join(_notes(grid, published, block)) + "\n")
    return "\n".join(parts)


Head = tuple[int, str, bool]
"""What a line's figure is: the noise level, the metric, and whether it is the paper's."""


def _heads(grid: Grid, published: Published, columns: Sequence[int]) -> list[Head]:
    heads = []
    for column in columns:
        for metric in grid.metrics:
            theirs = (papers(grid, published, r, grid.columns[column], metric) for r in grid.rows)
            if any(value is not None for value in theirs):
                heads.append((column, metric, True))
            heads.append((column, metric, False))
    return heads


def _head(grid: Grid, columns: Sequence[int], head: Head) -> str:
    column, metric, is_papers = head
    level = f"{grid.columns[column].label}: " if len(columns) > 1 else ""
    whose = "" if grid.paper is None else " paper" if is_papers else " ours"
    return level + metric + whose


def _table(grid: Grid, published: Published, block: Block, columns: Sequence[int]) -> str:
    heads = _heads(grid, published, columns)
    marks = {key: i for i, keys in enumerate(_reasons(grid, block).values(), 1) for key in keys}
    best = _best(grid, block, heads) if grid.paper is None else {}
    lines = []
    if chance := _chance(grid, block, heads):
        lines.append(["chance", "", *chance])
    for row in grid.rows:
        texts = []
        for column, metric, is_papers in heads:
            if is_papers:
                value = papers(grid, published, row, grid.columns[column], metric)
                texts.append("" if value is None else _printed(metric, value))
                continue
            text = _shown(metric, ours(grid, block.name, row, column, metric))
            mark = marks.get((row.label, column))
            if text and _leading(text) == best.get((column, metric)):
                text = f"**{text}**"
            if mark is not None and not text:
                text = f"({mark})"
            texts.append(text)
        runs = [
            len(found["runs"])
            for column in columns
            if (found := row.on(block.name, column).metrics) is not None
        ]
        lines.append([row.label, sizes(runs), *texts])
    return markdown(["", "runs", *(_head(grid, columns, head) for head in heads)], lines)


def _shown(metric: str, found: tuple[float, float | None] | None) -> str:
    """Return a figure of ours as it stands in the table, "" without one."""
    if found is None:
        return ""
    if metric in ISOLATED:
        return f"{found[0]:.0f}" if metric == "clusters" else f"{found[0]:.2f}"
    return cell(*found)


def _printed(metric: str, value: float) -> str:
    """Return a figure of the paper as the paper prints it."""
    return f"{value:g}" if metric in ISOLATED else cell(value, None)


def _leading(text: str) -> str:
    return text.split(" ")[0]


def _best(grid: Grid, block: Block, heads: Sequence[Head]) -> dict[tuple[int, str], str]:
    """Return the highest figure of every column as it is printed, so that equals are all bold."""
    found = {}
    for column, metric, is_papers in heads:
        if is_papers or metric in ISOLATED:
            continue
        figures = [ours(grid, block.name, row, column, metric) for row in grid.rows]
        known = [figure for figure in figures if figure is not None]
        if known:
            found[column, metric] = _leading(_shown(metric, max(known, key=lambda x: x[0])))
    return found


def _known(grid: Grid, block: Block, column: int | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield the metrics of the cells that have some, of all columns or of one."""
    for row in grid.rows:
        for i in range(len(grid.columns)) if column is None else [column]:
            metrics = row.on(block.name, i).metrics
            if metrics is not None:
                yield metrics


def chance_of(grid: Grid, block: Block, column: int | None, metric: str) -> float | None:
    """Return the expected value of a random ranking, None where nothing is known."""
    metrics = next(_known(grid, block, column), None)
    if metric in ISOLATED or metrics is None:
        return None
    chance = metrics[PROTOCOL]["chance"]
    rank = rank_of(metric)
    return float(chance["mAP"] if rank is None else chance["cmc"][str(rank)])


def _chance(grid: Grid, block: Block, heads: Sequence[Head]) -> list[str]:
    texts = []
    for column, metric, is_papers in heads:
        value = None if is_papers else chance_of(grid, block, column, metric)
        texts.append("" if value is None else cell(value, None))
    return texts if any(texts) else []


def _reasons(grid: Grid, block: Block) -> dict[str, list[tuple[str, int]]]:
    """Return the (row, column) of every reason for which there is no figure of ours."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in grid.rows:
        for column in range(len(grid.columns)):
            own = row.on(block.name, column)
            if own.metrics is None and own.why is not None:
                found.setdefault(own.why, []).append((row.label, column))
    return found


def _without(grid: Grid, block: Block) -> dict[str, list[tuple[str, int]]]:
    """Return the (row, column) that have neither a figure of ours nor a reason of their own."""
    if set(grid.metrics) <= set(ISOLATED):
        return {}
    found: dict[str, list[tuple[str, int]]] = {NOT_YET: [], NOT_HERE: [], NOT_THIS: []}
    for row in grid.rows:
        empty = [i for i in range(len(grid.columns)) if row.on(block.name, i) == Cell()]
        if not empty:
            continue
        if len(empty) < len(grid.columns):
            why = NOT_THIS
        elif any(own != Cell() for cells in row.cells.values() for own in cells):
            why = NOT_HERE
        else:
            why = NOT_YET
        found[why] += [(row.label, column) for column in empty]
    return {why: keys for why, keys in found.items() if keys}


def _named(grid: Grid, keys: Sequence[tuple[str, int]]) -> str:
    """Name rows, each with its noise levels where not all of them are meant."""
    texts = []
    for label in dict.fromkeys(label for label, _ in keys):
        columns = [grid.columns[column].label for own, column in keys if own == label]
        all_of_them = len(columns) == len(grid.columns)
        texts.append(label if all_of_them else f"{label} ({'; '.join(columns)})")
    return ", ".join(texts)


def _notes(grid: Grid, published: Published, block: Block) -> list[str]:
    reasons = _reasons(grid, block).items()
    notes = [f"{i}. {_named(grid, keys)}: {why}" for i, (why, keys) in enumerate(reasons, 1)]
    facts = [f"{_named(grid, keys)}: {why}" for why, keys in _without(grid, block).items()]
    facts += _facts(grid, published, block)
    if losses := _losses(grid, published, block):
        facts.append(losses)
    facts += _orders(grid, published, block)
    facts += grid.notes
    return notes + [f"- {text}" for text in facts]


def _facts(grid: Grid, published: Published, block: Block) -> list[str]:
    """Return what the figures are, and on how many queries ours were measured."""
    source = f" Paper: {grid.place}." if grid.paper is not None else ""
    facts = [
        (
            f"Per cent, {PROTOCOL} protocol.{source} Ours: {block.name}; with several runs, "
            "mean ± standard deviation."
        ),
    ]
    facts += _isolated(grid, block)
    if grid.paper is not None and grid.table is not None:
        facts += _beside(grid, published, block)
    found = [metrics[PROTOCOL] for metrics in _known(grid, block)]
    if found:
        queries, gallery = (sizes([own[key] for own in found]) for key in ("queries", "gallery"))
        facts.append(f"{PROTOCOL}: {queries} queries, {gallery} in the gallery.")
    if grid.paper is None and len(grid.rows) > 1 and found:
        facts.append("Bold: the best mean of its column, be it by less than the deviations.")
    return facts


def _isolated(grid: Grid, block: Block) -> list[str]:
    """Return what noise and clusters are, and how many frames isolation kept."""
    if not set(grid.metrics) & set(ISOLATED):
        return []
    facts = [
        (
            "noise: after isolation, the share of a tracklet's frames that are not of its person, "
            "mean over tracklets; clusters: the number of these tracklets."
        )
    ]
    reports = [own for (name, *_), own in grid.isolation.items() if name == block.name]
    kept = [share for own in reports if (share := own["kept"]) is not None]
    if kept:
        facts.append(f"Isolation kept {min(kept):.1f} to {max(kept):.1f} % of the frames.")
    return facts


def _beside(grid: Grid, published: Published, block: Block) -> list[str]:
    """Return which figures of the paper stand beside ours, and whether they are a target."""
    assert grid.paper is not None and grid.table is not None
    there = published.datasets(grid.paper, grid.table)
    named = [column for column in grid.columns if column.published is not None]
    facts = []
    shown = [f"{column.label}: {column.published}" for column in named if column.published in there]
    if shown:
        facts.append(f"The paper's datasets. {'; '.join(shown)}.")
    lacking = [column.label for column in grid.columns if column.published not in there]
    if lacking:
        facts.append(f"The paper has no figure for {'; '.join(lacking)} here.")
    if shown and not block.own:
        facts.append(
            f"The paper's figures are of other data than {block.name}, and no target for it."
        )
    return facts


def _losses(grid: Grid, published: Published, block: Block) -> str | None:
    """Say what every row loses from the first noise level to its worst; None for a sweep."""
    metric = next((name for name in grid.metrics if name not in ISOLATED), None)
    if grid.axis is not None or metric is None or len(grid.columns) < 2:
        return None
    losses: dict[str, tuple[int, float, float | None, str]] = {}
    for row in grid.rows:
        clean = ours(grid, block.name, row, 0, metric)
        noisy = {
            i: found
            for i in range(1, len(grid.columns))
            if (found := ours(grid, block.name, row, i, metric)) is not None
        }
        if clean is None or not noisy:
            continue
        column, worst = min(noisy.items(), key=lambda item: item[1][0])
        spread = None
        if clean[1] is not None and worst[1] is not None:
            spread = math.hypot(clean[1], worst[1])
        theirs = [papers(grid, published, row, grid.columns[i], metric) for i in (0, column)]
        beside = ""
        if theirs[0] is not None and theirs[1] is not None:
            beside = f"paper {cell(theirs[0] - theirs[1], None)}"
        losses[row.label] = (column, clean[0] - worst[0], spread, beside)
    if not losses:
        return None
    columns = {column for column, *_ in losses.values()}
    # named once where it is the same of all
    where = "the worst level of each row"
    if len(columns) == 1:
        where = f"{grid.columns[min(columns)].label}, the worst level of every row"
    texts = []
    for label, (column, loss, spread, beside) in sorted(losses.items(), key=lambda x: x[1][1]):
        level = grid.columns[column].label if len(columns) > 1 else ""
        about = "; ".join(text for text in (level, beside) if text)
        texts.append(f"{label} {cell(loss, spread)}" + (f" ({about})" if about else ""))
    return (
        f"Points of {metric} lost from {grid.columns[0].label} to {where}, ± the root sum of "
        f"squares of the two deviations, the least first: {', '.join(texts)}."
    )


def _orders(grid: Grid, published: Published, block: Block) -> list[str]:
    """Say at every noise level whether the rows are ordered as the paper's are."""
    ranks = [rank for name in grid.metrics if (rank := rank_of(name)) is not None]
    texts = []
    for i, column in enumerate(grid.columns):
        if grid.paper is None or grid.table is None or column.published is None:
            continue
        dataset = Dataset(block.name, column.published, block.own)
        rows = [Row(row.label, {block.name: row.on(block.name, i)}) for row in grid.rows]
        study = Study(grid.title, grid.paper, grid.table, [PROTOCOL], ranks, [dataset], rows)
        if text := order_of(study, published, dataset, PROTOCOL):
            texts.append(f"{column.label}. {text}" if len(grid.columns) > 1 else text)
    return texts
