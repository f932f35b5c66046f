"""Learning from clips of labelled tracklets: a sum of losses (ATTR, COSAM, ATTN-CL)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from weakreid.attributes import UNSURE
from weakreid.config.params import TrainClips
from weakreid.errors import ReidError
from weakreid.losses.attributes import groups, visibility
from weakreid.losses.clips import center
from weakreid.losses.clips.views import Clips
from weakreid.models.clips import ClipHeads
from weakreid.models.reid import ReidModel
from weakreid.seeding import numpy_generator
from weakreid.training.clip_sampling import clip_of
from weakreid.training.gathering import gather, gather_features
from weakreid.training.images import TrainingImages
from weakreid.training.task import Task, steps_of
from weakreid.training.tracklet_sampling import cluster_batches


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
        absent: those of the groups that no label says anything of.
        labels: per group int64 [persons, A], of 1, 0, or -1 where unknown.
    """

    groups: dict[str, list[str]]
    absent: list[str]
    labels: dict[str, Tensor]


@dataclass(frozen=True)
class ClipBatch:
    """One step's clips.

    Attributes:
        images: uint8 [n * T, H, W, 3], T frames of each clip of this process, clip after clip; or
            float [n * T, c, h, w], what the frozen stages make of them.
        persons: int64 [n], indices.
        erased: bool [n, T], frames that lost a rectangle.
        visible: float32 [n, G, T], shares of the groups' parts; G is 0 where nobody tells.
    """

    images: Tensor
    persons: Tensor
    erased: Tensor
    visible: Tensor


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
    absent = [name for names in groups.values() for name in names if name not in table]
    return AttributeLabels(resolved, absent, labels)


def check_learnable(
    made: LabelledTracklets,
    params: TrainClips,
    tracklets: Path,
    attributes: Path | None,
    truth: Path | None,
) -> None:
    """Refuse, before anything is computed, what a training cannot learn from.

    Args:
        made: its tracklets.
        params: what it is given.
        tracklets: the file that they are from.
        attributes: the file of labels, if there is one.
        truth: that of what frames show.

    Raises:
        ReidError: there are too few persons, or labels where the method learns none, or none where
            it does.
    """
    persons = params.batch.persons
    if params.schedule.epochs > 0 and persons > len(made.ids):
        raise ReidError(
            f"{tracklets}: batch.persons asks for {persons} persons in a batch, and there "
            f"are {len(made.ids)} to learn from; set it to {len(made.ids)} or fewer"
        )
    if (params.attributes is None) != (attributes is None):
        raise ReidError(
            f"{attributes}: labels were given, but the method learns no attributes; leave them out"
            if attributes is not None
            else "the method learns attributes, but no labels were given; give --attributes"
        )
    if (params.visibility == "learnt") != (truth is not None):
        raise ReidError(
            f"{truth}: a truth was given, but the method does not learn what frames show; leave it "
            "out"
            if truth is not None
            else "the method learns what frames show, but no truth was given; give --truth"
        )


