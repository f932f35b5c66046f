"""Stage: training bags with video-level labels."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.config.params import MakeBags
from weakreid.console import say
from weakreid.supervision import bags
from weakreid.supervision.planted import plant


def main(
    tracklets: Path,
    frames: Path,
    params: MakeBags,
    out: Path,
    tracks: Annotated[Path | None, "noisy tracklets, to make the bags of instead"] = None,
) -> None:
    """Write the training bags of a split."""
    made = bags.training_bags(
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames"),
        seed=params.seed,
        tracklets_per_bag=params.tracklets_per_bag,
        tracklet_parts=params.tracklet_parts,
        max_frames=params.max_frames,
        missing=params.missing,
        majority=params.majority,
        tracks=None if tracks is None else schemas.read_frame(tracks, "tracks", truth=True),
    )
    if params.noisy_parts is not None:
        made = bags.noisy_tracking(made, seed=params.seed, parts=params.noisy_parts)
    if (planted := params.planted) is not None:
        made = plant(made, seed=params.seed, removed=planted.removed, added=planted.added)
    schemas.write(out, "bags", made, params.model_dump(mode="json"))
    counts = made["labels"].explode().value_counts()
    once = int((counts == 1).sum())
    # what CPAL cannot learn from, and MIL hardly
    say(f"{len(made)} training bags of {len(counts)} people, {once} of them in one bag only")
