"""RAP in its official layout: RAP_dataset/*.png and RAP_annotation/RAP_annotation.mat.

The annotation is one MATLAB structure: `imagesname`, `identity`, `label` (a row per image, a
column per attribute; 0, 1, or 2 where the labeller left it open), `attribute_eng` (the columns'
names) and `partion`, five random splits with rows counted from 1.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from weakreid.attributes import NAMES, UNSURE
from weakreid.datasets import layout, matlab
from weakreid.datasets.annotated import Annotation
from weakreid.errors import ReidError

NAME = "RAP"
HOW_TO_GET = (
    "ask for RAP (the first version, 41,585 images) at http://www.rapdataset.com/ and unpack its"
    " folders RAP_dataset and RAP_annotation there"
)

_OPEN = 2  # RAP's own word for "left open"
_STRUCTURE = "RAP_annotation"
_AGAIN = matlab.OFFICIAL


def read(root: Path, *, annotation: str, partition: int) -> Annotation:
    """Read RAP's annotation; no image is needed.

    Args:
        root: the folder that holds RAP_annotation.
        annotation: the MATLAB file, relative to `root`.
        partition: 1 to 5, which of the random splits says what is train and what test.

    Returns:
        the annotation of `weakreid.attributes.NAMES`, rows in the order of the file's table, files
        relative to RAP_dataset.

    Raises:
        ReidError: the file is missing or damaged, its fields do not fit each other, it lacks an
            attribute, or a label is none of 0, 1 and 2.
    """
    root = Path(root)
    layout.require(root, (annotation,), NAME, HOW_TO_GET)
    path = root / annotation
    held = _load(path)
    names = _texts(held, "attribute_eng", path)
    files = _texts(held, "imagesname", path)
    labels = _whole(held["label"], "label", path)
    if labels.ndim != 2 or labels.shape != (len(files), len(names)):
        raise ReidError(
            f"{path}: label is {_by(labels.shape)}, but there are {len(files)} imagesname and"
            f" {len(names)} attribute_eng; {_AGAIN}"
        )
    identity = _whole(held["identity"], "identity", path).ravel()
    if len(identity) != len(files):
        raise ReidError(f"{path}: {len(identity)} identity for {len(files)} imagesname; {_AGAIN}")
    _check_files(files, path)
    taken = labels[:, [_column(name, names, path) for name in NAMES]]
    _check_labels(taken, files, path)
    return Annotation(
        NAMES,
        files,
        _split(held["partion"], partition, len(files), path),
        np.where(identity < 0, -1, identity).astype(np.int32),
        np.where(taken == _OPEN, UNSURE, taken).astype(np.int8),
    )


def _load(path: Path) -> dict[str, Any]:
    """Return the fields of the structure, as scipy gives them."""
    structure = matlab.read_structure(path, _STRUCTURE)
    fields = structure.dtype.names if structure is not None else None
    lacking = [
        name
        for name in ("partion", "label", "attribute_eng", "imagesname", "identity")
        if name not in (fields or ())
    ]
    if structure is None or structure.size != 1 or lacking:
        what = f"no field {layout.name_some(lacking)}" if fields else f"no structure {_STRUCTURE}"
        raise ReidError(f"{path}: {what}; {_AGAIN}")
    return {name: structure[name].item() for name in fields or ()}


def _whole(value: object, name: str, path: Path) -> npt.NDArray[np.int64]:
    array = np.asarray(value)
    whole = array.dtype.kind in "biuf" and array.size > 0
    if not whole or not (np.isfinite(array) & (array == np.floor(array))).all():
        raise ReidError(f"{path}: {name} does not hold whole numbers; {_AGAIN}")
    return array.astype(np.int64)


def _texts(held: dict[str, Any], name: str, path: Path) -> list[str]:
    """Return a cell array of texts."""
    cells = np.asarray(held[name]).ravel()
    texts = []
    for number, cell in enumerate(cells.tolist(), 1):
        text = np.asarray(cell)
        if text.dtype.kind != "U" or text.size != 1 or not text.item().strip():
            raise ReidError(f"{path}: row {number} of {name} is not a text; {_AGAIN}")
        texts.append(text.item().strip())
    if not texts:
        raise ReidError(f"{path}: {name} is empty; {_AGAIN}")
    return texts


def _by(shape: Sequence[int]) -> str:
    return " x ".join(str(size) for size in shape)


def _check_files(files: Sequence[str], path: Path) -> None:
    seen: dict[str, int] = {}
    for row, file in enumerate(files, 1):
        if file in seen:
            raise ReidError(
                f"{path}: imagesname {file} stands in rows {seen[file]} and {row}; {_AGAIN}"
            )
        if "/" in file or "\\" in file or file in (".", ".."):
            raise ReidError(f"{path}: imagesname '{file}' (row {row}) is no file's name; {_AGAIN}")
        seen[file] = row


def _column(attribute: str, names: Sequence[str], path: Path) -> int:
    if names.count(attribute) == 1:
        return names.index(attribute)
    if attribute in names:
        raise ReidError(f"{path}: attribute_eng has {attribute} twice; {_AGAIN}")
    # the nearest names whatever the case, as they stand in the table
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(attribute.lower(), by_lower, n=3)
    nearest = ", ".join(by_lower[name] for name in close) or layout.name_some(names)
    raise ReidError(
        f"{path}: no attribute is called '{attribute}'; the nearest of its {len(names)} are"
        f" {nearest}; correct the name, or {_AGAIN}"
    )


def _check_labels(labels: npt.NDArray[np.int64], files: Sequence[str], path: Path) -> None:
    wrong = np.argwhere((labels < 0) | (labels > _OPEN))
    if len(wrong):
        row, column = wrong[0]
        raise ReidError(
            f"{path}: {NAMES[column]} of {files[row]} (row {row + 1}) is"
            f" {labels[row, column]}, none of 0, 1 and {_OPEN} (unsure); {len(wrong)} such labels,"
            f" {_AGAIN}"
        )


def _split(partitions: object, number: int, rows: int, path: Path) -> list[str]:
    """Return "train" or "test" for every image, by one of the random splits."""
    cells = np.asarray(partitions).ravel()
    if not 1 <= number <= len(cells):
        raise ReidError(f"{path}: no partition {number}, it has {len(cells)}; correct `partition`")
    one = np.asarray(cells[number - 1])
    fields = one.dtype.names or ()
    if one.size != 1 or not {"train_index", "test_index"} <= set(fields):
        raise ReidError(f"{path}: partion {number} lacks train_index or test_index; {_AGAIN}")
    split = np.full(rows, "", object)
    total = 0
    for side in ("train", "test"):
        index = _whole(one[f"{side}_index"].item(), f"partion {number}, {side}_index", path).ravel()
        if index.min() < 1 or index.max() > rows:
            raise ReidError(
                f"{path}: partion {number}, {side}_index reaches from {index.min()} to"
                f" {index.max()}, but there are {rows} images; {_AGAIN}"
            )
        split[index - 1] = side
        total += len(index)
    named = int((split != "").sum())
    if named != rows or total != rows:
        raise ReidError(
            f"{path}: partion {number} names {named} of {rows} images in {total} rows; every one"
            f" must stand there once; {_AGAIN}"
        )
    return [str(side) for side in split]
