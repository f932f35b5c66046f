"""Blocks of a network: backbone, images, clips, and what merges their frames."""

import difflib
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from weakreid.attributes import GROUPS
from weakreid.attributes import NAMES as ATTRIBUTES
from weakreid.config.base import (
    Count,
    FilePath,
    Fraction,
    Name,
    Positive,
    Rate,
    Strict,
    as_number,
    as_whole,
    distinct,
)


class Model(Strict):
    """Network: backbone, average pooling, embedding."""

    backbone: Literal["resnet18", "resnet34", "resnet50", "se_resnet50", "efficientnet_lite0"] = (
        "resnet50"
    )
    weights: FilePath = Field(
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


def compared(model: ModelOfClips, clips: Clips) -> None:
    """Refuse COSAM on clips of one frame."""
    if model.cosam is not None and clips.frames < 2:
        raise ValueError(
            f"model.cosam compares the frames of a clip, and clips.frames is {clips.frames}; "
            "set it to 2 or more, or model.cosam: null"
        )


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


class Neck(Strict):
    """A batch norm between a clip's descriptor and the classifier (Luo et al., 2019)."""

    trains: Literal["after", "before"] = Field("after", description="what metric losses see")
    retrieves: Literal["after", "before"] = Field("after", description="what is searched with")
