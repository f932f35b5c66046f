"""The blocks of config.yaml that say how something is learnt: methods, transfers, experiments."""

import difflib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from weakreid.attributes import GROUPS
from weakreid.attributes import NAMES as ATTRIBUTES
from weakreid.config_blocks import (
    Count,
    Fraction,
    Name,
    Place,
    Positive,
    Rate,
    Split,
    Strict,
    Text,
    as_number,
    as_text,
    as_whole,
    distinct,
)


class Model(Strict):
    """Network: backbone, average pooling, embedding."""

    backbone: Literal["resnet18", "resnet34", "resnet50", "se_resnet50", "efficientnet_lite0"] = (
        "resnet50"
    )
    weights: Place = Field(
        "hub", description="'hub', 'package' (efficientnet_lite0), a file's path, or 'none'"
    )
    last_stride: Annotated[Literal[1, 2], BeforeValidator(as_whole)] = 2
    embedding: Literal["fc", "fc_bn", "bnneck", "none"] = "fc"
    dimension: Positive = Field(2048, description="of the embeddings fc and fc_bn")
    frozen: list[Literal["stem", "layer1", "layer2", "layer3", "layer4"]] = Field(
        default_factory=list, description="stages of the backbone that do not learn"
    )
    batch_norm: Literal["train", "eval"] = Field(
        "train", description="of the backbone's learning stages"
    )

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights == "package" and self.backbone != "efficientnet_lite0":
            raise ValueError(
                f"no package ships weights of {self.backbone}; "
                "set weights to 'hub', a file's path or 'none'"
            )
        return self


class Image(Strict):
    """Size of the network's input in pixels."""

    height: Positive = 256
    width: Positive = 128
    resized: tuple[Positive, Positive] | None = Field(
        None,
        description="[height, width] a picture gets before height x width are cut out of it: at a "
        "random place in training, from the middle else; null: resized to height x width, whole",
    )

    @model_validator(mode="after")
    def _cut_fits(self) -> Self:
        if self.resized is not None and (
            self.resized[0] < self.height or self.resized[1] < self.width
        ):
            raise ValueError(
                f"resized is {list(self.resized)}, smaller than height x width; enlarge it"
            )
        return self


class Augment(Strict):
    """Random changes of training frames."""

    flip: Fraction = 0.5
    pad: Count = Field(0, description="pixels added on every side before a random crop")
    erase: Fraction = Field(0.0, description="probability of erasing a random rectangle")


class Mil(Strict):
    """Mean of the k largest logits, softmax, cross-entropy (WL, Eq. 2 and 3)."""

    name: Literal["mil"]
    k: Positive = 5


class Wsddn(Strict):
    """Weakly supervised deep detection network: two streams."""

    name: Literal["wsddn"]


class Hslr(Strict):
    """Hard selection logistic regression."""

    name: Literal["hslr"]
    k: Positive = 5
    alpha: Rate = 1.0
    m: Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)] = Field(
        0.1, description="share of the identities that are selected; the paper gives none"
    )


class Sslr(Strict):
    """Soft selection logistic regression."""

    name: Literal["sslr"]
    k: Positive = 5
    alpha: Rate = 1.0
    gamma: Rate = 1.0


class FrameCe(Strict):
    """Softmax cross-entropy on every frame: the fully supervised baseline."""

    name: Literal["frame_ce"]
    smoothing: Fraction = 0.0


Loss = Annotated[Mil | Wsddn | Hslr | Sslr | FrameCe, Field(discriminator="name")]


class Cpal(Strict):
    """Co-person attention loss (WL, Eq. 4 to 8)."""

    weight: Fraction = Field(
        0.5, description="1 - λ of Eq. 8: share of CPAL in the whole loss; 0 turns it off"
    )
    margin: Rate = 0.5


class Batch(Strict):
    """What one training step sees."""

    bags: Positive = 10
    frames: Positive = Field(100, description="frames sampled from a bag")
    pairs: Count = Field(3, description="pairs of bags that share a person, at least")
    cache_mb: Count = Field(
        0, description="memory for the outputs of leading frozen stages, computed once; 0: none"
    )


class Optimiser(Strict):
    """Optimiser and the factors of the learning rate by part."""

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: Rate = 0.01
    momentum: Fraction = 0.9
    weight_decay: Rate = 5e-4
    backbone_factor: Rate = 1.0
    head_factor: Rate = 1.0
    clip: Rate | None = Field(None, description="largest norm of the gradient")


class Schedule(Strict):
    """Epochs, and the learning rate over them."""

    epochs: Count = 20
    steps_per_epoch: Positive | None = Field(None, description="null: every bag about once")
    name: Literal["step", "cosine"] = "step"
    milestones: list[Positive] = Field(
        default_factory=lambda: [10], description="epochs after which the rate falls (step)"
    )
    factor: Fraction = 0.1
    warm_up: Fraction = Field(0.0, description="share of all steps with a rising rate")
    warm_up_from: Fraction | None = Field(
        None, description="what the rates rise from, in units of their own; null: near 0"
    )


