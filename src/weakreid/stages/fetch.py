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
    how = Fetch.parse(params)
    root = Path(how.root)
    reader = importlib.import_module(f"weakreid.datasets.{how.kind}")
    bring(
        how.archives,
        root,
        lock,
        required=reader.REQUIRED if how.required is None else how.required,
        optional=reader.OPTIONAL if how.optional is None else how.optional,
        dataset=dataset,
        how_to_get=reader.HOW_TO_GET,
    )
    location.note(out, root)


if __name__ == "__main__":
    run_stage(main)
