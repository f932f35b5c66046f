"""The image store: what goes in comes out, from any thread, process or order."""

import errno
import io
import multiprocessing
import pickle
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts import image_store
from weakreid.artifacts.image_store import ImageStore, write_store
from weakreid.errors import ReidError


def picture(seed: int, height: int = 32, width: int = 16) -> np.ndarray:
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (4, 2, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def jpeg(seed: int, height: int = 32, width: int = 16) -> bytes:
    return simplejpeg.encode_jpeg(picture(seed, height, width), quality=92)


def png(seed: int, height: int = 32, width: int = 16) -> bytes:
    ok, data = cv2.imencode(".png", picture(seed, height, width)[..., ::-1])
    assert ok
    return data.tobytes()


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    path = tmp_path / "images.arrow"
    write_store(path, (jpeg(i) for i in range(40)))
    return ImageStore(path)


def test_bytes_come_back_as_they_went_in(store: ImageStore) -> None:
    assert len(store) == 40
    assert [bytes(store.encoded(i)) for i in range(40)] == [jpeg(i) for i in range(40)]
    assert store.sizes().tolist() == [[32, 16]] * 40


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(1, 40)), max_size=9),
    st.integers(1, 4),
)
def test_any_mix_of_sizes_formats_and_record_batches(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[tuple[bool, int, int]],
    rows_per_batch: int,
) -> None:
    path = tmp_path_factory.mktemp("store") / "images.arrow"
    held = [(png if p else jpeg)(i, h, w) for i, (p, h, w) in enumerate(kinds)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_store, "ROWS_PER_BATCH", rows_per_batch)
        assert write_store(path, iter(held)) == len(held)
    with ImageStore(path) as store:
        assert [bytes(store.encoded(i)) for i in range(len(store))] == held
        assert store.sizes().tolist() == [[h, w] for _, h, w in kinds]
        for i, (_, h, w) in enumerate(kinds):
            assert store.decode(i).shape == (h, w, 3)
        rows = list(range(len(held)))[::-1]
        one = store.batch(rows, 20, 10)
        assert np.array_equal(one, store.batch(rows, 20, 10, threads=3))


def test_colours_are_rgb_in_both_formats(tmp_path: Path) -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    lossless = cv2.imencode(".png", red[..., ::-1])[1].tobytes()
    write_store(tmp_path / "s", [simplejpeg.encode_jpeg(red), lossless])
    store = ImageStore(tmp_path / "s")
    assert np.array_equal(store.decode(1), red)
    assert np.abs(store.decode(0).astype(int) - red).max() < 8


def test_grey_pictures_become_three_channels(tmp_path: Path) -> None:
    grey = np.full((8, 8, 1), 77, np.uint8)
    held = [
        simplejpeg.encode_jpeg(grey, colorspace="GRAY"),
        cv2.imencode(".png", grey)[1].tobytes(),
    ]
    write_store(tmp_path / "s", held)
    assert (ImageStore(tmp_path / "s").batch([0, 1], 8, 8) == 77).all()


def test_batch_equals_decoding_one_by_one(store: ImageStore) -> None:
    rows = [5, 0, 5, 39, 12]
    expected = np.stack([store.decode(row) for row in rows])
    for threads in (1, 2, 8):
        assert np.array_equal(store.batch(rows, 32, 16, threads=threads), expected)


def test_resizing_averages_when_it_shrinks(store: ImageStore) -> None:
    whole = store.decode(3)
    half = cv2.resize(whole, (8, 16), interpolation=cv2.INTER_AREA)
    double = cv2.resize(whole, (32, 64), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(store.batch([3], 16, 8)[0], half)
    assert np.array_equal(store.batch([3], 64, 32)[0], double)


def test_empty_batch_and_empty_store(store: ImageStore, tmp_path: Path) -> None:
    assert store.batch([], 32, 16, threads=2).shape == (0, 32, 16, 3)
    assert write_store(tmp_path / "none", []) == 0
    assert len(ImageStore(tmp_path / "none")) == 0


def test_pickled_copy_opens_the_file_again(store: ImageStore) -> None:
    store.batch([0, 1], 32, 16, threads=2)
    copy = pickle.loads(pickle.dumps(store))
    assert np.array_equal(copy.decode(7), store.decode(7))


def _child(store: ImageStore, queue: "multiprocessing.SimpleQueue[int]") -> None:
    queue.put(int(store.batch([1, 2], 32, 16, threads=2).sum()))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_threads_work_in_a_child_process(store: ImageStore, way: str) -> None:
    expected = int(store.batch([1, 2], 32, 16, threads=2).sum())
    context = multiprocessing.get_context(way)
    queue = context.SimpleQueue()
    if way == "spawn":
        # this module is not importable by name in a spawned child: the pickle is what matters
        assert pickle.loads(pickle.dumps(store)).batch([1, 2], 32, 16).sum() == expected
        return
    child = context.Process(target=_child, args=(store, queue))
    child.start()
    assert queue.get() == expected
    child.join()
    assert child.exitcode == 0


def test_views_outlive_the_store(store: ImageStore) -> None:
    view = store.encoded(4)
    store.close()
    assert bytes(view) == jpeg(4)
    with pytest.raises(ValueError, match="closed"):
        store.decode(0)


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "gif", "png"])
def test_undecodable_row_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    bad = {
        "cut": jpeg(0)[:-40],
        "noise": b"\xff\xd8\xff" + bytes(100),
        "empty": b"",
        "gif": b"GIF89a" + bytes(50),
        "png": png(0)[:-30],
    }[damage]
    path = tmp_path / "s"
    monkeypatch.setattr(image_store, "picture_size", lambda data: (32, 16))
    write_store(path, [jpeg(1), bad])
    store = ImageStore(path)
    for read in (lambda: store.decode(1), lambda: store.batch([0, 1], 32, 16, threads=2)):
        with pytest.raises(ReidError, match=r"row 1 cannot be decoded") as caught:
            read()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_row_that_is_not_there(store: ImageStore) -> None:
    for row in (40, -1):
        with pytest.raises(ReidError, match=f"no row {row}, it has 40"):
            store.encoded(row)
        with pytest.raises(ReidError, match="no row"):
            store.batch([0, row], 32, 16)


def test_picture_without_size_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither JPEG nor PNG"):
        write_store(tmp_path / "s", [jpeg(0), b"hello"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 10, 300, -20])
def test_cut_store_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "s"
    write_store(path, [jpeg(i) for i in range(5)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReidError, match="not a whole image store"):
        ImageStore(path)


def test_missing_store_and_foreign_file(tmp_path: Path) -> None:
    with pytest.raises(ReidError, match="no such file"):
        ImageStore(tmp_path / "s")
    table = pa.table({"image": [b"x"]})
    with pa.OSFile(str(tmp_path / "t"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    with pytest.raises(ReidError, match="not an image store"):
        ImageStore(tmp_path / "t")


def test_same_pictures_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_store(tmp_path / name, [jpeg(i) for i in range(7)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    class Full(io.FileIO):
        def write(self, data: object) -> int:
            if self.tell() > 2000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    def opened(self: Path, mode: str = "r", *rest: object, **more: object) -> object:
        return Full(self, mode) if mode == "wb" else real(self, mode, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ReidError, match="the disk is full"):
        write_store(tmp_path / "s", [jpeg(i) for i in range(30)])
    assert list(tmp_path.iterdir()) == []
