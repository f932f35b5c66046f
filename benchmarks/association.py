"""Time and memory of inter-tracklet association (TMC), beside the bare matrix product.

For each N: features -> Jaccard distances (CSR), data-dependent eps, DBSCAN, the last once more
where every cluster must be cut, as each tracklet is seen together with ten of it; and X @ X.T in
float32 with the same BLAS and as many threads. The two take turns; medians of the rounds and the
median of their ratios are printed. Where the product itself would not fit (above 30,000) every
tenth block of its rows is computed and the time multiplied, and there is one round. Memory is the
peak of a process (VmHWM) less what it held with the features loaded: a process of its own, but
for the large ones.

The features are generated: people of 13.3 tracklets each (8,298 tracklets of 625 people, as in
MARS) in 64 dimensions with a falling spectrum, mixed to the full width, with a common offset and
a little noise in all dimensions (--noise 0.2). Much of it (--noise 2) makes hubs: items that are
among the nearest of thousands, so that most pairs share a neighbour. Real features are read from an
.npy file [N, d] with --features.

    python benchmarks/association.py [--sizes 8298 16596 21720] [--noise 0.2] [--rounds 5]
        [--out FILE]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from evaluation import machine
from weakreid.artifacts.files import write_json
from weakreid.clustering.association import (
    associate,
    cluster_quality,
    data_eps,
    pairs_needed,
    without,
)
from weakreid.clustering.jaccard import jaccard_distances
from weakreid.cores import default_threads
from weakreid.seeding import numpy_generator

SHARE = 1.6e-3
_WHOLE = 30_000
_HEADER = (
    "N",
    "X @ X.T s",
    "Jaccard s",
    "ratio (of rounds)",
    "eps s",
    "DBSCAN s",
    "with apart s",
    "MiB",
    "dense float32 MiB",
    "pairs kept a row",
    "clusters",
    "NMI of clustered",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[8298, 16596, 21720])
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--noise", type=float, default=0.2, help="in all dimensions")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--features", type=Path, help=".npy of [N, d] instead of generated ones")
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.peak:
        print(peak(np.load(arguments.peak), arguments.threads))
        return
    sizes, given = arguments.sizes, None
    if arguments.features:
        given = np.load(arguments.features)
        sizes = [len(given)]
    load = os.getloadavg()[0]
    print(f"{arguments.threads} threads, {arguments.rounds} rounds, load {load:.1f}\n")
    print("| " + " | ".join(_HEADER) + " |")
    print("|---:" * len(_HEADER) + "|")
    rows = []
    for count in sizes:
        persons = None
        if given is None:
            features, persons = people(count, arguments.width, arguments.noise)
        else:
            features = np.ascontiguousarray(given, np.float32)
        rows.append(measure(features, persons, arguments.rounds, arguments.threads))
        print(line(rows[-1]), flush=True)
    if arguments.out:
        write_json(arguments.out, {**machine(), "threads": arguments.threads, "rows": rows})


def people(
    count: int, width: int, noise: float = 0.2, latent: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Return features [N, width] of float32, and whose they are [N]."""
    rng = numpy_generator(0, "benchmark", "association", count)
    number = max(2, round(count / 13.3))
    spectrum = 1 / np.sqrt(1 + np.arange(latent) / 40)
    centers = rng.standard_normal((number, latent)) * spectrum
    persons = rng.integers(0, number, count)
    places = centers[persons] + 0.6 * rng.standard_normal((count, latent)) * spectrum
    mixing = rng.standard_normal((latent, width), dtype=np.float32) / np.float32(np.sqrt(latent))
    features = places.astype(np.float32) @ mixing
    features += rng.standard_normal(width, dtype=np.float32)
    for start in range(0, count, 1024):
        block = features[start : start + 1024]
        block += np.float32(noise) * rng.standard_normal(block.shape, dtype=np.float32)
    return features, persons


