"""Stage: training bags of the videos, or their windows, in which people were named."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.config.params import NameBags
from weakreid.console import say, warn
from weakreid.supervision import named


def main(
    tracklets: Path,
    frames: Path,
    videos: Annotated[Path, "videos.csv of the folder of crops"],
    params: NameBags,
    out: Path,
) -> None:
    """Write a training bag per window of a named video."""
    windows = named.read_videos(videos)
    made = named.named_bags(
        windows,
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames", truth=True),
        seed=params.seed,
        max_frames=params.max_frames,
    )
    schemas.write(out, "bags", made, params.model_dump(mode="json"))
    people = made["labels"].explode().nunique()
    lost = named.left_out(windows, made)
    say(f"{len(made)} training bags of {people} people")
    if any(lost.values()):
        warn(
            f"{sum(lost.values())} of {len(windows)} windows make no training bag: in "
            f"{lost['unnamed']} nobody is named, in {lost['empty']} there is no training tracklet"
        )
