"""Stage: a picture of matching examples, fine- and coarse-grained (WL, Fig. 5)."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from weakreid import tables
from weakreid.console import run_stage
from weakreid.images import ImageStore
from weakreid.report import figures
from weakreid.report.matches import Item, matching_examples
from weakreid.seeding import numpy_generator

_HEIGHT, _WIDTH = 128, 64
_FRAMES_OF_TRACKLET, _FRAMES_OF_BAG = 4, 8


def main(
    rankings: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option()],
    frames: Annotated[Path, typer.Option()],
    coarse: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option()],
    fine_out: Annotated[Path, typer.Option()],
    coarse_out: Annotated[Path, typer.Option()],
) -> None:
    """Draw some queries, picked at random, and the items nearest to them."""
    block = json.loads(params)
    table = tables.read_frame(rankings, "rankings")
    table = table[table["first_match"] > 0]
    people = tables.read_frame(tracklets, "tracklets").set_index("tracklet_id")["person_id"]
    rows = tables.read_frame(frames, "frames")
    frames_of = rows.groupby("tracklet_id")["image"].agg(list)
    person_of = rows.set_index("image")["tracklet_id"].map(people)
    bags = tables.read_frame(coarse, "bags").set_index("bag_id")
    count, items = block["queries"], block["items"]

    def picked(protocol: str) -> pd.DataFrame:
        chosen = table[table["protocol"] == protocol]
        generator = numpy_generator(block["seed"], "matches", protocol)
        places = generator.choice(len(chosen), min(count, len(chosen)), replace=False)
        return chosen.iloc[np.sort(places)]

    fine = [
        [
            Item(f"query: person {row.person_id}", _spread(frames_of[row.query], 4)),
            *(
                Item(f"tracklet {name}", _spread(frames_of[name], _FRAMES_OF_TRACKLET), bool(match))
                for name, match in list(zip(row.gallery, row.matches, strict=True))[:items]
            ),
        ]
        for row in picked("fine").itertuples()
    ]
    rough = []
    for row in picked("coarse").itertuples():
        line = [Item(f"probe: person {row.person_id}", _spread(bags.loc[row.query, "frames"], 4))]
        found = zip(row.gallery, row.matches, row.frames, strict=True)
        for name, match, nearest in list(found)[:items]:
            shown = _spread(bags.loc[name, "frames"], _FRAMES_OF_BAG, keep=int(nearest))
            marked = frozenset(frame for frame in shown if person_of[frame] == row.person_id)
            line.append(Item(f"bag {name}", shown, bool(match), marked, int(nearest)))
        rough.append(line)
    with ImageStore(images) as store:

        def picture(frame: int) -> np.ndarray:
            return store.batch([frame], _HEIGHT, _WIDTH)[0]

        experiment = block["experiment"]
        for path, lines, name in ((fine_out, fine, "tracklets"), (coarse_out, rough, "bags")):
            title = f"{experiment}: queries and the nearest {name}"
            figures.save(matching_examples(lines, picture, title), path)


def _spread(frames: "list[int]", count: int, keep: int | None = None) -> list[int]:
    """Return `count` frames evenly spread over those given, with `keep` among them."""
    frames = [int(frame) for frame in frames]
    places = np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    shown = [frames[place] for place in places]
    if keep is not None and keep not in shown:
        nearest = int(np.abs(places - frames.index(keep)).argmin())
        shown[nearest] = keep
    return shown


if __name__ == "__main__":
    run_stage(main)
