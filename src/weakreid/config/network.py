"""Blocks of a network: backbone, images, clips, and what merges their frames."""

import difflib
import itertools
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

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")
"""Of every backbone, in order."""


WEIGHTS = ("hub", "package", "none")


def _word_or_file(value: str) -> str:
    """Refuse a word that is none of those for weights, and no file's name either."""
    if value in WEIGHTS or "/" in value or "." in value:
        return value
    close = difflib.get_close_matches(value, WEIGHTS, n=1)
    meant = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(WEIGHTS)} or a file"
    raise ValueError(f"no such weights; {meant}")


class Model(Strict):
    """Network: backbone, average pooling, embedding."""

    backbone: Literal[
        "resnet18", "resnet34", "resnet50", "se_resnet50", "efficientnet_lite0", "test_resnet"
    ] = Field(
        "resnet50",
        description="network that makes a feature map of a frame; `test_resnet` is for tests: half "
        "a million parameters",
    )
    weights: Annotated[FilePath, AfterValidator(_word_or_file)] = Field(
        "hub",
        description="initial weights: `hub` (downloaded by torchvision or timm), `package` (for "
        "`efficientnet_lite0`), a file's path, or `none` (random)",
    )
    last_stride: Annotated[Literal[1, 2], BeforeValidator(as_whole)] = Field(
        2, description="stride of the last stage; 1 doubles height and width of its feature map"
    )
    embedding: Literal["fc", "fc_bn", "bnneck", "none"] = Field(
        "fc",
        description="what follows average pooling: a linear layer (`fc`), with batch norm "
        "(`fc_bn`), batch norm alone (`bnneck`), or nothing (`none`)",
    )
    dimension: Positive = Field(2048, description="length of the feature with `fc` and `fc_bn`")
    frozen: list[Literal["stem", "layer1", "layer2", "layer3", "layer4"]] = Field(
        default_factory=list, description="stages of the backbone that are not trained"
    )
    batch_norm: Literal["train", "eval"] = Field(
        "train", description="statistics of batch norms in trained stages: the batch's or stored"
    )

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights == "package" and self.backbone != "efficientnet_lite0":
            raise ValueError(
                f"no package ships weights of {self.backbone}; "
                "set weights to 'hub', a file's path or 'none'"
            )
        return self

    @property
    def front(self) -> tuple[str, ...]:
        """The leading stages that do not learn: what they make of an image never changes."""
        return tuple(itertools.takewhile(self.frozen.__contains__, STAGES))


