"""Tables of experiments side by side, as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

RANKS = ("1", "5", "10")
RANKS_HEADS = tuple(f"R-{rank}" for rank in RANKS)
PROTOCOLS = ("fine", "coarse")


def comparison(title: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a Markdown table of rank-1, rank-5, rank-10 and mAP in both protocols.

    A row of chance, the expected value of a random ranking, stands first per dataset.

    Args:
        title: of the table.
        rows: row label: an experiment's metrics.json.
    """
    heads = [f"{protocol} {name}" for protocol in PROTOCOLS for name in (*RANKS_HEADS, "mAP")]
    several = len({metrics["dataset"] for metrics in rows.values()}) > 1
    lines = []
    seen = set()
    for label, metrics in rows.items():
        dataset = metrics["dataset"]
        suffix = f" ({dataset})" if several else ""
        if dataset not in seen:
            seen.add(dataset)
            chance = {name: metrics[name]["chance"] for name in PROTOCOLS}
            lines.append([f"chance{suffix}", "", *_cells(chance)])
        lines.append([label + suffix, str(len(metrics["runs"])), *_cells(metrics)])
    first = next(iter(rows.values()))
    facts = [
        f"{name}: {first[name]['queries']} queries, {first[name]['gallery']} in the gallery"
        for name in PROTOCOLS
    ]
    note = "Per cent; with several runs, mean ± standard deviation."
    note += "" if several else f" {first['dataset']}; " + "; ".join(facts) + "."
    return f"# {title}\n\n{markdown(['', 'runs', *heads], lines)}\n{note}\n"


def _cells(metrics: Mapping[str, Any]) -> list[str]:
    cells = []
    for protocol in PROTOCOLS:
        figures = metrics[protocol]
        spread = figures.get("standard_deviation")
        for rank in RANKS:
            cells.append(cell(figures["cmc"][rank], spread and spread["cmc"][rank]))
        cells.append(cell(figures["mAP"], spread and spread["mAP"]))
    return cells


def cell(value: float, spread: float | None) -> str:
    """Return a figure in per cent, with its standard deviation where there is one."""
    return f"{value:.1f}" + (f" ± {spread:.1f}" if spread is not None else "")


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table, numbers to the right."""
    widths = [max(len(line[i]) for line in (heads, *rows)) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |\n"

    rule = "|" + "|".join(
        "-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)
    )
    return line(heads) + rule + "|\n" + "".join(line(row) for row in rows)
