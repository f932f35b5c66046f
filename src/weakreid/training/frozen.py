"""What frozen stages make of the training frames, computed once instead of at every step."""

from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
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
    model: ReidModel,
    store: ImageStore,
    rows: np.ndarray,
    *,
    fabric: Fabric,
    height: int,
    width: int,
    threads: int,
    memory_mb: int,
) -> FrozenMaps:
    """Run the leading frozen stages over frames and their mirror images.

    Args:
        model: on the device of `fabric`.
        store: holds the frames.
        rows: of the store, in any order, repeated or not.
        fabric: device and precision.
        height: of the network's input in pixels.
        width: likewise.
        threads: for decoding.
        memory_mb: what the maps may take.

    Raises:
        ReidError: the first stage is not frozen, or the maps would take more than `memory_mb`.
    """
    if not model.frozen_front:
        raise ReidError(
            "batch.cache_mb is set, but the backbone's first stage learns; "
            "freeze it (model.frozen) or set cache_mb: 0"
        )
    wanted = np.unique(rows)
    mean, std = model.backbone.mean, model.backbone.std
    batches = [wanted[at : at + _BATCH] for at in range(0, len(wanted), _BATCH)]
    images = (store.batch(batch, height, width, threads=threads) for batch in batches)
    maps: Tensor | None = None
    done = 0
    with torch.no_grad(), fabric.autocast():
        steps = progress(
            prefetch(images), total=len(batches), label="frozen stages", unit=f"x {_BATCH} frames"
        )
        for batch in steps:
            parts = []
            for part in chunks(torch.from_numpy(batch).to(fabric.device)):
                pixels = preprocess(part, mean, std)
                parts.append(torch.stack([model.front(pixels), model.front(pixels.flip(3))], dim=1))
            both = torch.cat(parts).cpu()
            if maps is None:
                maps = _room(both, len(wanted), memory_mb)
            maps[done : done + len(both)] = both
            done += len(both)
    assert maps is not None, "a training has at least one frame"
    return FrozenMaps(wanted, maps)


def _room(like: Tensor, count: int, memory_mb: int) -> Tensor:
    needed = count * like[0].numel() * like.element_size() / 2**20
    if needed > memory_mb:
        raise ReidError(
            f"batch.cache_mb: the outputs of the frozen stages take {needed:,.0f} MB, "
            f"{memory_mb:,} are allowed; raise it, or set cache_mb: 0"
        )
    return torch.empty((count, *like.shape[1:]), dtype=like.dtype)
