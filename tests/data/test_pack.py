"""Packing: every image decoded once, four artifacts or none."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

from weakreid.artifacts import image_store, schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.datasets import layout
from weakreid.datasets.layout import Reading, Tracklet
from weakreid.datasets.pack import FRAMES, IMAGES, PARTITIONS, TRACKLETS, pack
from weakreid.errors import ReidError


def jpeg(seed: int) -> bytes:
    draw = np.random.default_rng(seed)
    return simplejpeg.encode_jpeg(draw.integers(0, 256, (24, 12, 3), dtype=np.uint8))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for index in range(12):
        (folder / f"{index:02d}.jpg").write_bytes(jpeg(index))
    return folder


def packed(out: Path, params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Pack the small reading, stopping at bad frames."""
    chosen = {"dataset": "small", "on_bad_frame": "stop", "threads": 1, **changes}
    return pack(reading(), out.parent / "data", out, params, **chosen)


def reading() -> Reading:
    """Tracklets of 5, 1 and 6 frames; one camera has a single tracklet of a single frame."""
    bounds = [(0, 5), (5, 6), (6, 12)]
    found = [
        Tracklet(person, camera, role, [f"{i:02d}.jpg" for i in range(*span)])
        for (person, camera, role), span in zip(
            [(1, 1, "train"), (1, 2, "train"), (2, 1, "gallery")], bounds, strict=True
        )
    ]
    return layout.assemble(found, "small", "stop")


@pytest.mark.parametrize("threads", [1, 3])
def test_four_artifacts(root: Path, tmp_path: Path, threads: int) -> None:
    out = tmp_path / "out"
    summary = packed(out, {"name": "small"}, threads=threads)
    assert summary["frames"] == 12
    assert summary["left_out_frames"] == 0
    assert summary["train_persons"] == 1
    table = schemas.read_frame(out / TRACKLETS, "tracklets")
    assert table["first_frame"].tolist() == [0, 5, 6]
    assert table["frame_count"].tolist() == [5, 1, 6]
    frames = schemas.read_frame(out / FRAMES, "frames")
    assert frames["tracklet_id"].tolist() == [0] * 5 + [1] + [2] * 6
    assert frames["position"].tolist() == [0, 1, 2, 3, 4, 0, 0, 1, 2, 3, 4, 5]
    assert schemas.read_params(out / TRACKLETS) == {"name": "small"}
    assert len(schemas.read(out / PARTITIONS, "partitions")) == 3
    with ImageStore(out / IMAGES) as store:
        assert store.sizes().tolist() == [[24, 12]] * 12
        for file, row in zip(frames["file"], frames["image"], strict=True):
            assert bytes(store.encoded(row)) == (root / file).read_bytes()


