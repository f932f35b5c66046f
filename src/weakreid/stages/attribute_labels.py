"""Stage: every person's attributes, by the votes of their frames (ATTR Eqs. 9 and 10)."""

from pathlib import Path

from weakreid.artifacts import schemas
from weakreid.config.params import LabelAttributes
from weakreid.supervision.attribute_labels import voted_labels


def main(votes: Path, params: LabelAttributes, out: Path) -> None:
    """Write a row per person and attribute."""
    held = schemas.read_frame(votes, "attribute_votes")
    attributes = schemas.read_params(votes)["attributes"]
    made = voted_labels(held, attributes, params.threshold)
    said = {"attributes": attributes, "threshold": params.threshold}
    schemas.write(out, "attribute_labels", made, said)
