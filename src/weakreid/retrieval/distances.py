"""Distances between descriptors, and from probes to bags of frames, in bounded memory.

Both come from a matrix product: |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, clipped at 0. In float32 the
squared distance is therefore exact to about 1e-6 (|a|^2 + |b|^2), so that the distance of two
equal unit vectors may read up to about 1e-3 instead of 0; float64 input is worked in float64.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreid.cores import default_threads
from weakreid.errors import ReidError

Metric = Literal["euclidean", "sqeuclidean", "cosine"]
BLOCK_BYTES = 64 << 20
# A chunk of products is at most this large. On a quiet machine 4 to 32 MB do equally well; where
# cores are shared, fewer and larger products wait less often for their slowest thread.
_CHUNK_BYTES = 24 << 20

Array = NDArray[Any]


class BagDistances(NamedTuple):
    """Distances from probes to bags."""

    distances: Array  # [P, B] distance to the nearest frame of the bag
    frames: NDArray[np.int64]  # [P, B] row of that frame, the earliest of equals


def pairwise(a: Array, b: Array, metric: Metric, block_bytes: int = BLOCK_BYTES) -> Array:
    """Return the distances between the rows of two arrays.

    Args:
        a: [N, d].
        b: [M, d].
        metric: "euclidean", its square "sqeuclidean", or "cosine" (1 - cosine similarity).
        block_bytes: bound on the working memory beside the result (and beside a copy of `b`, if
            its type must be changed).

    Returns:
        [N, M], float64 where an input is, float32 elsewhere.

    Raises:
        ReidError: a row is not finite (or zero, for cosine).
    """
    a, b = _floating("a", a), _floating("b", b)
    kind = np.result_type(a, b)
    b = b.astype(kind, copy=False)
    scale, offset = _right(b, metric == "cosine", "b")
    result: Array = np.empty((len(a), len(b)), kind)
    # a block of `a` may be converted, and is scaled: two copies
    step = max(1, block_bytes // max(1, 2 * a.shape[1] * kind.itemsize))
    for start in range(0, len(a), step):
        part = result[start : start + step]
        block = a[start : start + step].astype(kind, copy=False)
        left, left_offset = _left(block, metric, "a", start)
        np.matmul(left, b.T, out=part)
        _apply(part, scale, offset)
        part += left_offset[:, None]
        _finish(part, metric)
    return result


def bag_minimum(
    probes: Array,
    frames: Array | Iterable[Array],
    offsets: ArrayLike,
    metric: Metric,
    memory_bytes: int,
    threads: int | None = None,
) -> BagDistances:
    """Return the distance from every probe to the nearest frame of every bag (WL, Eq. 9).

    D(p, g) = min over the frames r of bag g of d(x_p, x_g,r). The frames are read once, in order;
    a bag may straddle blocks.

    Args:
        probes: [P, d], a descriptor per probe bag; their type is the type of the work.
        frames: [F, d], or an iterable of blocks [n, d] that make it up in order.
        offsets: [B + 1] rows at which the bags start, and F: bag b is offsets[b]:offsets[b + 1],
            one frame at least.
        metric: as for `pairwise`.
        memory_bytes: bound on the working memory beside the blocks given, one more copy of the
            probes, and the result (12 bytes per probe and bag in float32).
        threads: workers for the minima; the result does not depend on it.

    Raises:
        ReidError: a frame is not finite (or is zero where a length is divided by), or the memory is
            too small for a single frame.
    """
    probes = _floating("probes", probes)
    bounds = np.asarray(offsets, np.int64)
    count, width = probes.shape
    kind = probes.dtype
    # the products, argmin's copy of them, and at worst a converted copy of the frames
    per_frame = kind.itemsize * (2 * count + width + 4)
    chunk = memory_bytes // per_frame
    if chunk < 1:
        raise ReidError(
            f"memory_bytes {memory_bytes}: one frame against {count} probes takes {per_frame}; "
            "raise it"
        )
    chunk = min(chunk, max(256, _CHUNK_BYTES // max(1, count * kind.itemsize)))
    left, left_offset = _left(probes, metric, "probes")
    best: Array = np.full((count, len(bounds) - 1), np.inf, kind)
    where = np.full(best.shape, -1, np.int64)
    buffer: Array = np.empty(count * chunk, kind)
    workers = max(1, min(threads or default_threads(), count))
    edges = np.linspace(0, count, workers + 1).astype(int)
    parts = [slice(low, high) for low, high in itertools.pairwise(edges)]
    row = 0
    with ThreadPoolExecutor(workers) as pool:
        for block in _chunks(frames, chunk):
            stop = row + len(block)
            block = block.astype(kind, copy=False)
            scale, offset = _right(block, metric == "cosine", "frames", row)
            products = buffer[: count * len(block)].reshape(count, len(block))
            np.matmul(left, block.T, out=products)
            lower = functools.partial(
                _lower, pieces=_pieces(bounds, row, stop), first=row, scale=scale, offset=offset
            )
            jobs = [(products[part], best[part], where[part]) for part in parts]
            list(pool.map(lambda job, lower=lower: lower(*job), jobs))
            row = stop
    best += left_offset[:, None]
    _finish(best, metric)
    return BagDistances(best, where)


def _lower(
    products: Array,
    best: Array,
    where: NDArray[np.int64],
    *,
    pieces: list[tuple[int, int, int]],
    first: int,
    scale: Array | None,
    offset: Array | None,
) -> None:
    """Lower `best` and set `where`, in place, from a chunk of products.

    The products lie probes x frames, so that each minimum runs along contiguous memory (several
    times faster than along the other axis).
    """
    _apply(products, scale, offset)
    lines = np.arange(len(products))
    for bag, start, stop in pieces:
        place = products[:, start:stop].argmin(axis=1) + start
        value = products[lines, place]
        nearer = value < best[:, bag]  # strictly: of equal frames the earliest stays
        best[nearer, bag] = value[nearer]
        where[nearer, bag] = place[nearer] + first


def _pieces(bounds: NDArray[np.int64], start: int, stop: int) -> list[tuple[int, int, int]]:
    """Return (bag, start, stop) of the bags' parts in rows start:stop, relative to `start`."""
    low = int(np.searchsorted(bounds, start, side="right")) - 1
    high = int(np.searchsorted(bounds, stop, side="left"))
    return [
        (bag, max(int(bounds[bag]), start) - start, min(int(bounds[bag + 1]), stop) - start)
        for bag in range(low, high)
    ]


