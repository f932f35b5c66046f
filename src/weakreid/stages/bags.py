"""Stage: training bags with video-level labels."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.console import run_stage, say
from weakreid.supervision import bags
from weakreid.supervision.planted import plant


def main(
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
    tracks: Annotated[
        Path | None, typer.Option(help="noisy tracklets, to make the bags of instead")
    ] = None,
) -> None:
    """Write the training bags of a split."""
    block = json.loads(params)
    made = bags.training_bags(
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames"),
        seed=block["seed"],
        tracklets_per_bag=tuple(block["tracklets_per_bag"]),
        tracklet_parts=block["tracklet_parts"],
        max_frames=block["max_frames"],
        missing=block["missing"],
        tracks=None if tracks is None else schemas.read_frame(tracks, "tracks", truth=True),
        majority=block.get("majority", False),
    )
    if block["noisy_parts"] is not None:
        made = bags.noisy_tracking(made, seed=block["seed"], parts=block["noisy_parts"])
    if block["planted"] is not None:
        made = plant(made, seed=block["seed"], **block["planted"])
    schemas.write(out, "bags", made, block)
    counts = made["labels"].explode().value_counts()
    once = int((counts == 1).sum())
    # what CPAL cannot learn from, and MIL hardly
    say(f"{len(made)} training bags of {len(counts)} people, {once} of them in one bag only")


if __name__ == "__main__":
    run_stage(main)
