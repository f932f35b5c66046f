"""Fetching and unpacking: whole or not at all, never outside the folder."""

import bz2
import contextlib
import errno
import gzip
import hashlib
import http.server
import io
import json
import lzma
import os
import shutil
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.config.datasets import Archive
from weakreid.datasets import fetch as fetching
from weakreid.datasets.fetch import fetch, remember
from weakreid.datasets.unpack import unpack_all
from weakreid.errors import ReidError

DATA = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(DATA).hexdigest()


# ------------------------------------------------------------------ a server with bad habits


@dataclass
class Server:
    """What the server on 127.0.0.1 holds, how it behaves, and what it was asked."""

    port: int = 0
    data: bytes = DATA
    etag: str | None = '"one"'
    ranges: bool = True
    length: bool = True
    cut: int | None = None
    cuts: int = 10**9
    statuses: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/a.zip"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            if state.statuses:
                self.send_response(state.statuses.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = 0
            same = self.headers.get("If-Range") in (None, state.etag)
            if asked and state.ranges and same:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(state.data):
                    self.send_response(416)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                total = len(state.data)
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            else:
                self.send_response(200)
            body = state.data[start:]
            if state.etag:
                self.send_header("ETag", state.etag)
            if state.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.cut is not None and state.cuts > 0 and len(body) > state.cut:
                state.cuts -= 1
                body = body[: state.cut]
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    held = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = held.server_address[1]
    thread = threading.Thread(target=held.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    held.shutdown()
    thread.join()
    held.server_close()


@dataclass
class Place:
    root: Path
    lock: Path
    waits: list[float] = field(default_factory=list)

    def get(
        self, url: str, sha256: str | None = None, attempts: int = 5, dataset: str = "mars"
    ) -> Path:
        archives = {"a.zip": Archive(url=url, sha256=sha256)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fetching, "_TIMEOUT", 5)
            patch.setattr(fetching, "_ATTEMPTS", attempts)
            patch.setattr(fetching, "sleep", self.waits.append)
            (found,) = fetch(archives, self.root, self.lock, dataset=dataset)
        remember(found, self.lock, dataset=dataset)
        return found.path

    def visible(self) -> list[str]:
        if not self.root.exists():
            return []
        return sorted(p.name for p in self.root.iterdir() if not p.name.startswith("."))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "archives", tmp_path / "lock.json")


def unpack(archive: Path, into: Path) -> None:
    unpack_all({archive.name: (archive, fetching.sha256_of(archive))}, into)


def one_line(caught: pytest.ExceptionInfo[ReidError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


# ------------------------------------------------------------------ downloads


def test_download_is_locked_on_first_use(server: Server, place: Place) -> None:
    path = place.get(server.url)
    assert path.read_bytes() == DATA
    assert place.visible() == ["a.zip"]
    entry = {"url": server.url, "sha256": DIGEST, "bytes": len(DATA)}
    assert json.loads(place.lock.read_text()) == {"mars": {"a.zip": entry}}
    # a second call asks nobody
    assert place.get(server.url) == path
    assert len(server.asked) == 1


def test_cut_connection_is_taken_up_where_it_broke(server: Server, place: Place) -> None:
    server.cut = 150_000
    assert place.get(server.url).read_bytes() == DATA
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in server.asked if asked]
    assert server.asked[0] is None
    assert len(starts) >= 3
    assert starts == sorted(starts)
    assert starts[0] > 0


def test_tries_count_only_while_nothing_comes(server: Server, place: Place) -> None:
    server.cut = 70_000
    assert place.get(server.url, attempts=2).read_bytes() == DATA
    assert len(server.asked) > 4


def test_server_that_does_not_resume_starts_again(server: Server, place: Place) -> None:
    server.cut, server.cuts, server.ranges = 300_000, 2, False
    assert place.get(server.url).read_bytes() == DATA


def test_server_that_never_gets_further_is_given_up(server: Server, place: Place) -> None:
    server.cut, server.ranges = 300_000, False
    with pytest.raises(ReidError, match="could not be downloaded") as caught:
        place.get(server.url, attempts=3)
    assert "run again" in one_line(caught)
    assert "a.zip" not in place.visible()
    assert not place.lock.exists()
    assert place.waits == sorted(place.waits)


def test_interrupted_run_goes_on_in_the_next(server: Server, place: Place) -> None:
    server.cut, server.ranges = 200_000, True
    with pytest.raises(ReidError, match="could not be downloaded"):
        place.get(server.url, attempts=1)
    assert place.visible() == ["a.zip.part", "a.zip.part.json"]
    server.cut = None
    assert place.get(server.url).read_bytes() == DATA
    assert server.asked[-1] is not None
    assert place.visible() == ["a.zip"]


def test_half_a_download_goes_once_the_archive_was_put_there(server: Server, place: Place) -> None:
    server.cut, server.ranges = 200_000, True
    with pytest.raises(ReidError, match="could not be downloaded"):
        place.get(server.url, attempts=1)
    (place.root / "a.zip").write_bytes(DATA)
    assert place.get(server.url).read_bytes() == DATA
    assert place.visible() == ["a.zip"]


def test_file_changed_between_two_runs_is_not_glued(server: Server, place: Place) -> None:
    server.cut = 200_000
    with pytest.raises(ReidError):
        place.get(server.url, attempts=1)
    server.cut, server.data, server.etag = None, DATA[::-1], '"two"'
    assert place.get(server.url).read_bytes() == DATA[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_it_starts_again(
    server: Server, place: Place, etag: str | None
) -> None:
    server.cut, server.cuts, server.etag = 200_000, 1, etag
    assert place.get(server.url).read_bytes() == DATA
    assert server.asked == [None, None]


def test_server_shorter_than_the_part(server: Server, place: Place) -> None:
    server.cut = 400_000
    with pytest.raises(ReidError):
        place.get(server.url, attempts=1)
    server.data, server.cut = DATA[:1000], None
    assert place.get(server.url).read_bytes() == DATA[:1000]


def test_busy_server_is_asked_again_later(server: Server, place: Place) -> None:
    server.statuses = [503, 429, 500]
    assert place.get(server.url).read_bytes() == DATA
    assert place.waits == [1.0, 2.0, 4.0]


def test_missing_at_the_server_is_said_at_once(server: Server, place: Place) -> None:
    server.statuses = [404]
    with pytest.raises(ReidError, match="status 404") as caught:
        place.get(server.url)
    assert server.url in one_line(caught)
    assert place.waits == []
    assert place.visible() == []


def test_nobody_answers(place: Place) -> None:
    with pytest.raises(ReidError, match=r"could not be downloaded.*refused") as caught:
        place.get("http://127.0.0.1:9/a.zip", attempts=3)
    one_line(caught)
    assert place.waits == [1.0, 2.0]


def test_unknown_length_needs_a_digest(server: Server, place: Place) -> None:
    server.length = False
    with pytest.raises(ReidError, match="give its sha256"):
        place.get(server.url)
    assert place.get(server.url, DIGEST).read_bytes() == DATA


def test_unknown_length_and_a_cut_is_caught_by_the_digest(server: Server, place: Place) -> None:
    server.length, server.cut = False, 1000
    with pytest.raises(ReidError, match="has sha256"):
        place.get(server.url, DIGEST)
    assert place.visible() == []


def test_wrong_digest_is_refused_and_nothing_stays(server: Server, place: Place) -> None:
    wrong = "0" * 64
    with pytest.raises(ReidError) as caught:
        place.get(server.url, wrong)
    text = one_line(caught)
    assert wrong in text
    assert DIGEST in text
    assert "a.zip" in text
    assert place.visible() == []
    assert not place.lock.exists()


def test_changed_download_is_refused(server: Server, place: Place) -> None:
    path = place.get(server.url)
    path.unlink()
    server.data = DATA[1:]
    with pytest.raises(ReidError) as caught:
        place.get(server.url)
    text = one_line(caught)
    assert DIGEST in text
    assert hashlib.sha256(DATA[1:]).hexdigest() in text
    assert str(place.lock) in text
    assert place.visible() == []
    # the config's own word overrules the lock
    changed = hashlib.sha256(DATA[1:]).hexdigest()
    assert place.get(server.url, changed).read_bytes() == DATA[1:]
    assert json.loads(place.lock.read_text())["mars"]["a.zip"]["sha256"] == changed


def test_two_fetches_at_once(server: Server, place: Place) -> None:
    def get(index: int) -> Path:
        name, dataset = f"{index % 3}.zip", f"set {index % 2}"
        (found,) = fetch({name: Archive(url=server.url)}, place.root, place.lock, dataset=dataset)
        remember(found, place.lock, dataset=dataset)
        return found.path

    with ThreadPoolExecutor(6) as pool:
        for path in pool.map(get, range(6)):
            assert path.read_bytes() == DATA
    held = json.loads(place.lock.read_text())
    assert {name: sorted(entries) for name, entries in held.items()} == {
        "set 0": ["0.zip", "1.zip", "2.zip"],
        "set 1": ["0.zip", "1.zip", "2.zip"],
    }
    assert len(server.asked) == 3


def test_too_large_for_the_disk(
    server: Server, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(100, 95, 5)  # type: ignore[attr-defined]
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ReidError, match=f"needs {len(DATA)} more bytes"):
        place.get(server.url)
    assert place.visible() == []


def test_disk_full_on_the_way(
    server: Server, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fetching._written

    def full(pieces: Iterator[bytes], file: Any) -> Iterator[None]:
        yield from real(iter([next(iter(pieces))]), file)
        file.flush()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "_written", full)
    with pytest.raises(ReidError, match="the disk is full") as caught:
        place.get(server.url)
    one_line(caught)
    assert "a.zip" not in place.visible()
    monkeypatch.setattr(fetching, "_written", real)
    assert place.get(server.url).read_bytes() == DATA
    assert server.asked[-1] is not None


# ------------------------------------------------------------------ file: and what is refused


@pytest.mark.parametrize("form", ["file:{}", "file://{}", "file://localhost{}"])
def test_local_archive_is_read_in_place(tmp_path: Path, place: Place, form: str) -> None:
    path = tmp_path / "my data" / "a.zip"
    path.parent.mkdir()
    path.write_bytes(DATA)
    url = form.format(str(path).replace(" ", "%20"))
    assert place.get(url) == path
    assert place.visible() == []
    assert json.loads(place.lock.read_text())["mars"]["a.zip"]["bytes"] == len(DATA)
    path.write_bytes(DATA[1:])
    with pytest.raises(ReidError, match="recorded the latter on first use"):
        place.get(url)
    assert path.exists()


def test_relative_local_archive(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.zip").write_bytes(DATA)
    assert place.get("file:a.zip") == Path("a.zip")


@pytest.mark.parametrize(
    ("url", "sha256", "message"),
    [
        ("file:/nowhere/a.zip", None, "/nowhere/a.zip: no such file; put it there"),
        ("ftp://example.org/a.zip", None, "must begin with file:, http: or https:"),
        ("/data/a.zip", None, "must begin with"),
        ("file://elsewhere/a.zip", None, "names the host elsewhere"),
        ("http:///a.zip", None, "cannot be fetched"),
    ],
)
def test_refused_urls(place: Place, url: str, sha256: str | None, message: str) -> None:
    with pytest.raises(ReidError, match=message) as caught:
        place.get(url, sha256)
    assert "mars" in one_line(caught) or "host" in str(caught.value)
    assert not place.lock.exists()


@pytest.mark.parametrize("name", ["../a.zip", "x/a.zip", "", ".."])
def test_archive_name_must_be_plain(place: Place, name: str) -> None:
    with pytest.raises(ReidError, match="not a plain file name"):
        fetch({name: Archive(url="file:/x")}, place.root, place.lock, dataset="mars")


def test_broken_lock_file_is_named(place: Place, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(DATA)
    for text in ("{", "[]", '{"mars": []}', '{"mars": {"a.zip": 3}}'):
        place.lock.write_text(text)
        with pytest.raises(ReidError, match=r"lock\.json"):
            place.get(f"file:{tmp_path}/a.zip")


# ------------------------------------------------------------------ unpacking


TREE = {"bbox/0001/a.jpg": b"one", "bbox/0002/b.jpg": b"two" * 1000, "readme.txt": b""}


def make_zip(path: Path, tree: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held:
        for name, data in tree.items():
            # ZipInfo keeps a name as it is; the file name argument of writestr would too
            held.writestr(zipfile.ZipInfo(name), data)
    return path


def tar_bytes(tree: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as held:
        for name, data in tree.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            held.addfile(info, io.BytesIO(data))
        for info in more:
            held.addfile(info)
    return sink.getvalue()


PACKERS = {"tar": bytes, "tar.gz": gzip.compress, "tar.xz": lzma.compress, "tar.bz2": bz2.compress}
KINDS = ["zip", *PACKERS]


def make(path: Path, kind: str, tree: dict[str, bytes]) -> Path:
    if kind == "zip":
        return make_zip(path, tree)
    path.write_bytes(PACKERS[kind](tar_bytes(tree)))
    return path


def held_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".unpacked" not in path.parts
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_unpacks_once(tmp_path: Path, kind: str) -> None:
    archive = make(tmp_path / f"a.{kind}", kind, TREE)
    into = tmp_path / "out"
    unpack(archive, into)
    assert held_in(into) == TREE
    (into / "readme.txt").write_bytes(b"mine")
    unpack(archive, into)
    assert (into / "readme.txt").read_bytes() == b"mine"
    assert list(into.glob(".unpacking*")) == []


def test_what_was_deleted_is_unpacked_again(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", TREE)
    unpack(archive, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "bbox")
    unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == TREE


def test_archives_share_a_folder(tmp_path: Path) -> None:
    unpack(make_zip(tmp_path / "a.zip", {"d/a": b"1"}), tmp_path / "out")
    unpack(make_zip(tmp_path / "b.zip", {"d/b": b"2"}), tmp_path / "out")
    (tmp_path / "splits.json").write_bytes(b"[]")
    unpack(tmp_path / "splits.json", tmp_path / "out")
    assert held_in(tmp_path / "out") == {"d/a": b"1", "d/b": b"2", "splits.json": b"[]"}


def test_another_archive_of_the_same_name_is_refused(tmp_path: Path) -> None:
    unpack(make_zip(tmp_path / "a.zip", TREE), tmp_path / "out")
    make_zip(tmp_path / "a.zip", {"other": b""})
    with pytest.raises(ReidError, match="delete that folder"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert held_in(tmp_path / "out") == TREE


def test_folders_as_windows_writes_them(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"top/": b"", "top/x/a": b"1", "top\\y\\b": b"2"})
    unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == {"top/x/a": b"1", "top/y/b": b"2"}


EVIL = [
    "../evil",
    "a/../../evil",
    "/tmp/evil",
    "..",
    "a/..",
    "..\\evil",
    "C:\\evil",
    "c:/evil",
    "\\evil",
]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("name", EVIL)
def test_member_outside_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    archive = make(tmp_path / f"a.{kind}", kind, {"good": b"1", name: b"2"})
    with pytest.raises(ReidError, match="outside the folder") as caught:
        unpack(archive, tmp_path / "deep" / "out")
    assert str(archive) in one_line(caught)
    assert held_in(tmp_path) == {archive.name: archive.read_bytes()}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "..", ".", "", "~", "C:", "x y"]), min_size=1).map(
            "/".join
        ),
        st.binary(max_size=5),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["zip", "tar"]),
)
def test_nothing_ever_lands_outside(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], kind: str
) -> None:
    base = tmp_path_factory.mktemp("unpack")
    archive = make(base / f"a.{kind}", kind, tree)
    into = base / "one" / "two" / "out"
    refused = False
    try:
        unpack(archive, into)
    except ReidError:
        refused = True
    outside = {path for path in base.rglob("*") if path.is_file() and into not in path.parents}
    assert outside == {archive}
    if refused:
        assert held_in(into) == {}
    else:
        assert not any(".." in name.split("/") for name in tree)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "links",
    [
        [link("l", "/etc/passwd")],
        [link("l", "../outside")],
        [link("d/l", "../../outside")],
        [link("a1", "."), link("a2", "a1/.."), link("a3", "a2/..")],
        [link("l", "/etc/passwd", tarfile.LNKTYPE)],
        [link("l", "../x", tarfile.LNKTYPE)],
        [link("l", "nothing", tarfile.LNKTYPE)],
        [link("s", "good"), link("l", "s", tarfile.LNKTYPE)],
    ],
)
def test_links_that_leave_are_refused(tmp_path: Path, links: list[tarfile.TarInfo]) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_bytes({"good": b"1"}, *links))
    with pytest.raises(ReidError, match="link") as caught:
        unpack(archive, tmp_path / "out")
    one_line(caught)
    assert held_in(tmp_path / "out") == {}


