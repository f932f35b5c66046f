"""Stage: a tracker's output and its frames become crops and tables of tracklets."""

import itertools
from pathlib import Path
from typing import Annotated

from weakreid.config.datasets import Tracked
from weakreid.config.params import Crops
from weakreid.console import say, tell
from weakreid.datasets import crops, location
from weakreid.datasets.changes import look
from weakreid.datasets.layout import list_names


def main(
    dataset: Annotated[str, "its name"],
    params: Crops,
    root: Annotated[Path, "the folder of crops to make"],
    picture: Annotated[Path, "the sheet to look at, PNG"],
    out: Path,
) -> None:
    """Cut the boxes of every track out of its frames."""
    data = Path(params.root)
    seen = look(data, _read(params))
    for folder in sorted({item.frames for item in params.sequences if item.frames}):
        seen.add_some(data, [f"{folder}/{name}" for name in sorted(list_names(data / folder))])
    counts = crops.make(root, params, sheet=picture, title=dataset)
    location.note(out, root)
    seen.save(out.parent / "read" / "crops.json")
    say("crops: " + ", ".join(f"{name} {value}" for name, value in counts.items()))
    tell(
        f"{dataset}: {counts['tracklets']:,} tracklets, {counts['crops']:,} crops. Look at"
        f" {picture} before you go on: do the boxes lie on people?"
    )


def _read(how: Tracked) -> list[str]:
    """Return all files and folders that are read, each once."""
    of_sequences = ((of.boxes, of.video, of.frames, of.truth) for of in how.sequences)
    return list(dict.fromkeys(filter(None, [how.names, *itertools.chain(*of_sequences)])))
