"""Stage: training bags with video-level labels."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import MakeBags
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
    how = MakeBags.parse(params)
    made = bags.training_bags(
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames"),
        seed=how.seed,
        tracklets_per_bag=how.tracklets_per_bag,
        tracklet_parts=how.tracklet_parts,
        max_frames=how.max_frames,
        missing=how.missing,
        majority=how.majority,
        tracks=None if tracks is None else schemas.read_frame(tracks, "tracks", truth=True),
    )
    if how.noisy_parts is not None:
        made = bags.noisy_tracking(made, seed=how.seed, parts=how.noisy_parts)
    if (planted := how.planted) is not None:
        made = plant(made, seed=how.seed, removed=planted.removed, added=planted.added)
    schemas.write(out, "bags", made, how.model_dump(mode="json"))
    counts = made["labels"].explode().value_counts()
    once = int((counts == 1).sum())
    # what CPAL cannot learn from, and MIL hardly
    say(f"{len(made)} training bags of {len(counts)} people, {once} of them in one bag only")


if __name__ == "__main__":
    run_stage(main)
