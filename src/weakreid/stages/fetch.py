"""Stage: a distributed dataset comes into its place, or is found there."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import Fetch
from weakreid.console import run_stage
from weakreid.datasets import location
from weakreid.datasets.obtain import bring


def main(
    dataset: Annotated[str, typer.Option()],
    params: Annotated[str, typer.Option()],
    lock: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Fetch and unpack a dataset's archives, and check that its reader finds what it needs."""
    given = Fetch.parse(params)
    root = Path(given.root)
    reader = importlib.import_module(f"weakreid.datasets.{given.kind}")
    bring(
        given.archives,
        root,
        lock,
        required=reader.REQUIRED if given.required is None else given.required,
        optional=reader.OPTIONAL if given.optional is None else given.optional,
        dataset=dataset,
        how_to_get=reader.HOW_TO_GET,
    )
    location.note(out, root)


if __name__ == "__main__":
    run_stage(main)