def test_file_through_a_link_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as held:
        held.addfile(link("l", str(tmp_path / "victim")))
        info = tarfile.TarInfo("l/evil")
        info.size = 1
        held.addfile(info, io.BytesIO(b"1"))
    archive.write_bytes(sink.getvalue())
    (tmp_path / "victim").mkdir()
    with pytest.raises(ReidError, match="lies below another"):
        unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "victim") == {}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_clash_are_refused(tmp_path: Path, kind: str) -> None:
    for tree in ({"a": b"1", "a/b": b"2"}, {"a/b": b"2", "a": b"1"}, {"a": b"1", "./a": b"2"}):
        archive = make(tmp_path / f"a.{kind}", kind, tree)
        with pytest.raises(ReidError, match="twice, or lies below"):
            unpack(archive, tmp_path / "out")
        assert held_in(tmp_path / "out") == {}


def test_a_circle_of_links_harms_nobody(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_bytes({"good": b"1"}, link("a", "b"), link("b", "a")))
    unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == {"good": b"1"}


def test_names_too_long_are_one_line(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"x" * 300: b"1"})
    with pytest.raises(ReidError, match="was not unpacked") as caught:
        unpack(archive, tmp_path / "out")
    one_line(caught)


def test_links_inside_are_kept(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    links = [link("d/l", "../good"), link("h", "good", tarfile.LNKTYPE)]
    archive.write_bytes(tar_bytes({"good": b"1"}, *links))
    unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == {"good": b"1", "d/l": b"1", "h": b"1"}


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_bytes({"good": b"1"}, link("dev", "", kind)))
    with pytest.raises(ReidError, match="device or pipe"):
        unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == {}


