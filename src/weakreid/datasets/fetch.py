"""Getting a dataset's archives: read in place from `file:`, downloaded from `http(s):`.

A download goes to NAME.part and takes its name only when every byte is there and the digest is
right. A digest that the config does not give is written to a lock file when the archive has proved
to be the right one, and a later archive that differs from it is refused.
"""

import contextlib
import errno
import fcntl
import hashlib
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from weakreid.artifacts.files import FORBIDDEN, FULL, read_fault, read_json, there, write_json
from weakreid.config.datasets import Archive
from weakreid.console import progress, say, warn
from weakreid.errors import ReidError

CHUNK = 1 << 20
# what a cut connection loses at most: the client library holds a piece back until it is full
_PIECE = 1 << 16
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 60.0
# tries in a row that bring no further byte
_ATTEMPTS = 5
# seconds without a byte before a connection counts as lost
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Fetched:
    """An archive that is here."""

    name: str  # by which the config calls it
    archive: Archive  # where it is from
    path: Path
    digest: str  # sha256
    known: bool  # whether the config or the lock file gave the digest beforehand


class _TryAgainError(Exception):
    """A fault of the network or the server that another try may mend."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def fetch(
    archives: Mapping[str, Archive], root: Path, lock_path: Path, *, dataset: str
) -> list[Fetched]:
    """Return every archive, downloaded to `root` where it has to be.

    A digest that was not known beforehand is not recorded yet: see `remember`.

    Args:
        archives: by file name, such as "bbox_train.zip".
        root: the folder for downloads; archives of `file:` URLs stay where they are.
        lock_path: the JSON file {dataset: {name: {url, sha256, bytes}}} of digests seen before.
        dataset: the archives' heading in the lock file.

    Raises:
        ReidError: an archive is missing, incomplete, unreachable or changed, or the disk is full.
    """
    root, lock_path = Path(root), Path(lock_path)
    found = []
    for name, archive in archives.items():
        if Path(name).name != name or name in ("", ".", ".."):
            raise ReidError(f"{dataset}: '{name}' is not a plain file name for an archive")
        expected = expected_digest(dataset, name, archive, lock_path)
        wanted = _Wanted(dataset, name, archive, root, lock_path, expected)
        scheme = urlsplit(archive.url).scheme
        if scheme == "file":
            path = local_path(archive.url)
            digest = wanted.digest_of(path)
        elif scheme in ("http", "https"):
            path, digest = root / name, wanted.download()
        else:
            raise ReidError(
                f"{dataset}: url '{archive.url}' of {name} must begin with file:, http: or https:"
            )
        found.append(Fetched(name, archive, path, digest, expected is not None))
    return found


def remember(found: Fetched, lock_path: Path, *, dataset: str) -> None:
    """Record an archive's digest in the lock file, once it is sure that it is the right archive.

    Raises:
        ReidError: another digest was recorded meanwhile, or the file cannot be written.
    """
    entry = {
        "url": found.archive.url,
        "sha256": found.digest,
        "bytes": found.path.stat().st_size,
    }
    if _read_lock(lock_path).get(dataset, {}).get(found.name) == entry:
        return
    # two fetches may end at once: read again under a lock of the system, and only then write
    with locked(lock_path.with_name(f".{lock_path.name}.lock")):
        held = _read_lock(lock_path)
        earlier = held.get(dataset, {}).get(found.name, {}).get("sha256")
        if found.archive.sha256 is None and earlier not in (None, found.digest):
            raise _other(dataset, found.name, found.archive, found.digest, earlier, lock_path)
        held.setdefault(dataset, {})[found.name] = entry
        write_json(lock_path, {key: dict(sorted(held[key].items())) for key in sorted(held)})


def discard(found: Fetched) -> bool:
    """Delete a download that turned out wrong and return whether it was one.

    A file of `file:` is left alone, and so is one whose digest was known beforehand.
    """
    if found.known or urlsplit(found.archive.url).scheme == "file":
        return False
    found.path.unlink(missing_ok=True)
    return True


def local_path(url: str) -> Path:
    """Return the path of a `file:` URL; a relative one (`file:data/x.zip`) counts from here."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ReidError(f"url '{url}' names the host {parts.netloc}; write file:/PATH")
    return Path(unquote(parts.path))


