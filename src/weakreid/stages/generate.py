"""Stage: the generated dataset, in MARS's layout."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import Generate
from weakreid.console import run_stage
from weakreid.datasets import location
from weakreid.datasets.walkers import layout


def main(
    params: Annotated[str, typer.Option()],
    workers: Annotated[int, typer.Option()],
    root: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Render a dataset: a preset of sizes, single values of it replaced."""
    how = Generate.parse(params)
    changed = how.model_dump(mode="json", exclude={"size"}, exclude_none=True)
    chosen = {**layout.SIZES[how.size], **changed}
    layout.generate(root, workers=workers, **chosen)
    # what stands on this file follows another generation, however much of it stays the same
    made = {"parameters": chosen, "content": layout.content(root)}
    location.note(out, root, **made)


if __name__ == "__main__":
    run_stage(main)
