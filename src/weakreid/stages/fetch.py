"""Stage: a distributed dataset comes into its place, or is found there."""

import importlib
from pathlib import Path

from weakreid.config.params import Fetch
from weakreid.datasets import location
from weakreid.datasets.obtain import bring


def main(dataset: str, params: Fetch, lock: Path, out: Path) -> None:
    """Fetch and unpack a dataset's archives, and check that its reader finds what it needs."""
    root = Path(params.root)
    reader = importlib.import_module(f"weakreid.datasets.{params.kind}")
    bring(
        params.archives,
        root,
        lock,
        required=reader.REQUIRED if params.required is None else params.required,
        optional=reader.OPTIONAL if params.optional is None else params.optional,
        dataset=dataset,
        how_to_get=reader.HOW_TO_GET,
    )
    location.note(out, root)
