"""Learning to recognise attributes on one dataset for use on another (ATTR, section 3.2)."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear

from weakreid.config.params import LearnTransfer
from weakreid.errors import ReidError
from weakreid.losses.attributes.bce import bce, weighted_bce
from weakreid.losses.attributes.mmd import mmd
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.supervision.attribute_pictures import Lesson
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.task import Task, steps_of


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


class TransferTask(Task[TransferBatch]):
    """Pictures with attributes, frames without any, and their loss.

    The network's feature is the attribute feature layer F, what follows is the prediction layer.
    Both halves of a batch go through the network together, so that batch norms in train mode see
    one mixture. Without MMD the target's half is not even decoded; which pictures of the source a
    step sees, and how they are changed, is the same with and without.

    With several processes each computes the features of its share of a batch; these are gathered,
    so that the MMD sees all, and every process computes the loss of the whole batch.
    """

    def __init__(
        self,
        lesson: Lesson,
        target_rows: NDArray[np.int64],
        params: LearnTransfer,
        source: TrainingImages,
        target: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
        head: nn.Linear,
    ) -> None:
        """Set up.

        Args:
            lesson: what there is to learn from the source.
            target_rows: [m], rows of the target's store; not looked at without MMD.
            params: of the training.
            source: images of the pictures with attributes.
            target: images of the dataset that attributes are wanted for.
            fabric, network, model: see `Task`.
            head: the prediction layer, on its device.

        Raises:
            ReidError: a batch cannot be formed.
        """
        super().__init__(source, fabric=fabric, network=network, model=model)
        batch, world = params.batch, fabric.world_size
        _check("source", batch.source, len(lesson.images), "pictures of the source", world)
        if params.mmd > 0:
            _check("target", batch.target, len(target_rows), "frames of the target", world)
        self.lesson, self.params, self.head = lesson, params, head
        self.target, self.target_rows = target, target_rows
        self.labels = torch.from_numpy(np.ascontiguousarray(lesson.labels, np.int8))
        self.ratios = torch.from_numpy(lesson.ratios).to(fabric.device)
        steps = params.schedule.steps_per_epoch
        self.steps_per_epoch = steps_of(steps, len(lesson.images), batch.source)

    def batches(self, epoch: int) -> Iterator[TransferBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        first = epoch * self.steps_per_epoch
        seed, batch = self.params.seed, self.params.batch
        source = turns(len(self.lesson.images), batch.source, first, seed=seed, name="source")
        target: Iterator[NDArray[np.intp] | None] = itertools.repeat(None)
        if self.params.mmd > 0:
            target = turns(len(self.target_rows), batch.target, first, seed=seed, name="target")
        for step in range(first, first + self.steps_per_epoch):
            yield self._batch(step, next(source), next(target))

    def _batch(
        self, step: int, source: NDArray[np.intp], target: NDArray[np.intp] | None
    ) -> TransferBatch:
        labels = self.labels[torch.from_numpy(source[self.share(len(source))])]
        images = self._half(self.images, self.lesson.images[source], step, "source")
        if target is not None:
            frames = self._half(self.target, self.target_rows[target], step, "target")
            images = torch.cat([images, frames])
        return TransferBatch(*self.pinned(images, labels))

    def _half(
        self, images: TrainingImages, rows: NDArray[np.int64], step: int, name: str
    ) -> Tensor:
        mine, seed = self.share(len(rows)), self.params.seed
        # a generator per place: what is drawn does not depend on how many processes there are
        generators = [numpy_generator(seed, name, "picture", step, place) for place in mine]
        return images.augmented(list(rows[mine, None]), generators)

    def loss(self, batch: TransferBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms.

        "bce" is Eq. 7, or Eq. 8 with ratios; "mmd" is Eq. 5, unweighted; "probability" is the mean
        of what is predicted for the source.
        """
        images, labels = self.on_device(batch.images, batch.labels)
        labels, how = gather(self.fabric, labels), self.params
        features = precise(self.model(self.front(images), after_front=True))
        source = gather_features(self.fabric, features[: len(batch.labels)])
        with without_autocast(source):
            logits = linear(source, self.head.weight, self.head.bias)
        if how.loss == "wbce":
            loss = weighted_bce(logits, labels, self.ratios, how.sigma)
        else:
            loss = bce(logits, labels)
        terms = {"bce": loss}
        if how.mmd > 0:
            target = gather_features(self.fabric, features[len(batch.labels) :])
            terms["mmd"] = mmd(source, target, how.alpha, how.normalise)
            loss = loss + how.mmd * terms["mmd"]
        terms["probability"] = logits.detach().sigmoid().mean()
        return loss, terms


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
