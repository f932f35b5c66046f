"""Time and memory of the probe-to-bag distances (WL, Eq. 9), beside the bare matrix product.

The default size is WL-MARS: 626 probes, 1,867 bags of about 600 frames, 2,048 numbers a frame.
The 9 GB of features are streamed: one block is made and given again and again, to both ways, which
take turns in one run with the same BLAS and threads; medians of the repeats are reported.

    python benchmarks/coarse_distances.py [--repeats 3] [--threads 2] [--out FILE]
"""

import argparse
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from evaluation import machine, table, take_turns
from weakreid.files import write_json
from weakreid.retrieval.distances import MEMORY_BYTES, bag_minimum, unit_rows
from weakreid.retrieval.ranking import default_threads
from weakreid.seeding import numpy_generator

BARE = "bare matrix product"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probes", type=int, default=626)
    parser.add_argument("--bags", type=int, default=1867)
    parser.add_argument("--frames-per-bag", type=int, default=600, help="the mean")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--block", type=int, default=16384, help="frames in a streamed block")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--memory-bytes", type=int, default=MEMORY_BYTES)
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

    def bare() -> None:
        # frames x probes, the faster of the two orders on most machines; nothing is kept
        products = np.empty((len(block), len(probes)), np.float32)
        for part in stream(int(offsets[-1])):
            np.matmul(part, probes.T, out=products[: len(part)])

    def ours(metric: str) -> None:
        bag_minimum(
            probes,
            stream(int(offsets[-1])),
            offsets,
            metric,
            arguments.memory_bytes,
            threads=threads,
        )

    with threadpool_limits(threads):
        seconds, _ = take_turns(
            {
                BARE: bare,
                "bag_minimum, euclidean": lambda: ours("euclidean"),
                "bag_minimum, cosine": lambda: ours("cosine"),
            },
            arguments.repeats,
        )
        few = offsets[: max(2, len(offsets) // 20)]
        tracemalloc.start()
        found = bag_minimum(
            probes,
            stream(int(few[-1])),
            few,
            memory_bytes=arguments.memory_bytes,
            threads=threads,
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # what the bound is about: without the result and the one copy of the probes
    working = peak - found.distances.nbytes - found.frames.nbytes - probes.nbytes
    operations = 2 * len(probes) * width * int(offsets[-1])
    print(
        f"{len(probes)} probes x {arguments.bags} bags, {offsets[-1]} frames x {width}, "
        f"{threads} threads, median of {arguments.repeats}, load {os.getloadavg()[0]:.1f}"
    )
    rows = table(seconds, BARE)
    speed = operations / min(seconds[BARE]) / 1e9
    print(f"bare product at best {speed:.0f} GFLOP/s; ", end="")
    print(f"working memory {working / 2**20:.1f} MiB of {arguments.memory_bytes / 2**20:.0f} MiB")
    if arguments.out:
        size = {
            "probes": len(probes),
            "bags": arguments.bags,
            "frames": int(offsets[-1]),
            "width": width,
            "repeats": arguments.repeats,
            "working_bytes": working,
            "memory_bytes": arguments.memory_bytes,
            "bare_gflops": round(speed, 1),
        }
        write_json(arguments.out, {**machine(), "threads": threads, **size, "rows": rows})


if __name__ == "__main__":
    main()
