"""Stage: the generated dataset, in MARS's layout."""

import dataclasses
from pathlib import Path

from weakreid.config.params import Generate
from weakreid.datasets import location
from weakreid.datasets.walkers import layout


def main(params: Generate, threads: int, root: Path, out: Path) -> None:
    """Render a dataset: a preset of sizes, single values of it replaced."""
    changes = params.model_dump(exclude={"size", "seed", "style"}, exclude_none=True)
    size = dataclasses.replace(layout.SIZES[params.size], **changes)
    layout.generate(root, size, seed=params.seed, style=params.style, workers=threads)
    # what stands on this file follows another generation, however much of it stays the same
    parameters = {**dataclasses.asdict(size), "seed": params.seed, "style": params.style}
    location.note(out, root, parameters=parameters, content=layout.content(root))
