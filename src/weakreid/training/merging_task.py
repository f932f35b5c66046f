"""Learning from tracklets without labels: each its own cluster, then merged bottom-up (BUC)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import normalize

from weakreid.clustering.merging import merged
from weakreid.config.methods import Merging
from weakreid.config.params import TrainMerging
from weakreid.errors import ReidError
from weakreid.losses.precision import precise, unit
from weakreid.losses.tracklets import repelled
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.loop import History
from weakreid.training.task import Task, steps_of
from weakreid.training.tracklet_features import TrackletBatch, features_of
from weakreid.training.tracklet_sampling import dealt


def begins_stage(epoch: int, how: Merging) -> bool:
    """Return whether an epoch is the first of a later stage, before which clusters are merged."""
    return epoch >= how.first_epochs and (epoch - how.first_epochs) % how.later_epochs == 0


def merges_of(how: Merging, count: int) -> int:
    """Return the merges before each later stage, of so many tracklets."""
    return max(1, int(how.share * count))


def check_epochs(epochs: int, how: Merging, count: int) -> None:
    """Refuse a training that would merge everything into one cluster.

    Raises:
        ReidError: it says how many epochs so many tracklets allow.
    """
    if not epochs:
        return
    if count < 2:
        raise ReidError(f"tracks: {count} tracklet; there is nobody to tell apart")
    merges = merges_of(how, count)
    stages = sum(begins_stage(epoch, how) for epoch in range(epochs))
    if count - stages * merges < 2:
        most = how.first_epochs + how.later_epochs * ((count - 2) // merges)
        raise ReidError(
            f"schedule.epochs is {epochs}: {stages} times {merges} merges of {count} tracklets "
            f"leave nobody to tell apart; take at most {most}, or lower merging.share"
        )


class MergingTask(Task[TrackletBatch]):
    """Batches of all tracklets, the repelled loss, and merges between stages.

    A tracklet's feature is the mean of its frames' features, of length 1. With several processes
    each makes those of its share of a batch, all are gathered, and every process computes the loss
    of the whole batch and moves the same rows of the table.

    Attributes:
        clusters: int32 [N], of all tracklets now.
        table: [C, d] the lookup table.
        labels: per epoch so far, the clusters.
        seconds: what each merging of this process took.
    """

    def __init__(
        self,
        tracklets: Sequence[np.ndarray],
        params: TrainMerging,
        images: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
    ) -> None:
        """Set up.

        Args:
            tracklets: rows of the image store, per tracklet.
            params: of the training.
            images: of the frames.
            fabric: devices and precision.
            network: on its device.
            model: the network as the fabric set it up.

        Raises:
            ReidError: a batch does not divide among the processes, or there are too few tracklets
                for so many stages.
        """
        super().__init__(images, fabric=fabric, network=network, model=model)
        size, count = params.batch.tracklets, len(tracklets)
        if size % fabric.world_size:
            raise ReidError(
                f"a batch of {size} tracklets does not divide among {fabric.world_size} devices; "
                "set batch.tracklets to a multiple of them or take fewer devices"
            )
        check_epochs(params.schedule.epochs, params.merging, count)
        self.tracklets, self.params = list(tracklets), params
        self.steps_per_epoch = steps_of(params.schedule.steps_per_epoch, count, size)
        self.clusters = np.arange(count, dtype=np.int32)
        self.table = torch.zeros(count, network.dimension, device=fabric.device)
        self.labels: list[np.ndarray] = []
        self.seconds: list[float] = []
        self._seen: tuple[Tensor, Tensor]

    # ---------------------------------------------------------------- around an epoch

    def begin_epoch(self, epoch: int) -> list[tuple[str, float]]:
        """Merge clusters and make their table anew where a stage begins; return what to record."""
        if epoch == 0 or begins_stage(epoch, self.params.merging):
            features = self.extract()
            if epoch:
                self._merge(features)
            self._renew_table(features)
        self.labels.append(self.clusters)
        return [("clusters", float(self.clusters.max() + 1))]

    def finish(self, epochs: int) -> History:
        """Return what to record after the last epoch, whose clusters stay."""
        self.labels.append(self.clusters)
        found = float(self.clusters.max() + 1)
        return [(epochs, epochs * self.steps_per_epoch, "clusters", found)]

    def extract(self) -> np.ndarray:
        """Return the network's features of all tracklets: float32 [N, d], of length 1 each."""

        def shown(tracklet: int) -> np.ndarray:
            rows = self.tracklets[tracklet]
            return rows[spread(len(rows), self.params.merging.frames)]

        return features_of(self, self.network, len(self.tracklets), shown)

    def _merge(self, features: np.ndarray) -> None:
        how, started = self.params.merging, time.monotonic()
        self.clusters = merged(
            features,
            self.clusters,
            merges_of(how, len(self.tracklets)),
            penalty=how.size_penalty,
            squared=how.distance == "squared",
            threads=self.images.threads,
        )
        self.seconds.append(time.monotonic() - started)

    def _renew_table(self, features: np.ndarray) -> None:
        means = np.zeros((self.clusters.max() + 1, features.shape[1]))
        if self.params.lookup.start == "features":
            # their sums: of length 1 they are the same
            np.add.at(means, self.clusters, features)
        self.table = normalize(torch.from_numpy(means), dim=1).float().to(self.fabric.device)

    def after_step(self, step: int) -> None:
        """Move the rows of the clusters that the step's batch showed."""
        repelled.move(self.table, *self._seen, self.params.lookup.momentum)

    def state(self) -> dict[str, Any]:
        """Return every epoch's clusters and the table."""
        labels = [torch.from_numpy(labels) for labels in self.labels]
        return {"labels": labels, "table": self.table.cpu()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the clusters and the table of a checkpoint."""
        self.labels = [labels.numpy() for labels in state["labels"]]
        self.clusters = self.labels[-1]
        self.table = state["table"].to(self.fabric.device)

    # ------------------------------------------------------------------------ a step

    def batches(self, epoch: int) -> Iterator[TrackletBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        chosen = dealt(
            np.arange(len(self.tracklets)),
            count=self.params.batch.tracklets,
            steps=self.steps_per_epoch,
            generator=numpy_generator(self.params.seed, "merging batches", epoch),
        )
        for step, of_batch in enumerate(chosen):
            yield self._batch(epoch, step, of_batch, self.share(len(of_batch)))

    def _batch(self, epoch: int, step: int, chosen: np.ndarray, places: range) -> TrackletBatch:
        # a generator per place: what is drawn does not depend on how many processes there are
        seed, frames = self.params.seed, self.params.batch.frames
        generators = [numpy_generator(seed, "merging frames", epoch, step, p) for p in places]
        own = chosen[places.start : places.stop]
        rows = [
            self.tracklets[tracklet][some_of(len(self.tracklets[tracklet]), frames, generator)]
            for tracklet, generator in zip(own, generators, strict=True)
        ]
        images = self.images.augmented(rows, generators)
        clusters = torch.from_numpy(self.labels[epoch][own].astype(np.int64))
        return TrackletBatch(*self.pinned(images, clusters))

    def loss(self, batch: TrackletBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the repelled loss of a batch; it has no other terms."""
        images, labels = self.on_device(batch.images, batch.labels)
        of_frames = precise(self.output(images))
        features = unit(of_frames.unflatten(0, (-1, self.params.batch.frames)).mean(1))
        features = gather_features(self.fabric, features)
        labels = gather(self.fabric, labels)
        self._seen = features.detach(), labels
        return repelled.loss(features, labels, self.table, self.params.lookup.temperature), {}


def some_of(count: int, wanted: int, generator: np.random.Generator) -> np.ndarray:
    """Return so many random positions of a tracklet, ascending; more than it has repeat."""
    return np.sort(generator.choice(count, wanted, replace=count < wanted))


def spread(count: int, wanted: int) -> np.ndarray:
    """Return so many positions of a tracklet, evenly spread; all of them where there are fewer."""
    taken = min(count, wanted)
    return np.arange(taken) * count // taken
