"""What frozen stages make of the training frames, computed once instead of at every step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.network import Image
from weakreid.console import progress
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks

_BATCH = 256


@dataclass(frozen=True)
class FrozenMaps:
    """The feature maps of frames, and of their mirror images, after the leading frozen stages.

    Attributes:
        rows: [R] sorted rows of the image store.
        maps: [R, 2, c, h, w]; the second of two is the mirror image's.
    """

    rows: np.ndarray
    maps: Tensor

    def take(self, rows: np.ndarray, mirrored: np.ndarray) -> Tensor:
        """Return the maps [n, c, h, w] of some frames, channels-last in memory.

        Args:
            rows: [n] rows of the image store.
            mirrored: [n] bool.
        """
        places = np.searchsorted(self.rows, rows)
        chosen = self.maps[torch.from_numpy(places), torch.from_numpy(mirrored.astype(np.int64))]
        return chosen.contiguous(memory_format=torch.channels_last)


def frozen_maps(
    network: ReidModel,
    of: Sequence[tuple[ImageStore, np.ndarray]],
    image: Image,
    *,
    fabric: Fabric,
    threads: int,
    memory_mb: int,
) -> list[FrozenMaps]:
    """Run the leading frozen stages over frames and their mirror images.

    Args:
        network: on the device of `fabric`.
        of: stores, and rows of each, in any order, repeated or not.
        image: the network's input.
        fabric: device and precision.
        threads: for decoding.
        memory_mb: what all maps together may take.

    Raises:
        ReidError: the first stage is not frozen, frames are cut at random places, or the maps would
            take more than `memory_mb`.
    """
    if not network.frozen_front:
        raise ReidError(
            "batch.cache_mb is set, but the backbone's first stage learns; "
            "freeze it (model.frozen) or set cache_mb: 0"
        )
    if image.resized is not None:
        raise ReidError(
            "batch.cache_mb keeps what frozen stages make of unchanged frames, but image.resized "
            "cuts every frame at a random place; set one of them to 0 or null"
        )
    wanted = [(store, np.unique(rows)) for store, rows in of]
    one = one_map(network, image, fabric)
    count = sum(len(rows) for _, rows in wanted)
    needed = count * one.numel() * one.element_size() / 2**20
    if needed > memory_mb:
        raise ReidError(
            f"batch.cache_mb: the outputs of the frozen stages for {count:,} images take "
            f"{needed:,.0f} MB, {memory_mb:,} are allowed; raise it, or set cache_mb: 0"
        )
    found = []
    for store, rows in wanted:
        maps = torch.empty((len(rows), *one.shape), dtype=one.dtype)
        done = 0
        for batch in maps_of(network, store, rows, image, fabric=fabric, threads=threads):
            maps[done : done + len(batch)] = batch
            done += len(batch)
        found.append(FrozenMaps(rows, maps))
    return found


@torch.no_grad()
def one_map(network: ReidModel, image: Image, fabric: Fabric) -> Tensor:
    """Return what the frozen stages make of a black image and its mirror image: [2, c, h, w]."""
    with fabric.autocast():
        black = torch.zeros(1, 3, image.height, image.width, device=fabric.device)
        return network.front(black).expand(2, -1, -1, -1)


def maps_of(
    network: ReidModel,
    store: ImageStore,
    rows: np.ndarray,
    image: Image,
    *,
    fabric: Fabric,
    threads: int,
) -> Iterator[Tensor]:
    """Yield the maps [n, 2, c, h, w] of rows of a store, batch by batch, on the CPU."""
    mean, std = network.backbone.mean, network.backbone.std
    batches = [rows[at : at + _BATCH] for at in range(0, len(rows), _BATCH)]
    images = (store.batch(batch, image.height, image.width, threads=threads) for batch in batches)
    steps = progress(
        prefetch(images), total=len(batches), label="frozen stages", unit=f"x {_BATCH} frames"
    )
    for batch in steps:
        parts = []
        with torch.no_grad(), fabric.autocast():
            for part in chunks(torch.from_numpy(batch).to(fabric.device)):
                pixels = preprocess(part, mean, std)
                both = [network.front(pixels), network.front(pixels.flip(3))]
                parts.append(torch.stack(both, dim=1))
        yield torch.cat(parts).cpu()
