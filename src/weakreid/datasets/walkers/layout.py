"""Writing walkers in the layout in which MARS is distributed, with the truth beside it.

    bbox_train/PPPP/PPPPCcTttttFfff.jpg, bbox_test/PPPP/..., bbox_test/0000/..., bbox_test/00-1/...
    info/train_name.txt, test_name.txt, tracks_train_info.mat, tracks_test_info.mat, query_IDX.mat
    truth/persons.parquet       person_id and one column per RAP attribute (`attributes.ATTRIBUTES`)
    truth/look_alikes.parquet   person_id and its group (0: looks like nobody on purpose)
    truth/frames.parquet        a row per frame: split, file, person_id, camera_id, tracklet, frame,
                                heading in degrees, the visible share of head, up, low and shoes,
                                and the share of the crop that the person and others cover
    truth/masks/bbox_train.parquet, bbox_test.parquet     file and mask, a one-bit PNG
    truth/parameters.json       what made it

The visible share of a part counts the pixels that are seen in the crop against those of the same
figure drawn alone and whole, so it falls with occlusion and with a badly placed box, not with the
heading.
"""

import contextlib
import dataclasses
import functools
import hashlib
import io
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from weakreid.artifacts.files import replacing_folder, write_json
from weakreid.artifacts.prefetching import in_order
from weakreid.console import progress
from weakreid.datasets.walkers.attributes import ATTRIBUTES, attributes
from weakreid.datasets.walkers.people import Person, cast, draw_person
from weakreid.datasets.walkers.render import Frame, tracklet
from weakreid.datasets.walkers.scene import camera
from weakreid.errors import ReidError
from weakreid.parents import end_with
from weakreid.seeding import numpy_generator

DISTRACTOR, JUNK = 0, -1


@dataclass(frozen=True)
class Size:
    """How much is generated."""

    train_persons: int  # persons of bbox_train
    test_persons: int  # persons of bbox_test
    distractors: int  # tracklets of person 0 in bbox_test
    junk_tracklets: int  # tracklets of person -1 in bbox_test
    cameras: int  # 1 to 9
    cameras_per_person: tuple[int, int]  # smallest and largest number of cameras that see a person
    tracklets_per_camera: tuple[int, int]  # smallest and largest number per person and camera
    frames: tuple[int, int]  # smallest and largest length of a tracklet
    height: int  # of a frame, pixels
    width: int  # of a frame, pixels
    look_alikes: float  # share of the persons who belong to a group of look-alikes


SIZES = {
    "tiny": Size(
        train_persons=8, test_persons=6, distractors=3, junk_tracklets=2,
        cameras=3, cameras_per_person=(2, 3), tracklets_per_camera=(1, 2),
        frames=(4, 6), height=64, width=32, look_alikes=0.5,
    ),
    "demo": Size(
        train_persons=60, test_persons=50, distractors=24, junk_tracklets=12,
        cameras=4, cameras_per_person=(2, 4), tracklets_per_camera=(1, 4),
        frames=(8, 16), height=128, width=64, look_alikes=0.5,
    ),
    "mars": Size(
        train_persons=625, test_persons=636, distractors=3248, junk_tracklets=870,
        cameras=6, cameras_per_person=(1, 6), tracklets_per_camera=(1, 13),
        frames=(2, 920), height=256, width=128, look_alikes=0.4,
    ),
}  # fmt: skip

FRAME_SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("file", pa.string()),
        ("person_id", pa.int32()),
        ("camera_id", pa.int32()),
        ("tracklet", pa.int32()),
        ("frame", pa.int32()),
        ("heading", pa.float32()),
        ("head", pa.float32()),
        ("up", pa.float32()),
        ("low", pa.float32()),
        ("shoes", pa.float32()),
        ("person_share", pa.float32()),
        ("other_share", pa.float32()),
    ]
)
MASK_SCHEMA = pa.schema([("file", pa.string()), ("mask", pa.binary())])
_ROWS_PER_GROUP = 8192


@dataclass(frozen=True)
class Tracklet:
    """A tracklet to be rendered."""

    split: str  # train or test
    person_id: int
    person: Person
    camera: int
    number: int  # T in the file's name
    frames: int
    fault: float
    empty: bool

    def files(self) -> list[str]:
        """Return the names of its frames, as MARS writes them."""
        stem = f"{folder(self.person_id)}C{self.camera}T{self.number:04d}"
        return [f"{stem}F{frame:03d}.jpg" for frame in range(1, self.frames + 1)]


