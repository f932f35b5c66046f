"""Stage: a run's retrieval by the attributes of the people who are looked for."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import MeasureByAttribute
from weakreid.console import say
from weakreid.retrieval.by_attribute import by_attribute


def main(
    rankings: Path,
    labels: Annotated[Path, "attribute labels of the test persons"],
    params: MeasureByAttribute,
    out: Path,
) -> None:
    """Measure the queries of people with and without each attribute."""
    found = by_attribute(
        schemas.read_frame(
            rankings, "rankings", ["protocol", "person_id", "average_precision", "first_match"]
        ),
        schemas.read_frame(labels, "attribute_labels"),
        params.attributes,
        params.min_queries,
    )
    write_json(out, found)
    say(f"{found['queries']} queries, {len(found['attributes'])} attributes")
