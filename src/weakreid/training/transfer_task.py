"""Learning to recognise attributes on one dataset for use on another (ATTR, section 3.2)."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear

from weakreid.artifacts.image_store import ImageStore
from weakreid.errors import ReidError
from weakreid.losses.attributes.bce import bce
from weakreid.losses.attributes.mmd import mmd
from weakreid.losses.bags.pooling import precise, without_autocast
from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.frame import maps_within
from weakreid.training.frozen import FrozenMaps
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import Pictures


@dataclass(frozen=True)
class Discrepancy:
    """How the two datasets' features are brought together.

    Attributes:
        weight: of the MMD beside the cross-entropy, above 0.
        alpha: of its kernel.
        normalise: whether features get length 1 first.
    """

    weight: float
    alpha: float
    normalise: bool


@dataclass(frozen=True)
class TransferBatch:
    """One step's pictures, this process's share of them.

    Attributes:
        images: uint8 [s + t, H, W, 3], s pictures of the source before t frames of the target; or
            float [s + t, c, h, w], what the frozen stages make of them.
        labels: int8 [s, L], of 1, 0 and -1.
    """

    images: Tensor
    labels: Tensor


def turns(count: int, size: int, first: int, *, seed: int, name: str) -> Iterator[NDArray[np.intp]]:
    """Yield endless batches of places, from batch number `first` on.

    All `count` places come in random order before any comes again, over the whole training and not
    an epoch alone. A batch across that border may hold a place twice.

    Args:
        count: places.
        size: of a batch, at most `count`.
        first: batches before it, which are not made.
        seed: decides, with `name`, the order.
        name: of what is chosen.
    """

    def order(number: int) -> NDArray[np.intp]:
        return numpy_generator(seed, name, number).permutation(count)

    at, held = divmod(first * size, count)
    left = order(at)[held:]
    for number in itertools.count(at + 1):
        while len(left) >= size:
            yield left[:size]
            left = left[size:]
        left = np.concatenate([left, order(number)])


class TransferTask:
    """Pictures with attributes, frames without any, and their loss.

    The network's feature is the attribute feature layer F, what follows is the prediction layer.
    Both halves of a batch go through the network together, so that batch norms in train mode see
    one mixture. Without MMD the target's half is not even decoded; which pictures of the source a
    step sees, and how they are changed, is the same with and without.

    With several processes each computes the features of its share of a batch; these are gathered,
    so that the MMD sees all, and every process computes the loss of the whole batch.

    Attributes:
        steps_per_epoch: for the loop.
    """

    def __init__(
        self,
        source: Pictures,
        source_rows: NDArray[np.int64],
        labels: NDArray[np.int8],
        target: Pictures,
        target_rows: NDArray[np.int64],
        *,
        fabric: Fabric,
        network: ReidModel,
        learner: nn.Module,
        head: nn.Linear,
        ratios: NDArray[np.float64] | None,
        sigma: float,
        discrepancy: Discrepancy | None,
        source_size: int,
        target_size: int,
        steps_per_epoch: int | None,
        seed: int,
    ) -> None:
        """Set up.

        Args:
            source: pictures with attributes.
            source_rows: [n], rows of their store.
            labels: [n, L] of 1, 0 and -1, in the order of `source_rows`.
            target: frames of the dataset that attributes are wanted for.
            target_rows: [m], rows of their store.
            fabric: devices and precision.
            network: on its device.
            learner: the network as the fabric set it up.
            head: the prediction layer, on its device.
            ratios: [L], the positive ratios that weigh the loss (Eq. 8); None: Eq. 7.
            sigma: of Eq. 8.
            discrepancy: None for no MMD.
            source_size: pictures of a batch.
            target_size: frames of a batch.
            steps_per_epoch: None: every picture of the source about once.
            seed: decides everything random.

        Raises:
            ReidError: a batch cannot be formed.
        """
        wanted = [("source", source_size, len(source_rows), "pictures of the source")]
        if discrepancy is not None:
            wanted.append(("target", target_size, len(target_rows), "frames of the target"))
        for name, size, count, what in wanted:
            _check(name, size, count, what, fabric.world_size)
        self.source, self.source_rows = source, source_rows
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, np.int8))
        self.target, self.target_rows = target, target_rows
        self.fabric, self.network, self.learner, self.head = fabric, network, learner, head
        self.ratios = None if ratios is None else torch.from_numpy(ratios).to(fabric.device)
        self.sigma, self.discrepancy = sigma, discrepancy
        self.source_size, self.target_size, self.seed = source_size, target_size, seed
        steps = -(-len(source_rows) // source_size)
        self.steps_per_epoch = steps if steps_per_epoch is None else steps_per_epoch

    def batches(self, epoch: int) -> Iterator[TransferBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        first = epoch * self.steps_per_epoch
        source = turns(
            len(self.source_rows), self.source_size, first, seed=self.seed, name="source"
        )
        target: Iterator[NDArray[np.intp] | None] = itertools.repeat(None)
        if self.discrepancy is not None:
            target = turns(
                len(self.target_rows), self.target_size, first, seed=self.seed, name="target"
            )
        for step in range(first, first + self.steps_per_epoch):
            yield self._batch(step, next(source), next(target))

    def _batch(
        self, step: int, source: NDArray[np.intp], target: NDArray[np.intp] | None
    ) -> TransferBatch:
        mine = self._share(len(source))
        labels = self.labels[torch.from_numpy(source[mine])]
        images = self._half(self.source, self.source_rows[source], mine, step, "source")
        if target is not None:
            mine = self._share(len(target))
            frames = self._half(self.target, self.target_rows[target], mine, step, "target")
            images = torch.cat([images, frames])
        if self.fabric.device.type == "cuda":
            return TransferBatch(images.pin_memory(), labels.pin_memory())
        return TransferBatch(images, labels)

    def _share(self, size: int) -> slice:
        """Return which places of a batch are this process's."""
        own = size // self.fabric.world_size
        return slice(self.fabric.global_rank * own, (self.fabric.global_rank + 1) * own)

    def _half(
        self, pictures: Pictures, rows: NDArray[np.int64], mine: slice, step: int, name: str
    ) -> Tensor:
        # a generator per place: what is drawn does not depend on how many processes there are
        generators = [
            numpy_generator(self.seed, name, "picture", step, place)
            for place in range(mine.start, mine.stop)
        ]
        return pictures.augmented(list(rows[mine, None]), generators)

    def size(self, batch: TransferBatch) -> int:
        """Return the number of images in a batch."""
        return len(batch.images)

    def loss(self, batch: TransferBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms.

        "bce" is Eq. 7, or Eq. 8 with ratios; "mmd" is Eq. 5, unweighted; "probability" is the mean
        of what is predicted for the source.
        """
        device = self.fabric.device
        images = batch.images.to(device, non_blocking=True)
        labels = gather(self.fabric, batch.labels.to(device, non_blocking=True))
        with torch.no_grad(), self.fabric.autocast():
            images = self._front(images)
        features = precise(self.learner(images, after_front=True))
        source = gather_features(self.fabric, features[: len(batch.labels)])
        with without_autocast(source):
            logits = linear(source, self.head.weight, self.head.bias)
        loss = bce(logits, labels, self.ratios, self.sigma)
        terms = {"bce": loss}
        if self.discrepancy is not None:
            target = gather_features(self.fabric, features[len(batch.labels) :])
            asked = self.discrepancy
            terms["mmd"] = mmd(source, target, asked.alpha, asked.normalise)
            loss = loss + asked.weight * terms["mmd"]
        terms["probability"] = logits.detach().sigmoid().mean()
        return loss, terms

    def _front(self, images: Tensor) -> Tensor:
        """Return what the leading frozen stages make of images; of maps, the maps."""
        if self.source.maps is not None:
            return images
        backbone = self.network.backbone
        return self.network.front(preprocess(images, backbone.mean, backbone.std))


def _check(name: str, size: int, count: int, what: str, devices: int) -> None:
    if size > count:
        raise ReidError(
            f"batch.{name} is {size}, but there are {count} training {what}; lower batch.{name}"
        )
    if size % devices:
        raise ReidError(
            f"batch.{name} {size} does not divide among {devices} devices; "
            f"set batch.{name} to a multiple of them or take fewer devices"
        )


def maps_of_both(
    method: Mapping[str, Any],
    network: ReidModel,
    source: tuple[ImageStore, NDArray[np.int64]],
    target: tuple[ImageStore, NDArray[np.int64]] | None,
    *,
    fabric: Fabric,
    threads: int,
) -> tuple[FrozenMaps | None, FrozenMaps | None]:
    """Return the frozen maps of the pictures and of the frames, which share `batch.cache_mb`.

    Args:
        method: with `batch`, `image`.
        network: on its device.
        source: a store and its rows.
        target: likewise; None where it is not looked at.
        fabric: device and precision.
        threads: for decoding.

    Returns:
        None each where `batch.cache_mb` is 0, or there is nothing to look at.

    Raises:
        ReidError: the first stage is not frozen, or both together would take more.
    """
    batch = method["batch"]
    if batch["cache_mb"] > 0 and network.frozen_front:
        # before anything is computed: each of the two would only know its own part
        count = len(source[1]) + (0 if target is None else len(target[1]))
        needed = count * _map_mb(method, network, fabric)
        if needed > batch["cache_mb"]:
            raise ReidError(
                f"batch.cache_mb: the outputs of the frozen stages for {count:,} pictures and "
                f"frames take {needed:,.0f} MB, {batch['cache_mb']:,} are allowed; "
                "raise it, or set cache_mb: 0"
            )
    made = [
        None
        if of is None
        else maps_within(method, network, of[0], of[1], fabric=fabric, threads=threads)
        for of in (source, target)
    ]
    return made[0], made[1]


def _map_mb(method: Mapping[str, Any], network: ReidModel, fabric: Fabric) -> float:
    """Return what the maps of a picture and its mirror image take."""
    size = (method["image"]["height"], method["image"]["width"])
    with torch.no_grad(), fabric.autocast():
        found = network.front(torch.zeros(1, 3, *size, device=fabric.device))
    return 2 * found.numel() * found.element_size() / 2**20
