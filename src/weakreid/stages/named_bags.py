"""Stage: training bags of the videos, or their windows, in which people were named."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import NameBags
from weakreid.console import run_stage, say, warn
from weakreid.supervision import named


def main(
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    videos: Annotated[Path, typer.Option(help="videos.csv of the folder of crops")],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write a training bag per window of a named video."""
    how = NameBags.parse(params)
    windows = named.read_videos(videos)
    made = named.named_bags(
        windows,
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames", truth=True),
        seed=how.seed,
        max_frames=how.max_frames,
    )
    schemas.write(out, "bags", made, how.model_dump(mode="json"))
    people = made["labels"].explode().nunique()
    lost = named.left_out(windows, made)
    say(f"{len(made)} training bags of {people} people")
    if any(lost.values()):
        warn(
            f"{sum(lost.values())} of {len(windows)} windows make no training bag: in "
            f"{lost['unnamed']} nobody is named, in {lost['empty']} there is no training tracklet"
        )


if __name__ == "__main__":
    run_stage(main)
