"""Stage: which tracklets show the same person, as a table and as a contact sheet."""

from pathlib import Path
from typing import Annotated

import pandas as pd

from weakreid.artifacts import schemas
from weakreid.artifacts.files import replacing
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import Identities
from weakreid.console import say
from weakreid.report import figures
from weakreid.report.identities import contact_sheet, identity_table, sheet_rows, summary


def main(
    clusters: Path,
    tracks: Annotated[Path, "the tracklets that the training had"],
    frames: Path,
    images: Path,
    params: Identities,
    out: Annotated[Path, "CSV, a row per tracklet"],
    sheet: Annotated[Path, "PNG, a row per identity"],
) -> None:
    """Write the identities of a training's last association."""
    held = schemas.read_frame(tracks, "tracks")
    file_of = schemas.read_frame(frames, "frames", ["image", "file"]).set_index("image")["file"]
    found = identity_table(
        schemas.read_frame(clusters, "clusters"), held, file_of, tracked=params.tracked
    )
    shown = sheet_rows(found, held, rows=params.rows, images=params.images)
    with ImageStore(images) as store:
        figure = contact_sheet(
            shown,
            figures.images_of(store),
            f"{params.experiment}: who is who; {summary(found)}{_of_all(found, len(shown))}",
        )
    with replacing(out) as aside:
        found.to_csv(aside, index=False, lineterminator="\n")
    figures.save(figure, sheet)
    say(summary(found))


def _of_all(table: pd.DataFrame, shown: int) -> str:
    """Say that not all identities are on the sheet, where that is so."""
    count = table["identity"].nunique()
    return f" (shown: the {shown} of most frames)" if shown < count else ""
