"""Writing files whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from weakreid.errors import ReidError

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes the place of `path`.

    On any failure what was written aside is removed and `path` is left as it was.

    Raises:
        ReidError: the disk or the quota is full, or the folder cannot be written to.
    """
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        _flush(aside)
        aside.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ReidError(
                f"the disk is full: {path} was not written; free some space and run again"
            ) from error
        # not what was being read meanwhile
        if error.errno in _FORBIDDEN and str(path.parent) in str(error):
            raise ReidError(
                f"{path} was not written ({os.strerror(error.errno)}); make its folder writable"
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


def read_fault(path: Path, error: OSError, absent: str) -> ReidError:
    """Return what to say of a file or folder that the system does not give, by what ails it.

    Args:
        path: the file or folder.
        error: what the system said.
        absent: what to do when it is not there; no other fault is mended by that.
    """
    path = Path(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if path.is_symlink():
            text = f"a link to {path.readlink()}, which is not there; {absent}"
        else:
            text = f"no such file; {absent}"
    elif error.errno in _FORBIDDEN:
        closed = [place for place in reversed(path.parents) if not os.access(place, os.X_OK)]
        what = f"its folder {closed[0]}" if closed else "it"
        text = (
            f"no right to read {what} ({os.strerror(error.errno)}); ask its owner for the right to"
            " read it, or give it yourself (chmod)"
        )
    elif error.errno == errno.EISDIR:
        text = "a folder, but a file is needed here; move it away and put the file there"
    elif error.errno == errno.ELOOP:
        text = "a link that leads back to itself; put the file or folder itself there"
    else:
        text = (
            f"cannot be read ({error.strerror or error}); see to the disk or the network that it"
            " comes from, and run again"
        )
    return ReidError(f"{path}: {text}")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with a final newline, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def read_json(path: Path, keys: Collection[str] = ()) -> Any:
    """Read a JSON file, which must be an object with `keys` where some are given.

    Raises:
        ReidError: the file is missing, is not JSON, or lacks a key.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ReidError(
            f"{path}: not JSON (line {error.lineno}: {error.msg}); delete it and run again"
        ) from error
    except UnicodeDecodeError as error:
        raise ReidError(f"{path}: not JSON ({error}); delete it and run again") from error
    except OSError as error:
        raise read_fault(path, error, "run the stage that makes it") from error
    lacking = [key for key in keys if not isinstance(value, dict) or key not in value]
    if lacking:
        raise ReidError(f"{path}: lacks '{lacking[0]}'; delete it and run again")
    return value
