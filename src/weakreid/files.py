"""Writing files whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from weakreid.errors import ReidError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes the place of `path`.

    On any failure what was written aside is removed and `path` is left as it was.

    Raises:
        ReidError: the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        _flush(aside)
        aside.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ReidError(
                f"the disk is full: {path} was not written; free some space and run again"
            ) from error
        raise
    finally:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Force a file's bytes to the disk, so that the rename never outruns them."""
    if path.is_file():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with a final newline, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ReidError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReidError(f"{path}: no such file; run the stage that makes it") from error
    except json.JSONDecodeError as error:
        raise ReidError(f"{path}: not JSON (line {error.lineno}: {error.msg})") from error
