"""Stage: labels of training tracklets that a method may see."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import LabelTracklets
from weakreid.console import run_stage, say
from weakreid.supervision import tracklet_labels


def main(
    tracks: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Label the tracklets of a table "tracks" as an annotator would."""
    how = LabelTracklets.parse(params)
    columns = ["tracklet_id", "camera_id", "truth_person_id"]
    rows = schemas.read_frame(tracks, "tracks", columns, truth=True)
    label = getattr(tracklet_labels, how.supervision)
    found = label(rows)
    schemas.write(out, "tracklet_labels", found, how.model_dump(mode="json"))
    classes = found["label"].max() + 1
    say(f"{(found['label'] >= 0).sum()} of {len(found)} tracklets labelled, {classes} classes")


if __name__ == "__main__":
    run_stage(main)