class Image(Strict):
    """Size of the network's input."""

    height: Positive = Field(256, description="height of the input in pixels")
    width: Positive = Field(128, description="width of the input in pixels")
    resized: tuple[Positive, Positive] | None = Field(
        None,
        description="[height, width] to resize to before height x width are cropped, at random "
        "in training, else at the center; null: resize without a crop",
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


Aspect = Literal["uniform", "log_uniform"]


class Augment(Strict):
    """Random changes of training frames."""

    flip: Fraction = Field(0.5, description="probability of a horizontal flip")
    pad: Count = Field(0, description="pixels added on every side before a random crop")
    erase: Fraction = Field(0.0, description="probability of erasing a random rectangle")
    erase_aspect: Aspect = Field(
        "uniform",
        description="draw of its height over width, 0.3 to 1 / 0.3: `uniform`, as the field's "
        "programs, erases more tall rectangles than wide ones; `log_uniform` as many of both",
    )


class Cosam(Strict):
    """Co-segmentation modules between blocks of the backbone (COSAM, section 4).

    The paper's blocks 1 to 5 are stem, layer1, layer2, layer3 and layer4.
    """

    after: Annotated[
        list[Literal["layer1", "layer2", "layer3", "layer4"]],
        Field(min_length=1),
        AfterValidator(distinct),
    ] = Field(
        ["layer3", "layer4"],
        description="stages that a module follows; the default is the paper's COSAM_4,5",
    )
    reduced: Annotated[int, Field(ge=2), BeforeValidator(as_number)] = Field(
        256, description="D_R: channels that are compared"
    )
    deviation: Literal["population", "sample"] = Field(
        "population", description="standard deviation in the NCC; `sample`: the authors' program"
    )
    summary: Literal["one_layer", "two_layers"] = Field(
        "one_layer", description="from correlations to a mask; `two_layers`: the authors' program"
    )
    activation: Literal["relu", "tanh"] = Field(
        "relu", description="in the channel step; `tanh`: the authors' program"
    )
    enrichment: Literal["multiply", "add"] = Field(
        "multiply", description="x·a, or x + x·a (`add`: the authors' program)"
    )
    initial: Annotated[float, Field(ge=0.5, lt=1), BeforeValidator(as_number)] = Field(
        0.5,
        description="masks before training; near 1, a pretrained network keeps working",
    )


class ModelOfClips(Model):
    """Network for frames and clips: backbone, average pooling, embedding, COSAM."""

    cosam: Cosam | None = Field(
        None, description="co-segmentation modules between the stages; null: none"
    )

    @property
    def front(self) -> tuple[str, ...]:
        """See `Model`; a COSAM ends it, which learns, and looks at the other frames."""
        front = super().front
        ends = [] if self.cosam is None else [name for name in front if name in self.cosam.after]
        return front[: front.index(ends[0]) + 1] if ends else front


class Clips(Strict):
    """Which frames of a tracklet make a clip."""

    frames: Positive = Field(8, description="T: frames of a clip")
    sampling: Literal["chunks", "consecutive", "random"] = Field(
        "chunks",
        description="training clips: a random frame of each of T equal `chunks`, T "
        "`consecutive` frames, or T `random` ones in their order",
    )
    test: Literal["chunks", "all"] = Field(
        "chunks",
        description="clips at test time: the middle frames of T `chunks`, or `all` frames, T in "
        "a row, and the mean of the clips' features",
    )
    normalise: bool = Field(
        True, description="scale the clips' features to length 1 before they are averaged"
    )


class AverageFrames(Strict):
    """Temporal average pooling (TP)."""

    name: Literal["average"] = "average"


class AttentionFrames(Strict):
    """Temporal attention of Gao and Nevatia (TA)."""

    name: Literal["attention"]
    hidden: Positive = Field(256, description="channels between the two convolutions")
    rectified: bool = Field(
        True,
        description="ReLU on the scores, as in the authors' program; attention can die behind it",
    )


class RecurrentFrames(Strict):
    """Mean of an LSTM's outputs (RNN of Gao and Nevatia)."""

    name: Literal["rnn"]
    hidden: Positive = Field(512, description="hidden size of the LSTM, and length of the feature")


_Plain = AverageFrames | AttentionFrames | RecurrentFrames
PlainAggregation = Annotated[_Plain, Field(discriminator="name")]


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
    """Feature segments and frame weights by group of attributes (ATTR, section 3.1)."""

    name: Literal["groups"]
    disentangled: bool = Field(
        True, description="each group has a segment of the feature; false: reads all of it"
    )
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] | None = Field(
        0.5, description="σ of Eq. 2; the smaller, the more confidence counts; null: alike"
    )
    entropy: Literal["printed", "two_sided"] = Field(
        "printed",
        description="confidence of Eq. 2: p log p as `printed`, least at p = 1/e; or `two_sided`, "
        "with (1 - p) log (1 - p) added, least at p = 1/2 (beyond the paper)",
    )
    visibility: Literal["learnt", "kept"] | None = Field(
        None,
        description="in the place of Eq. 2, a frame counts by how much of the group's part of the "
        "body it shows, which a layer of its own tells (beyond the paper): `learnt` from what "
        "generated people show, or `kept` as the experiment of `init` learnt it; null: Eq. 2",
    )
    weight: Rate = Field(1.0, description="weight of the groups' losses beside the cross-entropy")
    groups: Groups = Field(
        default_factory=lambda: {g: list(n) for g, n in GROUPS.items()},
        description="attributes by group; the default is ATTR's six groups",
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.visibility is not None and self.sigma is None:
            raise ValueError(
                f"sigma: null counts all frames alike, visibility: {self.visibility} does not; "
                "leave one of them out"
            )
        return self


Aggregation = Annotated[_Plain | AttributeFrames, Field(discriminator="name")]


class Neck(Strict):
    """A batch norm between a clip's feature and the classifier (Luo et al., 2019)."""

    trains: Literal["after", "before"] = Field(
        "after", description="feature for metric losses: `after` or `before` the batch norm"
    )
    retrieves: Literal["after", "before"] = Field(
        "after", description="feature for retrieval: `after` or `before` the batch norm"
    )