class Evaluation(Strict):
    """From descriptors to figures."""

    metric: Literal["euclidean", "cosine"] = "euclidean"
    rerank: bool = Field(
        False, description="measure fine retrieval after k-reciprocal re-ranking too: `reranked`"
    )
    keep: Positive = Field(50, description="gallery items kept per query in rankings.parquet")
    memory_mb: Positive = Field(1024, description="bound on the coarse distances' working memory")


class Cosam(Strict):
    """Co-segmentation modules between blocks of the backbone (COSAM, section 4).

    The paper's blocks 1 to 5 are stem, layer1, layer2, layer3 and layer4.
    """

    after: Annotated[
        list[Literal["layer1", "layer2", "layer3", "layer4"]],
        Field(min_length=1),
        AfterValidator(distinct),
    ] = Field(["layer3", "layer4"], description="COSAM_4,5 of the paper")
    reduced: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = Field(
        256, description="D_R, channels that are compared"
    )
    deviation: Literal["population", "sample"] = Field(
        "population", description="of a descriptor; sample: the authors' program"
    )
    summary: Literal["one_layer", "two_layers"] = Field(
        "one_layer", description="from correlations to a mask; two_layers: the authors' program"
    )
    activation: Literal["relu", "tanh"] = Field(
        "relu", description="in the channel step; tanh: the authors' program"
    )
    enrichment: Literal["multiply", "add"] = Field(
        "multiply", description="channels times their weights; add: plus themselves, the program's"
    )
    initial: Annotated[float, Field(ge=0.5, lt=1), BeforeValidator(as_number)] = Field(
        0.5,
        description="what masks and channel weights are near before training; close to 1, the "
        "pretrained blocks behind begin with what they know",
    )


class ModelOfClips(Model):
    """Network of the frames of clips."""

    cosam: Cosam | None = Field(None, description="between the backbone's blocks; null: none")


class Clips(Strict):
    """The frames of a tracklet that are looked at together."""

    frames: Positive = Field(8, description="T, of a clip")
    sampling: Literal["chunks", "consecutive", "random"] = Field(
        "chunks",
        description="a random frame of each of T equal chunks, T frames in a row, or any T frames",
    )
    test: Literal["chunks", "all"] = Field(
        "chunks",
        description="of a tracklet that is described: one clip, the middle frames of T chunks; or "
        "all frames, T in a row to a clip, the clips' descriptors averaged",
    )
    normalise: bool = Field(
        True, description="clips' descriptors have length 1 before a tracklet's are averaged"
    )


class AverageFrames(Strict):
    """Temporal average pooling: all frames count alike (TP)."""

    name: Literal["average"] = "average"


class AttentionFrames(Strict):
    """Temporal attention of Gao and Nevatia: convolutions weigh frames (TA)."""

    name: Literal["attention"]
    hidden: Positive = Field(256, description="numbers that stand for a frame")
    rectified: bool = Field(
        True, description="a ReLU on scores, as in the authors' program; it can kill attention"
    )


class RecurrentFrames(Strict):
    """The mean of an LSTM's outputs (RNN of Gao and Nevatia)."""

    name: Literal["rnn"]
    hidden: Positive = Field(512, description="numbers of a descriptor")


PlainAggregation = Annotated[
    AverageFrames | AttentionFrames | RecurrentFrames, Field(discriminator="name")
]


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


def compared(model: ModelOfClips, clips: Clips) -> None:
    """Refuse COSAM on clips of one frame."""
    if model.cosam is not None and clips.frames < 2:
        raise ValueError(
            f"model.cosam compares the frames of a clip, and clips.frames is {clips.frames}; "
            "set it to 2 or more, or model.cosam: null"
        )


class Method(MaySeeClips):
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


class TrackletLosses(Strict):
    """TMC, Eq. 6."""

    soft_identity: Fraction = Field(0.5, description="λ_id")
    soft_triplet: Fraction = Field(0.8, description="λ_tri")
    margin: Rate = 0.5
    triplet: Literal["hinge", "softmax"] = "hinge"


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


def an_attribute(name: str) -> str:
    """Refuse a name that is none of ATTR's attributes."""
    if name not in ATTRIBUTES:
        close = difflib.get_close_matches(name, ATTRIBUTES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(ATTRIBUTES)}"
        raise ValueError(f"no attribute is called '{name}'; {hint}")
    return name


Attribute = Annotated[str, AfterValidator(an_attribute)]