def test_zip_links_and_devices(tmp_path: Path) -> None:
    for name, mode, message in (("l", stat.S_IFLNK, "leads outside"), ("d", stat.S_IFIFO, "pipe")):
        archive = tmp_path / f"{name}.zip"
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, (mode | 0o644) << 16
        with zipfile.ZipFile(archive, "w") as held:
            held.writestr(info, "../../etc/passwd")
        with pytest.raises(ReidError, match=message):
            unpack(archive, tmp_path / "out")
        assert held_in(tmp_path / "out") == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9, 0.999])
def test_cut_archives_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    noise = {f"d/{i}": os.urandom(3000) for i in range(6)}
    archive = make(tmp_path / f"a.{kind}", kind, noise)
    # a plain tar ends in kilobytes of padding that it can do without
    whole = archive.read_bytes().rstrip(b"\0") if kind == "tar" else archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ReidError, match="cut short or damaged") as caught:
        unpack(archive, tmp_path / "out")
    assert str(archive) in one_line(caught)
    assert held_in(tmp_path / "out") == {}


def test_tar_cut_between_two_members_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_bytes({"a": b"x" * 512, "b": b"y" * 512})[: 2 * 512])
    with pytest.raises(ReidError, match="cut short or damaged"):
        unpack(archive, tmp_path / "out")


