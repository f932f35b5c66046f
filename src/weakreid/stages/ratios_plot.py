"""Stage: the positive ratio of every attribute of a source, as a plot (ATTR, Fig. 4)."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import Titled
from weakreid.console import run_stage
from weakreid.datasets.annotated import read_annotation
from weakreid.report import figures
from weakreid.report.ratios import ratio_figure


def main(
    annotation: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Draw a bar per attribute."""
    found = read_annotation(annotation)
    title = Titled.parse(params).title
    figures.save(ratio_figure(title, found.attributes, found.labels), out)


if __name__ == "__main__":
    run_stage(main)
