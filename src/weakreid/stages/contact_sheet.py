"""Stage: a contact sheet of a generated dataset."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import ContactSheet
from weakreid.console import run_stage
from weakreid.datasets import location
from weakreid.report import figures
from weakreid.report.walkers_sheet import contact_sheet


def main(
    source: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Draw some of a generated dataset's people, a row each, as every camera sees them."""
    how = ContactSheet.parse(params)
    root = location.find(source)
    figures.save(contact_sheet(root, how.dataset, persons=how.persons), out)


if __name__ == "__main__":
    run_stage(main)