def whole_groups(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """Refuse groups of attributes that are empty or overlap."""
    if not groups:
        raise ValueError("no group of attributes; leave `groups` out for ATTR's six")
    seen: dict[str, str] = {}
    for group, names in groups.items():
        if not names:
            raise ValueError(f"the group {group} has no attribute; give it one, or leave it out")
        for name in names:
            if name in seen:
                raise ValueError(f"{name} is in the group {group} and in {seen[name]}; keep one")
            seen[name] = group
    return groups


Groups = Annotated[dict[Name, list[Attribute]], AfterValidator(whole_groups)]


class AttributeFrames(Strict):
    """Attributes shape a clip's descriptor and weigh its frames (ATTR, section 3.1)."""

    name: Literal["groups"]
    disentangled: bool = Field(
        True, description="each group reads a segment of the feature of its own; or all of it"
    )
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] | None = Field(
        0.5, description="σ of Eq. 2, by which confidence weighs frames; null: all count alike"
    )
    weight: Rate = Field(1.0, description="of the sum of the groups' losses beside softmax")
    groups: Groups = Field(default_factory=lambda: {g: list(n) for g, n in GROUPS.items()})


Aggregation = Annotated[
    AverageFrames | AttentionFrames | RecurrentFrames | AttributeFrames,
    Field(discriminator="name"),
]

# what a block that is chosen by its name may hold: another name keeps those values that it has too
CHOSEN_KEYS: dict[str, dict[str, set[str]]] = {
    key: {get_args(of.model_fields["name"].annotation)[0]: set(of.model_fields) for of in blocks}
    for key, blocks in {
        "loss": (Mil, Wsddn, Hslr, Sslr, FrameCe),
        "aggregation": (AverageFrames, AttentionFrames, RecurrentFrames, AttributeFrames),
    }.items()
}


class Neck(Strict):
    """A batch norm between a clip's descriptor and the classifier (Luo et al., 2019)."""

    trains: Literal["after", "before"] = Field("after", description="what metric losses see")
    retrieves: Literal["after", "before"] = Field("after", description="what is searched with")


Weight = Annotated[float, Field(gt=0.0), BeforeValidator(as_number)]


class IdentityTerm(Strict):
    """Softmax cross-entropy over identities."""

    weight: Weight = 1.0
    smoothing: Fraction = Field(0.0, description="of the labels")


class TripletTerm(Strict):
    """Batch-hard triplets."""

    weight: Weight = 1.0
    margin: Rate = 0.3
    metric: Literal["euclidean", "cosine"] = "euclidean"
    ties: Literal["share", "first"] = Field(
        "share", description="which of equally hard partners learn; first: ATTN-CL's program"
    )


class CenterTerm(Strict):
    """The center loss."""

    weight: Weight = 5e-4
    rate: Rate = Field(0.5, description="of the centers' own descent, whatever the weight")


class OsmTerm(Strict):
    """Online soft mining with class-aware attention."""

    weight: Weight = 1.0
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = 0.8
    alpha: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] = Field(
        1.2, description="α, the margin of negatives"
    )
    balance: Fraction = Field(0.5, description="l, the share of negatives")
    vectors: Literal["classifier", "centers", "moving_centers"] = Field(
        "classifier",
        description="what stands for a class: the classifier's weights, or the center loss's "
        "centers (CL centers); moving: this loss moves them too, as the authors' program",
    )


class AttentionTerm(Strict):
    """The attention loss: erased frames should not be looked at (ATTN-CL, Eq. 1)."""

    weight: Weight = 1.0
    of: Literal["weights", "scores"] = Field(
        "weights", description="attention, or what softmax makes it of, as the authors' program"
    )


class ClipLosses(Strict):
    """The losses whose weighted sum trains a clip's descriptor; null: not among them."""

    identity: IdentityTerm | None = IdentityTerm()
    triplet: TripletTerm | None = None
    center: CenterTerm | None = None
    osm: OsmTerm | None = None
    attention: AttentionTerm | None = None


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


AnyMethod = Annotated[Method | TrackletMethod | ClipMethod, Field(discriminator="learns")]


def saying(key: str, default: str) -> Callable[[Any], Any]:
    """Return what gives every block of a mapping without `key` a default there."""

    def with_key(blocks: Any) -> Any:
        if not isinstance(blocks, Mapping):
            return blocks
        return {
            name: {key: default, **block} if isinstance(block, Mapping) else block
            for name, block in blocks.items()
        }

    return with_key


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


class Experiment(Strict):
    """A dataset, a supervision, a method; its target is results/NAME/metrics.json."""

    dataset: Name
    bags: Name | None = Field(None, description="what a method that learns from bags sees")
    noise: Name | None = Field(None, description="what a method that learns from tracklets sees")
    isolation: Name | None = Field(None, description="what cleans the tracklets first; null: none")
    transfer: Name | None = Field(
        None, description="where a method that learns from clips has attributes from"
    )
    method: Name
    init: Name | None = Field(
        None, description="the experiment whose weights it starts from; null: the method's own"
    )
    splits: Annotated[list[Split], Field(min_length=1), AfterValidator(distinct)] = Field(
        default_factory=lambda: ["official"],
        description="official, dev (training identities only), or the number of a split",
    )
    seeds: Annotated[list[Count], Field(min_length=1), AfterValidator(distinct)] = Field(
        default_factory=lambda: [1]
    )
    overrides: dict[Text, Any] = Field(
        default_factory=dict, description="values that replace those of the method"
    )
