"""Stage: how right people's attributes are, where the truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid import tables
from weakreid.console import run_stage
from weakreid.files import write_json
from weakreid.supervision.attribute_labels import quality
from weakreid.supervision.attribute_lessons import label_matrix
from weakreid.supervision.ratios import positive_ratios


def main(
    labels: Annotated[Path, typer.Option()],
    truth: Annotated[Path, typer.Option()],
    tracklets: Annotated[Path, typer.Option(help="of a split: who trains")],
    pictures: Annotated[Path, typer.Option(help="of the source: its positive ratios")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Compare labels with the truth, for training persons and for the others."""
    asked, true = (
        (tables.read_frame(path, "attribute_labels"), tables.read_params(path)["attributes"])
        for path in (labels, truth)
    )
    rows = tables.read_frame(tracklets, "tracklets", ["person_id", "split"])
    training = set(rows.loc[rows["split"] == "train", "person_id"].tolist())
    shown = tables.read_frame(pictures, "pictures", ["split", "labels"])
    names = tables.read_params(pictures)["attributes"]
    ratios = positive_ratios(label_matrix(shown.loc[shown["split"] == "train", "labels"], names))
    known = dict(zip(names, ratios.tolist(), strict=True))
    write_json(out, quality(asked, true, training, known))


if __name__ == "__main__":
    run_stage(main)
