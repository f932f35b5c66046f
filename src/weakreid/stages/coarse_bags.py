"""Stage: the coarse test set, probes and gallery bags."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import MakeCoarse
from weakreid.console import run_stage, say
from weakreid.supervision import bags


def main(
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write a split's probes and gallery bags."""
    how = MakeCoarse.parse(params)
    made = bags.coarse_bags(
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames"),
        seed=how.seed,
        tracklets_per_bag=how.tracklets_per_bag,
        max_frames=how.max_frames,
    )
    schemas.write(out, "bags", made, how.model_dump(mode="json"))
    counts = made["role"].value_counts()
    say(f"{counts.get('probe', 0)} probes, {counts.get('gallery', 0)} gallery bags")


if __name__ == "__main__":
    run_stage(main)
