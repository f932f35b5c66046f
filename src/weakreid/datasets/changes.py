"""What a folder of data was like when it was read, so that a later change of it is noticed.

A stage that reads files which no rule has as inputs, a million images say, writes down beside its
results what is cheap to look at again: every folder's time, with a digest of the names and sizes in
it, and the size, time and digest of the files that are no images and of some images. The next
call looks at the times alone, and at names and bytes only where a time is another: a copy of the
same data is no change. An image that is overwritten in place, under its name, is noticed if it is
one of those some.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from weakreid.artifacts.files import read_fault, read_json, write_json
from weakreid.datasets.litter import is_litter
from weakreid.errors import ReidError

SOME = 256
"""How many images are looked at one by one."""
_VERSION = 1
_IS_FOLDER, _IS_NOTHING = -1, -2
# a video is told by its size and time
_LARGEST_DIGEST = 64 << 20

# of a file: size, time in ns, digest or none; of a folder: time, digest of its names and sizes
_File: TypeAlias = list[Any]
_Folder: TypeAlias = list[Any]


@dataclass
class Seen:
    """What was seen below a root: paths with `/`; a file that is not there is None."""

    names: list[str] = field(default_factory=list)
    files: dict[str, _File | None] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)

    def add_some(self, root: Path, files: Sequence[str], more: Iterable[str] = ()) -> None:
        """Look at some of `files`, at equal distances, and at all of `more`."""
        step = max(1, len(files) // SOME)
        for name in (*files[::step][:SOME], *more):
            self.files[name] = _file(root / name)

    def save(self, path: Path) -> None:
        """Write it down, for `changes`."""
        about = {"names": self.names, "files": self.files, "folders": self.folders}
        write_json(path, {"version": _VERSION, **about})


def look(root: Path, names: Sequence[str], threads: int = 1) -> Seen:
    """Look at files, and at folders with all that is in them, before they are read."""
    root = Path(root)
    seen = Seen(list(names))
    level = []
    for name in names:
        now = _stat(root / name)
        if now is not None and stat.S_ISDIR(now.st_mode):
            level.append(name)
        else:
            seen.files[name] = _file(root / name)
    # a folder that several links lead to is looked at once, and a circle of links ends
    known: set[tuple[int, int]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix="look") as pool:
        while level:
            found = list(pool.map(lambda name: _folder(root / name), level))
            deeper = []
            for name, (identity, about, inside) in zip(level, found, strict=True):
                if identity not in known:
                    known.add(identity)
                    seen.folders[name] = about
                    deeper += [f"{name}/{folder}" for folder in inside]
            level = deeper
    return seen


def changes(record: Path, root: Path) -> list[str]:
    """Return what is another below a root than when it was read, as `record` says; sorted.

    Nothing is said of what cannot be read again, as it was moved away, nor without a record.
    """
    root = Path(root)
    try:
        held = read_json(record, ["version", "names", "files", "folders"])
    except ReidError:
        return []
    if held["version"] != _VERSION or any(_stat(root / name) is None for name in held["names"]):
        return []
    seen = Seen(held["names"], held["files"], held["folders"])
    found, times = [], False
    for name, then in seen.files.items():
        now = _stat(root / name)
        if then is None or now is None:
            if (then is None) != (now is None):
                found.append(name)
        elif [now.st_size, now.st_mtime_ns] != then[:2]:
            times = True
            seen.files[name] = _file(root / name)
            if _without_time(seen.files[name]) != _without_time(then):
                found.append(name)
    for name, (time, digest) in seen.folders.items():
        now = _stat(root / name)
        if now is not None and now.st_mtime_ns == time:
            continue
        times = True
        try:
            seen.folders[name] = _folder(root / name)[1]
        except ReidError:
            # it is gone, or closed: another than it was
            found.append(name)
        if seen.folders[name][1] != digest:
            found.append(name)
    if times and not found:
        # the same data with other times: the next call need not read it again to know. Where
        # nothing can be written, it does
        with contextlib.suppress(ReidError, OSError):
            seen.save(record)
    return sorted(found)


def older(names: Sequence[str], root: Path, made: Path) -> list[str]:
    """Return which of `names` below a root have a time before that of what was made of them."""
    limit = made.stat().st_mtime_ns
    times = {name: _stat(root / name) for name in names}
    return [name for name, at in times.items() if at is None or at.st_mtime_ns <= limit]


def _without_time(about: _File | None) -> list[Any] | None:
    # a large file has no digest, its time is all that there is
    return about if about is None or about[2] is None else [about[0], about[2]]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        # what cannot be looked at any more is another than it was
        return None


def _file(path: Path) -> _File | None:
    about = _stat(path)
    if about is None:
        return None
    digest = None
    if about.st_size <= _LARGEST_DIGEST:
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            # whoever reads it for its content says what ails it
            digest = None
    return [about.st_size, about.st_mtime_ns, digest]


def _folder(path: Path) -> tuple[tuple[int, int], _Folder, list[str]]:
    """Return a folder's identity, what is noted of it, and the folders in it."""
    lines, folders = [], []
    try:
        about = path.stat()
        with os.scandir(path) as entries:
            for entry in entries:
                if is_litter(entry.name):
                    continue
                size = _size(entry)
                lines.append(f"{entry.name}/{size}")
                if size == _IS_FOLDER:
                    folders.append(entry.name)
    except OSError as error:
        raise read_fault(path, error, "put it there") from error
    digest = hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape"))
    return (about.st_dev, about.st_ino), [about.st_mtime_ns, digest.hexdigest()[:32]], folders


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return _IS_FOLDER if entry.is_dir() else entry.stat().st_size
    except OSError:
        # a link to nowhere
        return _IS_NOTHING
