"""Stage: a table of experiments by the attributes of the people who are looked for."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts.files import read_json
from weakreid.console import run_stage
from weakreid.report import pages
from weakreid.report.by_attribute import attribute_table, papers_table
from weakreid.report.published import read


def main(
    metrics: Annotated[list[Path], typer.Option(help="by_attribute.json of each run")],
    params: Annotated[
        str,
        typer.Option(
            help="title, rows (label, metrics: places of its runs), attributes (null: all), "
            "transfer (who made the labels), ranks, paper and table (or null)"
        ),
    ],
    published: Annotated[Path, typer.Option(help="the papers' figures")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the table as Markdown."""
    block = json.loads(params)
    found = [read_json(path, ["queries", "all", "attributes"]) for path in metrics]
    text = attribute_table(
        block["title"],
        {row["label"]: [found[place] for place in row["metrics"]] for row in block["rows"]},
        block["attributes"],
        block["transfer"],
        block["ranks"],
    )
    if block["paper"] is not None:
        figures = read(published)
        text += "\n" + papers_table(figures, block["paper"], block["table"], block["ranks"])
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
