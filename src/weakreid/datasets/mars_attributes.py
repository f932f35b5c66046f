"""Attributes of MARS's people that other people ticked, a row of a CSV table per tracklet.

Its authors publish whole numbers without saying what each means. Shape, sleeves, gender and hair
were settled by looking at fourteen people of every value; colours and ages are documented.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from weakreid.artifacts.csv import read_csv
from weakreid.artifacts.files import read_text
from weakreid.datasets import layout
from weakreid.datasets.annotated import Annotation
from weakreid.errors import ReidError

NAME = "attributes of MARS"
HOW_TO_GET = (
    "get the attribute labels of MARS (Chen et al., 2019) and put mars_attributes.csv there"
)

VALUES: dict[str, int] = {
    "Tops.c": 9,
    "Bottoms.c": 10,
    "Age": 4,
    **dict.fromkeys(
        ["Tops.l", "Bottoms.l", "Bottoms.t", "shoulder bag", "backpack", "hat", "handbag"], 2
    ),
    "hair": 2,
    "gender": 2,
}
"""Column: how many values it has, counted from 0."""

_TOPS = ("Black", "Purple", "Green", "Blue", "Gray", "White", "Yellow", "Red", "Mixture")
# 1, 5 and 7 are purple, pink and brown, which RAP's names of trousers and skirts lack
_BOTTOMS = {0: "White", 2: "Black", 3: "Green", 4: "Gray", 6: "Yellow", 8: "Blue", 9: "Mixture"}

TOLD: dict[str, Mapping[str, int]] = {
    "Female": {"gender": 1},
    "AgeLess16": {"Age": 0},
    "Age17-30": {"Age": 1},
    "Age31-45": {"Age": 2},
    "hs-LongHair": {"hair": 1},
    "hs-Hat": {"hat": 1},
    "ub-ShortSleeve": {"Tops.l": 1},
    **{f"up-{colour}": {"Tops.c": value} for value, colour in enumerate(_TOPS)},
    "lb-LongTrousers": {"Bottoms.l": 0, "Bottoms.t": 1},
    **{f"low-{colour}": {"Bottoms.c": value} for value, colour in _BOTTOMS.items()},
    "attach-Backpack": {"backpack": 1},
    "attach-SingleShoulderBag": {"shoulder bag": 1},
    "attach-HandBag": {"handbag": 1},
}
"""Attribute, by RAP's name: the value of each column that says so. The rest is not told."""

_PLACE = ("person-id", "camera", "tracklet")


def read(root: Path, *, annotation: str) -> Annotation:
    """Read the table; no image is needed.

    Args:
        root: the folder that holds it.
        annotation: its name, relative to `root`.

    Returns:
        the annotation, a row per tracklet in the table's order; file is person/camera/tracklet,
        split says nothing ("train"), and persons have MARS's numbers.

    Raises:
        ReidError: the table is missing or damaged, lacks a column, tells of a tracklet twice,
            or a value is none of its column's.
    """
    root = Path(root)
    layout.require(root, (annotation,), NAME, HOW_TO_GET)
    path = root / annotation
    text = read_text(path, "a table of attributes", HOW_TO_GET)
    try:
        table = read_csv(text, dtype=str)
    except ValueError as error:
        raise ReidError(f"{path}: no table ({str(error).strip()}); {HOW_TO_GET}") from error
    if lacking := [name for name in (*_PLACE, *VALUES) if name not in table.columns]:
        raise ReidError(f"{path}: no column {layout.name_some(lacking)}; {HOW_TO_GET}")
    if table.empty:
        raise ReidError(f"{path}: no tracklet is in it; {HOW_TO_GET}")
    numbers = {name: _whole(table[name], 10**6, path) for name in _PLACE}
    values = {name: _whole(table[name], count, path) for name, count in VALUES.items()}
    labels = np.stack(
        [
            np.logical_and.reduce([values[column] == value for column, value in of.items()])
            for of in TOLD.values()
        ],
        axis=1,
    )
    places = np.stack(list(numbers.values()), axis=1).tolist()
    again = np.flatnonzero(pd.DataFrame(numbers).duplicated())
    if len(again):
        place = "/".join(map(str, places[again[0]]))
        raise ReidError(
            f"{path}: row {again[0] + 2}: person/camera/tracklet {place} is there twice; "
            f"{HOW_TO_GET}"
        )
    return Annotation(
        tuple(TOLD),
        ["/".join(map(str, place)) for place in places],
        ["train"] * len(table),
        numbers["person-id"].astype(np.int32),
        labels.astype(np.int8),
    )


def _whole(column: pd.Series, count: int, path: Path) -> np.ndarray:
    """Return a column as whole numbers from 0, below `count`."""
    number = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~((number >= 0) & (number < count) & (number == np.floor(number))))
    if len(wrong):
        raise ReidError(
            f"{path}: row {wrong[0] + 2}: {column.name} is '{column.iloc[wrong[0]]}', not a whole "
            f"number from 0 to {count - 1}; {HOW_TO_GET}"
        )
    return number.astype(np.int64)
