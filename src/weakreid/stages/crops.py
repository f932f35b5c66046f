"""Stage: a tracker's output and its frames become crops and tables of tracklets."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from weakreid.console import run_stage, say, tell
from weakreid.datasets import crops, location
from weakreid.datasets.changes import look
from weakreid.datasets.layout import list_names


def main(
    dataset: Annotated[str, typer.Option(help="its name")],
    params: Annotated[str, typer.Option()],
    root: Annotated[Path, typer.Option(help="the folder of crops to make")],
    picture: Annotated[Path, typer.Option(help="the sheet to look at, PNG")],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Cut the boxes of every track out of its frames."""
    block = json.loads(params)
    data, sequences = Path(block.pop("root")), block.pop("sequences")
    seen = look(data, _read(sequences, block.get("names")))
    for folder in sorted({item["frames"] for item in sequences if item.get("frames")}):
        seen.add_some(data, [f"{folder}/{name}" for name in sorted(list_names(data / folder))])
    counts = crops.make(root, data, sequences, sheet=picture, title=dataset, **block)
    location.note(out, root)
    seen.save(out.parent / "read" / "crops.json")
    say("crops: " + ", ".join(f"{name} {value}" for name, value in counts.items()))
    tell(
        f"{dataset}: {counts['tracklets']:,} tracklets, {counts['crops']:,} crops. Look at"
        f" {picture} before you go on: do the boxes lie on people?"
    )


def _read(sequences: Sequence[Mapping[str, Any]], names: str | None) -> list[str]:
    """Return all files and folders that are read, each once."""
    kinds = ("boxes", "video", "frames", "truth")
    found = [names, *(item.get(kind) for item in sequences for kind in kinds)]
    return list(dict.fromkeys(filter(None, found)))


if __name__ == "__main__":
    run_stage(main)
