"""Stage: the coarse test set, probes and gallery bags."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.console import run_stage, say
from weakreid.supervision import bags


def main(
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write a split's probes and gallery bags."""
    block = json.loads(params)
    made = bags.coarse_bags(
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames"),
        seed=block["seed"],
        tracklets_per_bag=tuple(block["tracklets_per_bag"]),
        max_frames=block["max_frames"],
    )
    schemas.write(out, "bags", made, block)
    counts = made["role"].value_counts()
    say(f"{counts.get('probe', 0)} probes, {counts.get('gallery', 0)} gallery bags")


if __name__ == "__main__":
    run_stage(main)
