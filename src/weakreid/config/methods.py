"""Blocks that say how something is learnt: methods, transfers, extractors."""

from typing import Annotated, Literal, Self, get_args

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
    as_text,
    distinct,
    saying,
)
from weakreid.config.losses import (
    ClipLosses,
    Cpal,
    FrameCe,
    Hslr,
    Loss,
    Mil,
    Sslr,
    TrackletLosses,
    Wsddn,
)
from weakreid.config.network import (
    Aggregation,
    AttentionFrames,
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
    RecurrentFrames,
    compared,
)
from weakreid.config.training import Evaluation, Optimiser, Schedule


class Batch(Strict):
    """What one training step sees."""

    bags: Positive = 10
    frames: Positive = Field(100, description="frames sampled from a bag")
    pairs: Count = Field(3, description="pairs of bags that share a person, at least")
    cache_mb: Count = Field(
        0, description="memory for the outputs of leading frozen stages, computed once; 0: none"
    )


class MaySeeClips(Strict):
    """A recipe whose network sees frames, or clips where `clips` says so."""

    model: ModelOfClips = ModelOfClips()
    clips: Clips | None = Field(
        None, description="a tracklet is seen as a clip of some of its frames; null: frame by frame"
    )
    aggregation: PlainAggregation = Field(
        AverageFrames(), description="what merges the frames of a clip"
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
    """A recipe that learns from bags: network, losses, optimiser, schedule."""

    learns: Literal["bags"] = "bags"
    image: Image = Image()
    instances: Literal["frames", "tracklets"] = Field(
        "frames",
        description="what a bag holds for the loss; a tracklet is its frames' mean, or a clip",
    )
    augment: Augment = Augment()
    loss: Loss = Field(default_factory=lambda: Mil(name="mil"))
    cpal: Cpal = Cpal()
    batch: Batch = Batch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(as_text)] = Field(
        "auto", description="auto: bf16 autocast on a GPU, 32 bits on a CPU"
    )
    evaluation: Evaluation = Evaluation()

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

    frames: Positive = Field(32, description="consecutive frames that describe a tracklet")
    k1: Positive = 30
    k2: Positive = 6
    min_samples: Positive = 4
    eps: Annotated[float, Field(gt=0.0, lt=1.0), BeforeValidator(as_number)] | None = Field(
        None, description="null: from the data, once at the start"
    )
    share: Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)] = Field(
        1.6e-3, description="of the non-zero distances; the mean of the smallest ones is eps"
    )


class MeanNet(Strict):
    """The temporal average of the network (TMC, Eq. 1)."""

    momentum: Fraction = Field(0.999, description="α, reached from 0 over the first steps")
    keep: Literal["mean", "net"] = Field("mean", description="which of the two is the result")


class TrackletBatch(Strict):
    """What one training step sees."""

    clusters: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = 16
    tracklets: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = Field(
        4, description="of each cluster"
    )
    frames: Positive = Field(4, description="of each tracklet")
    cache_mb: Count = Field(
        0, description="memory for the outputs of leading frozen stages, computed once; 0: none"
    )


class TrackletMethod(MaySeeClips):
    """A recipe that learns from tracklets without labels (TMC)."""

    learns: Literal["tracklets"]
    image: Image = Image()
    augment: Augment = Augment()
    association: Association = Association()
    losses: TrackletLosses = TrackletLosses()
    mean_net: MeanNet = MeanNet()
    batch: TrackletBatch = TrackletBatch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(as_text)] = "auto"
    evaluation: Evaluation = Evaluation()

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


# what a block that is chosen by its name may hold: another name keeps those values that it has too
CHOSEN_KEYS: dict[str, dict[str, set[str]]] = {
    key: {get_args(of.model_fields["name"].annotation)[0]: set(of.model_fields) for of in blocks}
    for key, blocks in {
        "loss": (Mil, Wsddn, Hslr, Sslr, FrameCe),
        "aggregation": (AverageFrames, AttentionFrames, RecurrentFrames, AttributeFrames),
    }.items()
}


class ClipBatch(Strict):
    """What one training step sees."""

    persons: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = 8
    clips: Positive = Field(4, description="of each person, of different tracklets where there are")
    cache_mb: Count = Field(
        0, description="memory for the outputs of leading frozen stages, computed once; 0: none"
    )


class ClipMethod(Strict):
    """A recipe that learns from clips of labelled tracklets."""

    learns: Literal["clips"]
    model: ModelOfClips = ModelOfClips()
    image: Image = Image()
    augment: Augment = Augment()
    clips: Clips = Clips()
    aggregation: Aggregation = AverageFrames()
    neck: Neck | None = Field(None, description="null: none")
    losses: ClipLosses = ClipLosses()
    batch: ClipBatch = ClipBatch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(as_text)] = "auto"
    evaluation: Evaluation = Evaluation()

    @property
    def attributes(self) -> AttributeFrames | None:
        """What the method learns of attributes, None where it does without."""
        return self.aggregation if isinstance(self.aggregation, AttributeFrames) else None

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


AnyMethod = Annotated[BagMethod | TrackletMethod | ClipMethod, Field(discriminator="learns")]


with_learns = saying("learns", "bags")


class TransferBatch(Strict):
    """What one step of learning attributes sees."""

    source: Positive = Field(32, description="pictures with attributes")
    target: Positive = Field(32, description="frames of the dataset, without any label (MMD)")
    cache_mb: Count = Field(
        0, description="memory for the outputs of leading frozen stages, computed once; 0: none"
    )


class Transfer(Strict):
    """Attributes learnt on a source and recognised on a dataset (ATTR, section 3.2)."""

    labels: Literal["transferred"] = "transferred"
    source: Name
    attributes: Annotated[list[Attribute], Field(min_length=1), AfterValidator(distinct)] | None = (
        Field(None, description="those to learn; null: all of ATTR's 66 that the source has")
    )
    on_constant: Literal["stop", "leave_out"] = Field(
        "stop",
        description="what to do about attributes that no training picture has, or that all have",
    )
    model: Model = Model(backbone="resnet18", embedding="none")
    image: Image = Image()
    augment: Augment = Augment()
    loss: Literal["bce", "wbce"] = Field("wbce", description="Eq. 7, or weighted, Eq. 8")
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        1.0, description="σ of Eq. 8"
    )
    mmd: Rate = Field(1.0, description="weight of the maximum mean discrepancy, Eq. 5; 0: none")
    alpha: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        0.5, description="α of its kernel, Eq. 6"
    )
    normalise: bool = Field(True, description="features of length 1 before the kernel")
    batch: TransferBatch = TransferBatch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(as_text)] = "auto"
    threshold: Fraction = Field(0.5, description="th of Eq. 10, on a person's mean probability")


class TrueAttributes(Strict):
    """True attributes, of generated people or by a named source: what a transfer can be at best."""

    labels: Literal["truth"]


AnyTransfer = Annotated[Transfer | TrueAttributes, Field(discriminator="labels")]


with_labels = saying("labels", "transferred")


class Extractor(Strict):
    """A network whose features of frames isolation clusters."""

    model: Model = Model(embedding="none")
    image: Image = Image()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(as_text)] = "auto"

    @model_validator(mode="after")
    def _plain(self) -> Self:
        if self.model.embedding != "none":
            raise ValueError("an extractor has no embedding; set model.embedding: none")
        idle = self.model.model_fields_set & {"frozen", "batch_norm", "dimension"}
        if idle:
            raise ValueError(f"an extractor does not learn; leave out model.{sorted(idle)[0]}")
        return self