def test_tar_with_a_damaged_header_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    data = bytearray(tar_bytes({"a": b"x" * 512, "b": b"y" * 512, "c": b""}))
    data[2 * 512 + 5] ^= 255
    archive.write_bytes(bytes(data))
    with pytest.raises(ReidError, match="cut short or damaged"):
        unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == {}


def test_flipped_byte_in_a_zip_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a": os.urandom(5000)})
    data = bytearray(archive.read_bytes())
    data[2500] ^= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(ReidError, match="cut short or damaged"):
        unpack(archive, tmp_path / "out")
    assert held_in(tmp_path / "out") == {}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bomb_does_not_fit(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make(tmp_path / f"a.{kind}", kind, {"zeros": bytes(10_000_000), "b": b"1"})
    usage = shutil._ntuple_diskusage(10**9, 0, (16 << 20) + 9_000_000)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ReidError, match="do not fit") as caught:
        unpack(archive, tmp_path / "out")
    one_line(caught)
    assert held_in(tmp_path / "out") == {}


def test_disk_full_while_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_zip(tmp_path / "a.zip", TREE)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(ReidError, match="the disk is full") as caught:
        unpack(archive, tmp_path / "out")
    one_line(caught)
    assert held_in(tmp_path / "out") == {}


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    left = tmp_path / "out" / ".unpacking.0123abcd.part" / "bbox"
    left.mkdir(parents=True)
    unpack(make_zip(tmp_path / "a.zip", TREE), tmp_path / "out")
    assert not left.exists()
    assert held_in(tmp_path / "out") == TREE


def test_other_refusals(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>sign in first</html>")
    cases = {
        tmp_path / "none.zip": "no such file",
        tmp_path / "page.zip": "a web page and not page.zip",
        make_zip(tmp_path / "empty.zip", {}): "holds no file",
        make_zip(tmp_path / "r.zip", {".unpacked/x": b""}): "reserved name",
    }
    for archive, message in cases.items():
        with pytest.raises(ReidError, match=message) as caught:
            unpack(archive, tmp_path / "out")
        one_line(caught)


def test_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bbox").write_text("mine")
    with pytest.raises(ReidError, match="in the way"):
        unpack(make_zip(tmp_path / "a.zip", TREE), tmp_path / "out")
    assert (tmp_path / "out" / "bbox").read_text() == "mine"


def test_two_unpack_at_once(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", TREE)
    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(unpack, archive, tmp_path / "out") for _ in range(4)]:
            job.result()
    assert held_in(tmp_path / "out") == TREE
