"""Writing files whole or not at all, and clearing away what killed writers left.

What is written aside lies in a folder of its own, `.NAME.1a2b3c4d.part`, beside the file it is for.
Its writer holds a lock of the system on a file in it, which ends with the process in whatever way:
a folder whose lock is free is nobody's any more. A process id would not tell: ids come again, are
1 in every container, and mean nothing on another host.
"""

import codecs
import contextlib
import errno
import fcntl
import functools
import json
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, TypeGuard

from weakreid.errors import ReidError

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_PLACE = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)
FULL = (errno.ENOSPC, errno.EDQUOT)
# file systems that are mounted without locks
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)
_LOCK = ".lock"
# eight digits since there are locks, a process id before
_PART = r"\.(?:[0-9a-f]{8}|[0-9]+)\.part"
UNPACKING = "unpacking"
"""What archives are unpacked for, in the folder that they go to."""
_QUIET_SECONDS = 24 * 3600.0
# Snakemake puts it into a folder that is a rule's output: no file in there has a part of its own
_WHOLE_FOLDER = ".snakemake_timestamp"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path on the same disk to write to; on success it takes the place of `path`.

    On any failure what was written aside is removed and `path` is left as it was. What a killed
    process was writing for the same path is removed first.

    Raises:
        ReidError: the disk or the quota is full, or the folder cannot be written to.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ReidError(f"{path} is no file, and would be lost; choose another place")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        with part_of(path) as part:
            aside = part / path.name
            yield aside
            _flush(aside)
            aside.replace(path)
    except OSError as error:
        if error.errno in FULL:
            raise ReidError(
                f"the disk is full: {path} was not written; free some space and run again"
            ) from error
        # not what was being read meanwhile
        if error.errno in FORBIDDEN and str(path.parent) in str(error):
            raise ReidError(
                f"{path} was not written ({os.strerror(error.errno)}); make its folder writable"
            ) from error
        if error.errno in NO_PLACE and str(path.parent) in str(error):
            raise ReidError(
                f"{path} was not written ({os.strerror(error.errno)}); choose another place"
            ) from error
        raise


@contextlib.contextmanager
def replacing_folder(root: Path, marks: Collection[str]) -> Iterator[Path]:
    """Yield a new folder aside; on success it takes the place of `root`, as `replacing`.

    Args:
        root: the folder; nothing but an older one of its kind, or an empty one, is replaced.
        marks: files below it that one of its kind has.

    Raises:
        ReidError: `root` holds something else, or as `replacing`.
    """
    root = Path(root)
    ours = not root.exists() or all((root / mark).is_file() for mark in marks)
    if not ours and (not root.is_dir() or any(root.iterdir())):
        raise ReidError(
            f"{root}: holds something that was not made here; move it away or choose another folder"
        )
    with replacing(root) as aside:
        aside.mkdir(parents=True)
        yield aside
        if root.exists():  # a folder cannot be renamed over one that holds something
            shutil.rmtree(root)


