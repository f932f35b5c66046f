"""Time and memory of bottom-up merging (BUC), beside a dense version.

For N tracklets: 5 % of N merges where every tracklet is a cluster, and again where half of them
were merged. The dense version is the authors' way with NumPy: a matrix of all distances, penalties
on top, a sort of all pairs, and a pass over them. Each is a process of its own; memory is its peak
(VmHWM) less what it held with the features loaded. Both find the same clusters, but for pairs that
float32 products cannot tell apart: the share of tracklets whose cluster is the same is printed.

The features are those of `association.py`, of length 1.

    python benchmarks/merging.py [--sizes 8298] [--noise 0.2] [--threads 1] [--out FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from association import forget_high_water, high_water, people, timed
from evaluation import machine
from weakreid.artifacts.files import write_json
from weakreid.clustering.merging import merged
from weakreid.clustering.neighbours import unit_rows
from weakreid.cores import default_threads

SHARE, PENALTY = 0.05, 0.003
_HEADER = ("N", "clusters", "here s", "dense s", "here MiB", "dense MiB", "same cluster")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[8298])
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--noise", type=float, default=0.2, help="in all dimensions")
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        way, folder = arguments.one
        print(json.dumps(one(way, folder, arguments.threads)))
        return
    print(f"{arguments.threads} threads\n\n| " + " | ".join(_HEADER) + " |")
    print("|---:" * len(_HEADER) + "|")
    rows = []
    for count in arguments.sizes:
        features = unit_rows(people(count, arguments.width, arguments.noise)[0])
        clusters = np.arange(count)
        for merges in (0, count // 2):
            clusters = merged(features, clusters, merges, penalty=PENALTY)
            rows.append(measure(features, clusters, arguments.threads))
            print(line(rows[-1]), flush=True)
    if arguments.out:
        write_json(arguments.out, {**machine(), "threads": arguments.threads, "rows": rows})


def measure(features: np.ndarray, clusters: np.ndarray, threads: int) -> dict[str, Any]:
    found: dict[str, Any] = {"tracklets": len(features), "clusters": int(clusters.max()) + 1}
    labels = []
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "given.npz", features=features, clusters=clusters)
        for way in ("here", "dense"):
            command = [sys.executable, __file__, "--one", way, folder, "--threads", str(threads)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[way] = json.loads(done.stdout)
            labels.append(np.load(Path(folder) / f"{way}.npy"))
    return {**found, "same": float(np.mean(labels[0] == labels[1]))}


def one(way: str, folder: str, threads: int) -> dict[str, float]:
    given = np.load(Path(folder) / "given.npz")
    features, clusters = given["features"], given["clusters"]
    merges = int(SHARE * len(features))
    merged(features[:100], np.arange(100), 5, penalty=PENALTY)  # what is imported late
    before = forget_high_water()
    with threadpool_limits(threads):
        if way == "here":
            seconds, labels = timed(
                lambda: merged(features, clusters, merges, penalty=PENALTY, threads=threads)
            )
        else:
            seconds, labels = timed(dense, features, clusters, merges)
    memory = high_water() - before
    np.save(Path(folder) / f"{way}.npy", labels)
    return {"seconds": seconds, "memory_bytes": memory}


def dense(features: np.ndarray, clusters: np.ndarray, merges: int) -> np.ndarray:
    """Return the clusters after so many merges, numbered by first appearance."""
    weights = features @ features.T
    weights *= -2
    squares = np.einsum("ij,ij->i", features, features)
    weights += squares[:, None]
    weights += squares
    np.sqrt(np.maximum(weights, 0, out=weights), out=weights)
    penalties = (PENALTY * np.bincount(clusters)[clusters]).astype(np.float32)
    weights += penalties[:, None]
    weights += penalties
    weights[clusters[:, None] == clusters] = np.inf
    weights[np.tri(len(weights), dtype=bool)] = np.inf
    order = np.argsort(weights, axis=None, kind="stable")
    labels = clusters.copy()
    for pair in order:
        if not merges:
            break
        first, second = (labels[place] for place in divmod(int(pair), len(labels)))
        if first != second:
            labels[labels == second] = first
            merges -= 1
    _, firsts, places = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(firsts))[places]


def line(row: dict[str, Any]) -> str:
    here, bare = row["here"], row["dense"]
    return (
        f"| {row['tracklets']:,} | {row['clusters']:,} | {here['seconds']:.1f} | "
        f"{bare['seconds']:.1f} | {here['memory_bytes'] / 2**20:,.0f} | "
        f"{bare['memory_bytes'] / 2**20:,.0f} | {100 * row['same']:.2f} % |"
    )


if __name__ == "__main__":
    main()
