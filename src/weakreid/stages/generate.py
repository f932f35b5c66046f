"""Stage: the generated dataset, in MARS's layout."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from weakreid.config.params import Generate
from weakreid.console import run_stage
from weakreid.datasets import location
from weakreid.datasets.walkers import layout


def main(
    params: Annotated[str, typer.Option()],
    threads: Annotated[int, typer.Option()],
    root: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Render a dataset: a preset of sizes, single values of it replaced."""
    how = Generate.parse(params)
    changes = how.model_dump(exclude={"size", "seed", "style"}, exclude_none=True)
    size = dataclasses.replace(layout.SIZES[how.size], **changes)
    layout.generate(root, size, seed=how.seed, style=how.style, workers=threads)
    # what stands on this file follows another generation, however much of it stays the same
    parameters = {**dataclasses.asdict(size), "seed": how.seed, "style": how.style}
    location.note(out, root, parameters=parameters, content=layout.content(root))


if __name__ == "__main__":
    run_stage(main)