def test_threads_do_not_change_a_byte(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weakreid.datasets.pack._FILES_PER_JOB", 2)
    for threads in (1, 2, 5):
        packed(tmp_path / str(threads), {}, threads=threads)
    for name in (TRACKLETS, FRAMES, PARTITIONS, IMAGES):
        held = {(tmp_path / str(threads) / name).read_bytes() for threads in (1, 2, 5)}
        assert len(held) == 1


SPOILS = {
    "cut": jpeg(0)[:-60],
    "cut by two bytes": jpeg(0)[:-2],
    "empty": b"",
    "not an image": b"<html>",
}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("threads", [1, 2])
def test_unreadable_pictures_stop(root: Path, tmp_path: Path, spoil: str, threads: int) -> None:
    for name in ("01.jpg", "05.jpg"):
        (root / name).write_bytes(SPOILS[spoil])
    out = tmp_path / "out"
    with pytest.raises(ReidError, match=r"2 of 12 images are unreadable: 01\.jpg, 05\.jpg") as e:
        packed(out, {}, dataset="small", threads=threads)
    assert "\n" not in str(e.value)
    assert "on_bad_frame" in str(e.value)
    assert list(out.iterdir()) == []


def test_many_unreadable_pictures_are_counted(root: Path, tmp_path: Path) -> None:
    for index in range(1, 9):
        (root / f"{index:02d}.jpg").unlink()
    with pytest.raises(ReidError, match=r"8 of 12 .* 01\.jpg, 02\.jpg, 03\.jpg and 5 more"):
        packed(tmp_path / "out", {})


def test_unreadable_pictures_left_out(root: Path, tmp_path: Path) -> None:
    for name in ("01.jpg", "05.jpg", "11.jpg"):
        (root / name).write_bytes(jpeg(0)[:-60])
    out = tmp_path / "out"
    summary = packed(out, {}, on_bad_frame="leave_out")
    assert summary["frames"] == 9
    assert summary["left_out_frames"] == 3
    assert summary["left_out_tracklets"] == 1
    assert summary["left_out"] == ["01.jpg", "05.jpg", "11.jpg"]
    table = schemas.read_frame(out / TRACKLETS, "tracklets")
    assert table["tracklet_id"].tolist() == [0, 1]
    assert table["person_id"].tolist() == [1, 2]
    assert table["first_frame"].tolist() == [0, 4]
    frames = schemas.read_frame(out / FRAMES, "frames")
    assert frames["position"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    with ImageStore(out / IMAGES) as store:
        assert len(store) == 9
        for file, row in zip(frames["file"], frames["image"], strict=True):
            assert bytes(store.encoded(row)) == (root / file).read_bytes()


def test_nothing_left(root: Path, tmp_path: Path) -> None:
    for path in root.iterdir():
        path.write_bytes(b"")
    with pytest.raises(ReidError, match="here 6 of 6 images of role gallery; put them right"):
        packed(tmp_path / "out", {}, on_bad_frame="leave_out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("artifact", ["images", "frames", "partitions"])
def test_full_disk_leaves_nothing_and_spares_what_was(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, artifact: str
) -> None:
    out = tmp_path / "out"
    packed(out, {"run": 1})
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if artifact == "images":
        monkeypatch.setattr(image_store, "_batch", lambda *_: full())
    else:
        real = schemas.pq.write_table

        def write(table: Any, path: Any, **more: Any) -> None:
            if artifact in str(path):
                full()
            real(table, path, **more)

        monkeypatch.setattr(schemas.pq, "write_table", write)
    with pytest.raises(ReidError, match="the disk is full") as caught:
        packed(out, {"run": 2})
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_leave_out_keeps_a_reading_sound() -> None:
    whole = reading()
    draw = np.random.default_rng(0)
    for _ in range(50):
        bad = draw.random(12) < draw.random()
        if bad.all():
            continue
        left = layout.leave_out(whole, bad)
        layout.check(left, "small")
        assert left.files == [f for f, b in zip(whole.files, bad, strict=True) if not b]
        assert len(left.left_out_frames) == bad.sum()
        assert left.left_out_tracklets == 3 - len(left.tracklets)


def test_checks_of_a_reading() -> None:
    whole = reading()
    table = whole.tracklets

    def refused(message: str, files: list[str] = whole.files, **columns: Any) -> None:
        spoilt = Reading(table.assign(**columns), files, whole.partitions)
        with pytest.raises(ReidError, match=message):
            layout.check(spoilt, "small")

    refused("role probe is not one of", role=["train", "probe", "query"])
    refused("camera_id 0 of tracklet 1 is below 1", camera_id=[1, 0, 2])
    refused("person_id -2", person_id=[1, 1, -2])
    refused("out of order", first_frame=[0, 6, 5])
    refused("but there are 11 files", files=whole.files[:-1])
    refused("1 files belong to two frames: 00.jpg", files=[*whole.files[:-1], "00.jpg"])
    with pytest.raises(ReidError, match="no tracklet was found"):
        layout.assemble([], "small", "stop")
