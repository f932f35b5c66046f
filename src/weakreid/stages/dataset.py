"""Stage: a dataset in its official layout becomes tables and a packed image store."""

import importlib
from pathlib import Path
from typing import Annotated, cast

from weakreid.config.params import ReadDataset
from weakreid.console import say
from weakreid.datasets import location, pack
from weakreid.datasets.changes import look
from weakreid.datasets.layout import Reader


def main(
    dataset: str,
    source: Path,
    params: ReadDataset,
    threads: int,
    out: Annotated[Path, "tracklets.parquet; the others go beside it"],
) -> None:
    """Read a dataset with the reader of its kind and pack it."""
    root = location.find(source)
    reader = cast("Reader", importlib.import_module(f"weakreid.datasets.{params.kind}"))
    names = _watched(reader, source, root, params)
    seen = look(root, names, threads)
    reading = reader.read(root, params)
    if names:
        seen.add_some(root, reading.files)
    summary = pack.pack(
        reading,
        root,
        out.parent,
        params.model_dump(mode="json"),
        dataset=dataset,
        on_bad_frame=params.on_bad_frame,
        threads=threads,
    )
    if names:
        seen.add_some(root, [], summary["left_out"])
        seen.save(out.parent / "read" / "dataset.json")
    say(f"{dataset}: " + ", ".join(f"{name} {value}" for name, value in summary.items()))


def _watched(reader: Reader, source: Path, root: Path, how: ReadDataset) -> list[str]:
    """Return what a reader takes and others may change: nothing of what the workflow made."""
    if location.is_beside(root, source):
        return []
    # splits that are drawn are not read
    optional = reader.OPTIONAL if how.split_seed is None else ()
    return [*reader.REQUIRED, *optional]
