"""MATLAB files: what is not whole is refused before scipy sees it."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weakreid.datasets.matlab import read_matrix, read_structure
from weakreid.errors import ReidError

VALUES = np.arange(12).reshape(3, 4)
HEAD_7_3 = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"


def saved(compressed: bool, dtype: str = "f8", **more: object) -> bytes:
    sink = io.BytesIO()
    scipy.io.savemat(sink, {"rows": VALUES.astype(dtype), **more}, do_compression=compressed)
    return sink.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "u2", "i4", "i8"])
def test_a_matrix_however_it_was_saved(tmp_path: Path, compressed: bool, dtype: str) -> None:
    path = tmp_path / "a.mat"
    beside = {"text": "abc", "cells": np.array([[1, "x"]], object), "s": {"a": 1}}
    path.write_bytes(saved(compressed, dtype, **beside))
    assert read_matrix(path, "rows").tolist() == VALUES.tolist()
    path.write_bytes(saved(compressed, dtype))
    assert read_matrix(path, "under another name").tolist() == VALUES.tolist()
    scipy.io.savemat(path, {"rows": VALUES.astype("f8")}, format="4")
    assert read_matrix(path, "rows").tolist() == VALUES.tolist()


@pytest.mark.parametrize(
    "data",
    [
        HEAD_7_3.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(2000),
        HEAD_7_3 + bytes(384),
        b"\x89HDF\r\n\x1a\n" + bytes(2000),
        b"# Created by Octave 8.4.0\n# name: rows\n",
        b"Octave-1-L" + bytes(200),
    ],
)
@pytest.mark.parametrize("read", [read_matrix, read_structure])
def test_a_whole_file_of_another_kind_is_to_be_saved_anew(
    tmp_path: Path, data: bytes, read: Callable[[Path, str], object]
) -> None:
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(ReidError, match=r"save it anew with save\('NEW.mat', '-v7'\)") as caught:
        read(tmp_path / "a.mat", "rows")
    assert "again" not in str(caught.value)


def test_a_file_that_is_not_there_or_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ReidError, match=r"a\.mat: no such file; put it there"):
        read_matrix(tmp_path / "a.mat", "rows", "put it there")
    with pytest.raises(ReidError, match="a folder, but a file is needed"):
        read_matrix(tmp_path, "rows")
    error = PermissionError(13, "Permission denied")
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(error))
    with pytest.raises(ReidError, match="no right to read it") as caught:
        read_matrix(tmp_path / "a.mat", "rows", "put it there")
    assert "put it there" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["text", 1.5, np.nan, np.inf, 1e300, 1j, np.zeros((2, 2, 2)), scipy.sparse.eye(3)]
)
def test_no_matrix_of_whole_numbers(tmp_path: Path, value: object) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"rows": value})
    with pytest.raises(ReidError, match="'rows' is not a matrix of whole numbers"):
        read_matrix(tmp_path / "a.mat", "rows")


@given(data=st.data(), compressed=st.booleans())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_one_line(tmp_path: Path, data: st.DataObject, compressed: bool) -> None:
    """Of some of these scipy alone makes a crash of the whole process."""
    held = bytearray(saved(compressed, "u2"))
    if data.draw(st.booleans()):
        held = held[: data.draw(st.integers(0, len(held) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            held[data.draw(st.integers(100, len(held) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "a.mat"
    path.write_bytes(bytes(held))
    try:
        found = read_matrix(path, "rows")
    except ReidError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
    else:  # the damage did not matter, or changed a number and nothing else
        assert found.ndim == 2
