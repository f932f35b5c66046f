"""Stage: labels of training tracklets that a method may see."""

from pathlib import Path

from weakreid.artifacts import schemas
from weakreid.config.params import LabelTracklets
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.supervision import tracklet_labels


def main(tracks: Path, params: LabelTracklets, out: Path) -> None:
    """Label the tracklets of a table "tracks" as an annotator would."""
    columns = ["tracklet_id", "camera_id", "truth_person_id"]
    rows = schemas.read_frame(tracks, "tracks", columns, truth=True)
    ids = rows["tracklet_id"].unique()
    if not len(ids) or sorted(ids) != list(range(len(ids))):
        raise ReidError(
            f"{tracks}: {len(ids)} tracklets, not numbered from 0 on; run the stage that makes it"
        )
    found = getattr(tracklet_labels, params.supervision)(rows)
    schemas.write(out, "tracklet_labels", found, params.model_dump(mode="json"))
    classes = found["label"].max() + 1
    say(f"{(found['label'] >= 0).sum()} of {len(found)} tracklets labelled, {classes} classes")
