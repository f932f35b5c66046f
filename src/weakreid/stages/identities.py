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
from weakreid.report.identities import (
    contact_sheet,
    identity_table,
    sheet_rows,
    summary,
    with_links,
)
from weakreid.retrieval.calibration import nearest_of_its_own, read_calibration, with_probability
from weakreid.retrieval.feature_table import open_features
from weakreid.retrieval.protocols import tracklet_descriptors


def main(
    clusters: Path,
    tracks: Annotated[Path, "the tracklets that the training had"],
    frames: Path,
    images: Path,
    params: Identities,
    out: Annotated[Path, "CSV, a row per tracklet"],
    sheet: Annotated[Path, "PNG, a row per identity"],
    features: Annotated[Path, "of the tracks"],
    calibration: Annotated[Path, "what their distances mean"],
) -> None:
    """Write the identities of a training's last association."""
    held = schemas.read_frame(tracks, "tracks")
    file_of = schemas.read_frame(frames, "frames", ["image", "file"]).set_index("image")["file"]
    labels = schemas.read_frame(clusters, "clusters").set_index("tracklet_id")["label"]
    found = identity_table(labels.reset_index(), held, file_of, tracked=params.tracked)
    found = with_links(found, _links(features, labels, calibration, params))
    shown = sheet_rows(found, held, rows=params.rows, images=params.images)
    with ImageStore(images) as store:
        figure = contact_sheet(
            shown,
            figures.images_of(store),
            f"{params.experiment}: who is who; {summary(found)}{_of_all(found, len(shown))}",
        )
    with replacing(out) as aside:
        found.to_csv(aside, index=False, lineterminator="\n", float_format="%.4f")
    figures.save(figure, sheet)
    say(summary(found))


def _links(
    features: Path, labels: "pd.Series[int]", calibration: Path, params: Identities
) -> pd.DataFrame:
    """Return how near, and how likely the same, the nearest tracklet of the identity is."""
    extracted = open_features(features)
    ids, means = tracklet_descriptors(extracted.blocks(), extracted.tracklet_ids)
    apart = nearest_of_its_own(means, labels.loc[ids.tolist()], params.metric)
    found = pd.DataFrame({"tracklet_id": ids, "distance": apart})
    return with_probability(found, read_calibration(calibration))


def _of_all(table: pd.DataFrame, shown: int) -> str:
    """Say that not all identities are on the sheet, where that is so."""
    count = table["identity"].nunique()
    return f" (shown: the first {shown})" if shown < count else ""
