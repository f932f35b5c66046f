"""Unpacking archives so that nothing can land outside the folder, and no half of one stays.

Members are written to a folder aside and moved into place when all of them are good; a marker with
the archive's digest makes a second call do nothing. Before that, what a reader needs is moved to
where it looks, if the archive has it elsewhere.
"""

import contextlib
import json
import lzma
import os
import posixpath
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, Self, cast

from weakreid.artifacts.files import (
    FORBIDDEN,
    FULL,
    UNPACKING,
    part_of,
    read_json,
    remove_leftovers,
    there,
    write_json,
)
from weakreid.console import progress, say
from weakreid.datasets.fetch import locked, not_written
from weakreid.datasets.layout import name_some
from weakreid.datasets.lookup import DEPTH, locate, tops
from weakreid.errors import ReidError

MARKERS = ".unpacked"
PLAIN = (".json", ".mat", ".txt")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz")
# an archive in an archive in an archive
_NESTED = 2
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<?xml")
_UNREAD = {b"Rar!": "RAR", b"7z\xbc\xaf\x27\x1c": "7z"}
# a disk filled to the last byte breaks whatever else runs
_KEEP_FREE = 16 << 20

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
)


@dataclass(frozen=True)
class _Member:
    """One entry of an archive; `source` reads a file, `target` is where a link points."""

    name: str
    kind: Literal["file", "folder", "symlink", "hardlink", "device"]
    size: int = 0
    source: IO[bytes] | None = None
    target: str = ""


class WrongArchiveError(ReidError):
    """An archive that is none, is damaged, or holds nothing that is needed; `names` says which."""

    def __init__(self, text: str, names: Collection[str] = ()) -> None:
        super().__init__(text)
        self.names = frozenset(names)


