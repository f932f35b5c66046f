"""Learning from labels that hold within a camera (UGA): a class is an identity in one camera."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from weakreid.clustering import graph_association
from weakreid.clustering.graph_association import EMPTY, Graph, Pairs
from weakreid.config.params import TrainIntraCamera
from weakreid.console import warn
from weakreid.errors import ReidError
from weakreid.losses.precision import precise, without_autocast
from weakreid.losses.tracklets import camera, centres
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.gathering import gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.loop import History
from weakreid.training.task import Task, steps_of
from weakreid.training.tracklet_features import features_of, tracklets_of
from weakreid.training.tracklet_sampling import chunk_of, dealt, repeated


@dataclass(frozen=True)
class LabelledTracklets:
    """The tracklets that have a label.

    Attributes:
        images: rows of the image store, per tracklet.
        labels: int64 [N], the class of each.
        cameras: int64 [C], the camera of each class, numbered by their first classes.
    """

    images: Sequence[NDArray[np.int64]]
    labels: NDArray[np.int64]
    cameras: NDArray[np.int64]


def labelled_tracklets(rows: pd.DataFrame, labels: NDArray[np.int32]) -> LabelledTracklets:
    """Return the tracklets that have a label; a camera's number plays no part.

    Args:
        rows: of the table "tracks", with cameras.
        labels: the class of each tracklet, -1: none.

    Raises:
        ReidError: there are fewer than two classes, or one has tracklets of two cameras.
    """
    known = np.flatnonzero(labels >= 0)
    held = len(np.unique(labels[known]))
    if held < 2:
        raise ReidError(
            f"labels: {held} class{'es' * (held != 1)} of a camera's people: nobody to tell apart; "
            "label tracklets of two people or more"
        )
    classes = labels[known].astype(np.int64)
    cameras = rows.groupby("tracklet_id")["camera_id"].first().to_numpy()[known]
    pairs = np.unique(np.column_stack([classes, cameras]), axis=0)
    several = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
    if len(several):
        raise ReidError(
            f"labels: class {several[0]} has tracklets of several cameras; a label holds within one"
        )
    _, firsts, numbers = np.unique(pairs[:, 1], return_index=True, return_inverse=True)
    if len(firsts) == 1:
        warn("labels: all are of one camera, so there are no people of two cameras to join")
    images = tracklets_of(rows)
    of_classes = firsts.argsort().argsort()[numbers]
    return LabelledTracklets([images[tracklet] for tracklet in known], classes, of_classes)


@dataclass(frozen=True)
class CameraBatch:
    """One step's tracklets.

    Attributes:
        images: uint8 [n * T, H, W, 3], T frames of each tracklet of this process, tracklet after
            tracklet; or float [n * T, c, h, w], what the frozen stages make of them.
        labels: int64 [B], the classes of all tracklets of the batch.
        targets: float [B, C], how each tracklet's classes share its probability.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor


