"""The packed image store: encoded pictures in one memory-mapped Arrow file, in row order.

A training batch needs a few hundred small pictures from random places. As loose files each costs an
open, a read and a close, and a directory walk when cold; here it costs a slice of mapped memory.
Pictures stay encoded as they came (JPEG or PNG), so packing loses nothing.
"""

import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import simplejpeg

from weakreid.artifacts.files import of_system, read_fault, replacing
from weakreid.errors import ReidError

Pixels: TypeAlias = npt.NDArray[np.uint8]
Encoded: TypeAlias = bytes | memoryview

VERSION = 1
ROWS_PER_BATCH = 1024
# Arrow's binary column counts its bytes in 32 bits, so a batch of large pictures ends early
BYTES_PER_BATCH = 256 << 20

SCHEMA = pa.schema(
    [
        pa.field("image", pa.binary(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
    ],
    metadata={b"weakreid.kind": b"images", b"weakreid.version": str(VERSION).encode()},
)

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"


def picture_size(data: Encoded) -> tuple[int, int]:
    """Return (height, width) of an encoded picture from its header.

    Raises:
        ValueError: it is neither JPEG nor PNG, or its header is damaged.
    """
    start = bytes(data[:8])
    if start.startswith(_JPEG):
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        return int(height), int(width)
    if start == _PNG and bytes(data[12:16]) == b"IHDR" and len(data) >= 24:
        width = int.from_bytes(data[16:20], "big")
        height = int.from_bytes(data[20:24], "big")
        return height, width
    raise ValueError(_not_a_picture(data))


def decode_picture(data: Encoded, out: Pixels | None = None) -> Pixels:
    """Decode a whole JPEG or PNG.

    Args:
        data: the encoded picture.
        out: where to put the pixels if they happen to have its shape.

    Returns:
        uint8 [H, W, 3], RGB; `out` itself where the shape fits and the format allows.

    Raises:
        ValueError: the picture is cut short, damaged, or of another format.
    """
    start = bytes(data[:8])
    if start.startswith(_JPEG):
        if out is not None and simplejpeg.decode_jpeg_header(data)[:2] == out.shape[:2]:
            simplejpeg.decode_jpeg(data, "RGB", buffer=out)
            return out
        return simplejpeg.decode_jpeg(data, "RGB")
    if start == _PNG:
        # the PNG library writes its own complaint to the terminal; look for the last chunk before
        if bytes(data[-8:-4]) != _PNG_END and _PNG_END not in bytes(data):
            raise ValueError("Premature end of PNG file")
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        if pixels is None:
            raise ValueError("damaged PNG")
        return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels))
    raise ValueError(_not_a_picture(data))


def resize_picture(pixels: Pixels, height: int, width: int) -> Pixels:
    """Resize to [height, width, 3]: area averaging when it shrinks, bilinear otherwise."""
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = pixels.shape[0] * pixels.shape[1] > height * width
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(pixels, (width, height), interpolation=way))


def _not_a_picture(data: Encoded) -> str:
    return "empty file" if len(data) == 0 else "neither JPEG nor PNG"


def write_store(path: Path, encoded: Iterable[bytes]) -> int:
    """Write an image store, whole or not at all; row i is the i-th item of `encoded`.

    Args:
        path: the file to write.
        encoded: JPEG or PNG files as bytes; may be a generator, no more than one record batch is
            held in memory.

    Returns:
        The number of rows.

    Raises:
        ValueError: see `picture_size`.
        ReidError: the disk is full.
    """
    with replacing(path) as aside:
        return write_store_file(aside, encoded)