def sha256_of(path: Path, label: str | None = None) -> str:
    """Return the sha256 of a file as 64 hex digits, showing progress where it takes long.

    Raises:
        ReidError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            chunks: Iterator[bytes] = iter(lambda: file.read(CHUNK), b"")
            size = os.fstat(file.fileno()).st_size
            if label and size > 64 * CHUNK:
                chunks = progress(chunks, total=math.ceil(size / CHUNK), label=label, unit="MiB")
            for chunk in chunks:
                digest.update(chunk)
    except IsADirectoryError as error:
        raise ReidError(
            f"{path}: a folder, not an archive; if it holds the data, name it as root and leave"
            " archives out"
        ) from error
    except OSError as error:
        raise read_fault(path, error, "put it there, or correct its url") from error
    return digest.hexdigest()


def expected_digest(dataset: str, name: str, archive: Archive, lock_path: Path) -> str | None:
    """Return the digest an archive must have: the given one, else the locked one, else None."""
    if archive.sha256 is not None:
        return archive.sha256
    locked = _read_lock(lock_path).get(dataset, {}).get(name, {}).get("sha256")
    return None if locked is None else str(locked)


def _read_lock(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    if not there(path):
        return {}
    held = read_json(path)
    if not isinstance(held, dict) or not all(
        isinstance(entries, dict) and all(isinstance(entry, dict) for entry in entries.values())
        for entries in held.values()
    ):
        raise ReidError(f"{path}: not a lock file of digests; delete it and run again")
    return held


def _other(
    dataset: str, name: str, archive: Archive, digest: str, expected: str, lock_path: Path
) -> ReidError:
    """Return what to say of an archive with another digest than the expected one."""
    if archive.sha256 is not None:
        remedy = "the config gives the latter: get the right file, or correct sha256"
    else:
        remedy = (
            f"{lock_path} recorded the latter on first use: get that file again, or delete its"
            " entry there if the change is wanted"
        )
    return ReidError(
        f"{dataset}: {name} from {archive.url} has sha256 {digest}, not {expected}; {remedy}"
    )


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock of the system on a file, released when the process ends in whatever way.

    Raises:
        ReidError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a")
        except PermissionError:
            # a colleague's, in a folder that we share; to wait for it, reading is enough
            file = path.open("r")
    except OSError as error:
        raise not_written(path.parent, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{path.parent}: somebody else is fetching there, waiting for them to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            # some network file systems have no locks, others none on what is open for reading only
            warn(
                f"{path.parent}: its file system gives no lock ({error.strerror}), so let nobody"
                " else fetch there at the same time"
            )
        yield


def not_written(folder: Path, error: OSError) -> ReidError:
    """Return what to say of a folder in which something could not be made."""
    if error.errno in FULL:
        return ReidError(f"the disk is full: nothing fits into {folder}; free some and run again")
    if error.errno in FORBIDDEN:
        remedy = "make it writable, or set root to a folder of your own"
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        remedy = f"{error.filename} is a file and not a folder: move it away, or correct root"
    else:
        remedy = "see to the disk or the network that it is on, and run again"
    return ReidError(f"{folder}: cannot be written to ({error.strerror}); {remedy}")


@dataclass(frozen=True)
class _Wanted:
    """An archive to get, and the sha256 that it must have where that is known."""

    dataset: str
    name: str
    archive: Archive
    root: Path
    lock_path: Path
    expected: str | None

    @property
    def part(self) -> Path:
        """What has come so far."""
        return self.root / f"{self.name}.part"

    @property
    def notes(self) -> Path:
        """What the server said of it: enough to tell whether it can be taken up again."""
        return self.root / f"{self.name}.part.json"

    def digest_of(self, path: Path) -> str:
        """Return the sha256 of the archive's file, which must be the expected one."""
        try:
            digest = sha256_of(path, f"checking {self.name}")
        except ReidError as error:
            raise ReidError(f"{self.dataset}: {error}") from error
        if self.expected not in (None, digest):
            raise _other(
                self.dataset, self.name, self.archive, digest, self.expected, self.lock_path
            )
        return digest

    def download(self) -> str:
        """Bring the archive to `root`, unless it is there, and return its sha256."""
        path = self.root / self.name
        with locked(self.root / f".{self.name}.lock"):
            if there(path):
                digest = self.digest_of(path)
                # of a download that was broken off before somebody put the archive here
                for left in filter(Path.exists, (self.part, self.notes)):
                    left.unlink()
                return digest
            try:
                self._download_part()
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise ReidError(
                        f"{self.dataset}: the disk is full: {self.name} has {self._size()} bytes in"
                        f" {self.part}; free some space and run again, it goes on from there"
                    ) from error
                raise not_written(self.root, error) from error
            try:
                digest = self.digest_of(self.part)
            except ReidError:
                self.part.unlink()
                raise
            finally:
                self.notes.unlink(missing_ok=True)
            with self.part.open("rb") as file:
                os.fsync(file.fileno())
            self.part.replace(path)
        return digest

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _download_part(self) -> None:
        """Bring `part` to its full length, in however many tries while each brings something."""
        failures, most = 0, self._size()
        while True:
            try:
                return self._try_once()
            except _TryAgainError as error:
                size = self._size()
                failures = failures + 1 if size <= most else 1
                most = max(most, size)
                if failures >= _ATTEMPTS:
                    raise ReidError(
                        f"{self.dataset}: {self.name} could not be downloaded from"
                        f" {self.archive.url} ({error}; {failures} tries, {size} bytes so far); run"
                        " again to go on, or get it by other means and give it as file:"
                    ) from error
                wait = min(_LONGEST_WAIT, error.wait or 2.0 ** (failures - 1))
                say(f"{self.dataset}: {self.name}: {error}; next try in {wait:.0f} s")
                sleep(wait)

    def _try_once(self) -> None:
        have, validator, length = self._begun()
        if have and have == length:
            return
        # a server that compresses on the way would make the lengths incomparable
        headers = {"Accept-Encoding": "identity"}
        if have and validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        url = self.archive.url
        try:
            with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
                self._receive(response, have, validator)
        except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
            raise _TryAgainError(_reason(error)) from error
        except requests.RequestException as error:
            raise ReidError(
                f"{self.dataset}: url '{url}' of {self.name} cannot be fetched ({error})"
            ) from error

    def _begun(self) -> tuple[int, str | None, int | None]:
        """Return how much of a download is there, and the validator and length of the whole."""
        if not self.part.exists() or not self.notes.exists():
            return 0, None, None
        held = read_json(self.notes)
        if not isinstance(held, dict) or held.get("url") != self.archive.url:
            return 0, None, None
        return self._size(), held.get("validator"), held.get("length")

    def _receive(self, response: requests.Response, have: int, begun: str | None) -> None:
        """Write what a server sends, of which the first `have` bytes are there already.

        `begun` is the validator of what these are of.
        """
        url, status = self.archive.url, response.status_code
        if status == 416:
            # what we hold is not a beginning of what the server has now
            self.part.unlink(missing_ok=True)
            raise _TryAgainError("the server refused to go on from the middle, starting again")
        if status in _WORTH_ANOTHER_TRY:
            wait = response.headers.get("Retry-After", "")
            raise _TryAgainError(f"status {status}", float(wait) if wait.isdigit() else None)
        if status not in (200, 206):
            raise ReidError(
                f"{self.dataset}: {url} answers with status {status}; correct the url of"
                f" {self.name}, or get it by other means and give it as file:"
            )
        length = _number(response.headers.get("Content-Length"))
        validator = _validator(response.headers)
        if status == 206:
            start, total = _content_range(response.headers.get("Content-Range", ""))
            changed = not have or validator not in (None, begun)
            if start != have or changed or (total and length and start + length != total):
                self.part.unlink(missing_ok=True)
                raise _TryAgainError("the server sent another part than asked, starting again")
            whole = total if total is not None else None if length is None else have + length
        else:
            have, whole = 0, length
        if whole is None and self.expected is None:
            raise ReidError(
                f"{self.dataset}: {url} does not say how long {self.name} is, so a cut would go"
                " unseen; give its sha256"
            )
        self._check_space(have, whole)
        write_json(self.notes, {"url": url, "validator": validator, "length": whole})
        pieces = response.raw.stream(_PIECE, decode_content=False)
        left = None if whole is None else math.ceil((whole - have) / CHUNK)
        with self.part.open("ab" if have else "wb") as file:
            megabytes = _written(pieces, file)
            label = f"downloading {self.name}"
            for _ in progress(megabytes, total=left, label=label, unit="MiB"):
                pass
        size = self._size()
        if whole is not None and size != whole:
            if size > whole:
                self.part.unlink()
            raise _TryAgainError(f"{size} of {whole} bytes came")

    def _check_space(self, have: int, whole: int | None) -> None:
        free = shutil.disk_usage(self.root).free
        if whole is not None and whole - have > free:
            raise ReidError(
                f"{self.dataset}: {self.name} needs {whole - have} more bytes, but {self.root} has"
                f" {free} free; free some space and run again"
            )


def _written(pieces: Iterable[bytes], file: IO[bytes]) -> Iterator[None]:
    """Write what comes, yielding once per MiB and once for the rest."""
    held = 0
    for piece in pieces:
        file.write(piece)
        held += len(piece)
        while held >= CHUNK:
            held -= CHUNK
            yield None
    if held:
        yield None


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what If-Range may carry: a strong ETag, else the date of the last change."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified")


def _content_range(text: str) -> tuple[int | None, int | None]:
    """Return (first byte, whole length) of `bytes 10-99/100`."""
    span, _, total = text.removeprefix("bytes ").partition("/")
    return _number(span.partition("-")[0]), _number(total)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() else None


def _reason(error: Exception) -> str:
    """Return an exception's own words in one short line."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    inner = error.args[0] if error.args else error
    cause = getattr(inner, "reason", inner)
    text = " ".join(str(cause).split())
    return text.rpartition(": ")[2][:120] if ": " in text else text[:120]