def measure(
    features: np.ndarray, persons: np.ndarray | None, rounds: int, threads: int
) -> dict[str, Any]:
    count = len(features)
    product_s, jaccard_s, eps_s, cluster_s, apart_s = [], [], [], [], []
    large = count > _WHOLE
    memory = 0
    with threadpool_limits(threads):
        if not large:
            features @ features.T  # BLAS warms up
        for _ in range(1 if large else rounds):
            product_s.append(product(features))
            before = forget_high_water()
            kept = pairs_needed(count, None, SHARE)
            seconds, distances = timed(jaccard_distances, features, 30, 6, threads, kept)
            memory = high_water() - before
            jaccard_s.append(seconds)
            seconds, eps = timed(data_eps, distances, SHARE)
            eps_s.append(seconds)
            seconds, labels = timed(associate, distances, eps, 4)
            cluster_s.append(seconds)
            apart = seen_together(labels)
            apart_s.append(timed(associate_apart, distances, eps, apart)[0])
    ratios = [ours / bare for ours, bare in zip(jaccard_s, product_s, strict=True)]
    pairs = 2 * distances.nnz / count
    del distances
    quality = cluster_quality(labels, persons) if persons is not None else {}
    if not large:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "features.npy"
            np.save(file, features)
            command = [sys.executable, __file__, "--peak", str(file), "--threads", str(threads)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        memory = int(done.stdout)
    return {
        "tracklets": count,
        "width": features.shape[1],
        "product_s": statistics.median(product_s),
        "jaccard_s": statistics.median(jaccard_s),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "eps_s": statistics.median(eps_s),
        "dbscan_s": statistics.median(cluster_s),
        "apart_s": statistics.median(apart_s),
        "memory_bytes": memory,
        "pairs_per_row": pairs,
        "eps": eps,
        "clusters": int(labels.max()) + 1,
        "nmi": quality.get("nmi"),
    }


def seen_together(labels: np.ndarray) -> np.ndarray:
    """Return pairs [P, 2], i < j, most of them in one cluster: the next five in their order."""
    order = np.argsort(labels, kind="stable")
    pairs = [np.stack([order[:-step], order[step:]], axis=1) for step in range(1, 6)]
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def associate_apart(distances: Any, eps: float, apart: np.ndarray) -> np.ndarray:
    return associate(without(distances, apart), eps, 4, apart)


def product(features: np.ndarray) -> float:
    """Return the seconds of X @ X.T, whole or from every tenth block of its rows."""
    count = len(features)
    if count <= _WHOLE:
        return timed(np.matmul, features, features.T)[0]
    step = 1000
    firsts = range(0, count, 10 * step)
    seconds = [timed(np.matmul, features[a : a + step], features.T)[0] for a in firsts]
    return sum(seconds) * count / sum(min(step, count - first) for first in firsts)


def timed(way: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    result = way(*arguments)
    return time.perf_counter() - started, result


def peak(features: np.ndarray, threads: int) -> int:
    """Return the bytes that the distances take at most, beyond the features."""
    jaccard_distances(features[:100], 30, 6, threads)  # what is imported late
    before = forget_high_water()
    jaccard_distances(features, 30, 6, threads, pairs_needed(len(features), None, SHARE))
    return high_water() - before


def high_water() -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(next(row for row in text.splitlines() if row.startswith("VmHWM")).split()[1])


def forget_high_water() -> int:
    """Begin the peak anew (Linux) and return it: the bytes that are held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return high_water()


def line(row: dict[str, Any]) -> str:
    ratios = f"{min(row['ratios']):.2f} to {max(row['ratios']):.2f}"
    nmi = "" if row["nmi"] is None else f"{row['nmi']:.3f}"
    return (
        f"| {row['tracklets']:,} x {row['width']} | {row['product_s']:.2f} | "
        f"{row['jaccard_s']:.2f} | {row['ratio']:.2f} ({ratios}) | {row['eps_s']:.2f} | "
        f"{row['dbscan_s']:.2f} | {row['apart_s']:.2f} | {row['memory_bytes'] / 2**20:,.0f} | "
        f"{4 * row['tracklets'] ** 2 / 2**20:,.0f} | {row['pairs_per_row']:,.1f} | "
        f"{row['clusters']:,} | {nmi} |"
    )


if __name__ == "__main__":
    main()
