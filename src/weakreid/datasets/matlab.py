"""MATLAB files, checked before scipy sees them: damage can make it end the whole process.

A file of version 5 (MATLAB's -v6, and -v7, which compresses) is a header and a row of elements, a
variable each. Only compressed ones have a checksum; of the others a matrix of numbers is checked
tag by tag, and nothing else is read.
"""

import io
import math
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from weakreid.artifacts.files import read_fault
from weakreid.datasets.layout import name_some
from weakreid.errors import ReidError

OFFICIAL = "get the official file"

_HEADER = 128  # bytes before the first element
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_AT = 512
_OCTAVE = (b"# Created by Octave", b"Octave-1")
_SAVE_ANEW = f"load it there and save it anew with save('NEW.mat', '-v7'), or {OFFICIAL}"

_MATRIX, _COMPRESSED = 14, 15
_INT8, _INT32, _UINT32, _UTF8 = 1, 5, 6, 16
_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_NUMERIC = range(6, 16)
_COMPLEX = 0x800
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,62}")
_LARGEST = 2.0**53

# what scipy raises at a file that it does not understand
_FAULTS = (
    scipy.io.matlab.MatReadError,
    ValueError,
    TypeError,
    LookupError,
    NotImplementedError,
    MemoryError,
)


@dataclass(frozen=True)
class _Element:
    """A variable: its name, its bytes without compression, and what they hold."""

    name: str
    data: bytes
    compressed: bool
    numeric: bool


def read_matrix(path: Path, name: str, absent: str = OFFICIAL) -> npt.NDArray[np.int64]:
    """Return a matrix of whole numbers: the variable `name`, or the only one that there is.

    Args:
        path: the file.
        name: of the variable.
        absent: what to do when there is no file.

    Raises:
        ReidError: the file cannot be read, is damaged, of another kind, or holds no such matrix.
    """
    data = _read(path, absent)
    if _is_version_4(data):
        key, values = _matrix_of_version_4(path, data, name)
    else:
        elements = {element.name: element for element in _elements(path, data)}
        key = _only(path, list(elements), name)
        numeric = elements[key].numeric
        values = _by_scipy(path, data, elements[key]) if numeric else np.array("")
    whole = values.dtype.kind in "iuf" and values.ndim == 2
    # infinity is its own floor, and what is larger fits no int64
    if not whole or not ((values == np.floor(values)) & (np.abs(values) < _LARGEST)).all():
        raise ReidError(f"{path}: {key!r} is not a matrix of whole numbers; {OFFICIAL}")
    return values.astype(np.int64)


def read_structure(path: Path, name: str, absent: str = OFFICIAL) -> npt.NDArray[Any] | None:
    """Return a structure as scipy gives it, or None if the file has no variable `name`.

    Raises:
        ReidError: the file cannot be read, is damaged, of another kind, or not compressed (then
            nothing tells damage).
    """
    data = _read(path, absent)
    if _is_version_4(data):
        return None
    found = [element for element in _elements(path, data) if element.name == name]
    if not found:
        return None
    if not found[0].compressed:
        raise ReidError(
            f"{path}: '{name}' is not compressed, so that nothing tells whether it is damaged;"
            f" save it anew with save('NEW.mat', '-v7'), or {OFFICIAL}"
        )
    return _by_scipy(path, data, found[0])


