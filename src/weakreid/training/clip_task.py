"""Learning from clips of labelled tracklets: a sum of losses (ATTR, COSAM, ATTN-CL)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from weakreid.attributes import UNSURE
from weakreid.errors import ReidError
from weakreid.losses.attributes import groups
from weakreid.losses.clips import center
from weakreid.losses.clips.views import Clips
from weakreid.models.backbones import Triple, preprocess
from weakreid.models.clips import ClipHeads
from weakreid.seeding import numpy_generator
from weakreid.training.clip_sampling import clip_of, person_batches, steps_of
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import Pictures


@dataclass(frozen=True)
class LabelledTracklets:
    """The tracklets of a training, and who they show.

    Attributes:
        images: per tracklet, rows of the image store in the order of time.
        persons: int64 [N], index of each tracklet's person in `ids`.
        ids: the persons, ascending.
    """

    images: list[np.ndarray]
    persons: np.ndarray
    ids: np.ndarray


@dataclass(frozen=True)
class AttributeLabels:
    """What is known of the training persons' attributes.

    Attributes:
        groups: the attributes that are learnt, by group.
        labels: per group int64 [persons, A], of 1, 0, or -1 where unknown.
    """

    groups: dict[str, list[str]]
    labels: dict[str, Tensor]


@dataclass(frozen=True)
class ClipBatch:
    """One step's clips.

    Attributes:
        images: uint8 [n * T, H, W, 3], T frames of each clip of this process, clip after clip; or
            float [n * T, c, h, w], what the frozen stages make of them.
        persons: int64 [n], indices.
        erased: bool [n, T], frames that lost a rectangle.
    """

    images: Tensor
    persons: Tensor
    erased: Tensor


def labelled_tracklets(tracklets: pd.DataFrame, frames: pd.DataFrame) -> LabelledTracklets:
    """Return the training tracklets of a split.

    Args:
        tracklets: tracklet_id, person_id, role; nobody's tracklets (0 or less) are left out.
        frames: tracklet_id, position, image.

    Raises:
        ReidError: there are fewer than two persons, or a tracklet has no frame.
    """
    chosen = tracklets[(tracklets["role"] == "train") & (tracklets["person_id"] > 0)]
    chosen = chosen.sort_values("tracklet_id", kind="stable")
    ids, persons = np.unique(chosen["person_id"].to_numpy(), return_inverse=True)
    if len(ids) < 2:
        raise ReidError(
            f"{len(ids)} training persons: telling people apart needs two; choose a split that has "
            "more"
        )
    rows = frames[frames["tracklet_id"].isin(chosen["tracklet_id"])]
    rows = rows.sort_values(["tracklet_id", "position"], kind="stable")
    found, starts = np.unique(rows["tracklet_id"].to_numpy(), return_index=True)
    bare = np.setdiff1d(chosen["tracklet_id"].to_numpy(), found)
    if len(bare):
        raise ReidError(f"frames: training tracklet {bare[0]} has none; make the dataset again")
    return LabelledTracklets(np.split(rows["image"].to_numpy(), starts[1:]), persons, ids)


def attribute_labels(
    rows: pd.DataFrame, groups: Mapping[str, Sequence[str]], persons: np.ndarray
) -> AttributeLabels:
    """Return the attributes of each group that labels say something of, and these labels.

    Args:
        rows: person_id, attribute, label, each pair once at most.
        groups: names of attributes by group.
        persons: ids of the training persons, ascending.

    Raises:
        ReidError: of a whole group no attribute has a label.
    """
    known = rows[(rows["label"] != UNSURE) & rows["person_id"].isin(persons)]
    table = known.pivot_table(
        index="person_id", columns="attribute", values="label", aggfunc="first"
    ).reindex(persons)
    resolved: dict[str, list[str]] = {}
    labels: dict[str, Tensor] = {}
    for group, names in groups.items():
        resolved[group] = [name for name in names if name in table]
        if not resolved[group]:
            raise ReidError(
                f"aggregation.groups: no training person has a label for any attribute of {group} "
                f"({', '.join(names)}); leave the group out, or take labels that have one"
            )
        of_group = table[resolved[group]].fillna(UNSURE).to_numpy().astype(np.int64)
        labels[group] = torch.from_numpy(of_group)
    return AttributeLabels(resolved, labels)


@dataclass(frozen=True)
class Term:
    """One of the losses that a training adds up.

    Attributes:
        module: of `weakreid.losses.clips`.
        weight: in the sum.
        options: of its `loss`.
    """

    module: ModuleType
    weight: float
    options: Mapping[str, Any]


class ClipTask:
    """Batches of clips and their loss: the weighted sum of a method's losses.

    With several processes each makes the descriptors of its share of a batch's clips; these are
    gathered, and every process computes the loss of the whole batch.

    Attributes:
        steps_per_epoch: for the loop.
    """

    def __init__(
        self,
        tracklets: LabelledTracklets,
        pictures: Pictures,
        *,
        fabric: Fabric,
        learner: nn.Module,
        heads: nn.Module,
        own_heads: ClipHeads,
        mean: Triple,
        std: Triple,
        losses: Mapping[str, Term],
        metric_before_neck: bool,
        attributes: Mapping[str, Tensor],
        attribute_weight: float,
        center_rate: float,
        persons: int,
        clips: int,
        frames: int,
        sampling: str,
        steps_per_epoch: int | None,
        seed: int,
    ) -> None:
        """Set up.

        Args:
            tracklets: of the training.
            pictures: of their frames.
            fabric: devices and precision.
            learner: `weakreid.models.clips.ClipNetwork` as the fabric set it up.
            heads: `weakreid.models.clips.ClipHeads` as the fabric set it up.
            own_heads: the same, as it is.
            mean, std: of the network's input.
            losses: by the name that they are recorded under.
            metric_before_neck: whether metric losses see descriptors before the neck.
            attributes: per group of the aggregation, labels int64 [persons, A]; may be empty.
            attribute_weight: of the sum of the groups' losses.
            center_rate: of the centers' own descent (`weakreid.losses.clips.center.move`).
            persons: P of a batch.
            clips: K of each person in a batch.
            frames: T of a clip.
            sampling: see `weakreid.training.clip_sampling.clip_of`.
            steps_per_epoch: of an epoch; None: as many as show every tracklet about once.
            seed: decides everything random.

        Raises:
            ReidError: a batch does not divide among the processes.
        """
        world, size = fabric.world_size, min(persons, len(tracklets.ids)) * clips
        if size % world:
            raise ReidError(
                f"a batch of {size} clips (batch.persons {persons}, of {len(tracklets.ids)} in all,"
                f" x batch.clips {clips}) does not divide among {world} devices; set batch.clips "
                "to a multiple of them or take fewer devices"
            )
        self.tracklets, self.pictures, self.fabric = tracklets, pictures, fabric
        self.learner, self.heads, self.own_heads = learner, heads, own_heads
        self.mean, self.std = mean, std
        self.losses, self.metric_before_neck = dict(losses), metric_before_neck
        self.attributes = {name: of.to(fabric.device) for name, of in attributes.items()}
        self.attribute_weight, self.center_rate = attribute_weight, center_rate
        self.persons, self.clips = persons, clips
        self.frames, self.sampling, self.seed = frames, sampling, seed
        self.steps_per_epoch = steps_of(steps_per_epoch, len(tracklets.images), size)

    def batches(self, epoch: int) -> Iterator[ClipBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        rank, world = self.fabric.global_rank, self.fabric.world_size
        chosen = person_batches(
            self.tracklets.persons,
            persons_per_batch=self.persons,
            clips_per_person=self.clips,
            steps=self.steps_per_epoch,
            generator=numpy_generator(self.seed, "person batches", epoch),
        )
        for step, of_batch in enumerate(chosen):
            share = len(of_batch) // world
            yield self._batch(epoch, step, of_batch, range(rank * share, (rank + 1) * share))

    def _batch(self, epoch: int, step: int, chosen: np.ndarray, places: range) -> ClipBatch:
        # a generator per place: a tracklet that comes twice shows other frames, and what is drawn
        # does not depend on how many processes there are
        generators = [numpy_generator(self.seed, "clip", epoch, step, p) for p in places]
        rows = []
        for place, generator in zip(places, generators, strict=True):
            of_tracklet = self.tracklets.images[chosen[place]]
            positions = clip_of(len(of_tracklet), self.frames, self.sampling, generator)
            rows.append(of_tracklet[positions])
        erased = np.empty(len(rows) * self.frames, bool)
        parts = (
            self.pictures.augmented(rows, generators, erased),
            torch.from_numpy(self.tracklets.persons[chosen[places.start : places.stop]]),
            torch.from_numpy(erased).unflatten(0, (-1, self.frames)),
        )
        if self.fabric.device.type == "cuda":
            return ClipBatch(*(part.pin_memory() for part in parts))
        return ClipBatch(*parts)

    def size(self, batch: ClipBatch) -> int:
        """Return the number of images in a batch."""
        return len(batch.images)

    def loss(self, batch: ClipBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms: each loss, and accuracy in per cent."""
        device = self.fabric.device
        images = batch.images.to(device, non_blocking=True)
        persons = gather(self.fabric, batch.persons.to(device, non_blocking=True))
        erased = gather(self.fabric, batch.erased.to(device, non_blocking=True))
        if self.pictures.maps is None:
            merged = self.learner(preprocess(images, self.mean, self.std))
        else:
            merged = self.learner(images, after_front=True)
        scores = merged.scores
        headed = self.heads(gather_features(self.fabric, merged.descriptors))
        clips = Clips(
            persons=persons,
            features=headed.before if self.metric_before_neck else headed.after,
            logits=headed.logits,
            classes=self.own_heads.classifier.weight,
            centers=self.own_heads.centers,
            weights=gather_features(self.fabric, merged.weights.mean(1)),
            scores=None if scores is None else gather_features(self.fabric, scores),
            erased=erased,
        )
        terms = {
            name: term.module.loss(clips, **term.options) for name, term in self.losses.items()
        }
        weights = {name: term.weight for name, term in self.losses.items()}
        if self.attributes:
            recognised = {
                group: gather_features(self.fabric, of_group)
                for group, of_group in merged.attributes.items()
            }
            labels = {group: of_group[persons] for group, of_group in self.attributes.items()}
            terms["attributes"] = groups.loss(recognised, labels)
            weights["attributes"] = self.attribute_weight
        total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        right = clips.logits.detach().argmax(1) == persons
        terms["accuracy"] = 100 * right.float().mean()
        return total, terms

    # ------------------------------------------------------------------ the loop's hooks

    def begin_epoch(self, epoch: int) -> list[tuple[str, float]]:
        """Do nothing: batches need no preparation."""
        return []

    def after_step(self, step: int) -> None:
        """Move the centers of the center loss, whose rate no optimiser changes."""
        centers, term = self.own_heads.centers, self.losses.get("center")
        if centers is None or term is None or centers.grad is None:
            return
        center.move(centers, centers.grad / term.weight, self.center_rate)
        centers.grad = None

    def state(self) -> dict[str, Any]:
        """Return nothing: centers are parameters of the heads."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""
