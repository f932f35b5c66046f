"""Experiments side by side, by the attributes of the people who are looked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from weakreid.errors import ReidError
from weakreid.report.markdown import cell, markdown
from weakreid.report.published import Published
from weakreid.report.runs import mean

Run = Mapping[str, Any]
_ABREAST = 8
"""With more attributes than this, a line of the table is an attribute instead of an experiment."""


def attribute_table(
    title: str,
    rows: Mapping[str, Sequence[Run]],
    attributes: Sequence[str] | None,
    transfer: str,
    ranks: Sequence[int] = (1,),
) -> str:
    """Return Markdown tables of the queries with an attribute, and of those without it.

    Args:
        title: of the table.
        rows: by label, what `retrieval.by_attribute` found in each run.
        attributes: which, or None for all that every run has and somebody has figures of.
        transfer: who made the labels.
        ranks: shown before mAP.

    Raises:
        ReidError: a row has no run, or a run has no such attribute.
    """
    names = _names(rows, attributes)
    parts = [
        _table(rows, names, "with", ranks),
        "## Queries of people without it\n\n" + _table(rows, names, "without", ranks),
    ]
    shown = " / ".join([*(f"R-{rank}" for rank in ranks), "mAP"])
    several = any(len(found) > 1 for found in rows.values())
    notes = f"{shown}, per cent; in brackets: queries. " + several * (
        "With several runs, mean ± standard deviation, and the mean number of queries. "
    )
    notes += "The gallery is whole: only queries are grouped, by the attributes of their person."
    notes += (
        " The attributes are true: those that people were generated with, or that others ticked."
        if transfer == "truth"
        else f" Who has an attribute says the transfer '{transfer}', which errs: nobody ticked it."
    )
    return f"# {title}\n\n" + "\n".join([*parts, notes]) + "\n"


def papers_table(published: Published, paper: str, table: str, ranks: Sequence[int]) -> str:
    """Return a paper's own table, in Markdown.

    Its metrics are named by attribute: "hs-Hat mAP", "hs-Hat R-1".

    Raises:
        ReidError: there is no such table.
    """
    kinds = [*(f"R-{rank}" for rank in ranks), "mAP"]
    labels = published.rows(paper, table)
    parts = []
    for dataset in published.datasets(paper, table):
        metrics = [key[4] for key in published.figures if key[:2] == (paper, table)]
        names = dict.fromkeys(metric.rsplit(" ", 1)[0] for metric in metrics)

        def figures(label: str, name: str, dataset: str = dataset) -> str:
            found = [published.value(paper, table, label, dataset, f"{name} {k}") for k in kinds]
            return " / ".join("" if value is None else cell(value, None) for value in found)

        lines = [[label, *(figures(label, name) for name in names)] for label in labels]
        heading = f"## {paper}, Table {table}, on {dataset}: {' / '.join(kinds)}"
        parts.append(f"{heading}\n\n{markdown(['', *names], lines)}")
    return "\n".join(parts)


def _names(rows: Mapping[str, Sequence[Run]], attributes: Sequence[str] | None) -> list[str]:
    for label, found in rows.items():
        if not found:
            raise ReidError(f"the row '{label}' has no run; give it one, or leave the row out")
        for run in found:
            for name in attributes or ():
                if name not in run["attributes"]:
                    held = ", ".join(run["attributes"])
                    raise ReidError(
                        f"the row '{label}' was not measured by '{name}', but by {held}"
                    )
    if attributes is not None:
        return list(attributes)
    runs = [run for found in rows.values() for run in found]
    names = [name for name in runs[0]["attributes"] if all(name in r["attributes"] for r in runs)]
    names = [n for n in names if any(r["attributes"][n]["with"]["mAP"] is not None for r in runs)]
    if not names:
        raise ReidError("no attribute has figures in every row; measure the rows by the same ones")
    return names


def _table(
    rows: Mapping[str, Sequence[Run]], names: Sequence[str], which: str, ranks: Sequence[int]
) -> str:
    cells = {
        label: {
            "all queries": _figures(rows, label, None, which, ranks),
            **{name: _figures(rows, label, name, which, ranks) for name in names},
        }
        for label in rows
    }
    if which == "without":
        for own in cells.values():
            del own["all queries"]
    heads = list(next(iter(cells.values())))
    if len(names) <= _ABREAST:
        lines = [[label, *own.values()] for label, own in cells.items()]
        return markdown(["", *heads], lines)
    lines = [[head, *(own[head] for own in cells.values())] for head in heads]
    return markdown(["", *cells], lines)


def _figures(
    rows: Mapping[str, Sequence[Run]],
    label: str,
    name: str | None,
    which: str,
    ranks: Sequence[int],
) -> str:
    """Return a cell, without figures where a run has too few queries."""
    found = [run["all"] if name is None else run["attributes"][name][which] for run in rows[label]]
    queries = f"{np.mean([one['queries'] for one in found]):.4g}"
    if any(one["mAP"] is None for one in found):
        return f"too few ({queries})"
    values = [[one["cmc"][str(rank)] for one in found] for rank in ranks]
    values.append([one["mAP"] for one in found])
    return " / ".join(mean(own) for own in values) + f" ({queries})"