def folder(person_id: int) -> str:
    """Return the four characters that MARS writes for a person."""
    return "00-1" if person_id == JUNK else f"{person_id:04d}"


# one digit for a camera and four for a person in a file's name
_MOST = {
    "cameras": 9, "train_persons": 9999, "test_persons": 9999, "distractors": 9999,
    "junk_tracklets": 9999, "height": 1024, "width": 1024,
}  # fmt: skip
_LEAST = {"height": 32, "width": 16}


def _check(size: Size) -> None:
    """Refuse what the config allows and no file's name or picture can hold."""
    values = {name: getattr(size, name) for name in _MOST}
    both = "train_persons + test_persons"
    values[both] = size.train_persons + size.test_persons
    for name, value in values.items():
        least, most = _LEAST.get(name, 0), _MOST.get(name, 9999)
        if not least <= value <= most:
            raise ReidError(f"walkers: {name} is {value}; give a number between {least} and {most}")
    spans = {"cameras_per_person": size.cameras, "tracklets_per_camera": 9999, "frames": 999}
    for name, most in spans.items():
        if getattr(size, name)[1] > most:
            raise ReidError(
                f"walkers: {name} is {getattr(size, name)}; give a smallest and a largest number"
                f" between 1 and {most}"
            )


def _length(rng: np.random.Generator, frames: tuple[int, int]) -> int:
    """Draw a tracklet's length: even over a narrow range, over a wide one as skewed as MARS's."""
    low, high = frames
    if high <= 8 * low:
        return int(rng.integers(low, high + 1))
    # MARS: median 30, mean 56 in a range of 2 to 920
    return int(np.clip(round(rng.lognormal(np.log(37), 1.0)), low, high))


