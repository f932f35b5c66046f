"""Blocks that say how something is learnt: methods, transfers, extractors."""

from collections.abc import Mapping
from fractions import Fraction as Exact
from math import ceil
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from weakreid.config.base import (
    Count,
    Fraction,
    Name,
    Positive,
    Rate,
    Strict,
    as_number,
    distinct,
    saying,
)
from weakreid.config.losses import (
    ClipLosses,
    ClusterContrast,
    Cpal,
    Loss,
    Mil,
    TrackletLosses,
)
from weakreid.config.network import (
    Aggregation,
    Attribute,
    AttributeFrames,
    Augment,
    AverageFrames,
    Clips,
    Image,
    Model,
    ModelOfClips,
    Neck,
    PlainAggregation,
    compared,
)
from weakreid.config.training import CacheMb, Evaluation, Optimiser, Precision, Schedule


class Learning(Strict):
    """What all learning of networks has."""

    image: Image = Field(Image(), description="input size")
    augment: Augment = Field(Augment(), description="random changes of training pictures")
    optimiser: Optimiser = Field(Optimiser(), description="optimiser")
    schedule: Schedule = Field(Schedule(), description="epochs and learning rate")
    precision: Precision = "auto"


class Method(Learning):
    """What all methods have."""

    evaluation: Evaluation = Field(Evaluation(), description="how features become results")


class Batch(Strict):
    """What one training step sees."""

    bags: Positive = Field(10, description="bags in a batch")
    frames: Positive = Field(100, description="frames sampled from a bag")
    pairs: Count = Field(3, description="least number of pairs of bags that share an identity")
    cache_mb: CacheMb = 0


class MaySeeClips(Method):
    """A method whose network sees frames, or clips where `clips` is set."""

    model: ModelOfClips = Field(ModelOfClips(), description="the network")
    clips: Clips | None = Field(
        None, description="see a tracklet as a clip of some of its frames; null: frame by frame"
    )
    aggregation: PlainAggregation = Field(
        AverageFrames(), description="how the frames of a clip are merged"
    )

    @model_validator(mode="after")
    def _clips_fit(self) -> Self:
        if self.clips is not None:
            compared(self.model, self.clips)
            return self
        for key, used in (
            ("model.cosam", self.model.cosam is not None),
            ("aggregation", self.aggregation.name != "average"),
        ):
            if used:
                raise ValueError(
                    f"{key} needs the frames of clips, and clips is null; set clips: {{frames: 4}}"
                )
        return self


class BagMethod(MaySeeClips):
    """A method that learns from bags."""

    learns: Literal["bags"] = Field("bags", description="what the method learns from")
    instances: Literal["frames", "tracklets"] = Field(
        "frames",
        description="instances of a bag; a tracklet is its frames' mean, or a clip",
    )
    loss: Loss = Field(default_factory=lambda: Mil(name="mil"), description="loss of the bags")
    cpal: Cpal = Field(Cpal(), description="co-person attention loss")
    batch: Batch = Field(Batch(), description="what one training step sees")

    @model_validator(mode="after")
    def _instances_fit(self) -> Self:
        if self.clips is not None and self.instances != "tracklets":
            raise ValueError(
                f"a clip is of one tracklet, and instances are {self.instances}; set instances: "
                "tracklets, or clips: null"
            )
        return self


