"""Learning from bags: a network, a loss over bags, and CPAL between them (WL)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from weakreid.config.params import TrainBags
from weakreid.errors import ReidError
from weakreid.losses.bags.pooling import tracklet_means
from weakreid.losses.bags.protocol import BagLoss
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.clip_sampling import clip_of
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.sampling import BagBatches, frames_of_bag, pairs_possible
from weakreid.training.task import Task


@dataclass(frozen=True)
class Bags:
    """The bags of a training.

    Attributes:
        frames: per bag, rows of the image store.
        labels: per bag, indices of its persons among `persons`.
        persons: the identities, sorted.
        tracklets: per bag, which tracklet of the bag each frame belongs to, from 0; None where the
            setting hides it.
    """

    frames: list[np.ndarray]
    labels: list[np.ndarray]
    persons: np.ndarray
    tracklets: list[np.ndarray] | None = None

    @property
    def instances(self) -> list[int]:
        """How many instances each bag holds: tracklets where they are known, else frames."""
        if self.tracklets is None:
            return [len(rows) for rows in self.frames]
        return [int(of_bag.max()) + 1 for of_bag in self.tracklets]


@dataclass(frozen=True)
class BagBatch:
    """One step's bags.

    Attributes:
        images: uint8 [N, H, W, 3], the frames of all bags of this process, bag after bag; or
            float [N, c, h, w], what the frozen stages make of them.
        mask: bool [b, F], which of a bag's F places hold a frame (or a clip); as many are set as
            there are frames (clips).
        labels: float [b, C] of 0 and 1.
        tracklets: int64 [b, F], a frame's tracklet within its bag, -1 where there is no frame; all
            -1 where the instances are frames or clips.
    """

    images: Tensor
    mask: Tensor
    labels: Tensor
    tracklets: Tensor


def bags_of(
    frames: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    tracklets: Sequence[np.ndarray] | None = None,
) -> Bags:
    """Return bags whose persons are numbered from 0 in the order of their ids.

    Args:
        frames: per bag, rows of the image store.
        labels: per bag, ids of persons.
        tracklets: per bag, the tracklet's id of each frame; None where the setting hides it.

    Raises:
        ReidError: there is no bag, or one without a frame or a label.
    """
    if not frames:
        raise ReidError("no training bags: the split has no training tracklets")
    for index, (rows, persons) in enumerate(zip(frames, labels, strict=True)):
        if len(rows) == 0 or len(persons) == 0:
            missing = "frames" if len(rows) == 0 else "labels"
            raise ReidError(f"bag {index} has no {missing}; leave it out of the bags")
    persons = np.unique(np.concatenate(labels))
    numbered = [np.searchsorted(persons, np.unique(of_bag)) for of_bag in labels]
    groups = None
    if tracklets is not None:
        groups = [np.unique(of_bag, return_inverse=True)[1] for of_bag in tracklets]
    return Bags([np.asarray(rows) for rows in frames], numbered, persons, groups)


def check_learnable(bags: Bags, params: TrainBags) -> str:
    """Refuse, before anything is computed, bags that a training cannot learn from.

    Returns:
        What to say of bags that are smaller than k, "" where there are none.

    Raises:
        ReidError: k is larger than every bag, or batches cannot be formed.
    """
    if not params.schedule.epochs:
        return ""
    k = getattr(params.loss, "k", None)
    instances = np.array(bags.instances)
    kind = "frames" if bags.tracklets is None else "tracklets"
    if k is not None and k > instances.max():
        raise ReidError(
            f"loss.k = {k} is larger than every bag: the largest has {instances.max()} {kind}; "
            f"set loss.k to {instances.max()} or less, or make larger bags"
        )
    short = 0 if k is None else int((instances < k).sum())
    _batches(bags, params)
    if not short:
        return ""
    return f"{short} of {len(instances)} bags have fewer than k = {k} {kind}: these use all"


def _batches(bags: Bags, params: TrainBags) -> BagBatches:
    """Return what makes a training's batches.

    Raises:
        ReidError: batches cannot be formed.
    """
    size, pairs = min(params.batch.bags, len(bags.labels)), params.batch.pairs
    return BagBatches(
        bags.labels,
        batch_size=size,
        # the same batches with CPAL and without, but only CPAL cannot do without pairs
        pairs=pairs if params.cpal.weight > 0 else pairs_possible(bags.labels, size, pairs),
        seed=params.seed,
        steps=params.schedule.steps_per_epoch,
    )


class BagTask(Task[BagBatch]):
    """Batches of bags and their loss, L = (1 - w) L_base + w L_CPAL (Eq. 8, λ = 1 - w).

    With several processes each makes the features of its share of a batch's bags; these are
    gathered, so that CPAL sees every pair, and every process computes the loss of the whole batch.
    """

    def __init__(
        self,
        bags: Bags,
        params: TrainBags,
        images: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
        heads: nn.Module,
        base: BagLoss,
        cpal: ModuleType | None,
    ) -> None:
        """Set up.

        Args:
            bags: of the training; where the method sees clips, with tracklets. The model then sees
                a clip of each tracklet of a bag, and its features are of these clips.
            params: of the training.
            images, fabric, network, model: see `Task`.
            heads: `weakreid.models.reid.Heads` as the fabric set it up.
            base: the loss's module in `weakreid.losses.bags`.
            cpal: the module of CPAL; None where it has no weight.

        Raises:
            ReidError: the bags do not divide among the processes, or batches cannot be formed.
        """
        super().__init__(images, fabric=fabric, network=network, model=model)
        self.sampler = _batches(bags, params)
        if self.sampler.batch_size % fabric.world_size:
            raise ReidError(
                f"a batch of {self.sampler.batch_size} bags (batch.bags = {params.batch.bags}, bags"
                f" in all: {len(bags.frames)}) does not divide among {fabric.world_size} devices; "
                "set batch.bags to a multiple of them or take fewer devices"
            )
        self.bags, self.params = bags, params
        self.heads, self.base, self.cpal = heads, base, cpal
        self.steps_per_epoch = len(self.sampler)
        # the same in every process, whatever its share of a batch holds
        self.most_tracklets = max(bags.instances) if bags.tracklets is not None else 0

    def batches(self, epoch: int) -> Iterator[BagBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        for step, chosen in enumerate(self.sampler.epoch(epoch)):
            yield self._batch(epoch, step, [chosen[place] for place in self.share(len(chosen))])

    def _batch(self, epoch: int, step: int, chosen: Sequence[int]) -> BagBatch:
        places = [self._places(epoch, bag) for bag in chosen]
        rows = [self.bags.frames[bag][of_bag] for bag, of_bag in zip(chosen, places, strict=True)]
        # a generator per bag: what it draws does not depend on how many processes there are
        seed, clips = self.params.seed, self.params.clips
        generators = [numpy_generator(seed, "augment", epoch, step, int(b)) for b in chosen]
        images = self.images.augmented(rows, generators)
        width = self.params.batch.frames if clips is None else self.most_tracklets
        mask = torch.zeros(len(chosen), width, dtype=torch.bool)
        labels = torch.zeros(len(chosen), len(self.bags.persons))
        tracklets = torch.full(mask.shape, -1)
        for place, (bag, of_bag) in enumerate(zip(chosen, places, strict=True)):
            labels[place, torch.from_numpy(self.bags.labels[bag])] = 1.0
            if clips is not None:
                mask[place, : self.bags.instances[bag]] = True
                continue
            mask[place, : len(of_bag)] = True
            if self.bags.tracklets is not None:
                of_frames = torch.from_numpy(self.bags.tracklets[bag][of_bag])
                tracklets[place, : len(of_bag)] = of_frames
        return BagBatch(*self.pinned(images, mask, labels, tracklets))

    def _places(self, epoch: int, bag: int) -> np.ndarray:
        """Return which of a bag's frames are looked at: those of clips tracklet after tracklet."""
        seed, clips = self.params.seed, self.params.clips
        if clips is not None:
            assert self.bags.tracklets is not None
            generator = numpy_generator(seed, "clips of a bag", epoch, bag)
            of_bag = self.bags.tracklets[bag]
            held = [np.flatnonzero(of_bag == name) for name in range(self.bags.instances[bag])]
            return np.concatenate(
                [rows[clip_of(len(rows), clips.frames, clips.sampling, generator)] for rows in held]
            )
        count, most = len(self.bags.frames[bag]), self.params.batch.frames
        return frames_of_bag(count, most, seed=seed, epoch=epoch, bag=bag)

    def loss(self, batch: BagBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms (see the class)."""
        images, mask, labels = self.on_device(batch.images, batch.mask, batch.labels)
        flat = self.output(images)
        features = flat.new_zeros(*mask.shape, flat.shape[-1])
        features[mask] = flat
        if self.bags.tracklets is not None and self.params.clips is None:
            (tracklets,) = self.on_device(batch.tracklets)
            features, mask = tracklet_means(features, tracklets, self.most_tracklets)
        if self.fabric.world_size > 1:
            features = gather_features(self.fabric, features)
            mask, labels = gather(self.fabric, mask), gather(self.fabric, labels)
        logits = self.heads(features)
        base = self.base.loss({**logits, "features": features}, mask, labels, self.params.loss)
        terms = {"base": base}
        if self.cpal is None:
            return base, terms
        attention = logits[self.base.attention_logits]
        how = self.params.cpal
        between = self.cpal.loss(features, attention, mask, labels, how.margin)
        terms["cpal"] = between
        return (1 - how.weight) * base + how.weight * between, terms
