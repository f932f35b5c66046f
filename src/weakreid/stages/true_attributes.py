"""Stage: the true attributes of a dataset's people, a row per person and attribute."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.supervision.attribute_labels import majority_labels, true_labels


def main(
    annotation: Annotated[Path, "generated people's, or what others ticked"], out: Path
) -> None:
    """Write the same table as the stage attribute_labels does, from the truth."""
    held = schemas.read_frame(annotation, "annotation", ["file", "person_id", "labels"])
    said = schemas.read_params(annotation)
    attributes = said["attributes"]
    # who was generated has one truth; those who look at people differ
    made = (true_labels if said["kind"] == "walkers" else majority_labels)(held, attributes)
    schemas.write(out, "attribute_labels", made, {"attributes": attributes})
