"""Time and memory of the probe-to-bag distances (WL, Eq. 9), beside the bare matrix product.

The default size is WL-MARS: 626 probes, 1,867 bags of about 600 frames, 2,048 numbers a frame.
The 9 GB of features are streamed: one block is made and given again and again, to all ways, with
the same BLAS and threads. The gallery is cut into slices and the ways take turns slice by slice, so
that what else the machine does falls on all of them alike; a way's time is the sum over the slices,
its ratio that of the sums, and the median ratio of the slices stands beside it.

    python benchmarks/coarse_distances.py [--slices 40] [--threads 2] [--out FILE]
"""

import argparse
import functools
import itertools
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from evaluation import machine
from weakreid.artifacts.files import write_json
from weakreid.clustering.neighbours import unit_rows
from weakreid.cores import default_threads
from weakreid.retrieval.distances import Metric, bag_minimum
from weakreid.seeding import numpy_generator

BARE = "bare matrix product"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probes", type=int, default=626)
    parser.add_argument("--bags", type=int, default=1867)
    parser.add_argument("--frames-per-bag", type=int, default=600, help="the mean")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--block", type=int, default=16384, help="frames in a streamed block")
    parser.add_argument("--slices", type=int, default=40)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--memory-bytes", type=int, default=256 << 20)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rng = numpy_generator(0, "benchmark", "coarse")
    mean, width, threads = arguments.frames_per_bag, arguments.width, arguments.threads
    sizes = rng.integers(mean // 2, mean + mean // 2 + 1, arguments.bags)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    probes = unit_rows(rng.standard_normal((arguments.probes, width), dtype=np.float32))
    block = unit_rows(rng.standard_normal((arguments.block, width), dtype=np.float32))

    def stream(total: int) -> Iterator[np.ndarray]:
        for start in range(0, total, len(block)):
            yield block[: total - start]

    products = np.empty((len(block), len(probes)), np.float32)

    def bare(bounds: np.ndarray) -> None:
        # frames x probes, the faster of the two orders on most machines; nothing is kept
        for part in stream(int(bounds[-1])):
            np.matmul(part, probes.T, out=products[: len(part)])

    def ours(bounds: np.ndarray, metric: Metric) -> None:
        frames = stream(int(bounds[-1]))
        bag_minimum(probes, frames, bounds, metric, arguments.memory_bytes, threads=threads)

    ways: dict[str, Callable[[np.ndarray], None]] = {
        BARE: bare,
        "bag_minimum, euclidean": functools.partial(ours, metric="euclidean"),
        "bag_minimum, cosine": functools.partial(ours, metric="cosine"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    edges = np.linspace(0, arguments.bags, min(arguments.slices, arguments.bags) + 1).astype(int)
    with threadpool_limits(threads):
        for low, high in [(0, edges[1]), *itertools.pairwise(edges)]:
            for name, way in ways.items():
                started = time.perf_counter()
                way(offsets[low : high + 1] - offsets[low])
                seconds[name].append(time.perf_counter() - started)
        few = offsets[: max(2, len(offsets) // 20)]
        tracemalloc.start()
        found = bag_minimum(
            probes,
            stream(int(few[-1])),
            few,
            "euclidean",
            arguments.memory_bytes,
            threads=threads,
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # what the bound is about: without the result and the one copy of the probes
    working = peak - found.distances.nbytes - found.frames.nbytes - probes.nbytes
    print(
        f"{len(probes)} probes x {arguments.bags} bags, {offsets[-1]} frames x {width}, "
        f"{threads} threads, {len(edges) - 1} slices, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':24s} {'sum s':>8s} {'ratio':>7s} {'median ratio of slices':>23s}")
    rows = []
    base = seconds[BARE][1:]  # the first slice was the warm-up, and came again
    for name, times in seconds.items():
        total, ratio = sum(times[1:]), sum(times[1:]) / sum(base)
        middle = statistics.median(a / b for a, b in zip(times[1:], base, strict=True))
        print(f"{name:24s} {total:8.2f} {ratio:7.3f} {middle:23.3f}")
        rows.append(
            {
                "way": name,
                "sum_s": round(total, 3),
                "ratio": round(ratio, 3),
                "median_slice_ratio": round(middle, 3),
            }
        )
    frames_of = np.diff(offsets[edges])
    speed = 2 * len(probes) * width * float(np.max(frames_of / base)) / 1e9
    print(f"bare product at best {speed:.0f} GFLOP/s; ", end="")
    print(f"working memory {working / 2**20:.1f} MiB of {arguments.memory_bytes / 2**20:.0f} MiB")
    if arguments.out:
        size = {
            "probes": len(probes),
            "bags": arguments.bags,
            "frames": int(offsets[-1]),
            "width": width,
            "slices": len(edges) - 1,
            "working_bytes": working,
            "memory_bytes": arguments.memory_bytes,
            "bare_gflops": round(speed, 1),
        }
        write_json(arguments.out, {**machine(), "threads": threads, **size, "rows": rows})


if __name__ == "__main__":
    main()