def _count(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """Draw a number of tracklets, small ones more often."""
    low, high = bounds
    weights = 0.72 ** np.arange(high - low + 1)
    return low + int(rng.choice(high - low + 1, p=weights / weights.sum()))


def plan(size: Size, *, seed: int) -> tuple[list[Tracklet], dict[int, tuple[Person, int]]]:
    """Lay down every tracklet of a data set, in the order of MARS's name lists.

    Returns:
        the tracklets, train before test, and each person's appearance and look-alike group.
    """
    rng = numpy_generator(seed, "walkers", "plan")
    # like MARS: the persons of the two splits mixed over one range of numbers
    numbers = 1 + rng.permutation(size.train_persons + size.test_persons)
    first, others = numbers[: size.train_persons], numbers[size.train_persons :]
    ids = {"train": np.sort(first), "test": np.sort(others)}
    tracklets: list[Tracklet] = []
    persons: dict[int, tuple[Person, int]] = {}
    for split, count in (("train", size.train_persons), ("test", size.test_persons)):
        if split == "test":
            tracklets += _nobody(seed, JUNK, size.junk_tracklets, size)
            tracklets += _nobody(seed, DISTRACTOR, size.distractors, size)
        people, groups = cast(seed, split, count, size.look_alikes)
        for person_id, person, group in zip(ids[split], people, groups, strict=True):
            persons[int(person_id)] = (person, group)
            seen = rng.integers(size.cameras_per_person[0], size.cameras_per_person[1] + 1)
            counts = [_count(rng, size.tracklets_per_camera) for _ in range(seen)]
            if seen > 1 and size.tracklets_per_camera[1] > 1:
                # a query's match must not itself be a query: two cameras have one more to give
                for i in range(2):
                    counts[i] = max(counts[i], 2)
            counts = [counts[i] for i in rng.permutation(seen)]
            numbers_seen = np.sort(rng.permutation(size.cameras)[:seen]) + 1
            for number, count_here in zip(numbers_seen, counts, strict=True):
                for t in range(1, count_here + 1):
                    length = _length(rng, size.frames)
                    tracklets.append(
                        Tracklet(split, int(person_id), person, int(number), t, length, 0.0, False)
                    )
    return tracklets, persons


def _nobody(seed: int, person_id: int, total: int, size: Size) -> list[Tracklet]:
    """Lay down junk (bad boxes, boxes round nobody) or distractors (people seen once)."""
    made = []
    for t in range(1, total + 1):
        rng = numpy_generator(seed, "walkers", "nobody", person_id, t)
        junk = person_id == JUNK
        if junk:
            fault = float(rng.uniform(0.6, 1.1))
        else:
            fault = float(rng.uniform(0.25, 0.6)) if rng.random() < 0.3 else 0.0
        made.append(
            Tracklet(
                "test", person_id, draw_person(rng), 1 + (t - 1) * size.cameras // total, t,
                _length(rng, size.frames), fault, bool(junk and rng.random() < 0.35),
            )
        )  # fmt: skip
    return made


def query_rows(seed: int, test: list[Tracklet]) -> list[int]:
    """Choose one tracklet at random for every test person and camera.

    Args:
        seed: the data set's seed.
        test: the test tracklets in order.

    Returns:
        rows of the test table, counted from 1, ascending, as query_IDX.mat holds them.
    """
    rows: dict[tuple[int, int], list[int]] = {}
    for row, item in enumerate(test, start=1):
        if item.person_id > 0:
            rows.setdefault((item.person_id, item.camera), []).append(row)
    chosen = []
    for (person_id, number), candidates in rows.items():
        rng = numpy_generator(seed, "walkers", "query", person_id, number)
        chosen.append(candidates[int(rng.integers(len(candidates)))])
    return sorted(chosen)


def rendered(item: Tracklet, seed: int, style: str, height: int, width: int) -> list[Frame]:
    """Return the frames of a tracklet of `plan`, which depend on these arguments alone."""
    rng = numpy_generator(seed, "walkers", item.split, item.person_id, item.camera, item.number)
    return tracklet(
        rng, seed, item.person, camera(seed, style, item.camera), item.frames, height, width,
        item.fault, item.empty,
    )  # fmt: skip


def _render(
    root: Path, seed: int, style: str, height: int, width: int, items: list[Tracklet]
) -> list[list[Frame]]:
    """Render tracklets, write their JPEGs under `root` and return the rest (runs in a worker)."""
    cv2.setNumThreads(1)
    made = []
    for item in items:
        frames = rendered(item, seed, style, height, width)
        place = root / f"bbox_{item.split}" / folder(item.person_id)
        place.mkdir(parents=True, exist_ok=True)
        for name, frame in zip(item.files(), frames, strict=True):
            (place / name).write_bytes(frame.jpeg)
        made.append([dataclasses.replace(frame, jpeg=b"") for frame in frames])
    return made


def _batches(tracklets: list[Tracklet], frames: int = 240) -> Iterator[list[Tracklet]]:
    """Cut the work into batches of one split and, where it can, of whole persons."""
    batch: list[Tracklet] = []
    size = 0
    for item in tracklets:
        if batch and (
            item.split != batch[-1].split
            or (size >= frames and (item.person_id <= 0 or item.person_id != batch[-1].person_id))
        ):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.frames
    if batch:
        yield batch


def _rendered(
    work: Callable[[list[Tracklet]], list[list[Frame]]], tracklets: list[Tracklet], workers: int
) -> Iterator[list[Frame]]:
    """Yield each tracklet's frames, with `workers` processes; few batches wait."""
    batches = _batches(tracklets)
    if workers == 1:
        threads = cv2.getNumThreads()
        try:
            yield from itertools.chain.from_iterable(map(work, batches))
        finally:
            cv2.setNumThreads(threads)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, end_with, (os.getpid(),)) as pool:
        try:
            made = in_order(pool, work, batches, 4 * workers)
            yield from itertools.chain.from_iterable(made)
        except BrokenProcessPool as error:
            raise ReidError(
                "walkers: a rendering process ended by itself (memory?); use fewer workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


class _Rows:
    """Rows that go to a Parquet file group by group."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self.writer = pq.ParquetWriter(path, schema, compression="zstd")
        self.columns: list[list[Any]] = [[] for _ in schema]

    def add(self, *values: Any) -> None:
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)
        if len(self.columns[0]) >= _ROWS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        if self.columns[0]:
            self.writer.write_table(
                pa.table(
                    dict(zip(self.schema.names, self.columns, strict=True)), schema=self.schema
                )
            )
            self.columns = [[] for _ in self.schema]

    def __enter__(self) -> "_Rows":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.flush()
        self.writer.close()


def _save_mat(path: Path, name: str, rows: list[list[int]]) -> None:
    held = io.BytesIO()
    # slow to import; those who only read a layout do without
    from scipy.io import savemat

    savemat(held, {name: np.array(rows, np.int32)}, do_compression=True)
    data = bytearray(held.getvalue())
    # the header's free text holds the time of writing
    data[:116] = b"MATLAB 5.0 MAT-file".ljust(116)
    path.write_bytes(bytes(data))


def _write_info(root: Path, seed: int, tracklets: list[Tracklet]) -> None:
    info = root / "info"
    info.mkdir()
    for split in ("train", "test"):
        items = [item for item in tracklets if item.split == split]
        names: list[str] = []
        rows = []
        for item in items:
            rows.append([len(names) + 1, len(names) + item.frames, item.person_id, item.camera])
            names += item.files()
        text = "".join(f"{name}\n" for name in names)
        (info / f"{split}_name.txt").write_text(text, encoding="ascii")
        _save_mat(info / f"tracks_{split}_info.mat", f"track_{split}_info", rows)
        if split == "test":
            _save_mat(info / "query_IDX.mat", "query_IDX", [query_rows(seed, items)])


def _write_persons(truth: Path, persons: dict[int, tuple[Person, int]]) -> None:
    ids = sorted(persons)
    ticked = [attributes(persons[person_id][0]) for person_id in ids]
    table = {"person_id": pa.array(ids, pa.int32())} | {
        name: pa.array([row[name] for row in ticked], pa.int8()) for name in ATTRIBUTES
    }
    pq.write_table(pa.table(table), truth / "persons.parquet", compression="zstd")
    groups = {
        "person_id": pa.array(ids, pa.int32()),
        "group": pa.array([persons[person_id][1] for person_id in ids], pa.int32()),
    }
    pq.write_table(pa.table(groups), truth / "look_alikes.parquet", compression="zstd")


def generate(root: Path, size: Size, *, seed: int, style: str, workers: int) -> None:
    """Generate a data set under `root`, whole or not at all; the module says what it holds.

    The same arguments give the same bytes, whatever `workers` is.

    Args:
        root: the folder to make; what stands there is replaced.
        size: how much of it.
        seed: of everything.
        style: "street" or "studio": two domains.
        workers: processes.

    Raises:
        ReidError: an argument is out of bounds, or `root` holds something else.
    """
    root = Path(root)
    _check(size)
    tracklets, persons = plan(size, seed=seed)
    total = sum(item.frames for item in tracklets)
    with replacing_folder(root, ["truth/parameters.json"]) as aside:
        masks = aside / "truth" / "masks"
        masks.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            shown = stack.enter_context(_Rows(aside / "truth" / "frames.parquet", FRAME_SCHEMA))
            mask_of = {
                split: stack.enter_context(_Rows(masks / f"bbox_{split}.parquet", MASK_SCHEMA))
                for split in ("train", "test")
            }

            work = functools.partial(_render, aside, seed, style, size.height, size.width)
            made = zip(tracklets, _rendered(work, tracklets, workers), strict=True)
            each = (
                (item, number, name, frame)
                for item, frames in made
                for number, (name, frame) in enumerate(zip(item.files(), frames, strict=True), 1)
            )
            for item, number, name, frame in progress(
                each, total=total, label="walkers", unit="frames"
            ):
                shown.add(
                    item.split, name, item.person_id, item.camera, item.number, number,
                    frame.heading, *frame.visible, frame.person_share, frame.other_share,
                )  # fmt: skip
                mask_of[item.split].add(name, frame.mask)
        _write_info(aside, seed, tracklets)
        _write_persons(aside / "truth", persons)
        parameters = {"seed": seed, "style": style, **dataclasses.asdict(size)}
        write_json(aside / "truth" / "parameters.json", parameters)


def content(root: Path) -> str:
    """Return a fingerprint of a generated folder: what is known of each frame, and file sizes."""
    found = hashlib.sha256((root / "truth" / "frames.parquet").read_bytes())
    for path in sorted(root.glob("bbox_*/*/*.jpg")):
        found.update(f"{path.name} {path.stat().st_size}\n".encode())
    return found.hexdigest()[:16]
