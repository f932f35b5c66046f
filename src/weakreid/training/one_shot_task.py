"""Learning from a labelled tracklet per identity, and step by step from the others (EUG)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from weakreid.clustering.selection import counts_of, select
from weakreid.config.params import TrainOneShot
from weakreid.datasets.majority import main_persons
from weakreid.errors import ReidError
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.clip_sampling import clip_of, clips_of_tracklet
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.loop import History
from weakreid.training.schedule import rate_factor
from weakreid.training.task import Task, steps_of
from weakreid.training.tracklet_features import TrackletBatch, features_of
from weakreid.training.tracklet_sampling import dealt


class OneShotTask(Task[TrackletBatch]):
    """Batches of labelled and pseudo-labelled tracklets, and what happens between EUG's steps.

    A training has several of EUG's steps, of `schedule.epochs` epochs each. Before each but the
    first the network of the step before makes features of all tracklets, the unlabelled ones that
    are nearest to a labelled one get its label (`weakreid.clustering.selection`), and the network,
    the classifier, the optimiser and the learning rate start again.

    With several processes each makes the features of its share of a batch's tracklets; these are
    gathered, and every process computes the loss of the whole batch.

    Attributes:
        given: [N], the labels; -1 for none.
        counts: tracklets that each step selects.
        labels: of each step so far, what it learns from: [N], -1 for tracklets left out.
    """

    def __init__(
        self,
        tracklets: Sequence[np.ndarray],
        given: np.ndarray,
        params: TrainOneShot,
        images: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
        classifier: nn.Linear,
        optimiser: torch.optim.Optimizer,
    ) -> None:
        """Set up; the weights as they are now are those that a step starts from.

        Args:
            tracklets: rows of the image store, per tracklet.
            given: [N], the labels, classes from 0; -1 for none.
            params: of the training.
            images: of the frames.
            fabric: devices and precision.
            network: on its device.
            model: the network as the fabric set it up.
            classifier: of as many classes as there are.
            optimiser: over the parameters of both.

        Raises:
            ReidError: a batch does not divide among the processes.
        """
        super().__init__(images, fabric=fabric, network=network, model=model)
        size, epochs = params.batch.tracklets, params.schedule.epochs
        if size % fabric.world_size:
            raise ReidError(
                f"a batch of {size} tracklets does not divide among {fabric.world_size} devices; "
                "set batch.tracklets to a multiple of them or take fewer devices"
            )
        self.tracklets, self.given, self.params = list(tracklets), given, params
        self.classifier, self.optimiser = classifier, optimiser
        how = params.selection
        self.counts = counts_of(int((given < 0).sum()), how.share, how.steps)
        labelled = int((given >= 0).sum())
        steps = params.schedule.steps_per_epoch
        self.lengths = [steps_of(steps, labelled + count, size) for count in self.counts]
        self._firsts = np.cumsum([0, *np.repeat(self.lengths, epochs)])
        self._start = [_copied(part) for part in (network, classifier)] if how.fresh else None
        self.labels: list[np.ndarray] = []

    @property
    def epochs(self) -> int:
        """Epochs of all steps together."""
        return len(self.counts) * self.params.schedule.epochs

    def first_step(self, epoch: int) -> int:
        """Return the step of the optimiser that an epoch starts with."""
        return int(self._firsts[epoch])

    def rate(self, step: int) -> float:
        """Return what the learning rates are multiplied by: the same curve at each of EUG's steps.

        Args:
            step: of the optimiser, over the whole training.
        """
        epochs = self.params.schedule.epochs
        starts = self._firsts[::epochs]
        now = int(np.searchsorted(starts, step, side="right")) - 1
        return rate_factor(step - int(starts[now]), self.params.schedule, self.lengths[now])

    # ---------------------------------------------------------------- around an epoch

    def begin_epoch(self, epoch: int) -> list[tuple[str, float]]:
        """At the start of one of EUG's steps select, and start again; return what to record."""
        now, rest = divmod(epoch, self.params.schedule.epochs)
        if rest:
            return []
        if now == 0:
            self.labels.append(self.given)
        else:
            features, count = self.extract(), self.counts[now]
            self.labels.append(select(features, self.given, count, self.images.threads))
            self._start_again()
        return [("selected", float(self.counts[now]))]

    def extract(self) -> np.ndarray:
        """Return the features of all tracklets: float32 [N, d], of length 1 each."""
        frames = self.params.selection.frames

        def shown(tracklet: int) -> np.ndarray:
            rows = self.tracklets[tracklet]
            if frames is None or len(rows) <= frames:
                return rows
            return rows[clips_of_tracklet(len(rows), frames, "chunks")[0]]

        return features_of(self, self.network, len(self.tracklets), shown)

    def _start_again(self) -> None:
        if self._start is not None:
            for part, weights in zip((self.network, self.classifier), self._start, strict=True):
                part.load_state_dict(weights)
        for group in self.optimiser.param_groups:
            for parameter in group["params"]:
                self.optimiser.state.pop(parameter, None)

    def state(self) -> dict[str, Any]:
        """Return every step's labels."""
        return {"labels": [torch.from_numpy(labels) for labels in self.labels]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the labels of a checkpoint."""
        self.labels = [labels.numpy() for labels in state["labels"]]

    # ------------------------------------------------------------------------ a step

    def batches(self, epoch: int) -> Iterator[TrackletBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        seed, batch = self.params.seed, self.params.batch
        labels = self.labels[epoch // self.params.schedule.epochs]
        chosen = dealt(
            np.flatnonzero(labels >= 0),
            count=batch.tracklets,
            steps=self.first_step(epoch + 1) - self.first_step(epoch),
            generator=numpy_generator(seed, "one-shot batches", epoch),
        )
        places = self.share(batch.tracklets)
        for step, of_batch in enumerate(chosen):
            # a generator per place: what is drawn does not depend on how many processes there are
            generators = [numpy_generator(seed, "one-shot", epoch, step, at) for at in places]
            own = of_batch[places.start : places.stop]
            rows = [
                of_tracklet[clip_of(len(of_tracklet), batch.frames, "random", generator)]
                for of_tracklet, generator in zip(
                    (self.tracklets[tracklet] for tracklet in own), generators, strict=True
                )
            ]
            images = self.images.augmented(rows, generators)
            yield TrackletBatch(*self.pinned(images, torch.from_numpy(labels[own].astype(int))))

    def loss(self, batch: TrackletBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy of the classes, from the mean of a tracklet's features."""
        images, labels = self.on_device(batch.images, batch.labels)
        features = precise(self.output(images)).unflatten(0, (len(labels), -1)).mean(1)
        features, labels = gather_features(self.fabric, features), gather(self.fabric, labels)
        with without_autocast(features):
            logits = linear(features, self.classifier.weight, self.classifier.bias)
            loss = cross_entropy(logits, labels)
        return loss, {"identity": loss}


def right_rows(task: OneShotTask, truth: pd.DataFrame) -> History:
    """Return how many of each step's pseudo-labels were right, in per cent: for measuring alone.

    A label is the person of its labelled tracklet; tracklets that show nobody known are left out.

    Args:
        task: after its training.
        truth: a row per frame: tracklet_id and truth_person_id.

    Returns:
        Rows (epoch, step, term, value) of the term "right"; none for steps without a selected
        tracklet that shows somebody.
    """
    persons = main_persons(truth["tracklet_id"].to_numpy(), truth["truth_person_id"].to_numpy())
    named = np.flatnonzero(task.given >= 0)
    of_label = np.zeros(len(named), np.int64)
    of_label[task.given[named]] = persons[named]
    rows: History = []
    for now, labels in enumerate(task.labels):
        selected = np.flatnonzero((labels >= 0) & (task.given < 0) & (persons > 0))
        if len(selected):
            share = float((of_label[labels[selected]] == persons[selected]).mean())
            epoch = now * task.params.schedule.epochs
            rows.append((epoch, task.first_step(epoch), "right", 100 * share))
    return rows


def _copied(part: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in part.state_dict().items()}
