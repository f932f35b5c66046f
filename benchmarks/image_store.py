"""How much faster a random training batch comes from the image store than from loose files.

Loose files are read with Pillow, as most re-ID programs do; the store decodes with libjpeg-turbo.
Both give uint8 [N, height, width, 3]. The pictures are generated, or those of a folder.

    python benchmarks/image_store.py
    python benchmarks/image_store.py --folder data/mars/bbox_train --out ratio.json

Cold means that the files' pages were dropped from the system's cache just before each batch (of the
files read only; the disk's own cache stays), warm that everything had been read before.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from weakreid.artifacts.image_store import ImageStore, write_store
from weakreid.seeding import numpy_generator


def make_pictures(folder: Path, count: int, height: int, width: int) -> None:
    """Write `count` JPEGs as compressible as a photograph, one folder per 64."""
    for index in range(count):
        draw = numpy_generator(0, "picture", index)
        pixels = np.zeros((height, width, 3), np.float32)
        for scale in (4, 16, 64):
            small = draw.normal(0, 40 / np.sqrt(scale / 4), (height * scale // 256 + 1, scale, 3))
            pixels += cv2.resize(small.astype(np.float32), (width, height))
        data = simplejpeg.encode_jpeg((pixels + 128).clip(0, 255).astype(np.uint8), quality=90)
        place = folder / f"{index // 64:04d}" / f"{index:06d}.jpg"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)


def read_loose(path: Path, height: int, width: int) -> np.ndarray:
    with Image.open(path) as image:
        rgb = image.convert("RGB")
        if rgb.size != (width, height):
            rgb = rgb.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(rgb)


def drop(*paths: Path) -> None:
    """Drop the files' pages from the cache."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def rate(
    run: Callable[[np.ndarray], object],
    before: Callable[[np.ndarray], None],
    batches: list[np.ndarray],
) -> float:
    """Return pictures per second of the median batch."""
    seconds = []
    for rows in batches:
        before(rows)
        started = time.perf_counter()
        run(rows)
        seconds.append(time.perf_counter() - started)
    return len(batches[0]) / statistics.median(seconds)


def measure(files: list[Path], store_path: Path, arguments: argparse.Namespace) -> list[dict]:
    height, width = arguments.height, arguments.width
    draw = numpy_generator(arguments.seed, "batches")
    batches = [draw.integers(0, len(files), arguments.batch) for _ in range(arguments.repeats)]
    results = []
    for threads in arguments.threads:
        with ThreadPoolExecutor(threads) as pool:

            def loose(
                rows: np.ndarray, pool: ThreadPoolExecutor = pool, threads: int = threads
            ) -> np.ndarray:
                paths = [files[row] for row in rows]
                walk = map if threads == 1 else pool.map
                return np.stack([*walk(lambda path: read_loose(path, height, width), paths)])

            for state in ("warm", "cold"):
                store = ImageStore(store_path)

                def packed(
                    rows: np.ndarray, threads: int = threads, held: ImageStore | None = None
                ) -> np.ndarray:
                    if held is not None:
                        return held.batch(rows, height, width, threads=threads)
                    with ImageStore(store_path) as fresh:
                        return fresh.batch(rows, height, width, threads=threads)

                if state == "warm":
                    for rows in batches:
                        loose(rows)
                        packed(rows, held=store)
                    first = rate(loose, lambda rows: None, batches)
                    second = rate(partial(packed, held=store), lambda rows: None, batches)
                    store.close()
                else:
                    # mapped pages cannot be dropped: the store is opened anew for every cold batch
                    # and the time to open it counts
                    store.close()
                    first = rate(loose, lambda rows: drop(*(files[r] for r in rows)), batches)
                    second = rate(packed, lambda rows: drop(store_path), batches)
                results.append(
                    {
                        "cache": state,
                        "threads": threads,
                        "loose_pictures_per_second": round(first),
                        "store_pictures_per_second": round(second),
                        "ratio": round(second / first, 2),
                    }
                )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="take the JPEGs below this folder")
    parser.add_argument("--count", type=int, default=8192, help="pictures to generate, or at most")
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="where to write (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as temporary:
        folder = arguments.folder
        if folder is None:
            folder = Path(temporary) / "pictures"
            folder.mkdir()
            make_pictures(folder, arguments.count, arguments.height, arguments.width)
        files = sorted(folder.rglob("*.jpg"))[: arguments.count]
        store = Path(temporary) / "images.arrow"
        write_store(store, (path.read_bytes() for path in files))
        mean = sum(path.stat().st_size for path in files) / len(files)
        results = measure(files, store, arguments)
    print(
        f"{len(files)} JPEGs, {mean / 1024:.1f} KiB each, to {arguments.height}x{arguments.width};"
        f" random batches of {arguments.batch}, median of {arguments.repeats}"
    )
    print(f"{'cache':6} {'threads':>7} {'loose + Pillow':>15} {'image store':>12} {'ratio':>6}")
    for row in results:
        print(
            f"{row['cache']:6} {row['threads']:7} {row['loose_pictures_per_second']:11,}/s"
            f"   {row['store_pictures_per_second']:10,}/s {row['ratio']:6.2f}"
        )
    if arguments.out:
        head = {"pictures": len(files), "mean_bytes": round(mean), "batch": arguments.batch}
        head |= {"height": arguments.height, "width": arguments.width}
        arguments.out.write_text(json.dumps({**head, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