@contextlib.contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`, locked while it is in use and removed afterwards."""
    part, lock = _locked_part(path)
    try:
        yield part
    finally:
        _remove(part, lock)


def _locked_part(path: Path) -> tuple[Path, IO[str]]:
    while True:
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        with contextlib.suppress(FileExistsError):
            part.mkdir()
            lock = _locked(part)
            if lock is not None:
                return part, lock


def _locked(part: Path) -> IO[str] | None:
    """Lock a new folder; None where another writer of the path cleared it away before."""
    try:
        lock = (part / _LOCK).open("w", encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        if _try_lock(lock) is not False and _is(part / _LOCK, lock):
            lock.write(_kernel())
            lock.flush()
            return lock
    except OSError:
        _remove(part, lock)
        raise
    lock.close()
    return None


def _is(path: Path, file: IO[str]) -> bool:
    """Return whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _try_lock(file: IO[str]) -> bool | None:
    """Lock a file without waiting: False if another has it, None if there are no locks here."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


@functools.cache
def _kernel() -> str:
    """Return what tells the running system of this machine from any other, and from its last."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # no Linux
        return platform.node()


def _remove(part: Path, lock: IO[str] | None = None) -> None:
    """Remove what was written aside; its lock, held until then, goes last."""
    if lock is not None:
        with contextlib.suppress(OSError), os.scandir(part) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                elif entry.name != _LOCK:
                    os.unlink(entry.path)  # noqa: PTH108
        # an open file cannot go from a folder of NFS; on a full disk this fails, and closes it
        with contextlib.suppress(OSError):
            lock.close()
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def remove_leftovers(*paths: Path, one_writer: bool = True) -> list[Path]:
    """Remove what killed processes were writing for these paths; return what was removed.

    What is being written stays. A rule's output has one writer at a time (Snakemake sees to it), so
    a free lock is enough, on whatever host its owner ran. Without `one_writer`, as
    `remove_all_leftovers`.
    """
    found = [
        path.with_name(entry.name)
        for path in paths
        for entry in _entries(path.parent)
        if re.fullmatch(re.escape(f".{path.name}") + _PART, entry.name)
    ]
    return [part for part in sorted(found) if _remove_if_left(part, one_writer=one_writer)]


def remove_all_leftovers(root: Path) -> list[Path]:
    """Remove what killed processes left anywhere below a folder; return what was removed.

    Where the owner ran on another machine its lock may not be seen from here: then, and where there
    are no locks at all, a leftover goes once nothing in it has changed for a day.
    """
    named = re.compile(r"\..+" + _PART)
    removed: list[Path] = []
    seen: set[str] = set()
    todo = [Path(root)]
    while todo:
        folder = todo.pop()
        real = os.path.realpath(folder)
        entries = _entries(folder)
        # links are followed, but not in a circle
        if real in seen or any(entry.name == _WHOLE_FOLDER for entry in entries):
            continue
        seen.add(real)
        for entry in entries:
            if named.fullmatch(entry.name):
                if _remove_if_left(folder / entry.name, one_writer=False):
                    removed.append(folder / entry.name)
            elif entry.is_dir():
                todo.append(folder / entry.name)
    return sorted(removed)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing where it is not there or cannot be looked into."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _remove_if_left(part: Path, *, one_writer: bool) -> bool:
    """Remove what was written aside if its writer is gone; return whether it was removed."""
    try:
        lock = (part / _LOCK).open("r+", encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        # killed before it had a lock, or by a version that took none
        left = one_writer or _is_quiet(part)
        if left:
            _remove(part)
        return left and not part.exists()
    except OSError:  # another user's
        return False
    with lock:
        held = _try_lock(lock)
        left = held is True and (one_writer or lock.read() == _kernel())
        if held is not False and (left or _is_quiet(part)):
            _remove(part, lock)
    return not part.exists()


def _is_quiet(part: Path) -> bool:
    """Return whether nothing in it has changed for a day."""
    since = time.time() - _QUIET_SECONDS
    try:
        inside = (Path(at) / n for at, dirs, files in os.walk(part) for n in (*dirs, *files))
        return part.lstat().st_mtime < since and all(p.lstat().st_mtime < since for p in inside)
    except OSError:  # it changes this very moment
        return False


def _flush(path: Path) -> None:
    """Force a file's bytes to the disk, so that the rename never outruns them."""
    if path.is_file():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def of_system(error: Exception) -> TypeGuard[OSError]:
    """Return whether the system raised it: a library's plain OSError is about the content."""
    return isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None)


def read_fault(path: Path, error: OSError, absent: str) -> ReidError:
    """Return what to say of a file or folder that the system does not give, by what ails it.

    Args:
        path: the file or folder.
        error: what the system said.
        absent: what to do when it is not there; no other fault is mended by that.
    """
    path = Path(path)
    # a library may leave out the number
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if path.is_symlink():
            text = f"a link to {path.readlink()}, which is not there; {absent}"
        else:
            text = f"no such file; {absent}"
    elif isinstance(error, PermissionError):
        closed = [place for place in reversed(path.parents) if not os.access(place, os.X_OK)]
        what = f"its folder {closed[0]}" if closed else "it"
        text = (
            f"no right to read {what} ({error.strerror or 'permission denied'}); ask its owner for"
            " the right to read it, or give it yourself (chmod)"
        )
    elif isinstance(error, IsADirectoryError):
        text = "a folder, but a file is needed here; move it away and put the file there"
    elif error.errno == errno.ELOOP:
        text = "a link that leads back to itself; put the file or folder itself there"
    else:
        text = (
            f"cannot be read ({error.strerror or error}); see to the disk or the network that it"
            " comes from, and run again"
        )
    return ReidError(f"{path}: {text}")


def read_text(path: Path, what: str, absent: str) -> str:
    """Return a text that people wrote or saved anew: in UTF-8, lines ending with a line feed.

    A byte order mark is left out, and the line ends of Windows are changed.

    Args:
        path: the file.
        what: it must hold, for the message ("a list of names").
        absent: what to do when there is no such file, or another one.

    Raises:
        ReidError: it cannot be read, or is not in UTF-8.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise read_fault(path, error, absent) from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ReidError(f"{path}: saved in UTF-16 or no text; save it in UTF-8, or {absent}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReidError(
            f"{path}: not {what} (byte {error.start + 1} is not UTF-8); save it in UTF-8, or"
            f" {absent}"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def there(path: Path) -> bool:
    """Return whether something is at a path, links followed.

    Raises:
        ReidError: it cannot be told, as there is no right to look or the disk does not answer.
    """
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise read_fault(path, error, "put it there") from error
    return True


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
