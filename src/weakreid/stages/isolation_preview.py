"""Stage: what isolation would do to a dataset's tracklets, as a page and a picture."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import read_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.clustering.isolation import isolation_quality
from weakreid.config.params import ShowIsolation
from weakreid.console import say
from weakreid.report import figures, pages
from weakreid.report.identities import track_of
from weakreid.report.isolation_preview import cuts, headline, lines, page, sheet


def main(
    tracks: Annotated[Path, "before isolation"],
    isolated: Annotated[Path, "after it"],
    images: Path,
    params: ShowIsolation,
    markdown: Path,
    picture: Path,
    frames: Annotated[
        Path | None, "of a tracker's dataset, whose files are SEQUENCE/TRACK/..."
    ] = None,
    rates: Annotated[Path | None, "of the tracker, against ground truth"] = None,
) -> None:
    """Write what is cut, and show it; the truth, where there is any, is measured against alone."""
    before = schemas.read_frame(tracks, "tracks", truth=True)
    after = schemas.read_frame(isolated, "tracks", truth=True)
    table = cuts(before, after)
    quality = isolation_quality(before, after)
    names = {name: f"tracklet {name}" for name in table["tracklet_id"].tolist()}
    if frames is not None:
        files = schemas.read_frame(frames, "frames", ["image", "file"])
        file_of = files.set_index("image")["file"]
        first = before.groupby("tracklet_id")["image"].first()
        names = {name: " ".join(track_of(file_of[image])) for name, image in first.items()}
    rsw, whose = quality["before"]["rsw"], "by the truth of this dataset"
    if rates is not None:
        rsw, whose = read_json(rates, ["pooled"])["pooled"]["rsw"], f"by {rates}"
    text = page(params.title, table, quality, names, rsw=rsw, whose=whose)
    cut, whole = lines(table, before, after, names, count=params.tracklets, seed=params.seed)
    said = headline(table)
    with ImageStore(images) as store:
        figure = sheet(
            cut,
            whole,
            figures.images_of(store),
            "\n".join([f"Isolation before training: {params.title}", *said.split("; ")]),
        )
    figures.save(figure, picture)
    pages.write(markdown, text)
    say(said)