class Association(Strict):
    """Inter-tracklet association: k-reciprocal Jaccard distance and DBSCAN (TMC, section 3.2)."""

    frames: Positive = Field(
        32, description="consecutive frames whose mean feature stands for a tracklet"
    )
    k1: Positive = Field(30, description="neighbours that the k-reciprocal sets are made of")
    k2: Positive = Field(6, description="neighbours whose sets are averaged")
    min_samples: Positive = Field(
        4, description="DBSCAN: tracklets within eps that make a core tracklet, itself included"
    )
    eps: Annotated[float, Field(gt=0.0, lt=1.0), BeforeValidator(as_number)] | None = Field(
        None, description="DBSCAN: largest Jaccard distance of neighbours; null: from the data"
    )
    share: Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)] | None = Field(
        1.6e-3,
        description="with `eps: null`: share of the smallest distances, whose mean is eps; null: "
        "by `pairs_per_tracklet`",
    )
    pairs_per_tracklet: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] | None = Field(
        None,
        description="with `eps: null`, in the place of `share`: so many distances per tracklet. A "
        "share of all pairs grows with their number, the neighbourhoods of k1 do not",
    )
    renewed: bool = Field(
        False,
        description="with `eps: null`: find eps anew at every clustering, as distances of one "
        "person shrink; false: once, at the start",
    )
    centred: bool = Field(
        False,
        description="subtract from a tracklet's feature the mean of its camera's tracklets: what "
        "cameras differ in is not what people differ in (beyond the paper, which sees no "
        "camera). A camera of fewer than 10 tracklets takes the mean of all",
    )
    apart: bool = Field(
        False,
        description="never join tracklets that a video shows in the same frame: they are two "
        "people (beyond the paper). Only a tracker's output (`kind: mot`) says when; with other "
        "data it does nothing",
    )
    truth: Literal["clusters", "eps"] | None = Field(
        None,
        description="to measure what association costs: `clusters` are the people themselves, or "
        "`eps` is that whose clusters fit them best, in every epoch; null: nobody is known",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_pairs(cls, raw: Any) -> Any:
        """Leave the default share to who does not ask for pairs per tracklet."""
        if isinstance(raw, Mapping) and raw.get("pairs_per_tracklet") is not None:
            return {"share": None, **raw}
        return raw

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.share is not None and self.pairs_per_tracklet is not None:
            raise ValueError(
                "share and pairs_per_tracklet both say which distances make eps; set one of them "
                "to null"
            )
        if self.share is None and self.pairs_per_tracklet is None:
            raise ValueError("share: null needs pairs_per_tracklet; set one of them")
        return self

    @model_validator(mode="after")
    def _one_eps(self) -> Self:
        if self.truth is not None and self.eps is not None:
            raise ValueError(f"truth: {self.truth} leaves nothing to eps; set eps: null")
        said = {"clusters": ("renewed", "centred", "apart"), "eps": ("renewed",), None: ()}
        for key in said[self.truth]:
            if getattr(self, key):
                raise ValueError(f"truth: {self.truth} leaves nothing to {key}; set {key}: false")
        if self.renewed and self.eps is not None:
            raise ValueError(
                f"renewed: true leaves nothing to eps {self.eps:g}; set eps: null, or renewed to "
                "false"
            )
        return self

    def share_of(self, count: int) -> float:
        """Return the share of the pairs of so many tracklets whose mean is eps."""
        if self.share is not None:
            return self.share
        assert self.pairs_per_tracklet is not None, "the validator sees to one of them"
        return min(1.0, 2 * self.pairs_per_tracklet / max(1, count - 1))


class MeanNet(Strict):
    """The EMA teacher, TMC's Mean Net (Eq. 1)."""

    momentum: Fraction = Field(
        0.999, description="α of Eq. 1; it rises from 0 over the first steps"
    )
    keep: Literal["mean", "net"] = Field(
        "mean",
        description="which network is the result: the EMA teacher (`mean`) or the student (`net`)",
    )


class TrackletBatch(Strict):
    """What one training step sees."""

    clusters: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = Field(
        16, description="clusters in a batch"
    )
    tracklets: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = Field(
        4, description="tracklets of a cluster"
    )
    frames: Positive = Field(4, description="frames of a tracklet")
    cache_mb: CacheMb = 0


class TrackletMethod(MaySeeClips):
    """A method that learns from tracklets without labels (TMC)."""

    learns: Literal["tracklets"]
    association: Association = Field(
        Association(), description="inter-tracklet association, which makes the pseudo-labels"
    )
    losses: TrackletLosses = Field(TrackletLosses(), description="weights of the four losses")
    contrast: ClusterContrast | None = Field(
        None, description="cluster contrast in the place of the four losses; null: those"
    )
    mean_net: MeanNet = Field(MeanNet(), description="the EMA teacher")
    batch: TrackletBatch = Field(TrackletBatch(), description="what one training step sees")

    @model_validator(mode="after")
    def _one_kind_of_loss(self) -> Self:
        if self.contrast is not None and self.losses != TrackletLosses():
            raise ValueError("contrast takes the place of losses; leave one of them out")
        return self

    @model_validator(mode="after")
    def _batch_fits(self) -> Self:
        if self.clips is not None and self.clips.frames != self.batch.frames:
            raise ValueError(
                f"a tracklet of a batch is one clip, but clips.frames is {self.clips.frames} and "
                f"batch.frames {self.batch.frames}; set both alike"
            )
        if self.clips is not None and self.clips.sampling != "consecutive":
            raise ValueError(
                f"a batch holds frames in a row, and clips.sampling is {self.clips.sampling}; set "
                "it to consecutive"
            )
        return self


def _keys_of(blocks: Any) -> dict[str, set[str]]:
    """Return the keys of each block of a union, by the block's name."""
    return {
        get_args(block.model_fields["name"].annotation)[0]: set(block.model_fields)
        for block in get_args(get_args(blocks)[0])
    }


# what a block that is chosen by its name may hold: another name keeps those values that it has too
CHOSEN_KEYS = {"loss": _keys_of(Loss), "aggregation": _keys_of(Aggregation)}


class ClipBatch(Strict):
    """What one training step sees."""

    persons: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = Field(
        8, description="identities in a batch"
    )
    clips: Positive = Field(
        4, description="clips of an identity, of different tracklets where possible"
    )
    cache_mb: CacheMb = 0


class ClipMethod(Method):
    """A method that learns from clips of labelled tracklets."""

    learns: Literal["clips"]
    model: ModelOfClips = Field(ModelOfClips(), description="the network")
    clips: Clips = Field(Clips(), description="which frames make a clip")
    aggregation: Aggregation = Field(
        AverageFrames(), description="how the frames of a clip are merged"
    )
    neck: Neck | None = Field(None, description="batch norm before the classifier; null: none")
    losses: ClipLosses = Field(ClipLosses(), description="losses of the clips")
    batch: ClipBatch = Field(ClipBatch(), description="what one training step sees")

    @property
    def attributes(self) -> AttributeFrames | None:
        """What the method learns of attributes, None where it does without."""
        return self.aggregation if isinstance(self.aggregation, AttributeFrames) else None

    @property
    def visibility(self) -> Literal["learnt", "kept"] | None:
        """Whether a layer says what frames show, and where it is from."""
        return None if self.attributes is None else self.attributes.visibility

    @model_validator(mode="after")
    def _segments_fit(self) -> Self:
        if self.attributes is None or not self.attributes.disentangled:
            return self
        segments, model = len(self.attributes.groups) + 1, self.model
        if model.embedding not in ("fc", "fc_bn"):
            raise ValueError(
                "aggregation.disentangled cuts the embedding into segments; set model.embedding: "
                "fc (or fc_bn) and a model.dimension"
            )
        if model.dimension % segments:
            raise ValueError(
                f"model.dimension {model.dimension} does not divide into {segments} segments, one "
                f"for each group of attributes and one for all; take a multiple of {segments}"
            )
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        losses = self.losses
        compared(self.model, self.clips)
        if self.schedule.epochs and not any(dict(losses).values()) and self.attributes is None:
            raise ValueError("every one of the losses is null; set one, such as identity: {}")
        for name in ("triplet", "osm"):
            if self.batch.clips < 2 and getattr(losses, name) is not None:
                raise ValueError(
                    f"losses.{name} compares two clips of a person, and batch.clips is 1; raise it,"
                    f" or set losses.{name}: null"
                )
        if losses.osm is not None and losses.osm.vectors != "classifier" and losses.center is None:
            raise ValueError(
                "losses.osm.vectors are the centers of losses.center, which is null; set it, or "
                "vectors: classifier"
            )
        if losses.attention is not None and self.aggregation.name != "attention":
            raise ValueError(
                "losses.attention needs a network that attends to frames; set aggregation: "
                "{name: attention}, or losses.attention: null"
            )
        if losses.attention is not None and self.augment.erase == 0:
            raise ValueError(
                "losses.attention looks at frames with an erased patch, and augment.erase is 0; "
                "raise it, or set losses.attention: null"
            )
        return self


class TrackletsInBatch(Strict):
    """What one training step sees."""

    tracklets: Annotated[int, Field(ge=2, le=10_000), BeforeValidator(as_number)] = Field(
        16, description="tracklets in a batch"
    )
    frames: Positive = Field(4, description="frames of a tracklet")
    cache_mb: CacheMb = 0


class FramesOfTracklets(MaySeeClips):
    """What the methods share that the papers compare with: a tracklet is its frames' mean."""

    batch: TrackletsInBatch = Field(TrackletsInBatch(), description="what one training step sees")

    @model_validator(mode="after")
    def _no_clips(self) -> Self:
        if self.clips is not None:
            raise ValueError("clips: this method sees frame by frame; set clips: null")
        return self


class Merging(Strict):
    """Bottom-up merging: a stage of training, then the nearest clusters are joined (BUC)."""

    first_epochs: Positive = Field(
        20, description="epochs of the first stage, where every tracklet is a cluster"
    )
    later_epochs: Positive = Field(
        2, description="epochs of each later stage, which begins with merges"
    )
    share: Annotated[float, Field(gt=0.0, lt=1.0), BeforeValidator(as_number)] = Field(
        0.05,
        description="merges before each later stage, as a share of the number of tracklets; "
        "rounded down, at least one",
    )
    distance: Literal["euclidean", "squared"] = Field(
        "euclidean", description="distance between features of length 1"
    )
    size_penalty: Rate = Field(
        0.003,
        description="λ: two clusters are as far apart as their nearest tracklets, and λ for each "
        "tracklet in them",
    )
    frames: Positive = Field(
        32, description="evenly spread frames whose mean feature stands for a tracklet"
    )


class Lookup(Strict):
    """The lookup table, a feature per cluster, and the repelled loss (BUC, Eqs. 1 and 2)."""

    temperature: Annotated[float, Field(ge=0.001), BeforeValidator(as_number)] = Field(
        0.1, description="τ of the softmax over the table's rows"
    )
    momentum: Fraction = Field(
        0.5, description="share of a row that stays when a tracklet of its cluster was seen"
    )
    start: Literal["features", "zeros"] = Field(
        "features",
        description="rows at the start of a stage: mean features of the clusters, or zeros",
    )


class MergingMethod(FramesOfTracklets):
    """Bottom-up clustering: every tracklet its own cluster, the nearest are merged (BUC).

    `schedule.epochs` is the total, and so decides at which stage the training stops: choose it on
    the split `dev`, never by test figures.
    """

    learns: Literal["merging"]
    merging: Merging = Field(Merging(), description="when clusters are merged, and which")
    lookup: Lookup = Field(Lookup(), description="the lookup table and the repelled loss")
    schedule: Schedule = Field(
        Schedule(),
        description="epochs and learning rate; `epochs` is the total and decides the stage to stop "
        "at: choose it on split `dev`",
    )


class Selection(Strict):
    """Which unlabelled tracklets join the labelled ones, step by step (EUG)."""

    share: Annotated[float, Field(ge=0.001, le=1.0), BeforeValidator(as_number)] = Field(
        0.1,
        description="p: share of the unlabelled tracklets by which a step learns from more than "
        "the one before, the surest first; the first learns from labelled ones alone, the last "
        "from all",
    )
    frames: Positive | None = Field(
        None,
        description="frames of a tracklet, spread evenly over it, whose mean feature says how near "
        "it is to labelled ones; null: all",
    )
    fresh: bool = Field(
        True,
        description="start every step from the weights before the first; false: from those of the "
        "step before",
    )

    @property
    def steps(self) -> int:
        """Steps of a training, the first with labelled tracklets alone counted."""
        # as it is written: 0.1 is a tenth, and not what a float makes of it
        return 1 + ceil(1 / Exact(str(self.share)))


class OneShotMethod(FramesOfTracklets):
    """A labelled tracklet per identity; the surest of the others join, step by step (EUG)."""

    learns: Literal["one_shot"]
    selection: Selection = Field(
        Selection(), description="which unlabelled tracklets are learnt from"
    )
    schedule: Schedule = Field(
        Schedule(), description="epochs of one step, and the learning rate over them"
    )


class GraphAssociation(Strict):
    """Joins of the identities of different cameras (UGA; from memory of the paper)."""

    first_stage: Count = Field(
        10,
        description="epochs of stage 1, a classifier per camera; the others are stage 2, with "
        "joins (the stages are from memory of the paper, their lengths ours)",
    )
    frames: Positive = Field(
        32,
        description="consecutive frames of a tracklet that the centres start from (ours; the paper "
        "from memory)",
    )
    momentum: Fraction = Field(
        0.5,
        description="share of a centre that stays when it meets a batch (from memory of the paper; "
        "the value is ours)",
    )
    temperature: Annotated[float, Field(ge=0.001), BeforeValidator(as_number)] = Field(
        0.1,
        description="by which cosines with the centres are divided (from memory of the paper; the "
        "value is ours)",
    )
    seen: Fraction = Field(
        0.5,
        description="two centres stay joined that were each other's nearest in at least this share "
        "of the epochs of stage 2 so far (from memory of the paper; the value is ours)",
    )


class IntraCameraMethod(FramesOfTracklets):
    """Labels that hold within a camera; identities of several cameras are joined (UGA)."""

    learns: Literal["intra_camera"]
    association: GraphAssociation = Field(
        GraphAssociation(), description="how identities of different cameras are joined"
    )


AnyMethod = Annotated[
    BagMethod | TrackletMethod | ClipMethod | MergingMethod | OneShotMethod | IntraCameraMethod,
    Field(discriminator="learns"),
]


def epochs_of(method: AnyMethod) -> int:
    """Return the epochs of a whole training, those of all its steps together."""
    steps = method.selection.steps if isinstance(method, OneShotMethod) else 1
    return steps * method.schedule.epochs


with_learns = saying("learns", "bags")


class TransferBatch(Strict):
    """What one training step sees."""

    source: Positive = Field(32, description="annotated pictures in a batch")
    target: Positive = Field(32, description="unlabelled frames of the dataset in a batch, for MMD")
    cache_mb: CacheMb = 0


class Transfer(Learning):
    """Attributes learnt on a source and predicted on a dataset (ATTR, section 3.2)."""

    labels: Literal["transferred"] = "transferred"
    source: Name = Field(description="attribute source to learn from")
    attributes: Annotated[list[Attribute], Field(min_length=1), AfterValidator(distinct)] | None = (
        Field(None, description="attributes to learn; null: all of ATTR's 66 that the source has")
    )
    on_constant: Literal["stop", "leave_out"] = Field(
        "stop",
        description="attributes that all training pictures have, or none: `stop`, or `leave_out`",
    )
    model: Model = Field(Model(backbone="resnet18", embedding="none"), description="the network")
    loss: Literal["bce", "wbce"] = Field(
        "wbce", description="binary cross-entropy, plain (Eq. 7) or weighted by rarity (Eq. 8)"
    )
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        1.0, description="σ of Eq. 8"
    )
    mmd: Rate = Field(
        1.0, description="weight of the maximum mean discrepancy (Eq. 5); 0 turns it off"
    )
    alpha: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        0.5, description="α of its Gaussian kernel (Eq. 6)"
    )
    normalise: bool = Field(
        True, description="features of length 1 for the kernel, which underflows on raw ones"
    )
    batch: TransferBatch = Field(TransferBatch(), description="what one training step sees")
    threshold: Fraction = Field(
        0.5, description="th of Eq. 10: least mean probability at which a person has an attribute"
    )


class TrueAttributes(Strict):
    """True attributes, of generated people or an attribute source: the bound of a transfer."""

    labels: Literal["truth"]


AnyTransfer = Annotated[Transfer | TrueAttributes, Field(discriminator="labels")]


with_labels = saying("labels", "transferred")


class Extractor(Strict):
    """A network that extracts the features that isolation clusters."""

    model: Model = Field(
        Model(embedding="none"), description="the network; it has no embedding and does not learn"
    )
    image: Image = Field(Image(), description="input size")
    precision: Precision = "auto"

    @model_validator(mode="after")
    def _plain(self) -> Self:
        if self.model.embedding != "none":
            raise ValueError("an extractor has no embedding; set model.embedding: none")
        idle = self.model.model_fields_set & {"frozen", "batch_norm", "dimension"}
        if idle:
            raise ValueError(f"an extractor does not learn; leave out model.{sorted(idle)[0]}")
        return self
