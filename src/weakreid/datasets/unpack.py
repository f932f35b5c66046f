"""Unpacking archives so that nothing can land outside the folder, and no half of one stays.

Members are written to a folder aside and moved into place when all of them are good; a marker with
the archive's digest makes a second call do nothing.
"""

import contextlib
import errno
import lzma
import os
import posixpath
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Self, cast

from weakreid.console import progress
from weakreid.datasets.fetch import locked, sha256_of
from weakreid.errors import ReidError
from weakreid.files import read_json, remove_if_quiet, write_json

MARKERS = ".unpacked"
PLAIN = (".json", ".mat", ".txt")
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


def unpack(archive: Path, into: Path, *, strip: int = 0, sha256: str | None = None) -> None:
    """Unpack a zip or tar (plain, gz, xz, bz2) into a folder; copy a .json, .mat or .txt there.

    Several archives may be unpacked into one folder. Modes and owners are not taken over.

    Args:
        archive: the archive, told by its content.
        into: the folder, made if it is not there.
        strip: how many leading folders of each member's name to drop.
        sha256: the archive's digest if it is known; else it is computed.

    Raises:
        ReidError: the archive is missing, damaged, would write outside the folder, holds a device,
            does not fit on the disk, or differs from the one of this name unpacked before.
    """
    archive, into = Path(archive), Path(into)
    if not archive.is_file():
        raise ReidError(f"{archive}: no such archive; put it there, or give the unpacked folder")
    digest = sha256 or sha256_of(archive, f"checking {archive.name}")
    marker = into / MARKERS / f"{archive.name}.json"
    with locked(into / MARKERS / ".lock"):
        if marker.exists() and _is_done(marker, digest, strip, archive, into):
            return
        # what a killed run left; nobody else is at work here while the lock is held
        for stale in into.glob(".unpacking-*"):
            shutil.rmtree(stale, ignore_errors=True)
        # in the same folder, so that moving into place is only a rename
        aside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=into))
        try:
            count = _write_members(archive, aside, strip)
            tops = sorted(entry.name for entry in aside.iterdir())
            if not tops:
                raise ReidError(f"{archive}: holds no file (strip {strip}); give the right archive")
            _merge(aside, into)
            write_json(marker, {"sha256": digest, "strip": strip, "members": count, "top": tops})
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise ReidError(
                    f"the disk is full: {archive} was not unpacked into {into}; free some space and"
                    " run again"
                ) from error
            raise ReidError(
                f"{archive}: was not unpacked into {into} ({error.strerror}: {error.filename}); put"
                " that right and run again"
            ) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _is_done(marker: Path, digest: str, strip: int, archive: Path, into: Path) -> bool:
    held = read_json(marker)
    if held.get("sha256") != digest or held.get("strip") != strip:
        raise ReidError(
            f"{into}: holds what another {archive.name} (sha256 {held.get('sha256')}, strip"
            f" {held.get('strip')}) unpacked to, not {digest}; delete that folder and run again"
        )
    return all((into / name).exists() for name in held["top"])


