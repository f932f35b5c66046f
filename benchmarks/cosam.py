"""Time and memory of COSAM's spatial step, forward and backward, beside other ways to compute it.

- ours: sums first, the volume of correlations is never made (`weakreid.models.cosam.consensus`);
- product: the bare matrix product of a clip's descriptors with themselves, and a convolution's with
  a part of it as large as the volume: what any way that makes the volume does at least;
- loop: a frame at a time against each other frame, the volume made, then the convolution.

All give the same masks (checked here). They take turns; medians of the rounds and of their ratios
are printed. Memory is what autograd keeps from forward for backward, beside the descriptors.

    python benchmarks/cosam.py [--rounds 7] [--out FILE]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from evaluation import machine
from weakreid.artifacts.files import write_json
from weakreid.models.cosam import consensus, standardised

# clips, frames, rows, columns, reduced channels: ours on small data, and the paper's two places
SIZES = {
    "small, after layer3": (16, 4, 8, 4, 64),
    "paper, after block 4": (8, 4, 16, 8, 256),
    "paper, after block 2": (1, 4, 64, 32, 256),
}


def ours(descriptors: Tensor, weight: Tensor) -> Tensor:
    return consensus(descriptors, weight)


def product(descriptors: Tensor, weight: Tensor) -> Tensor:
    _, frames, places, _ = descriptors.shape
    flat = descriptors.flatten(1, 2)
    volume = flat @ flat.mT
    of_others = volume[:, :, places:]
    return (of_others @ weight.T).unflatten(1, (frames, places)).mT


def loop(descriptors: Tensor, weight: Tensor) -> Tensor:
    frames = descriptors.shape[1]
    found = []
    for frame in range(frames):
        others = [descriptors[:, m] for m in range(frames) if m != frame]
        volume = torch.cat([other @ descriptors[:, frame].mT for other in others], dim=1)
        found.append(torch.einsum("kq,nqp->nkp", weight, volume))
    return torch.stack(found, dim=1)


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "ours": ours,
    "product": product,
    "loop": loop,
}


def kept_mib(way: Callable[[Tensor, Tensor], Tensor], descriptors: Tensor, weight: Tensor) -> float:
    """Return what forward keeps for backward, each storage once, without its two arguments."""
    known = {descriptors.untyped_storage().data_ptr(), weight.untyped_storage().data_ptr()}
    kept: dict[int, int] = {}

    def packed(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(packed, lambda tensor: tensor):
        result = way(descriptors, weight)
    del result
    return sum(kept.values()) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.manual_seed(1)
    rows = {}
    print(
        "| maps | "
        + " | ".join(f"{w} ms | {w} MiB" for w in WAYS)
        + " | ours / product | loop / ours |"
    )
    print("|---|" + "---:|" * (2 * len(WAYS) + 2))
    for name, (clips, frames, height, width, channels) in SIZES.items():
        maps = torch.randn(clips * frames, channels, height, width).relu()
        descriptors = (
            standardised(maps, "population").unflatten(0, (clips, frames)).requires_grad_()
        )
        weight = torch.randn(1, (frames - 1) * height * width, requires_grad=True)
        with torch.no_grad():
            torch.testing.assert_close(
                ours(descriptors, weight), loop(descriptors, weight), rtol=1e-3, atol=1e-3
            )
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for turn in range(chosen.rounds + 1):
            for way, compute in WAYS.items():
                started = time.perf_counter()
                compute(descriptors, weight).sum().backward()
                # the first turn finds caches cold and libraries unloaded
                if turn:
                    seconds[way].append(time.perf_counter() - started)
        memory = {way: kept_mib(compute, descriptors, weight) for way, compute in WAYS.items()}
        ratios = {
            pair: statistics.median(
                a / b for a, b in zip(seconds[pair[0]], seconds[pair[1]], strict=True)
            )
            for pair in (("ours", "product"), ("loop", "ours"))
        }
        cells = [
            text
            for way in WAYS
            for text in (f"{1e3 * statistics.median(seconds[way]):.1f}", f"{memory[way]:.1f}")
        ]
        cells += [f"{ratio:.2f}" for ratio in ratios.values()]
        print(
            f"| {name}: {clips} x {frames} x {height} x {width}, D_R {channels} | "
            + " | ".join(cells)
            + " |"
        )
        rows[name] = {
            "seconds": seconds,
            "mib": memory,
            "ratios": {" / ".join(pair): ratio for pair, ratio in ratios.items()},
        }
    if chosen.out:
        write_json(
            chosen.out, {"machine": machine(), "threads": torch.get_num_threads(), "rows": rows}
        )


if __name__ == "__main__":
    main()