def _chunks(frames: Array | Iterable[Array], rows: int) -> Iterator[Array]:
    """Yield at most `rows` rows at a time."""
    for block in [frames] if isinstance(frames, np.ndarray) else frames:
        for start in range(0, len(block), rows):
            yield block[start : start + rows]


# A distance is left . right, scaled and shifted per row and per column. The factor -2 (Euclidean)
# or -1 (cosine) is in `left`, so that for one left row the smallest value is the nearest.


def _left(features: Array, metric: str, name: str, first_row: int = 0) -> tuple[Array, Array]:
    """Return the left factor [N, d] and what is added to its rows [N]."""
    if metric == "cosine":
        scale = _inverse_lengths(features, name, first_row)
        return features * -scale[:, None], np.ones(len(features), features.dtype)
    return features * np.array(-2, features.dtype), _squares(features, name, first_row)


def _right(
    features: Array, unit: bool, name: str, first_row: int = 0
) -> tuple[Array | None, Array | None]:
    """Return what each right row multiplies its products by, and what it adds to them."""
    if unit:
        return _inverse_lengths(features, name, first_row), None
    return None, _squares(features, name, first_row)


def _apply(products: Array, scale: Array | None, offset: Array | None) -> None:
    if scale is not None:
        products *= scale
    if offset is not None:
        products += offset


def _squares(features: Array, name: str, first_row: int) -> Array:
    squares = np.einsum("ij,ij->i", features, features)
    broken = np.flatnonzero(~np.isfinite(squares))
    if broken.size:
        raise ReidError(
            f"{name}: row {first_row + broken[0]} is not finite (or overflows when squared); "
            "check the model that made it"
        )
    return squares


def _inverse_lengths(features: Array, name: str, first_row: int) -> Array:
    squares = _squares(features, name, first_row)
    zero = np.flatnonzero(squares == 0)
    if zero.size:
        raise ReidError(
            f"{name}: row {first_row + zero[0]} is zero and has no direction; a network that gives "
            "zeros learnt nothing: look at learning_curve.svg, and lower optimiser.lr or change "
            "model.batch_norm"
        )
    return 1 / np.sqrt(squares)


def _finish(values: Array, metric: str) -> None:
    """Clip rounding below zero, and take the root where the metric has one; in place."""
    np.maximum(values, 0, out=values)
    if metric == "euclidean":
        np.sqrt(values, out=values)
    elif metric == "cosine":
        np.minimum(values, 2, out=values)


def _floating(name: str, features: Array) -> Array:
    features = np.asarray(features)
    if features.ndim != 2 or features.dtype.kind != "f":
        raise ReidError(
            f"{name}: {features.dtype} of shape {features.shape}; give floats of shape [n, width]"
        )
    return features if features.dtype.itemsize >= 4 else features.astype(np.float32)