def write_store_file(path: Path, encoded: Iterable[bytes]) -> int:
    """Write as `write_store`, straight to `path`, for callers that replace several files."""
    count = 0
    with path.open("wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for batch in _batches(encoded):
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _batches(encoded: Iterable[bytes]) -> Iterator[pa.RecordBatch]:
    pictures: list[bytes] = []
    held = 0
    for data in encoded:
        if pictures and (len(pictures) == ROWS_PER_BATCH or held + len(data) > BYTES_PER_BATCH):
            yield _batch(pictures)
            pictures, held = [], 0
        pictures.append(data)
        held += len(data)
    if pictures:
        yield _batch(pictures)


def _batch(pictures: Sequence[bytes]) -> pa.RecordBatch:
    size = np.asarray([picture_size(data) for data in pictures], np.int32)
    columns = [pa.array(pictures, pa.binary()), pa.array(size[:, 0]), pa.array(size[:, 1])]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


class ImageStore:
    """An image store opened for reading; rows are read in any order, from any thread.

    The file is memory-mapped: processes on one machine share its pages, and an unpickled copy (in a
    loader's worker) opens the file again by its path.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the store at `path`.

        Raises:
            ReidError: the file is missing, cut short, or not an image store of this version.
        """
        self.path = Path(path)
        self._pool: ThreadPoolExecutor | None = None
        self._pool_owner = (0, 0)
        self._open()

    def _open(self) -> None:
        try:
            with self.path.open("rb") as file:
                self._map: mmap.mmap | None = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            # else the first touch of every record batch would read megabytes around it, and opening
            # a store of some gigabytes would read all of it
            self._map.madvise(mmap.MADV_RANDOM)
            whole = pa.py_buffer(self._map)
            reader = pa.ipc.open_file(pa.BufferReader(whole))
        except (pa.ArrowInvalid, ValueError, OSError) as error:
            if of_system(error):
                raise read_fault(self.path, error, "run the stage that makes it") from error
            raise ReidError(
                f"{self.path}: not a whole image store; delete it and run the stage that makes it"
            ) from error
        found = reader.schema.metadata or {}
        if found.get(b"weakreid.kind") != b"images" or not reader.schema.equals(SCHEMA):
            raise ReidError(f"{self.path}: not an image store; give the images.arrow of a dataset")
        if found.get(b"weakreid.version") != str(VERSION).encode():
            raise ReidError(f"{self.path}: written by another version; delete it and run again")
        self._view: memoryview = memoryview(self._map)
        starts, lengths, sizes = [], [], []
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            image = batch.column(0)
            _, offsets, values = image.buffers()
            ends = np.frombuffer(offsets, np.int32)[image.offset : image.offset + len(image) + 1]
            # where the batch's bytes lie in the file, so that one view serves every row
            base = values.address - whole.address if values is not None else 0
            starts.append(base + ends[:-1].astype(np.int64))
            lengths.append(np.diff(ends))
            sizes.append(np.stack([batch.column(1).to_numpy(), batch.column(2).to_numpy()], axis=1))
        self._starts = np.concatenate([np.zeros(0, np.int64), *starts])
        self._lengths = np.concatenate([np.zeros(0, np.int32), *lengths])
        self._sizes = np.concatenate([np.zeros((0, 2), np.int32), *sizes])
        self._sizes.setflags(write=False)

    def __len__(self) -> int:
        return len(self._starts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def close(self) -> None:
        """Let go of the file and the threads; views given out before stay valid."""
        if self._pool is not None and self._pool_owner[0] == os.getpid():
            self._pool.shutdown()
        self._pool = None
        # unmapped once the last view is gone: an explicit close would refuse while one is held
        self._view = memoryview(b"")
        self._map = None

    def sizes(self) -> npt.NDArray[np.int32]:
        """Return (height, width) of every picture as stored, int32 [N, 2]."""
        return self._sizes

    def encoded(self, row: int) -> memoryview:
        """Return the encoded bytes of a row without copying them."""
        if self._map is None:
            raise ValueError(f"{self.path}: the store is closed")
        if not 0 <= row < len(self._starts):
            raise ReidError(
                f"{self.path}: no row {row}, it has {len(self)}; the store and the table that names"
                " its rows do not belong together: make the dataset again"
            )
        start = int(self._starts[row])
        return self._view[start : start + int(self._lengths[row])]

    def batch(
        self,
        rows: Sequence[int] | npt.NDArray[np.integer[Any]],
        height: int,
        width: int,
        *,
        threads: int = 1,
    ) -> Pixels:
        """Return pictures of the given rows at one size, uint8 [len(rows), height, width, 3], RGB.

        The result does not depend on `threads`. Pictures of another size are resized, by area when
        they shrink and bilinearly when they grow.

        Args:
            rows: rows of the store, in any order, repeats allowed.
            height: pixels.
            width: pixels.
            threads: how many threads decode; they are kept for the next call.

        Raises:
            ReidError: a picture cannot be decoded, or there is no such row.
        """
        out = np.empty((len(rows), height, width, 3), np.uint8)
        order = [int(row) for row in rows]
        self._read_ahead(order)
        if threads <= 1 or len(order) < 2:
            self._fill(order, out)
            return out
        bounds = np.linspace(0, len(order), min(threads, len(order)) + 1).astype(int)
        jobs = [
            self._threads(threads).submit(self._fill, order[first:last], out[first:last])
            for first, last in pairwise(bounds)
        ]
        for job in jobs:
            job.result()
        return out

    def _fill(self, rows: Sequence[int], out: Pixels) -> None:
        height, width = out.shape[1:3]
        for place, row in zip(out, rows, strict=True):
            same = tuple(self._sizes[row]) == (height, width) if 0 <= row < len(self) else False
            pixels = self.decode(row, place if same else None)
            if pixels is not place:
                place[:] = resize_picture(pixels, height, width)

    def decode(self, row: int, out: Pixels | None = None) -> Pixels:
        """Return a picture at its own size, uint8 [H, W, 3], RGB, as `decode_picture`.

        Raises:
            ReidError: the picture cannot be decoded, or there is no such row.
        """
        data = self.encoded(row)
        try:
            return decode_picture(data, out)
        except ValueError as error:
            raise ReidError(
                f"{self.path}: row {row} cannot be decoded ({error}); make the dataset again"
            ) from error

    def _read_ahead(self, rows: Sequence[int]) -> None:
        """Ask the system for all pages at once, so that a cold batch is not read page by page."""
        if self._map is None:
            return
        for row in rows:
            if 0 <= row < len(self):
                start = int(self._starts[row])
                first = start - start % mmap.PAGESIZE
                length = start + int(self._lengths[row]) - first
                self._map.madvise(mmap.MADV_WILLNEED, first, length)

    def _threads(self, count: int) -> ThreadPoolExecutor:
        # threads do not survive a fork: a child makes its own
        if self._pool is None or self._pool_owner != (os.getpid(), count):
            if self._pool is not None and self._pool_owner[0] == os.getpid():
                self._pool.shutdown()
            self._pool = ThreadPoolExecutor(count, thread_name_prefix="decode")
            self._pool_owner = (os.getpid(), count)
        return self._pool
