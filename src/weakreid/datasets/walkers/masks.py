"""Where generated people are, and what they carry, pixel by pixel.

Where a person is seen is written beside the frames. What is carried (a bag, a trolley, a hat) is
not: those tracklets are drawn once more, and the labels of their pixels looked at on the way. The
code that draws stays as it is, since any change of it would generate every dataset anew.
"""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from weakreid.artifacts.files import read_json
from weakreid.artifacts.schemas import read_foreign
from weakreid.datasets.walkers import layout, render
from weakreid.datasets.walkers.body import parts_of
from weakreid.datasets.walkers.cloth import wraps
from weakreid.datasets.walkers.people import Person
from weakreid.errors import ReidError

CARRIED = frozenset({"bag", "strap", "brim"})
"""Parts of a figure that are carried or worn on the head; a hat's crown is on the head's own."""
SIZE = [field.name for field in fields(layout.Size)]
SAME = 0.99
"""Share of pixels that a person's mask, drawn again, has in common with the written one."""

Mask = NDArray[np.bool_]


def person_masks(root: Path, names: Collection[str]) -> dict[str, Mask]:
    """Return where the person is seen in frames, what is carried included, by the files' names.

    Args:
        root: of a generated dataset.
        names: such as 0001C1T0001F001.jpg.

    Raises:
        ReidError: the masks are not there, or a frame has none.
    """
    found: dict[str, Mask] = {}
    for path in sorted((root / "truth" / "masks").glob("bbox_*.parquet")):
        wanted = [("file", "in", list(names))]
        table = read_foreign(path, "generate the dataset again", filters=wanted)
        for name, png in zip(table["file"].to_pylist(), table["mask"].to_pylist(), strict=True):
            levels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
            found[name] = np.asarray(levels, np.uint8) > 127
    lacking = [name for name in names if name not in found]
    if lacking:
        raise ReidError(
            f"{root}: {lacking[0]} has no mask in its truth ({len(lacking)} such frames); give the "
            "generated folder of the dataset that the frames are of"
        )
    return found


def carried_masks(root: Path, seen: dict[str, Mask]) -> dict[str, Mask]:
    """Return where what is carried is seen in frames, by the files' names.

    Args:
        root: of a generated dataset.
        seen: where the person is, of `person_masks`.

    Raises:
        ReidError: the dataset does not say how it was made, or is made otherwise now.
    """
    about = read_json(root / "truth" / "parameters.json", ["seed", "style", *SIZE])
    seed, style = about["seed"], about["style"]
    size = layout.Size(**{name: about[name] for name in SIZE})
    planned, _ = layout.plan(size, seed=seed)
    found: dict[str, Mask] = {}
    for item in planned:
        files = item.files()
        if not seen.keys() & set(files):
            continue
        with _labels(item.person, size.height, size.width) as drawn:
            layout.rendered(item, seed, style, size.height, size.width)
        for name, (person, carried) in zip(files, drawn, strict=True):
            if name not in seen:
                continue
            if person.shape != seen[name].shape or (person == seen[name]).mean() < SAME:
                raise ReidError(
                    f"{root}: {name} drawn again is another picture; the code that draws changed "
                    "since, generate the dataset again"
                )
            found[name] = carried & seen[name]
    return found


@contextlib.contextmanager
def _labels(person: Person, height: int, width: int) -> Iterator[list[tuple[Mask, Mask]]]:
    """Note, of every frame drawn inside, where the person is seen and where what is carried.

    A label is a part's place in the person's list, from 1; what is behind or before the person has
    larger ones. Instead of being painted, the labelled pixels are looked at.
    """
    parts = parts_of(person)
    carried = np.zeros(256, bool)
    carried[1 : len(parts) + 1] = [part.name in CARRIED for part in parts]
    head = 1 + next(place for place, part in enumerate(parts) if part.name == "head")
    of_hat = hat_rows(person)
    found: list[tuple[Mask, Mask]] = []

    class Looking(render._Coefficients):
        def paint(self, picture: Any, labels: NDArray[Any], gap_x: int, gap_y: int) -> None:
            on_person = (labels > 0) & (labels <= len(parts))
            on_carried = carried[labels]
            y, x = np.nonzero(labels == head)
            row = self.table[3, head] * x + self.table[4, head] * y + self.table[5, head]
            on_carried[y, x] = of_hat[np.clip(row, 0, len(of_hat) - 1).astype(int)]
            found.append((_small(on_person, height, width), _small(on_carried, height, width)))

    before = render._Coefficients
    render._Coefficients = Looking  # type: ignore[misc]
    try:
        yield found
    finally:
        render._Coefficients = before  # type: ignore[misc]


def hat_rows(person: Person) -> Mask:
    """Return which rows of the head's texture a hat covers [48], from the crown down."""
    bare = wraps(replace(person, hat="none"))["head"]
    found: Mask = (wraps(person)["head"] != bare).any(axis=(1, 2))
    return found


def _small(mask: Mask, height: int, width: int) -> Mask:
    """Return a mask as large as the written frame, as the renderer makes it so."""
    levels = mask.astype(np.uint8) * 255
    if levels.shape != (height, width):
        small = cv2.resize(levels, (width, height), interpolation=cv2.INTER_AREA)
        levels = np.asarray(small, np.uint8)
    return levels > 127