def _write_members(archive: Path, aside: Path, strip: int) -> int:
    """Write an archive's members below `aside`; return how many files and links there are."""
    free = shutil.disk_usage(aside).free - _KEEP_FREE
    if archive.suffix.lower() in PLAIN:
        strip = 0
    files: set[str] = set()
    folders: set[str] = set()
    links: list[tuple[str, _Member]] = []
    written = 0
    try:
        with _open_members(archive) as (members, total, size):
            _check_space(archive, aside.parent, size, free)
            for member in progress(
                members, total=total, label=f"unpacking {archive.name}", unit="members"
            ):
                name = _safe_name(archive, member, strip)
                if name is None:
                    continue
                folder = member.kind == "folder"
                parents = set(_parents(name))
                if parents & files or name in files or (not folder and name in folders):
                    raise ReidError(
                        f"{archive}: member '{member.name}' is there twice, or lies below another"
                        " that is no folder; nothing was unpacked"
                    )
                folders |= parents | ({name} if folder else set())
                if folder:
                    (aside / name).mkdir(parents=True, exist_ok=True)
                    continue
                files.add(name)
                if member.kind != "file":
                    links.append((name, member))
                    continue
                written += member.size
                _check_space(archive, aside.parent, written, free)
                _write_file(archive, aside / name, member)
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        # gzip and bz2 report damage as an OSError without a number
        if error.errno is None:
            raise _damaged(archive, error) from error
        raise
    # only now, so that no file was ever written through a link
    for name, member in links:
        _make_link(archive, aside, name, member, strip)
    base = os.path.realpath(aside)
    for name, member in links:
        # realpath, for it takes a circle of links where Path.resolve fails
        leads = os.path.realpath(aside / name)
        if member.kind == "symlink" and os.path.commonpath([base, leads]) != base:
            raise ReidError(f"{archive}: link '{member.name}' leads outside; nothing was unpacked")
    return len(files)


def _check_space(archive: Path, into: Path, size: int, free: int) -> None:
    if size > free:
        raise ReidError(
            f"{archive}: {size} or more bytes do not fit into {into}, which has {max(0, free)} to"
            " spare; nothing was unpacked, free some space and run again"
        )


def _damaged(archive: Path, error: Exception) -> ReidError:
    text = " ".join(str(error).split()) or type(error).__name__
    return ReidError(f"{archive}: cut short or damaged ({text}); get it again")


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _clean(name: str) -> list[str] | None:
    """Return the parts of a member's name, or None where it is not below its folder."""
    # programs on Windows write backslashes and drive letters
    text = name.replace("\\", "/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    drive = bool(parts) and len(parts[0]) >= 2 and parts[0][1] == ":" and parts[0][0].isalpha()
    if text.startswith("/") or ".." in parts or drive or "\0" in text:
        return None
    return parts


def _safe_name(archive: Path, member: _Member, strip: int) -> str | None:
    """Return a member's name below the folder, None for a folder that `strip` swallows."""
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
    kept = parts[strip:]
    if kept and (kept[0] == MARKERS or kept[0].startswith(".unpacking-")):
        raise ReidError(f"{archive}: member '{member.name}' has a reserved name; rename it")
    if not kept:
        if member.kind == "folder":
            return None
        raise ReidError(f"{archive}: strip {strip} leaves nothing of member '{member.name}'")
    return "/".join(kept)


def _write_file(archive: Path, path: Path, member: _Member) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert member.source is not None
    with path.open("wb") as file:
        shutil.copyfileobj(member.source, file, 1 << 20)
        size = file.tell()
    if size != member.size:
        raise ReidError(
            f"{archive}: cut short: '{member.name}' has {size} of {member.size} bytes; get it again"
        )


def _make_link(archive: Path, aside: Path, name: str, member: _Member, strip: int) -> None:
    path = aside / name
    path.parent.mkdir(parents=True, exist_ok=True)
    outside = ReidError(
        f"{archive}: link '{member.name}' leads outside to '{member.target}'; nothing was unpacked"
    )
    if member.kind == "hardlink":
        parts = _clean(member.target)
        if parts is None or not parts[strip:]:
            raise outside
        source = aside.joinpath(*parts[strip:])
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


@contextlib.contextmanager
def _open_members(archive: Path) -> Iterator[tuple[Iterator[_Member], int | None, int]]:
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
    if archive.suffix.lower() in PLAIN:
        with archive.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            yield iter([_Member(archive.name, "file", size, file)]), 1, size
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


# ------------------------------------------------------------------ what was killed


def remove_leftovers(into: Path) -> list[Path]:
    """Remove what killed runs were unpacking into a folder, a day later; return what was removed.

    The next call of `unpack` for that folder does so at once. This is for when none comes.
    """
    lock = Path(into) / MARKERS / ".lock"
    return [part for part in sorted(Path(into).glob(".unpacking-*")) if remove_if_quiet(part, lock)]