def unpack_all(
    archives: Mapping[str, tuple[Path, str]],
    into: Path,
    *,
    required: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Unpack archives into a folder, all of them or none, so that a reader finds what it needs.

    An archive is a zip or tar (plain, gz, xz, bz2), told by its content, or a .json, .mat or .txt,
    which is copied. Several may be unpacked into one folder. Modes and owners are not taken over.
    What is required and lies elsewhere in them, some folders deeper or without the first ones, is
    moved to where it belongs; archives in an archive are unpacked where something is lacking.

    Args:
        archives: by name, the file and its sha256.
        into: the folder, made if it is not there.
        required: paths below `into` that must be there in the end.
        optional: paths that are moved like those required, and may be absent.

    Raises:
        ReidError: an archive is missing, damaged, would write outside the folder, holds a device,
            does not fit on the disk, or differs from the one of this name unpacked before; or
            something required is in none of them.
    """
    into = Path(into)
    with locked(into / MARKERS / ".lock"):
        new = {
            name: (path, digest)
            for name, (path, digest) in archives.items()
            if not _is_done(into, name, digest)
        }
        # nobody else is at work here while the lock is held
        remove_leftovers(into / UNPACKING)
        if not new:
            return
        for name, (path, _) in new.items():
            _refuse_what_is_no_archive(path, name)
        # in the same folder, so that moving into place is only a rename
        try:
            with part_of(into / UNPACKING) as aside:
                folders, counts = {}, {}
                for name, (path, _) in new.items():
                    say(f"unpacking {path} into {into}")
                    folders[name] = aside / name
                    folders[name].mkdir()
                    counts[name] = _write_members(path, folders[name], name)
                    if not any(folders[name].iterdir()):
                        raise WrongArchiveError(
                            f"{path}: holds no file; give the right archive", [name]
                        )
                _arrange(folders, into, required, optional)
                for name, folder in folders.items():
                    top = sorted(entry.name for entry in folder.iterdir())
                    _merge(folder, into)
                    about = {"sha256": new[name][1], "members": counts[name], "top": top}
                    write_json(_marker(into, name), about)
        except OSError as error:
            if error.errno in FORBIDDEN:
                raise not_written(into, error) from error
            full = "the disk is full: free some space"
            what = full if error.errno in FULL else f"{error.strerror}: {error.filename}"
            raise ReidError(
                f"{name_some(list(new))} was not unpacked into {into} ({what}); put that right and"
                " run again"
            ) from error


def unpacked(into: Path, name: str) -> str | None:
    """Return the sha256 of the archive of this name that is unpacked in a folder, if one is.

    Nothing is written, so it can be asked of a folder that others keep.
    """
    marker = _marker(Path(into), name)
    if not there(marker):
        return None
    held = read_json(marker, ["sha256", "top"])
    return str(held["sha256"]) if _all_there(into, held["top"]) else None


def _all_there(into: Path, names: Sequence[str]) -> bool:
    # a link is there wherever it leads
    return all((into / name).is_symlink() or there(into / name) for name in names)


def _marker(into: Path, name: str) -> Path:
    return into / MARKERS / f"{name}.json"


def _is_done(into: Path, name: str, digest: str) -> bool:
    marker = _marker(into, name)
    if not there(marker):
        return False
    held = read_json(marker, ["sha256", "top"])
    if held["sha256"] != digest:
        raise ReidError(
            f"{into}: holds what another {name} (sha256 {held['sha256']}) unpacked to, not"
            f" {digest}; delete that folder and run again"
        )
    return _all_there(into, held["top"])


# ------------------------------------------------------------------ where things belong


def _arrange(
    folders: Mapping[str, Path], into: Path, required: Sequence[str], optional: Sequence[str]
) -> None:
    """Move what is needed to where it belongs in unpacked archives, which are still aside."""
    wanted = (*required, *optional)

    def absent(names: Sequence[str]) -> list[str]:
        places = [into, *folders.values()]
        return [name for name in names if not any(there(place / name) for place in places)]

    helpful = {name for name, folder in folders.items() if any(there(folder / n) for n in wanted)}
    for deep in range(_NESTED + 1):
        for name, folder in folders.items():
            moves = {found.move for found in locate(folder, absent(wanted))}
            for held, belongs in sorted(moves):
                say(f"{name}: {held} belongs to {belongs} and is moved there")
                _move(folder, held, belongs)
            if moves:
                _check_links(folder, name)
                helpful.add(name)
        if deep == _NESTED or not absent(required):
            break
        inner = {name for name, folder in folders.items() if _unpack_inner(folder, name)}
        helpful |= inner
        if not inner:
            break
    gone = absent(required)
    if gone:
        holds = "; ".join(f"{name} holds {tops(folder)}" for name, folder in folders.items())
        raise WrongArchiveError(
            f"{into}: {name_some(gone)} in none of the archives, nothing was unpacked: {holds};"
            " give the archive that has it under that name, or unpack by hand",
            set(folders) - helpful,
        )


def _move(folder: Path, held: str, belongs: str) -> None:
    source, target = folder / held, folder / belongs
    # aside first, for one may lie in the other: bbox_train/bbox_train
    passing = folder.with_name(f"{folder.name}.moved")
    passing.mkdir()
    (passing / target.name).parent.mkdir(parents=True, exist_ok=True)
    source.replace(passing / target.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    _merge(passing, target.parent)
    passing.rmdir()
    for above in source.parents:
        if above == folder or any(above.iterdir()):
            break
        above.rmdir()


def _check_links(folder: Path, name: str) -> None:
    """Refuse links that lead outside since something was moved."""
    base = os.path.realpath(folder)
    places = [base]
    while places:
        with os.scandir(places.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    if os.path.commonpath([base, os.path.realpath(entry.path)]) != base:
                        raise WrongArchiveError(
                            f"{name}: the link {entry.name} leads outside once what the reader"
                            " needs is moved to its place; unpack by hand",
                        )
                elif entry.is_dir():
                    places.append(entry.path)


def _unpack_inner(folder: Path, name: str) -> bool:
    """Unpack the archives in an unpacked archive, each where it lies; return whether any was."""
    found = [
        path
        for depth in range(DEPTH + 1)
        for path in sorted(folder.glob("*/" * depth + "*"))
        if path.suffix.lower() in _ARCHIVES and not path.is_symlink() and _is_archive(path)
    ]
    for path in found:
        say(f"unpacking {path.relative_to(folder)}, which {name} holds")
        inner = folder.with_name(f"{name}.inner")
        inner.mkdir()
        try:
            _write_members(path, inner, path.name)
        except WrongArchiveError as error:
            raise WrongArchiveError(str(error), [name]) from error
        path.unlink()
        _merge(inner, path.parent)
        shutil.rmtree(inner)
    return bool(found)


# ------------------------------------------------------------------ writing members


def _write_members(archive: Path, aside: Path, name: str) -> int:
    """Write an archive's members below `aside`; return how many files and links there are."""
    free = shutil.disk_usage(aside).free - _KEEP_FREE
    files: set[str] = set()
    folders: set[str] = set()
    links: list[tuple[str, _Member]] = []
    written = 0
    try:
        with _open_members(archive, name) as (members, total, size):
            _check_space(archive, aside.parent, size, free)
            for member in progress(members, total=total, label=f"unpacking {name}", unit="members"):
                path = _safe_name(archive, member)
                if path is None:
                    continue
                folder = member.kind == "folder"
                parents = {str(parent) for parent in PurePosixPath(path).parents} - {"."}
                if parents & files or path in files or (not folder and path in folders):
                    raise ReidError(
                        f"{archive}: member '{member.name}' is there twice, or lies below another"
                        " that is no folder; nothing was unpacked"
                    )
                folders |= parents | ({path} if folder else set())
                if folder:
                    (aside / path).mkdir(parents=True, exist_ok=True)
                    continue
                files.add(path)
                if member.kind != "file":
                    links.append((path, member))
                    continue
                written += member.size
                _check_space(archive, aside.parent, written, free)
                _write_file(archive, aside / path, member, name)
    except _DAMAGE as error:
        raise _damaged(archive, error, name) from error
    except OSError as error:
        # gzip and bz2 report damage as an OSError without a number
        if error.errno is None:
            raise _damaged(archive, error, name) from error
        raise
    # only now, so that no file was ever written through a link
    for path, member in links:
        _make_link(archive, aside, path, member)
    base = os.path.realpath(aside)
    for path, member in links:
        # realpath, for it takes a circle of links where Path.resolve fails
        leads = os.path.realpath(aside / path)
        if member.kind == "symlink" and os.path.commonpath([base, leads]) != base:
            raise ReidError(f"{archive}: link '{member.name}' leads outside; nothing was unpacked")
    return len(files)


def _check_space(archive: Path, into: Path, size: int, free: int) -> None:
    if size > free:
        raise ReidError(
            f"{archive}: {size} or more bytes do not fit into {into}, which has {max(0, free)} to"
            " spare; nothing was unpacked, free some space and run again"
        )


def _damaged(archive: Path, error: Exception, name: str) -> ReidError:
    text = " ".join(str(error).split()) or type(error).__name__
    return WrongArchiveError(f"{archive}: cut short or damaged ({text}); get it again", [name])


def _clean(name: str) -> list[str] | None:
    """Return the parts of a member's name, or None where it is not below its folder."""
    # programs on Windows write backslashes and drive letters
    text = name.replace("\\", "/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    drive = bool(parts) and len(parts[0]) >= 2 and parts[0][1] == ":" and parts[0][0].isalpha()
    if text.startswith("/") or ".." in parts or drive or "\0" in text:
        return None
    return parts


def _safe_name(archive: Path, member: _Member) -> str | None:
    """Return a member's name below the folder, None for the folder itself."""
    parts = _clean(member.name)
    if parts is None:
        raise ReidError(
            f"{archive}: member '{member.name}' would be written outside the folder; nothing was"
            " unpacked, get the archive from another source"
        )
    if member.kind == "device":
        raise ReidError(
            f"{archive}: member '{member.name}' is a device or pipe; nothing was unpacked, get the"
            " archive from another source"
        )
    if parts and (parts[0] == MARKERS or parts[0].startswith(f".{UNPACKING}.")):
        raise ReidError(f"{archive}: member '{member.name}' has a reserved name; rename it")
    if not parts and member.kind != "folder":
        raise ReidError(f"{archive}: member '{member.name}' has no name; unpack it by hand")
    return "/".join(parts) or None


def _write_file(archive: Path, path: Path, member: _Member, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert member.source is not None
    with path.open("wb") as file:
        shutil.copyfileobj(member.source, file, 1 << 20)
        size = file.tell()
    if size != member.size:
        raise WrongArchiveError(
            f"{archive}: cut short: '{member.name}' has {size} of {member.size} bytes; get it"
            " again",
            [name],
        )


def _make_link(archive: Path, aside: Path, name: str, member: _Member) -> None:
    path = aside / name
    path.parent.mkdir(parents=True, exist_ok=True)
    outside = ReidError(
        f"{archive}: link '{member.name}' leads outside to '{member.target}'; nothing was unpacked"
    )
    if member.kind == "hardlink":
        parts = _clean(member.target)
        if not parts:
            raise outside
        source = aside.joinpath(*parts)
        if source.is_symlink() or not source.is_file():
            raise ReidError(
                f"{archive}: link '{member.name}' points at '{member.target}', which is no file of"
                " the archive; nothing was unpacked"
            )
        os.link(source, path)
        return
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.target))
    if posixpath.isabs(member.target) or target == ".." or target.startswith("../"):
        raise outside
    path.symlink_to(member.target)


def _merge(source: Path, into: Path) -> None:
    """Move what is below `source` into place; folders that are there already are filled up."""
    for entry in sorted(source.iterdir()):
        target = into / entry.name
        entry_is_folder = entry.is_dir() and not entry.is_symlink()
        target_is_folder = target.is_dir() and not target.is_symlink()
        if entry_is_folder and target_is_folder:
            _merge(entry, target)
        elif (target.exists() or target.is_symlink()) and entry_is_folder != target_is_folder:
            raise ReidError(f"{target}: in the way of an archive's {entry.name}; move it elsewhere")
        else:
            entry.replace(target)


# ------------------------------------------------------------------ formats


def _is_archive(path: Path) -> bool:
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def _is_plain(name: str) -> bool:
    """Return whether a file is copied as it is."""
    return name.lower().endswith(PLAIN)


def _refuse_what_is_no_archive(archive: Path, name: str) -> None:
    """Say of some files that come in the place of an archive what they are.

    A site that asks its visitors something first answers with a page, whatever was asked for.
    """
    with archive.open("rb") as file:
        start = file.read(1 << 16)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGES):
        title = re.search(rb"<title[^>]*>([^<]+)", start, re.IGNORECASE)
        shown = " ".join(title[1].decode("utf-8", "replace").split())[:80] if title else ""
        raise WrongArchiveError(
            f"{archive}: a web page{f' ({shown})' if shown else ''} and not {name}; open its"
            " address in a browser to see what the site asks for, and give the address of the file"
            " itself, or fetch it there and give it as file:",
            [name],
        )
    if text.startswith(b"version https://git-lfs"):
        raise WrongArchiveError(
            f"{archive}: only says where Git LFS keeps {name}; get the file itself (git lfs pull)",
            [name],
        )
    for signature, kind in _UNREAD.items():
        if start.startswith(signature):
            raise WrongArchiveError(
                f"{archive}: a {kind} archive, which is not read here; unpack it and pack it as zip"
                " or tar, or unpack it into root and leave archives out",
                [name],
            )
    if name.lower().endswith(".json"):
        try:
            json.loads(archive.read_bytes())
        except ValueError as error:
            raise WrongArchiveError(
                f"{archive}: not JSON ({error}); get it again", [name]
            ) from error


