"""What frozen stages make of frames, computed once instead of at every step.

A frame's maps are the same whichever other frames are there: those of a training's own frames and
those that a file holds of a whole dataset are equal, bit for bit, on a CPU.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from weakreid.artifacts.files import replacing
from weakreid.artifacts.image_store import ImageStore
from weakreid.artifacts.prefetching import prefetch
from weakreid.config.network import Image
from weakreid.config.params import MakeFrozenMaps
from weakreid.console import progress
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel, chunks
from weakreid.training.devices import Computer

_BATCH = 256
_TYPES = {torch.float32: "F32", torch.bfloat16: "BF16"}
_METADATA_KEY = "weakreid"


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
    computer: Computer,
    threads: int,
    memory_mb: int,
) -> list[FrozenMaps]:
    """Run the leading frozen stages over frames and their mirror images.

    Args:
        network: on the device of `computer`.
        of: stores, and rows of each, in any order, repeated or not.
        image: the network's input.
        computer: device and precision.
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
    one = one_map(network, image, computer)
    count = sum(len(rows) for _, rows in wanted)
    needed = megabytes(one, count)
    if needed > memory_mb:
        raise ReidError(
            f"batch.cache_mb: the outputs of the frozen stages for {count:,} images take "
            f"{needed:,.0f} MB, {memory_mb:,} are allowed; raise it, or set cache_mb: 0"
        )
    found = []
    for store, rows in wanted:
        maps = torch.empty((len(rows), *one.shape), dtype=one.dtype)
        done = 0
        for batch in _maps_of(network, store, rows, image, computer, threads):
            maps[done : done + len(batch)] = batch
            done += len(batch)
        found.append(FrozenMaps(rows, maps))
    return found


@torch.no_grad()
def one_map(network: ReidModel, image: Image, computer: Computer) -> Tensor:
    """Return what the frozen stages make of a black image and its mirror image: [2, c, h, w]."""
    with computer.autocast():
        black = torch.zeros(1, 3, image.height, image.width, device=computer.device)
        return network.front(black).expand(2, -1, -1, -1)


def megabytes(one: Tensor, count: int) -> float:
    """Return what as many maps take as `one_map` gives of one frame."""
    return count * one.numel() * one.element_size() / 2**20


def _maps_of(
    network: ReidModel,
    store: ImageStore,
    rows: np.ndarray,
    image: Image,
    computer: Computer,
    threads: int,
) -> Iterator[Tensor]:
    """Yield the maps [n, 2, c, h, w] of rows of a store, batch by batch, on the CPU."""
    mean, std = network.backbone.mean, network.backbone.std
    batches = [rows[at : at + _BATCH] for at in range(0, len(rows), _BATCH)]
    images = (store.batch(batch, image.height, image.width, threads=threads) for batch in batches)
    steps = progress(
        prefetch(images), total=len(batches), label="frozen stages", unit=f"x {_BATCH} frames"
    )
    # another kernel may be chosen for fewer images, with other last bits
    whole = len(chunks(torch.empty(_BATCH, 0, device=computer.device))[0])
    for batch in steps:
        parts = []
        with torch.no_grad(), computer.autocast():
            for part in chunks(torch.from_numpy(batch).to(computer.device)):
                pixels = preprocess(_filled(part, whole), mean, std)
                both = [network.front(pixels), network.front(pixels.flip(3))]
                parts.append(torch.stack(both, dim=1)[: len(part)])
        yield torch.cat(parts).cpu()


def _filled(images: Tensor, count: int) -> Tensor:
    """Return so many images, the last one again and again where there are fewer."""
    missing = count - len(images)
    return images if missing <= 0 else torch.cat([images, *[images[-1:]] * missing])


# --- in a file ------------------------------------------------------------------------------------


def about_maps(params: MakeFrozenMaps, computer: Computer) -> dict[str, Any]:
    """Return what maps are of, and on which kind of device they are made."""
    what = params.model_dump(mode="json", exclude={"memory_mb"})
    return {**what, "device": computer.device.type}


def write_maps(
    path: Path,
    network: ReidModel,
    store: ImageStore,
    rows: np.ndarray,
    image: Image,
    *,
    computer: Computer,
    threads: int,
    about: Mapping[str, Any],
) -> None:
    """Write the maps of frames, whole or not at all, as they are computed.

    The file is one of safetensors, with `rows` int64 [R] and `maps` [R, 2, c, h, w], so that it is
    read in place: trainings on one machine share it in memory.

    Args:
        path: the file to write.
        network: on the device of `computer`.
        store: holds the frames.
        rows: of the store; none: a file that no training uses.
        image: the network's input.
        computer: device and precision.
        threads: for decoding.
        about: what the maps are of, for the file's metadata.
    """
    rows, one = np.unique(rows).astype(np.int64), one_map(network, image, computer)
    ends = np.cumsum([rows.nbytes, len(rows) * one.numel() * one.element_size()]).tolist()
    shape = [len(rows), *one.shape]
    header = {
        "__metadata__": {_METADATA_KEY: json.dumps(about, sort_keys=True)},
        "rows": {"dtype": "I64", "shape": [len(rows)], "data_offsets": [0, ends[0]]},
        "maps": {"dtype": _TYPES[one.dtype], "shape": shape, "data_offsets": ends},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as aside, aside.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + rows.astype("<i8").tobytes())
        for batch in _maps_of(network, store, rows, image, computer, threads):
            file.write(batch.contiguous().view(torch.uint8).numpy().data)


def read_maps(path: Path) -> tuple[FrozenMaps, dict[str, Any]]:
    """Return the maps of `write_maps`, in place, and what they are of.

    Raises:
        ReidError: the file is not one of them.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()[_METADATA_KEY])
            return FrozenMaps(file.get_tensor("rows").numpy(), file.get_tensor("maps")), about
    except (OSError, SafetensorError) as error:
        raise ReidError(f"{path}: not a whole file of maps; delete it and run again") from error
