"""Stage: how right people's attributes are, where the truth is known."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.supervision.attribute_labels import quality
from weakreid.supervision.attribute_pictures import label_matrix
from weakreid.supervision.ratios import positive_ratios


def main(
    labels: Path,
    truth: Path,
    tracklets: Annotated[Path, "of a split: who trains"],
    pictures: Annotated[Path, "of the source: its positive ratios"],
    out: Path,
) -> None:
    """Compare labels with the truth, for training persons and for the others."""
    asked, true = (
        (schemas.read_frame(path, "attribute_labels"), schemas.read_params(path)["attributes"])
        for path in (labels, truth)
    )
    rows = schemas.read_frame(tracklets, "tracklets", ["person_id", "role"])
    training = set(rows.loc[rows["role"] == "train", "person_id"].tolist())
    shown = schemas.read_frame(pictures, "pictures", ["split", "labels"])
    names = schemas.read_params(pictures)["attributes"]
    ratios = positive_ratios(label_matrix(shown.loc[shown["split"] == "train", "labels"], names))
    known = dict(zip(names, ratios.tolist(), strict=True))
    write_json(out, quality(asked, true, training, known))