@contextlib.contextmanager
def _open_members(archive: Path, name: str) -> Iterator[tuple[Iterator[_Member], int | None, int]]:
    """Yield an archive's members, each readable until the next is taken.

    Their number and size in bytes come along where the archive tells beforehand (else None, 0).
    """
    with archive.open("rb") as file:
        start = file.read(4)
    if start in (b"PK\x03\x04", b"PK\x05\x06"):
        with zipfile.ZipFile(archive) as held:
            size = sum(info.file_size for info in held.infolist())
            yield _zip_members(archive, held), len(held.infolist()), size
        return
    if _is_plain(name):
        with archive.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            yield iter([_Member(name, "file", size, file)]), 1, size
        return
    with tarfile.open(archive, "r:*", tarinfo=_StrictInfo) as tar:
        yield _tar_members(tar), None, 0


def _zip_members(archive: Path, held: zipfile.ZipFile) -> Iterator[_Member]:
    for info in held.infolist():
        mode = info.external_attr >> 16
        # the high bits are a Unix mode only where a Unix program wrote them
        kind = stat.S_IFMT(mode) if info.create_system == 3 else 0
        if info.flag_bits & 1:
            raise ReidError(f"{archive}: '{info.filename}' is encrypted; unpack it by hand")
        if info.filename.endswith("/"):
            yield _Member(info.filename, "folder")
        elif kind == stat.S_IFLNK:
            target = held.read(info) if info.file_size < 4096 else b"/"
            yield _Member(info.filename, "symlink", target=os.fsdecode(target))
        elif kind not in (0, stat.S_IFREG):
            yield _Member(info.filename, "device")
        else:
            with held.open(info) as source:
                yield _Member(info.filename, "file", info.file_size, source)


class _StrictInfo(tarfile.TarInfo):
    """Makes an archive that does not reach its end mark an error; the tar module lets it pass."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error) or "no end mark") from error


def _tar_members(tar: tarfile.TarFile) -> Iterator[_Member]:
    while (info := tar.next()) is not None:
        if info.isdir():
            yield _Member(info.name, "folder")
        elif info.issym():
            yield _Member(info.name, "symlink", target=info.linkname)
        elif info.islnk():
            yield _Member(info.name, "hardlink", target=info.linkname)
        elif info.isreg():
            source = cast(IO[bytes], tar.extractfile(info))
            yield _Member(info.name, "file", info.size, source)
        else:
            yield _Member(info.name, "device")
        # tarfile remembers every member it passed: a million of them are not needed
        tar.members = []  # type: ignore[attr-defined]
    # the checksum of a compressed archive stands at its very end, behind the last member
    while tar.fileobj is not None and tar.fileobj.read(1 << 20):
        pass