class IntraCameraTask(Task[CameraBatch]):
    """Batches of labelled tracklets, their loss, and the joins of classes (UGA).

    A tracklet's feature is the mean of its frames' features. Stage 1 classifies it among the
    identities of its camera; stage 2 compares it with centres, one per class, which start from all
    tracklets' features and move with the batches. Before each epoch of stage 2 classes are joined.

    With several processes each makes the features of its share of a batch's tracklets; these are
    gathered, and every process computes the loss of the whole batch and moves its own centres.

    Attributes:
        centres: [C, d], of length 1 each; None in stage 1.
        graph: of all joins so far.
        joins: per epoch of stage 2 so far, the pairs that stand.
    """

    def __init__(
        self,
        tracklets: LabelledTracklets,
        params: TrainIntraCamera,
        images: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
        classifier: nn.Linear,
    ) -> None:
        """Set up.

        Args:
            tracklets: of the training.
            params: of the training.
            images: of the frames.
            fabric: devices and precision.
            network: on its device.
            model: the network as the fabric set it up.
            classifier: of stage 1, without a bias, on the device.

        Raises:
            ReidError: a batch does not divide among the processes.
        """
        super().__init__(images, fabric=fabric, network=network, model=model)
        world, size = fabric.world_size, params.batch.tracklets
        if size % world:
            raise ReidError(
                f"a batch of {size} tracklets (batch.tracklets) does not divide among {world} "
                "devices; set it to a multiple of them or take fewer devices"
            )
        self.tracklets, self.params, self.classifier = tracklets, params, classifier
        self.count = len(tracklets.cameras)
        cameras = torch.from_numpy(tracklets.cameras)
        self.inside = (cameras == cameras.unique()[:, None]).to(fabric.device)
        steps = params.schedule.steps_per_epoch
        self.steps_per_epoch = steps_of(steps, len(tracklets.labels), size)
        self.centres: Tensor | None = None
        self.graph, self.joins = EMPTY, list[Pairs]()
        self._shares = graph_association.shares(EMPTY.pairs, self.count)
        self._seen: tuple[Tensor, Tensor] | None = None

    # ---------------------------------------------------------------- around an epoch

    def begin_epoch(self, epoch: int) -> list[tuple[str, float]]:
        """Join classes in stage 2, whose first epoch makes the centres; return what to record."""
        if epoch < self.params.association.first_stage:
            return []
        if self.centres is None:
            self.centres = self._first_centres(epoch)
        self._join(self.centres)
        self._shares = graph_association.shares(self.joins[-1], self.count)
        return [("joins", float(len(self.joins[-1])))]

    def finish(self, epochs: int) -> History:
        """Join classes after the last epoch; return what to record.

        A training that ends in stage 1 has its only joins here.
        """
        self._join(self._first_centres(epochs) if self.centres is None else self.centres)
        return [(epochs, epochs * self.steps_per_epoch, "joins", float(len(self.joins[-1])))]

    def _join(self, held: Tensor) -> None:
        found = graph_association.mutual_nearest(held.cpu().numpy(), self.tracklets.cameras)
        self.graph = graph_association.counted(self.graph, found)
        self.joins.append(self.graph.standing(self.params.association.seen))

    def _first_centres(self, epoch: int) -> Tensor:
        seed, frames = self.params.seed, self.params.association.frames

        def shown(tracklet: int) -> np.ndarray:
            images = self.tracklets.images[tracklet]
            generator = numpy_generator(seed, "association", epoch, tracklet)
            return images[chunk_of(len(images), frames, generator)]

        labels = self.tracklets.labels
        features = features_of(self, self.network, len(labels), shown)
        sums = torch.zeros(self.count, features.shape[1])
        sums.index_add_(0, torch.from_numpy(labels), torch.from_numpy(features))
        return normalize(sums, dim=1).to(self.fabric.device)

    def after_step(self, step: int) -> None:
        """Move the centres of a batch's classes."""
        if self.centres is not None and self._seen is not None:
            momentum = self.params.association.momentum
            self.centres = centres.moved(self.centres, *self._seen, momentum)

    def state(self) -> dict[str, Any]:
        """Return the centres, the graph and the joins."""
        return {
            "centres": self.centres,
            "pairs": torch.from_numpy(self.graph.pairs),
            "counts": torch.from_numpy(self.graph.counts),
            "rounds": self.graph.rounds,
            "joins": [torch.from_numpy(pairs) for pairs in self.joins],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the centres, the graph and the joins of a checkpoint."""
        held = state["centres"]
        self.centres = None if held is None else held.to(self.fabric.device)
        pairs, counts = state["pairs"].numpy(), state["counts"].numpy()
        self.graph = Graph(pairs, counts, state["rounds"])
        self.joins = [pairs.numpy() for pairs in state["joins"]]

    # ------------------------------------------------------------------------ a step

    def batches(self, epoch: int) -> Iterator[CameraBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        chosen = dealt(
            np.arange(len(self.tracklets.labels)),
            count=self.params.batch.tracklets,
            steps=self.steps_per_epoch,
            generator=numpy_generator(self.params.seed, "labelled batches", epoch),
        )
        for step, of_batch in enumerate(chosen):
            yield self._batch(epoch, step, of_batch, self.share(len(of_batch)))

    def _batch(self, epoch: int, step: int, chosen: np.ndarray, places: range) -> CameraBatch:
        # a generator per place: what is drawn does not depend on how many processes there are
        seed, frames = self.params.seed, self.params.batch.frames
        generators = [numpy_generator(seed, "tracklet", epoch, step, p) for p in places]
        rows = [
            images[repeated(chunk_of(len(images), frames, generator), frames)]
            for images, generator in zip(
                (self.tracklets.images[chosen[place]] for place in places), generators, strict=True
            )
        ]
        labels = self.tracklets.labels[chosen]
        parts = self.pinned(
            self.images.augmented(rows, generators),
            torch.from_numpy(labels),
            torch.from_numpy(self._shares[labels].toarray()),
        )
        return CameraBatch(*parts)

    def loss(self, batch: CameraBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch (`weakreid.losses.tracklets.camera`), and its accuracy."""
        images, labels, targets = self.on_device(batch.images, batch.labels, batch.targets)
        of_frames = precise(self.output(images)).unflatten(0, (-1, self.params.batch.frames))
        features = gather_features(self.fabric, of_frames.mean(1))
        if self.centres is None:
            with without_autocast(features):
                logits = linear(features, self.classifier.weight)
        else:
            temperature = self.params.association.temperature
            logits = centres.similarities(features, self.centres, temperature)
            self._seen = features.detach(), labels
        terms = {"accuracy": camera.accuracy(logits.detach(), labels, self.inside)}
        return camera.loss(logits, targets, self.inside), terms
