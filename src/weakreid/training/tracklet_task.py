"""Learning from tracklets without labels: clusters are the labels, anew in every epoch (TMC)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from weakreid.config.params import TrainTracklets
from weakreid.console import warn
from weakreid.errors import ReidError
from weakreid.losses.precision import precise
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.clip_sampling import clips_of_tracklet
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.loop import History
from weakreid.training.mean_net import average, momentum_at
from weakreid.training.pseudo_classes import PseudoClasses
from weakreid.training.pseudo_labels import associate, fitted
from weakreid.training.task import Task, steps_of
from weakreid.training.tracklet_features import TrackletBatch, features_of
from weakreid.training.tracklet_sampling import chunk_of, cluster_batches, repeated


class TrackletTask(Task[TrackletBatch]):
    """Batches of clustered tracklets, their loss, and what happens around an epoch.

    A tracklet's feature is the mean of its frames' features, as the network's embedding gives them:
    not divided by their length, as in MMT. The same feature is classified, compared in the
    triplets and, of length 1, associated. The classes of an epoch start from its clusters' mean
    features, of length 1.

    Both networks share what the leading frozen stages make of an image.

    With several processes each makes the features of its share of a batch's tracklets; these are
    gathered, so that the triplets see all, and every process computes the loss of the whole batch.
    Before an epoch each makes those of its share of all tracklets, and finds the same clusters.

    Attributes:
        eps: of DBSCAN, None until it is known.
        labels: per epoch so far, the clusters [N] of all tracklets.
        seconds: what each association of this process took.
    """

    def __init__(
        self,
        tracklets: Sequence[np.ndarray],
        params: TrainTracklets,
        images: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
        mean: ReidModel,
        classes: PseudoClasses,
        cameras: NDArray[np.integer[Any]] | None = None,
        persons: NDArray[np.integer[Any]] | None = None,
        apart: NDArray[np.int64] | None = None,
    ) -> None:
        """Set up.

        Args:
            tracklets: rows of the image store, per tracklet.
            params: of the training.
            images, fabric, network, model: see `Task`; of the Net.
            mean: the Mean Net, on its device.
            classes: of the clusters.
            cameras: [N], of the tracklets, where association centres features.
            persons: [N], of the tracklets, where association is told the truth.
            apart: [P, 2], pairs of tracklets that are two people, where that is known.

        Raises:
            ReidError: a batch does not divide among the processes.
        """
        super().__init__(images, fabric=fabric, network=network, model=model)
        world, batch = fabric.world_size, params.batch
        size = batch.clusters * batch.tracklets
        if size % world:
            raise ReidError(
                f"a batch of {size} tracklets (batch.clusters {batch.clusters} x batch.tracklets "
                f"{batch.tracklets}) does not divide among {world} devices; "
                "set batch.tracklets to a multiple of them or take fewer devices"
            )
        self.tracklets, self.params, self.mean = list(tracklets), params, mean
        self.classes, self.apart = classes, apart
        self.cameras, self.persons = cameras, persons
        self.association, few = fitted(params.association, len(self.tracklets))
        if few and fabric.is_global_zero:
            warn(few)
        # frames that a feature of the network is of
        self.together = 1 if params.clips is None else batch.frames
        # how many an epoch leaves out is not known before its clusters are, and the learning rate's
        # schedule needs steps that stay: all are counted
        self.steps_per_epoch = steps_of(params.schedule.steps_per_epoch, len(self.tracklets), size)
        self.eps = self.association.eps
        self.labels: list[np.ndarray] = []
        self.seconds: list[float] = []

    # ---------------------------------------------------------------- around an epoch

    def begin_epoch(self, epoch: int) -> list[tuple[str, float]]:
        """Cluster the tracklets and start the classes anew; return what to record.

        The first epoch decides eps, where it is the data's. Where fewer than two clusters are found
        later, those of the epoch before stay, and a warning says so.

        Raises:
            ReidError: the first epoch finds fewer than two clusters.
        """
        features, terms = self._cluster(epoch, check=True)
        self.classes.renew(self._means(features, self.labels[-1]))
        return terms

    def finish(self, epochs: int) -> History:
        """Cluster the tracklets after the last epoch; return what to record.

        However many clusters there are is right, and none where no eps follows from the tracklets:
        nothing is learnt from them.
        """
        _, terms = self._cluster(epochs, check=False)
        return [(epochs, epochs * self.steps_per_epoch, name, value) for name, value in terms]

    def _cluster(self, epoch: int, check: bool) -> tuple[np.ndarray, list[tuple[str, float]]]:
        started = time.monotonic()
        features = self.extract(epoch)
        try:
            labels, self.eps = associate(
                features,
                self.association,
                self.association.eps if self.association.renewed else self.eps,
                threads=self.images.threads,
                check=check,
                cameras=self.cameras,
                persons=self.persons,
                apart=self.apart,
            )
        except ReidError as error:
            if not self.labels:
                raise
            # few tracklets may fall into one cluster in the middle of a training; what was learnt
            # is not lost by it, and the next clustering may find more
            if self.fabric.is_global_zero:
                warn(f"epoch {epoch + 1}: {error}; the clusters of the epoch before stay")
            labels = self.labels[-1]
        self.labels.append(labels)
        self.seconds.append(time.monotonic() - started)
        terms = [
            ("clusters", float(labels.max() + 1)),
            ("unclustered", 100 * float((labels < 0).mean())),
        ]
        return features, terms if self.eps is None else [*terms, ("eps", self.eps)]

    def extract(self, epoch: int) -> np.ndarray:
        """Return the Mean Net's features of all tracklets: float32 [N, d], of length 1 each.

        Args:
            epoch: decides, with the seed, which frames are looked at.
        """

        def shown(tracklet: int) -> np.ndarray:
            chunk = chunk_of(
                len(self.tracklets[tracklet]),
                self.association.frames,
                numpy_generator(self.params.seed, "association", epoch, tracklet),
            )
            if self.together > 1:
                chunk = chunk[clips_of_tracklet(len(chunk), self.together, "all")].ravel()
            return self.tracklets[tracklet][chunk]

        return features_of(self, self.mean, len(self.tracklets), shown, self.together)

    def _means(self, features: np.ndarray, labels: np.ndarray) -> Tensor:
        names = range(labels.max() + 1)
        means = np.stack([features[labels == name].mean(0) for name in names])
        return normalize(torch.from_numpy(means), dim=1).to(self.fabric.device)

    def after_step(self, step: int) -> None:
        """Average the Mean Net (Eq. 1), and let the classes follow."""
        alpha = momentum_at(step, self.params.mean_net.momentum)
        average(self.mean, self.network, alpha)
        self.classes.follow(alpha)

    def state(self) -> dict[str, Any]:
        """Return eps and every epoch's clusters."""
        return {"eps": self.eps, "labels": [torch.from_numpy(labels) for labels in self.labels]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the eps and the clusters of a checkpoint."""
        self.eps = state["eps"]
        self.labels = [labels.numpy() for labels in state["labels"]]

    # ------------------------------------------------------------------------ a step

    def batches(self, epoch: int) -> Iterator[TrackletBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        labels = self.labels[epoch]
        chosen = cluster_batches(
            labels,
            clusters=self.params.batch.clusters,
            tracklets=self.params.batch.tracklets,
            steps=self.steps_per_epoch,
            generator=numpy_generator(self.params.seed, "cluster batches", epoch),
            share=self.fabric.world_size,
        )
        for step, of_batch in enumerate(chosen):
            yield self._batch(epoch, step, of_batch, self.share(len(of_batch)), labels)

    def _batch(
        self, epoch: int, step: int, chosen: np.ndarray, places: range, labels: np.ndarray
    ) -> TrackletBatch:
        # a generator per place: a tracklet that comes twice shows other frames, and what is drawn
        # does not depend on how many processes there are
        seed, frames = self.params.seed, self.params.batch.frames
        generators = [numpy_generator(seed, "tracklet", epoch, step, p) for p in places]
        rows = [
            of_tracklet[repeated(chunk_of(len(of_tracklet), frames, generator), frames)]
            for of_tracklet, generator in zip(
                (self.tracklets[chosen[place]] for place in places), generators, strict=True
            )
        ]
        images = self.images.augmented(rows, generators)
        clusters = torch.from_numpy(labels[chosen[places.start : places.stop]].astype(np.int64))
        return TrackletBatch(*self.pinned(images, clusters))

    def loss(self, batch: TrackletBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms (`weakreid.training.pseudo_classes`)."""
        images, labels = self.on_device(batch.images, batch.labels)
        images = self.front(images)
        features = self._of_tracklets(self.model(images, after_front=True))
        features = gather_features(self.fabric, features)
        mean_features = features.detach()
        if self.classes.teacher:
            with torch.no_grad(), self.fabric.autocast():
                own = self._of_tracklets(self.mean(images, after_front=True))
            mean_features = gather(self.fabric, own)
        return self.classes.loss(features, mean_features, gather(self.fabric, labels))

    def _of_tracklets(self, features: Tensor) -> Tensor:
        """Return the mean [n, d] of every T frames' features [n * T, d]; one of T is its own."""
        return (
            precise(features).unflatten(0, (-1, self.params.batch.frames // self.together)).mean(1)
        )
