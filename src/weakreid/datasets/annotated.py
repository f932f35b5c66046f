"""Images of people with their attributes: what a source tells, and how it becomes artifacts.

A generated folder (`weakreid.datasets.walkers.layout`) is a source too: `read_generated`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weakreid.artifacts import schemas
from weakreid.artifacts.files import replacing
from weakreid.attributes import NAMES
from weakreid.console import warn
from weakreid.datasets import layout
from weakreid.datasets.pack import write_good_images
from weakreid.errors import ReidError


@dataclass(frozen=True)
class Annotation:
    """Images and what is ticked for each."""

    attributes: tuple[str, ...]  # the names, in the order of the columns of `labels`
    file: Sequence[str]  # per image, relative to the folder of the images, with `/`
    split: Sequence[str]  # per image, "train" or "test"
    person_id: npt.NDArray[np.int32]  # int32 [N]; -1: it is not known whom the image shows
    labels: npt.NDArray[np.int8]  # int8 [N, A], 1, 0 or -1 (unsure)

    def __len__(self) -> int:
        return len(self.file)


def write_annotation(path: Path, annotation: Annotation, params: Mapping[str, Any]) -> None:
    """Write an annotation; the attributes' names join `params` in the file's metadata."""
    table = pa.table(_columns(annotation, np.arange(len(annotation))))
    attributes = list(annotation.attributes)
    schemas.write(path, "annotation", table, {**params, "attributes": attributes})


def read_annotation(path: Path, kind: str = "annotation") -> Annotation:
    """Read what `write_annotation` or `pack_images` (kind "pictures") wrote.

    Raises:
        ReidError: the file is missing, damaged or another.
    """
    table = schemas.read(path, kind)
    attributes = tuple(schemas.read_params(path)["attributes"])
    labels = table["labels"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return Annotation(
        attributes,
        table["file"].to_pylist(),
        table["split"].to_pylist(),
        table["person_id"].to_numpy(),
        labels.astype(np.int8).reshape(len(table), len(attributes)),
    )


def _columns(annotation: Annotation, rows: npt.NDArray[np.intp]) -> dict[str, pa.Array]:
    return {
        "file": pa.array([annotation.file[row] for row in rows.tolist()], pa.string()),
        "split": pa.array([annotation.split[row] for row in rows.tolist()], pa.string()),
        "person_id": pa.array(annotation.person_id[rows], pa.int32()),
        "labels": pa.array(list(annotation.labels[rows]), pa.list_(pa.int8())),
    }


def read_generated(root: Path) -> Annotation:
    """Read the people of a generated folder, with the attributes that they were made with.

    A row per frame of a person, in the order of `truth/frames.parquet`; distractors and junk have
    no attributes and are left out.

    Args:
        root: what `walkers.layout.generate` wrote.

    Returns:
        the annotation, with those of ATTR's attributes that the truth has, in their order.

    Raises:
        ReidError: a table is missing or damaged.
    """
    truth = Path(root) / "truth"
    persons, frames = (
        schemas.read_foreign(truth / name, "give a generated folder as root").to_pandas()
        for name in ("persons.parquet", "frames.parquet")
    )
    names = tuple(name for name in NAMES if name in persons.columns)
    frames = frames[frames["person_id"] > 0]
    ticked = persons.set_index("person_id").loc[frames["person_id"], list(names)]
    folder = "bbox_" + frames["split"] + "/" + frames["file"].str[:4] + "/"
    return Annotation(
        names,
        (folder + frames["file"]).tolist(),
        frames["split"].tolist(),
        frames["person_id"].to_numpy(np.int32),
        ticked.to_numpy(np.int8),
    )


def pack_images(
    annotation: Annotation,
    folder: Path,
    images: Path,
    out: Path,
    params: Mapping[str, Any],
    *,
    source: str,
    on_bad_frame: str,
    threads: int,
) -> int:
    """Decode every image once, and write the image store and the table of its rows.

    The store holds the bytes as they came (PNG or JPEG). Both files are written or neither.

    Args:
        annotation: whose images.
        folder: that its files are relative to.
        images: the store to write.
        out: the table of the images in it to write.
        params: for the table's metadata; the attributes' names join them.
        source: its name, for messages.
        on_bad_frame: "stop" at images that are missing or cannot be read, or "leave_out".
        threads: how many threads read and decode; the artifacts do not depend on it.

    Returns:
        How many images were left out.

    Raises:
        ReidError: images are missing or unreadable and `on_bad_frame` is "stop", or most of a
            split's are.
    """
    folder = Path(folder)
    # the first look refuses a folder without the right to
    if not layout.list_names(folder) and not folder.is_dir():
        raise ReidError(
            f"{source}: {folder} is not there; put the annotation's {len(annotation)} images into"
            " it, or correct the source's root"
        )
    missing = layout.missing_files(folder, annotation.file)
    why = layout.why_missing(folder, annotation.file, missing) if missing.any() else ""
    what = f"missing in {folder}"
    _settle(annotation, missing, what, why, "put them there", source, on_bad_frame)
    there = np.flatnonzero(~missing)
    with replacing(Path(out)) as table_aside, replacing(Path(images)) as images_aside:
        files = [annotation.file[row] for row in there.tolist()]
        bad = write_good_images(images_aside, folder, files, source, threads)
        unreadable = np.zeros(len(annotation), np.bool_)
        unreadable[there[sorted(bad)]] = True
        reason = bad[min(bad)] if bad else ""
        remedy = "get them again"
        _settle(annotation, unreadable, "unreadable", reason, remedy, source, on_bad_frame)
        kept = np.flatnonzero(~missing & ~unreadable)
        columns = _columns(annotation, kept) | {"image": pa.array(np.arange(len(kept)))}
        attributes = list(annotation.attributes)
        schemas.write(
            table_aside, "pictures", pa.table(columns), {**params, "attributes": attributes}
        )
    return len(annotation) - len(kept)


def _settle(
    annotation: Annotation,
    bad: npt.NDArray[np.bool_],
    what: str,
    reason: str,
    remedy: str,
    source: str,
    on_bad_frame: str,
) -> None:
    """Stop because of bad images, or say that they are left out, as `on_bad_frame` says."""
    if not bad.any():
        return
    names = layout.name_some([annotation.file[row] for row in np.flatnonzero(bad).tolist()])
    if reason:
        what += f" ({reason})"
    text = f"{source}: {int(bad.sum())} of {len(annotation)} images are {what}: {names}"
    split = np.asarray(annotation.split, object)
    before, after = (Counter(f"images of split {side}" for side in s) for s in (split, split[~bad]))
    layout.settle_loss(before, after, text, on_bad_frame, remedy)
    warn(f"{text}; left out")
