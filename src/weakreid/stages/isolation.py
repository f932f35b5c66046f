"""Stage: tracklets cut into smaller ones that show one person each (TMC, section 3.2)."""

import time
from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.clustering.isolation import isolate, isolate_by_truth, isolation_quality, spread
from weakreid.config.params import Isolate
from weakreid.console import say, warn
from weakreid.retrieval.feature_table import read_features

_TRUTH = "truth_person_id"
MANY = 2.0
"""Pieces per tracklet that more than the usual switches of a tracker would have to explain."""


def main(
    tracks: Path,
    features: Annotated[Path, "of every frame of the tracks"],
    params: Isolate,
    threads: int,
    out: Path,
    report: Annotated[Path, "JSON: before and after, against the truth"],
) -> None:
    """Isolate people within tracklets; the truth is read only afterwards, to measure.

    With `truth` it is what cuts.
    """
    rows = schemas.read_frame(tracks, "tracks")
    extracted = read_features(features, rows["image"].to_numpy())
    started = time.monotonic()
    if params.truth:
        cut = isolate_by_truth(schemas.read_frame(tracks, "tracks", truth=True))
    else:
        cut = isolate(rows, extracted, params, threads=threads)
    seconds = time.monotonic() - started
    before = schemas.read_frame(tracks, "tracks", truth=True)
    after = cut.assign(**{_TRUTH: cut["image"].map(before.set_index("image")[_TRUTH])})
    quality = isolation_quality(before, after)
    dumped = params.model_dump(mode="json")
    schemas.write(out, "tracks", after, dumped)
    write_json(report, {"params": dumped, **quality})
    old, new = quality["before"], quality["after"]
    say(
        f"{old['tracklets']} tracklets became {new['tracklets']}, {quality['kept']:.1f} % of "
        f"frames kept ({len(rows) / max(seconds, 1e-9):,.0f} frames/s)"
    )
    pieces = new["tracklets"] / old["tracklets"]
    if pieces > MANY:
        warn(
            f"isolation makes {new['tracklets']} pieces of {old['tracklets']} tracklets, "
            f"{pieces:.1f} of each; whether it cuts between people, {out.stem}_preview.png shows"
        )
    if old["purity"] is not None:
        say(
            f"purity {old['purity']:.2f} to {new['purity']:.2f} %, impurity "
            f"{old['impurity']:.2f} to {new['impurity']:.2f} %"
        )
    if old["tracklets"] == new["tracklets"]:
        say(f"eps {params.eps} cut no tracklet: {len(rows)} frames, {spread(rows, extracted)}")