def _read(path: Path, absent: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise read_fault(path, error, absent) from error
    hdf5 = any(data[at : at + len(_HDF5)] == _HDF5 for at in (0, _HDF5_AT))
    if hdf5 or data[_HEADER - 4 : _HEADER] in (b"\x00\x02IM", b"\x02\x00MI"):
        raise ReidError(
            f"{path}: saved by MATLAB as version 7.3 (HDF5), which is not read; {_SAVE_ANEW}"
        )
    if data.startswith(_OCTAVE):
        raise ReidError(f"{path}: saved in Octave's own format, which is not read; {_SAVE_ANEW}")
    return data


def _damaged(path: Path, what: object) -> ReidError:
    # scipy may quote what it took for a name
    text = " ".join(str(what).split())[:100] or type(what).__name__
    return ReidError(f"{path}: not a whole MATLAB file ({text}); get it again")


def _is_version_4(data: bytes) -> bool:
    """Return whether it starts as MATLAB's -v4 does: a type of four digits, IEEE's up to 1052."""
    if len(data) < 20 or data[_HEADER - 2 : _HEADER] in (b"IM", b"MI"):
        return False
    return any(0 <= struct.unpack_from(f"{order}i", data)[0] <= 1052 for order in "<>")


def _matrix_of_version_4(path: Path, data: bytes, name: str) -> tuple[str, npt.NDArray[Any]]:
    try:
        held = scipy.io.loadmat(io.BytesIO(data))
    except _FAULTS as error:
        raise _damaged(path, error) from error
    key = _only(path, [held_key for held_key in held if not held_key.startswith("__")], name)
    return key, np.asarray(held[key])


def _only(path: Path, names: list[str], name: str) -> str:
    public = [key for key in names if key]
    if name in public:
        return name
    if len(public) != 1:
        held = name_some([repr(name) for name in public]) or "none"
        raise ReidError(f"{path}: no matrix '{name}', it holds {held}; {OFFICIAL}")
    return public[0]


def _by_scipy(path: Path, data: bytes, element: _Element) -> npt.NDArray[Any]:
    """Let scipy read one element that was checked, and nothing beside it."""
    header = b"MATLAB 5.0 MAT-file".ljust(_HEADER - 12) + bytes(8) + data[_HEADER - 4 : _HEADER]
    try:
        held = scipy.io.loadmat(io.BytesIO(header + element.data))
    except _FAULTS as error:
        raise _damaged(path, error) from error
    return np.asarray(held[element.name])


def _elements(path: Path, data: bytes) -> Iterator[_Element]:
    """Yield every variable of a file of version 5, its lengths and checksum checked."""
    orders = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
    order = orders.get(data[_HEADER - 4 : _HEADER])
    if order is None or len(data) == _HEADER:
        raise _damaged(path, "no MATLAB 5 file")
    at = _HEADER
    while at < len(data):
        if len(data) < at + 8:
            raise _damaged(path, "cut short")
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if kind not in (_MATRIX, _COMPRESSED):
            raise _damaged(path, f"an element of kind {kind} at byte {at}")
        end = at + 8 + size
        if len(data) < end:
            raise _damaged(path, "cut short")
        held = data[at:end]
        if kind == _COMPRESSED:
            try:
                held = zlib.decompress(data[at + 8 : end])
            except zlib.error as error:
                raise _damaged(path, error) from error
        try:
            name, numeric = _look_into(held, order)
        except (ValueError, struct.error) as error:
            raise _damaged(path, f"{error}, in the element at byte {at}") from error
        yield _Element(name, held, kind == _COMPRESSED, numeric)
        at = end


def _look_into(data: bytes, order: str) -> tuple[str, bool]:
    """Return the name of a variable, and whether it is a matrix of numbers that is whole.

    Raises:
        ValueError: it is damaged.
        struct.error: it is cut short.
    """
    kind, size = struct.unpack_from(f"{order}II", data)
    if kind != _MATRIX or size != len(data) - 8:
        raise ValueError("no variable")
    if size == 0:  # an empty one, as in cells
        return "", False
    flags, at = _part(data, 8, order, {_UINT32: 8})
    (word,) = struct.unpack_from(f"{order}I", flags)
    # scipy reads these as other writers make them, too
    dims, at = _part(data, at, order, {_INT32: None, _UINT32: None})
    letters, at = _part(data, at, order, {_INT8: None, _UTF8: None})
    name = letters.decode("latin-1")
    if name and not _NAME.fullmatch(name):
        raise ValueError("a variable without a name")
    if len(dims) < 8 or len(dims) % 4:
        raise ValueError("no dimensions")
    if word & 0xFF not in _NUMERIC or word & _COMPLEX:
        return name, False
    count = math.prod(struct.unpack(f"{order}{len(dims) // 4}I", dims))
    values = {kind: count * size for kind, size in _BYTES.items()}
    _part(data, at, order, values)
    return name, True


def _part(data: bytes, at: int, order: str, allowed: dict[int, int | None]) -> tuple[bytes, int]:
    """Return the bytes of a part of a variable, and where the next part starts.

    Args:
        data: of the variable.
        at: where the part starts.
        order: of the bytes.
        allowed: the kinds that it may be of and the size of each; None: any.
    """
    (word,) = struct.unpack_from(f"{order}I", data, at)
    if word >> 16:  # four bytes or fewer stand within the tag
        kind, size, start, after = word & 0xFFFF, word >> 16, at + 4, at + 8
        if size > 4:
            raise ValueError("a part is too long")
    else:
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start = at + 8
        after = start + -(-size // 8) * 8
    if kind not in allowed or allowed[kind] not in (None, size):
        raise ValueError(f"a part of kind {kind} and {size} bytes")
    if start + size > len(data):
        raise ValueError("cut short")
    return data[start : start + size], after