class ClipTask(Task[ClipBatch]):
    """Batches of clips and their loss: the weighted sum of a method's losses.

    With several processes each makes the descriptors of its share of a batch's clips; these are
    gathered, and every process computes the loss of the whole batch.
    """

    def __init__(
        self,
        tracklets: LabelledTracklets,
        params: TrainClips,
        images: TrainingImages,
        *,
        fabric: Fabric,
        network: ReidModel,
        model: nn.Module,
        heads: nn.Module,
        own_heads: ClipHeads,
        losses: Mapping[str, ModuleType],
        attributes: Mapping[str, Tensor],
        visible: Tensor | None = None,
    ) -> None:
        """Set up.

        Args:
            tracklets: of the training.
            params: of the training.
            images, fabric, network: see `Task`.
            model: `weakreid.models.clips.ClipNetwork` as the fabric set it up.
            heads: `weakreid.models.clips.ClipHeads` as the fabric set it up.
            own_heads: the same, as it is.
            losses: modules of `weakreid.losses.clips` by the names of the method's losses.
            attributes: per group of the aggregation, labels int64 [persons, A]; may be empty.
            visible: float32 [R, G], by row of the image store, where frames' shares are learnt.

        Raises:
            ReidError: a batch does not divide among the processes.
        """
        super().__init__(images, fabric=fabric, network=network, model=model)
        world, batch = fabric.world_size, params.batch
        size = min(batch.persons, len(tracklets.ids)) * batch.clips
        if size % world:
            raise ReidError(
                f"a batch of {size} clips (batch.persons {batch.persons}, of {len(tracklets.ids)} "
                f"in all, x batch.clips {batch.clips}) does not divide among {world} devices; set "
                "batch.clips to a multiple of them or take fewer devices"
            )
        self.tracklets, self.params = tracklets, params
        self.heads, self.own_heads, self.losses = heads, own_heads, losses
        self.attributes = {name: of.to(fabric.device) for name, of in attributes.items()}
        self.visible = visible
        self.metric_before_neck = params.neck is not None and params.neck.trains == "before"
        steps = params.schedule.steps_per_epoch
        self.steps_per_epoch = steps_of(steps, len(tracklets.images), size)

    def batches(self, epoch: int) -> Iterator[ClipBatch]:
        """Yield an epoch's batches, decoded and augmented, this process's share of each."""
        # a person is a cluster of tracklets
        chosen = cluster_batches(
            self.tracklets.persons,
            clusters=self.params.batch.persons,
            tracklets=self.params.batch.clips,
            steps=self.steps_per_epoch,
            generator=numpy_generator(self.params.seed, "person batches", epoch),
        )
        for step, of_batch in enumerate(chosen):
            yield self._batch(epoch, step, of_batch, self.share(len(of_batch)))

    def _batch(self, epoch: int, step: int, chosen: np.ndarray, places: range) -> ClipBatch:
        # a generator per place: a tracklet that comes twice shows other frames, and what is drawn
        # does not depend on how many processes there are
        seed, clips = self.params.seed, self.params.clips
        generators = [numpy_generator(seed, "clip", epoch, step, p) for p in places]
        rows = []
        for place, generator in zip(places, generators, strict=True):
            of_tracklet = self.tracklets.images[chosen[place]]
            positions = clip_of(len(of_tracklet), clips.frames, clips.sampling, generator)
            rows.append(of_tracklet[positions])
        erased = np.empty(len(rows) * clips.frames, bool)
        parts = self.pinned(
            self.images.augmented(rows, generators, erased),
            torch.from_numpy(self.tracklets.persons[chosen[places.start : places.stop]]),
            torch.from_numpy(erased).unflatten(0, (-1, clips.frames)),
            self._shown(rows),
        )
        return ClipBatch(*parts)

    def _shown(self, rows: Sequence[np.ndarray]) -> Tensor:
        if self.visible is None:
            return torch.empty(len(rows), 0, self.params.clips.frames)
        return self.visible[torch.from_numpy(np.stack(rows))].transpose(1, 2)

    def loss(self, batch: ClipBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms: each loss, and accuracy in per cent."""
        images, persons, erased = self.on_device(batch.images, batch.persons, batch.erased)
        persons, erased = gather(self.fabric, persons), gather(self.fabric, erased)
        merged = self.output(images)
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
        terms, weights = {}, {}
        for name, module in self.losses.items():
            term = getattr(self.params.losses, name)
            terms[name], weights[name] = module.loss(clips, term), term.weight
        if self.attributes and self.params.attributes is not None:
            recognised = {
                group: gather_features(self.fabric, of_group)
                for group, of_group in merged.attributes.items()
            }
            labels = {group: of_group[persons] for group, of_group in self.attributes.items()}
            terms["attributes"] = groups.loss(recognised, labels)
            weights["attributes"] = self.params.attributes.weight
        if self.visible is not None and merged.visible is not None:
            (shares,) = self.on_device(batch.visible)
            said = gather_features(self.fabric, merged.visible)
            # its layer changes nothing else, so that no other weight is right or wrong
            terms["visibility"] = visibility.loss(said, gather(self.fabric, shares))
            weights["visibility"] = 1.0
        total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        right = clips.logits.detach().argmax(1) == persons
        terms["accuracy"] = 100 * right.float().mean()
        return total, terms

    def after_step(self, step: int) -> None:
        """Move the centers of the center loss, whose rate no optimiser changes."""
        centers, term = self.own_heads.centers, self.params.losses.center
        if centers is None or term is None or centers.grad is None:
            return
        center.move(centers, centers.grad / term.weight, term.rate)
        centers.grad = None
