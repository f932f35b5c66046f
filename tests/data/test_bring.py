"""Archives as people have them come to where a reader looks, or it is said what ails them."""

import errno
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.data.test_fetch import Server, held_in, make_zip, server, tar_bytes

from weakreid.config.datasets import Archive
from weakreid.datasets import fetch as fetching
from weakreid.datasets import ilids, mars, prid
from weakreid.datasets import obtain as bringing
from weakreid.datasets.obtain import bring
from weakreid.errors import ReidError

__all__ = ["server"]

MARS = {
    "bbox_train/0001/a.jpg": b"1",
    "bbox_test/0002/b.jpg": b"2",
    **{name: name.encode() for name in mars.REQUIRED if name.startswith("info/")},
}
PRID = {f"{name}/person_0001/0001.png": name.encode() for name in prid.REQUIRED}
PAGE = b"<!DOCTYPE html><html><head><title>Virus scan\n warning</title></head></html>"


def below(folder: str, tree: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": data for name, data in tree.items()}


def zipped(tree: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as held:
        for name, data in tree.items():
            held.writestr(name, data)
    return sink.getvalue()


class Place:
    """A root, a lock file, and archives beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.lock = folder, folder / "data/set", folder / "lock.json"

    def bring(self, reader: object = mars, **archives: str) -> None:
        named = {name.replace("_zip", ".zip"): Archive(url=url) for name, url in archives.items()}
        self.bring_all(named, reader)

    def bring_all(self, archives: dict[str, Archive], reader: object = mars) -> None:
        bring(
            archives,
            self.root,
            self.lock,
            required=reader.REQUIRED,  # type: ignore[attr-defined]
            optional=reader.OPTIONAL,  # type: ignore[attr-defined]
            dataset="set",
            how_to_get="get it from its authors",
        )

    def zip(self, tree: dict[str, bytes], name: str = "a.zip") -> str:
        return f"file:{make_zip(self.folder / name, tree)}"

    def refused(self, reader: object = mars, **archives: str) -> str:
        with pytest.raises(ReidError) as caught:
            self.bring(reader, **archives)
        assert "\n" not in str(caught.value)
        # nothing half-unpacked, no digest of what is wrong
        assert all(name.endswith(".lock") for name in held_in(self.root))
        assert not self.lock.exists()
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# ------------------------------------------------------------------ packed otherwise


@pytest.mark.parametrize(
    "tree",
    [
        MARS,
        below("MARS", MARS),
        below("download/MARS", MARS),
        {**below("MARS", MARS), **below("__MACOSX/MARS", MARS)},
        {**below("MARS", MARS), "readme.txt": b"x"},
    ],
    ids=["as it should be", "deeper", "two deeper", "by macOS", "with more"],
)
def test_mars_some_folders_deeper(tree: dict[str, bytes], place: Place) -> None:
    place.bring(a_zip=place.zip(tree))
    held = held_in(place.root)
    assert {name: held[name] for name in MARS} == MARS
    assert json.loads(place.lock.read_text())["set"]["a.zip"]["bytes"] > 0
    # a second call has nothing to do
    os.utime(place.root / "bbox_train", (0, 0))
    place.bring(a_zip=place.zip(tree))
    assert (place.root / "bbox_train").stat().st_mtime == 0


def test_prid_as_its_authors_pack_it(place: Place) -> None:
    tree = {name.removeprefix("prid_2011/"): data for name, data in PRID.items()}
    more = {"single_shot/cam_a/person_0001.png": b"single", "readme.txt": b"x"}
    (place.folder / "splits (1).json").write_text("[]")
    archives = {
        "prid_2011.zip": Archive(url=place.zip({**tree, **more}, "prid.zip")),
        prid.SPLITS: Archive(url=f"file:{place.folder}/splits (1).json"),
    }
    place.bring_all(archives, prid)
    assert held_in(place.root) == {**PRID, **more, prid.SPLITS: b"[]"}


def test_archives_in_an_archive(place: Place) -> None:
    parts = {top: {n: d for n, d in MARS.items() if n.startswith(top)} for top in ("bbox", "info")}
    inner = {"MARS/bbox.zip": zipped(parts["bbox"]), "MARS/info.tar": tar_bytes(parts["info"])}
    place.bring(a_zip=place.zip({**inner, "MARS/notes.gz": b"no archive"}))
    assert held_in(place.root) == {**MARS, "MARS/notes.gz": b"no archive"}


def test_what_is_not_lacking_is_left_packed(place: Place) -> None:
    tree = {**MARS, "more.zip": zipped({"x": b"1"})}
    place.bring(a_zip=place.zip(tree))
    assert held_in(place.root) == tree


def test_a_folder_of_the_same_name_is_not_taken_for_another(place: Place) -> None:
    # iLIDS has single images in images/cam1, and tracklets in sequences/cam1
    line = place.refused(ilids, a_zip=place.zip({"images/cam1/p/x.png": b"", "images/cam2/y": b""}))
    assert "i-LIDS-VID/sequences/cam1" in line
    assert "a.zip holds images" in line


def test_two_places_are_told(place: Place) -> None:
    line = place.refused(a_zip=place.zip({**below("one", MARS), **below("two", MARS)}))
    assert "a.zip holds one, two" in line


def test_a_link_that_would_lead_outside_is_refused(place: Place) -> None:
    info = tarfile.TarInfo("MARS/bbox_train/l")
    info.type, info.linkname = tarfile.SYMTYPE, "../../other"
    (place.folder / "a.tar").write_bytes(tar_bytes({**below("MARS", MARS), "other": b""}, info))
    with pytest.raises(ReidError, match="the link l leads outside"):
        place.bring_all({"a.tar": Archive(url=f"file:{place.folder}/a.tar")})
    assert held_in(place.root) == {}


# ------------------------------------------------------------------ something else


def test_a_page_in_the_place_of_an_archive(server: Server, place: Place) -> None:
    server.data, server.etag = PAGE, '"page"'
    line = place.refused(a_zip=server.url)
    assert "a web page (Virus scan warning) and not a.zip" in line
    assert "running again fetches it anew" in line
    assert not (place.root / "a.zip").exists()
    server.data, server.etag = zipped(MARS), '"archive"'
    place.bring(a_zip=server.url)
    held = held_in(place.root)
    assert {name: held[name] for name in MARS} == MARS


def test_the_wrong_archive_is_not_kept_but_a_right_one_is(server: Server, place: Place) -> None:
    server.data = zipped({"something": b"else"})
    tree = {name: data for name, data in MARS.items() if name.startswith("bbox")}
    with pytest.raises(ReidError, match=r"info/train_name\.txt.* a\.zip holds something") as caught:
        place.bring(a_zip=server.url, bbox_zip=place.zip(tree, "bbox.zip"))
    assert "a.zip was not kept" in str(caught.value)
    assert not (place.root / "a.zip").exists()
    assert not place.lock.exists()
    assert (place.folder / "bbox.zip").exists()


def test_a_page_for_a_table(server: Server, place: Place) -> None:
    server.data = PAGE
    archives = {"p.zip": Archive(url=place.zip(PRID)), prid.SPLITS: Archive(url=server.url)}
    with pytest.raises(ReidError, match="a web page"):
        place.bring_all(archives, prid)
    server.data, server.etag = b"{", '"two"'
    with pytest.raises(ReidError, match="not JSON"):
        place.bring_all(archives, prid)
    server.data, server.etag = b"[]", '"three"'
    place.bring_all(archives, prid)
    assert (place.root / prid.SPLITS).read_bytes() == b"[]"


def test_a_page_that_an_older_version_locked(server: Server, place: Place) -> None:
    server.data = PAGE
    digest = fetching.hashlib.sha256(PAGE).hexdigest()
    entry = {"url": server.url, "sha256": digest, "bytes": len(PAGE)}
    place.lock.write_text(json.dumps({"set": {"a.zip": entry}}))
    with pytest.raises(ReidError) as caught:
        place.bring(a_zip=server.url)
    assert f"delete {place.root / 'a.zip'} first, and its entry in {place.lock}" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"", "cut short or damaged"),
    ],
)
def test_other_things_than_archives(data: bytes, line: str, place: Place) -> None:
    (place.folder / "a.zip").write_bytes(data)
    assert line in place.refused(a_zip=f"file:{place.folder}/a.zip")


def test_a_folder_in_the_place_of_an_archive(place: Place) -> None:
    (place.folder / "a.zip").mkdir()
    assert "name it as root" in place.refused(a_zip=f"file:{place.folder}/a.zip")


def test_an_archive_without_rights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    url, opened = place.zip(MARS), Path.open

    def refuse(path: Path, *options: str) -> object:
        if path.name == "a.zip":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *options)

    monkeypatch.setattr(Path, "open", refuse)
    assert "no right to read it" in place.refused(a_zip=url)


# ------------------------------------------------------------------ a folder of others


@pytest.fixture
def of_a_team(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder that a colleague filled, in which nothing can be written."""
    place.bring(a_zip=place.zip(MARS))
    place.lock.unlink()
    monkeypatch.setattr(bringing.os, "access", lambda *_: False)

    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be locked, fetched or unpacked")

    for name in ("fetch", "unpack_all"):
        monkeypatch.setattr(bringing, name, refuse)
    return place


def test_it_is_used_as_it_is(of_a_team: Place, capsys: pytest.CaptureFixture[str]) -> None:
    of_a_team.bring(a_zip="http://127.0.0.1:9/a.zip")
    assert "warning" not in capsys.readouterr().err


def test_it_was_unpacked_from_who_knows_what(
    of_a_team: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    of_a_team.bring(b_zip="http://127.0.0.1:9/b.zip")
    said = capsys.readouterr()
    assert "nothing there says that b.zip was unpacked" in said.out


def test_it_was_unpacked_from_another_archive(of_a_team: Place) -> None:
    archives = {"a.zip": Archive(url="http://127.0.0.1:9/a.zip", sha256="0" * 64)}
    with pytest.raises(ReidError, match=r"holds what another a\.zip"):
        of_a_team.bring_all(archives)


def test_it_lacks_something(of_a_team: Place) -> None:
    (of_a_team.root / "info/query_IDX.mat").unlink()
    with pytest.raises(ReidError, match=r"lacks info/query_IDX\.mat, and nothing can be written"):
        of_a_team.bring(a_zip="http://127.0.0.1:9/a.zip")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENOSPC])
def test_a_root_that_cannot_be_made(
    number: int, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = place.zip(MARS)

    def refuse(path: Path, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ReidError) as caught:
        place.bring(a_zip=url)
    assert str(place.root) in str(caught.value)


def test_a_file_system_without_locks(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fetching.fcntl, "flock", refuse)
    place.bring(a_zip=place.zip(MARS))
    assert held_in(place.root) == MARS
    assert "gives no lock" in capsys.readouterr().out


# ------------------------------------------------------------------ no archives


def test_data_that_lies_deeper_is_pointed_to(place: Place) -> None:
    for name, data in below("MARS", MARS).items():
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_bytes(data)
    with pytest.raises(ReidError, match=f"so set root to {place.root}/MARS"):
        place.bring()
    (place.root / "MARS/bbox_train").rename(place.root / "bbox_train")
    with pytest.raises(ReidError, match=f"so move it to {place.root}/bbox_test"):
        place.bring()
    (place.root / "MARS").rename(place.folder / "away")
    with pytest.raises(ReidError, match="get it from its authors"):
        place.bring()
