"""Stage: which tracklets are trained on and which are searched, in one split of a dataset."""

from pathlib import Path

from weakreid.artifacts import schemas
from weakreid.config.params import Split
from weakreid.console import warn
from weakreid.datasets import splits


def main(tracklets: Path, partitions: Path, params: Split, out: Path) -> None:
    """Write the tracklets of a split: official, dev (training identities only) or a number."""
    rows = schemas.read_frame(tracklets, "tracklets")
    if (dev := params.dev) is not None:
        fraction = dev.validation_fraction
        chosen = splits.development(rows, seed=dev.seed, name="dev", fraction=fraction)
    else:
        number = 0 if params.split == "official" else int(params.split)
        chosen = splits.official(rows, schemas.read_frame(partitions, "partitions"), number)
    if not splits.measurable(chosen):
        warn(
            f"{out.parent}: no query has a tracklet of its person in the gallery from another "
            "camera, so what is trained on this split cannot be measured"
        )
    schemas.write(out, "tracklets", chosen, params.model_dump(mode="json"))
