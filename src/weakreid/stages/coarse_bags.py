"""Stage: the coarse test set, probes and gallery bags."""

from pathlib import Path

from weakreid.artifacts import schemas
from weakreid.config.params import MakeCoarse
from weakreid.console import say
from weakreid.supervision import bags


def main(tracklets: Path, frames: Path, params: MakeCoarse, out: Path) -> None:
    """Write a split's probes and gallery bags."""
    made = bags.coarse_bags(
        schemas.read_frame(tracklets, "tracklets"),
        schemas.read_frame(frames, "frames"),
        seed=params.seed,
        tracklets_per_bag=params.tracklets_per_bag,
        max_frames=params.max_frames,
    )
    schemas.write(out, "bags", made, params.model_dump(mode="json"))
    counts = made["role"].value_counts()
    say(f"{counts.get('probe', 0)} probes, {counts.get('gallery', 0)} gallery bags")
