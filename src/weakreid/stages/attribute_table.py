"""Stage: a table of experiments by the attributes of the people who are looked for."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.files import read_json
from weakreid.report import pages
from weakreid.report.by_attribute import attribute_table


def main(
    metrics: Annotated[list[Path], typer.Option(help="by_attribute.json of each run")],
    params: Annotated[
        str,
        typer.Option(
            help="title, rows (label, metrics: places of its runs), attributes (null: all), "
            "transfer (who made the labels), ranks ([1])"
        ),
    ],
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
        block.get("ranks", [1]),
    )
    pages.write(out, text)


if __name__ == "__main__":
    run_stage(main)
