"""Stage: a picture of matching examples, fine- and coarse-grained (WL, Fig. 5)."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import Matches
from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.matches import (
    coarse_examples,
    fine_examples,
    matching_examples,
    with_attributes,
)
from weakreid.seeding import numpy_generator


def main(
    rankings: Path,
    tracklets: Path,
    frames: Path,
    coarse: Path,
    images: Path,
    params: Matches,
    fine_out: Path,
    coarse_out: Path,
    votes: Annotated[
        Path | None, "attributes of the tracklets, seen with params' threshold"
    ] = None,
) -> None:
    """Draw some queries, picked at random, and the items nearest to them."""
    table = schemas.read_frame(rankings, "rankings")
    distance = f"{schemas.read_params(rankings)['metric']} distance"
    people = schemas.read_frame(tracklets, "tracklets").set_index("tracklet_id")
    rows = schemas.read_frame(frames, "frames")
    person_of = rows.set_index("image")["tracklet_id"].map(people["person_id"])
    of_tracklet = rows.groupby("tracklet_id")["image"].agg(list).to_dict()
    of_bag = schemas.read_frame(coarse, "bags").set_index("bag_id")
    picked = _picked(table, "fine", params)
    fine = fine_examples(picked, people, of_tracklet, params.items)
    if votes is not None:
        if params.threshold is None:
            raise ReidError("--votes needs a threshold in --params, from which an attribute counts")
        voted = schemas.read_frame(votes, "attribute_votes", ["tracklet_id", "probabilities"])
        of_votes = dict(zip(voted["tracklet_id"], voted["probabilities"], strict=True))
        names = schemas.read_params(votes)["attributes"]
        fine = with_attributes(fine, picked, of_votes, names, params.threshold)
    rough = coarse_examples(_picked(table, "coarse", params), of_bag, person_of, params.items)
    with ImageStore(images) as store:
        for path, lines, name in (
            (fine_out, fine, "queries and the nearest tracklets (fine-grained)"),
            (coarse_out, rough, "probes and the nearest videos (coarse-grained)"),
        ):
            figure = matching_examples(
                lines, figures.images_of(store), f"{params.experiment}: {name}", distance
            )
            figures.save(figure, path)


def _picked(table: pd.DataFrame, protocol: str, how: Matches) -> list[dict[str, Any]]:
    """Return the rankings of some queries that have a match, picked at random."""
    chosen = table[(table["protocol"] == protocol) & (table["first_match"] > 0)]
    if chosen.empty:
        raise ReidError(f"no {protocol} query has a match in the gallery: there is nothing to show")
    generator = numpy_generator(how.seed, "matches", protocol)
    places = generator.choice(len(chosen), min(how.queries, len(chosen)), replace=False)
    return chosen.iloc[np.sort(places)].to_dict("records")  # type: ignore[return-value]
