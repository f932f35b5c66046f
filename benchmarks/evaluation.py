"""Time of the evaluation from a distance matrix, beside a full stable argsort.

The default size is MARS: 1,980 queries against 9,330 gallery tracklets, 3,248 of them distractors.
The two ways take turns in one run and must agree; medians of the repeats are reported.

    python benchmarks/evaluation.py [--repeats 7] [--threads 2] [--reranking] [--out FILE]
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from threadpoolctl import threadpool_info, threadpool_limits

from weakreid.artifacts.files import write_json
from weakreid.cores import default_threads
from weakreid.retrieval.ranking import evaluate, person_relevance
from weakreid.retrieval.reranking import Reranking, rerank
from weakreid.seeding import numpy_generator


def machine() -> dict[str, Any]:
    """Return what a figure depends on: processor, cores, versions, BLAS."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "device": f"{model}, {default_threads()} cores",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "blas": sorted({f"{pool['internal_api']} {pool['version']}" for pool in blas}),
    }


def take_turns(
    ways: dict[str, Callable[[], Any]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Run every way once unmeasured, then all of them `repeats` times in turn."""
    results = {name: way() for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return seconds, results


def table(seconds: dict[str, list[float]], base: str) -> list[dict[str, Any]]:
    """Print a line per way, and return them."""
    rows = []
    reference = statistics.median(seconds[base])
    print(f"{'':34s} {'median s':>9s} {'least s':>9s} {'ratio':>7s}")
    for name, times in seconds.items():
        median = statistics.median(times)
        rows.append(
            {
                "way": name,
                "median_s": round(median, 4),
                "least_s": round(min(times), 4),
                "ratio": round(median / reference, 3),
                "base": base,
            }
        )
        print(f"{name:34s} {median:9.3f} {min(times):9.3f} {median / reference:7.2f}")
    return rows


def by_argsort(
    distances: np.ndarray, qp: np.ndarray, gp: np.ndarray, qc: np.ndarray, gc: np.ndarray
) -> tuple[float, float]:
    """Return mAP and rank-1 from a full stable argsort of every row."""
    order = np.argsort(distances, axis=1, kind="stable")
    precisions, firsts = [], []
    for query, row in enumerate(order):
        kept = row[(gp[row] != qp[query]) | (gc[row] != qc[query])]
        hits = np.flatnonzero(gp[kept] == qp[query]) + 1
        if hits.size:
            precisions.append(np.mean(np.arange(1, hits.size + 1) / hits))
            firsts.append(hits[0])
    return 100 * float(np.mean(precisions)), 100 * float(np.mean(np.array(firsts) == 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=1980)
    parser.add_argument("--gallery", type=int, default=9330)
    parser.add_argument("--distractors", type=int, default=3248)
    parser.add_argument("--persons", type=int, default=626)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--reranking", action="store_true", help="time k-reciprocal as well")
    parser.add_argument("--width", type=int, default=2048, help="of the features re-ranked")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rng = numpy_generator(0, "benchmark", "evaluation")
    queries, gallery, persons = arguments.queries, arguments.gallery, arguments.persons
    qp = rng.integers(1, persons + 1, queries)
    gp = rng.integers(1, persons + 1, gallery)
    gp[rng.permutation(gallery)[: arguments.distractors]] = 0
    qc, gc = rng.integers(1, 7, queries), rng.integers(1, 7, gallery)
    # matches are somewhat nearer than the rest, as after training
    distances = rng.normal(1.0, 0.1, (queries, gallery)).astype(np.float32)
    distances -= 0.2 * (qp[:, None] == gp[None])
    threads = arguments.threads
    seconds, results = take_turns(
        {
            "full stable argsort, 1 thread": lambda: by_argsort(distances, qp, gp, qc, gc),
            "weakreid, 1 thread": lambda: evaluate(
                distances, person_relevance(qp, gp, qc, gc), threads=1
            ),
            f"weakreid, {threads} threads": lambda: evaluate(
                distances, person_relevance(qp, gp, qc, gc), threads=threads
            ),
        },
        arguments.repeats,
    )
    found = results["weakreid, 1 thread"]
    slow = results["full stable argsort, 1 thread"]
    if not np.allclose([found.mean_average_precision, found.cmc[1]], slow, rtol=1e-12):
        sys.exit(f"the two ways disagree: {found.summary()} against {slow}")
    load = os.getloadavg()[0]
    print(
        f"{queries} queries x {gallery} gallery, {found.match_counts.mean():.1f} matches a query, "
        f"median of {arguments.repeats}, load {load:.1f}"
    )
    rows = table(seconds, "full stable argsort, 1 thread")
    if arguments.reranking:
        features = rng.standard_normal((queries + gallery, arguments.width), dtype=np.float32)
        halves = features[:queries], features[queries:]
        with threadpool_limits(threads):
            again, _ = take_turns(
                {"k-reciprocal re-ranking": lambda: rerank(*halves, "euclidean", Reranking())},
                1,
            )
        rows += table(again, "k-reciprocal re-ranking")
    if arguments.out:
        size = {"queries": queries, "gallery": gallery, "repeats": arguments.repeats}
        write_json(arguments.out, {**machine(), "threads": threads, **size, "rows": rows})


if __name__ == "__main__":
    main()
