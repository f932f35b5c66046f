"""From a reading to artifacts: tracklets, frames and partitions tables, and the image store."""

import contextlib
import errno
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from weakreid.artifacts import schemas
from weakreid.artifacts.files import read_fault, replacing
from weakreid.artifacts.image_store import decode_picture, write_store_file
from weakreid.artifacts.prefetching import in_order
from weakreid.console import progress
from weakreid.datasets import layout
from weakreid.datasets.layout import Reading

TRACKLETS = "tracklets.parquet"
FRAMES = "frames.parquet"
PARTITIONS = "partitions.parquet"
IMAGES = "images.arrow"

_FILES_PER_JOB = 64

# the bytes of an image, or why it cannot be used
Image: TypeAlias = bytes | str


def pack(
    reading: Reading,
    root: Path,
    out_dir: Path,
    params: Mapping[str, Any],
    *,
    dataset: str,
    on_bad_frame: str,
    threads: int,
) -> dict[str, Any]:
    """Decode every image once, and write the four artifacts of a dataset together or not at all.

    Args:
        reading: what a reader found.
        root: the folder that its files are relative to.
        out_dir: where tracklets.parquet, frames.parquet, partitions.parquet and images.arrow go.
        params: the resolved parameters, for the tables' metadata.
        dataset: its name, for messages.
        on_bad_frame: "stop" at images that cannot be read, or "leave_out".
        threads: how many threads read and decode; the artifacts do not depend on it.

    Returns:
        The counts of `layout.counts`, and left_out_frames (a number), left_out_tracklets and
        left_out (at most 100 names).

    Raises:
        ReidError: images are unreadable and `on_bad_frame` is "stop", or most of a role's are;
            there is no right to read one; or the disk is full.
    """
    root, out_dir = Path(root), Path(out_dir)
    with contextlib.ExitStack() as stack:
        # they take their places in the reverse order, the large one first
        aside = {
            name: stack.enter_context(replacing(out_dir / name))
            for name in (TRACKLETS, FRAMES, PARTITIONS, IMAGES)
        }
        bad = write_good_images(aside[IMAGES], root, reading.files, dataset, threads)
        mask = np.zeros(len(reading.files), np.bool_)
        mask[list(bad)] = True
        reason = bad[min(bad)] if bad else ""
        kept = layout.settle_bad_frames(
            reading, mask, dataset, "are unreadable", on_bad_frame, reason
        )
        layout.check(kept, dataset)
        schemas.write(aside[TRACKLETS], "tracklets", kept.tracklets, params)
        schemas.write(aside[FRAMES], "frames", frame_table(kept), params)
        schemas.write(aside[PARTITIONS], "partitions", kept.partitions, params)
    return {
        **layout.counts(kept),
        "left_out_frames": len(kept.left_out_frames),
        "left_out_tracklets": kept.left_out_tracklets,
        "left_out": list(kept.left_out_frames[:100]),
    }


def frame_table(reading: Reading) -> pd.DataFrame:
    """Return the frames frame of a reading; frame i is row i of the image store."""
    count = reading.tracklets["frame_count"].to_numpy()
    rows = np.arange(len(reading.files))
    return pd.DataFrame(
        {
            "tracklet_id": np.repeat(reading.tracklets["tracklet_id"].to_numpy(), count),
            "position": (
                rows - np.repeat(reading.tracklets["first_frame"].to_numpy(), count)
            ).astype(np.int32),
            "file": reading.files,
            "image": rows.astype(np.int64),
            "truth_person_id": (
                np.repeat(reading.tracklets["person_id"].to_numpy(), count)
                if reading.frame_persons is None
                else reading.frame_persons
            ).astype(np.int32),
        }
    )


def write_good_images(
    path: Path, root: Path, files: Sequence[str], name: str, threads: int
) -> dict[int, str]:
    """Write the images that can be decoded to a store; return what ails the others, by place.

    Args:
        path: the file to write; the caller puts it into its place.
        root: the folder that `files` are relative to.
        files: the images, in order.
        name: of whose they are, for people who wait.
        threads: how many threads read and decode.
    """
    bad: dict[int, str] = {}

    def good() -> Iterator[bytes]:
        images = images_in_order(root, files, threads)
        steps = progress(images, total=len(files), label=f"packing {name}", unit="images")
        for index, image in enumerate(steps):
            if isinstance(image, str):
                bad[index] = image
            else:
                yield image

    write_store_file(path, good())
    return bad


def images_in_order(root: Path, files: Sequence[str], threads: int) -> Iterator[Image]:
    """Yield every image in order, read and decoded in `threads` threads, a few jobs ahead."""
    jobs = [files[at : at + _FILES_PER_JOB] for at in range(0, len(files), _FILES_PER_JOB)]
    load = functools.partial(_load, root)
    with ThreadPoolExecutor(threads, thread_name_prefix="pack") as pool:
        yield from itertools.chain.from_iterable(in_order(pool, load, jobs, 2 * threads))


def _load(root: Path, files: Sequence[str]) -> list[Image]:
    return [_load_one(root / file) for file in files]


def _load_one(path: Path) -> Image:
    try:
        data = path.read_bytes()
        decode_picture(data)
    except ValueError as error:
        return str(error)
    except OSError as error:
        # a fault of the image; any other (no right, too many open files) is not and must stop
        if error.errno in (errno.ENOENT, errno.EISDIR, errno.EIO):
            return error.strerror or str(error)
        raise read_fault(path, error, "put it there") from error
    return data
