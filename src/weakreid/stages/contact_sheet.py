"""Stage: a contact sheet of a generated dataset."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.console import run_stage
from weakreid.datasets.walkers.sheet import contact_sheet
from weakreid.files import read_json


def main(
    source: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Draw some of a generated dataset's people, a row each, as every camera sees them."""
    block = json.loads(params)
    root = source.parent / read_json(source, ["root"])["root"]
    contact_sheet(root, out, persons=block["persons"])


if __name__ == "__main__":
    run_stage(main)
