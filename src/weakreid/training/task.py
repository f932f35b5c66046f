"""What the training loop asks of a way of learning, and what all of them do alike."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from weakreid.models.backbones import preprocess
from weakreid.models.reid import ReidModel
from weakreid.training.images import TrainingImages


def steps_of(steps: int | None, count: int, batch: int) -> int:
    """Return the steps of an epoch; None: each of `count` things comes about once."""
    return steps if steps is not None else -(-count // batch)


class HasImages(Protocol):
    """A batch, or a process's share of one: `images` [N, ...] as `TrainingImages` gives them."""

    @property
    def images(self) -> Tensor:
        """The images."""


Batch = TypeVar("Batch", bound=HasImages)


class Task(Generic[Batch]):
    """Batches and their loss.

    With several processes each makes its share of a batch.

    Attributes:
        steps_per_epoch: of every epoch, unless `first_step` says otherwise.
        images: of the frames.
        fabric: devices and precision.
        network: on its device.
        model: the network as the fabric set it up.
    """

    steps_per_epoch: int

    def __init__(
        self, images: TrainingImages, *, fabric: Fabric, network: ReidModel, model: nn.Module
    ) -> None:
        self.images, self.fabric = images, fabric
        self.network, self.model = network, model

    # ------------------------------------------------------------- each way of learning has its own

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the epoch's batches, one per step, the same at every call."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return a batch's loss and its terms to record, all scalars."""
        raise NotImplementedError

    def first_step(self, epoch: int) -> int:
        """Return the step that an epoch starts with, the one after the last step for the end."""
        return epoch * self.steps_per_epoch

    # ----------------------------------------------------------- between steps; most need nothing

    def begin_epoch(self, epoch: int) -> Sequence[tuple[str, float]]:
        """Get ready for an epoch, whose batches come next; return terms to record.

        Parameters may change here, as long as the optimiser's groups stay.
        """
        return []

    def after_step(self, step: int) -> None:
        """Do what follows a step of the optimiser; steps count from 0 over the whole training."""

    def state(self) -> dict[str, Any]:
        """Return tensors and plain values that a checkpoint keeps, as of an epoch's end."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""

    # ---------------------------------------------------------------------------- alike everywhere

    def size(self, batch: Batch) -> int:
        """Return the number of images in a batch."""
        return len(batch.images)

    def share(self, count: int) -> range:
        """Return which of a batch's `count` places are this process's."""
        own = count // self.fabric.world_size
        first = self.fabric.global_rank * own
        return range(first, first + own)

    def pinned(self, *parts: Tensor) -> Sequence[Tensor]:
        """Return tensors from where a GPU takes them without waiting."""
        if self.fabric.device.type == "cuda":
            return [part.pin_memory() for part in parts]
        return parts

    def on_device(self, *parts: Tensor) -> Sequence[Tensor]:
        """Return tensors on the device."""
        return [part.to(self.fabric.device, non_blocking=True) for part in parts]

    def output(self, images: Tensor) -> Any:
        """Return what the model makes of images: decoded, or what frozen stages made of them."""
        if self.images.maps is not None:
            return self.model(images, after_front=True)
        return self.model(self._normalised(images))

    def front(self, images: Tensor) -> Tensor:
        """Return what the leading frozen stages make of images; of maps, the maps.

        For those who show it to several networks; without a gradient.
        """
        if self.images.maps is not None:
            return images
        with torch.no_grad(), self.fabric.autocast():
            return self.network.front(self._normalised(images))

    def _normalised(self, images: Tensor) -> Tensor:
        backbone = self.network.backbone
        return preprocess(images, backbone.mean, backbone.std)
