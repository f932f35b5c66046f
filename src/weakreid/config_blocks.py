"""The blocks of config.yaml that say what one thing is: a dataset, bags, noise, a method."""

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from weakreid.attributes import GROUPS
from weakreid.attributes import NAMES as ATTRIBUTES

T = TypeVar("T")


def as_number(value: Any) -> Any:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")
    return value


def as_text(value: Any) -> Any:
    """Take a number for its digits: YAML reads an unquoted 32 as one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_written(value: Any) -> Any:
    """Refuse a number where a name stands: YAML reads an unquoted 02 as 2, and nobody knows."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"Input is the number {value}; write it in quotes, as it should stand")
    return value


def as_whole(value: Any) -> Any:
    """Take digits for their number: --config gives nothing but text inside a block."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def as_none(value: Any) -> Any:
    """Take the word null for none: --config gives it as text."""
    return None if value == "null" else value


def at_home(value: str) -> str:
    """Put the home folder in the place of a leading ~; refuse what would be taken for a name.

    Nobody means a folder that is called ~ or $SCRATCH.
    """
    variable = re.search(r"\$(\w+|\{\w+\})", value)
    if variable:
        raise ValueError(f"{variable[0]} is not expanded, only ~ is; write the path in full")
    if not value.startswith("~"):
        return value
    try:
        return str(Path(value).expanduser())
    except RuntimeError:
        name = value.partition("/")[0]
        raise ValueError(f"No home folder is known for {name}; write the path in full") from None


def file_at_home(url: str) -> str:
    """Do the same with the path of a `file:` address."""
    scheme, colon, path = url.partition(":")
    return scheme + colon + at_home(path) if scheme == "file" else url


def rising(value: tuple[int, int]) -> tuple[int, int]:
    """Refuse a range whose ends are swapped."""
    if value[0] > value[1]:
        raise ValueError("Input should be [smallest, largest]")
    return value


def distinct(values: list[T]) -> list[T]:
    """Refuse a list that holds something twice."""
    if len(set(values)) < len(values):
        raise ValueError("Input should hold nothing twice")
    return values


Positive = Annotated[int, Field(ge=1), BeforeValidator(as_number)]
Count = Annotated[int, Field(ge=0), BeforeValidator(as_number)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0), BeforeValidator(as_number)]
Overlap = Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)]
Rate = Annotated[float, Field(ge=0.0), BeforeValidator(as_number)]
Range = Annotated[tuple[Positive, Positive], AfterValidator(rising)]
Text = Annotated[str, BeforeValidator(as_text)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$"), BeforeValidator(as_text)]
Split = Annotated[str, Field(pattern=r"^(official|dev|[0-9])$"), BeforeValidator(as_text)]


Place = Annotated[str, AfterValidator(at_home)]
Rank = Annotated[Literal[1, 5, 10, 20], BeforeValidator(as_whole)]


class Strict(BaseModel):
    """A block of the config: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nulls(cls, raw: Any) -> Any:
        """Take the word null for none where none is allowed: --config gives it as text."""
        # the fields are looked at where the word is there: blocks are read by the thousand
        if not isinstance(raw, Mapping) or "null" not in raw.values():
            return raw
        optional = {
            name
            for name, info in cls.model_fields.items()
            if type(None) in get_args(info.annotation)
        }
        return {k: None if v == "null" and k in optional else v for k, v in raw.items()}


# --- datasets -------------------------------------------------------------------------------------


class Archive(Strict):
    """A file to fetch and unpack into the dataset's root."""

    url: Annotated[str, AfterValidator(file_at_home)] = Field(
        description="file:, http: or https: address"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="refused when the file differs; recorded on first use when not given"
    )


class Distributed(Strict):
    """What every dataset that people distribute has in common."""

    root: Place = Field(description="the folder that holds the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict, description="fetched and unpacked into `root`; none: it is there"
    )
    on_bad_frame: Literal["stop", "leave_out"] = Field(
        "stop", description="what to do about missing and unreadable frames"
    )
    official: bool = Field(
        False, description="refuse data whose counts are not those that its authors publish"
    )


class Mars(Distributed):
    """MARS: bbox_train/, bbox_test/ and info/."""

    source: Literal["mars"]


class DukeV(Distributed):
    """DukeMTMC-VideoReID: train/, query/ and gallery/."""

    source: Literal["dukev"]


class HalfSplits(Distributed):
    """A dataset of two cameras, whose persons are split in halves, ten times."""

    split_seed: Count | None = Field(
        None, description="draw the ten splits with this seed; null: read the published file"
    )


class Ilids(HalfSplits):
    """iLIDS-VID: i-LIDS-VID/sequences/cam1 and cam2, 'train-test people splits'."""

    source: Literal["ilids"]


class Prid(HalfSplits):
    """PRID-2011: prid_2011/multi_shot/cam_a and cam_b, splits_prid2011.json."""

    source: Literal["prid"]


class Walkers(Strict):
    """Generated pedestrians in MARS's layout; a size, and single values of it replaced."""

    source: Literal["walkers"]
    size: Literal["tiny", "demo", "mars"] = "demo"
    seed: Count = 1
    style: Literal["street", "studio"] = "street"
    train_persons: Positive | None = None
    test_persons: Positive | None = None
    distractors: Count | None = None
    junk_tracklets: Count | None = None
    cameras: Positive | None = None
    cameras_per_person: Range | None = None
    tracklets_per_camera: Range | None = None
    frames: Range | None = None
    height: Positive | None = None
    width: Positive | None = None
    look_alikes: Fraction | None = None
    on_bad_frame: Literal["stop", "leave_out"] = "stop"


FirstFrameNumber = Annotated[
    Count, Field(description="what a tracker's output calls the first frame of a video")
]
TruthFirstFrameNumber = Annotated[
    Count | None, Field(description="the same of ground truth; null: as the tracker's output")
]
TruthClasses = Annotated[
    list[Positive],
    Field(min_length=1, description="classes of ground truth (8th of 9 columns) that are people"),
    AfterValidator(distinct),
]


class Sequence(Strict):
    """A video, or a part of it, with what a tracker found there (MOTChallenge format)."""

    name: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"), BeforeValidator(as_written)
    ]
    boxes: str = Field(description="the tracker's output; this and all files: below `root`")
    video: str | None = Field(None, description="the video file; or give `frames`")
    frames: str | None = Field(None, description="the folder of its pictures, in order of names")
    camera: Positive = 1
    first_frame: Positive = Field(1, description="the first frame of a video is 1")
    last_frame: Positive | None = Field(None, description="null: to the last box")
    split: Literal["train", "query", "gallery"] = "train"
    truth: str | None = Field(None, description="ground truth; measuring needs one")
    first_frame_number: Count | None = Field(
        None, description="what `boxes` calls the first frame; null: as the dataset says"
    )

    @model_validator(mode="after")
    def _has_pictures(self) -> Self:
        if (self.video is None) == (self.frames is None):
            raise ValueError("give either video or frames")
        if self.last_frame is not None and self.last_frame < self.first_frame:
            raise ValueError("last_frame comes before first_frame; swap them")
        return self


class Tracked(Strict):
    """A tracker's output and its videos: the tracklets are cut out of the frames."""

    source: Literal["mot"]
    root: Place = Field(description="the folder of the files that `sequences` names")
    sequences: list[Sequence] = Field(min_length=1)
    names: str | None = Field(
        None, description="CSV video,name[,first_frame,last_frame]: who is in a video"
    )
    min_frames: Positive = Field(6, description="shorter tracklets are left out")
    min_confidence: float = Field(
        0.0,
        description="boxes below are left out; -1 in the file is no confidence, such boxes stay",
    )
    first_frame_number: FirstFrameNumber = 1
    truth_first_frame_number: TruthFirstFrameNumber = None
    iou: Overlap = Field(0.5, description="least overlap of a box with a person of the truth")
    truth_classes: TruthClasses = [1]
    truth_ids: Literal["per_file", "global"] = Field(
        "per_file", description="whether a number means one person in all truth files"
    )
    on_bad_box: Literal["stop", "clip"] = Field(
        "stop",
        description="what to do about boxes outside the picture or without size; clip: leave them"
        " out",
    )
    on_bad_frame: Literal["stop", "leave_out"] = "stop"

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [sequence.name for sequence in self.sequences]
        if len(set(names)) < len(names):
            raise ValueError("two sequences have one name; rename one")
        return self


Dataset = Annotated[Mars | DukeV | Ilids | Prid | Walkers | Tracked, Field(discriminator="source")]

# --- attributes -----------------------------------------------------------------------------------


class RapSource(Strict):
    """RAP: RAP_dataset/ (pictures) and RAP_annotation/RAP_annotation.mat."""

    source: Literal["rap"]
    root: Place = Field(description="the folder that holds the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict, description="fetched and unpacked into `root`; none: it is there"
    )
    annotation: str = Field("RAP_annotation/RAP_annotation.mat", description="below `root`")
    pictures: str = Field("RAP_dataset", description="the folder of the pictures, below `root`")
    partition: Annotated[int, Field(ge=1, le=5), BeforeValidator(as_number)] = Field(
        1, description="which of RAP's five random splits says what is train and test"
    )
    on_bad_frame: Literal["stop", "leave_out"] = Field(
        "stop", description="what to do about missing and unreadable pictures"
    )


class WalkersSource(Walkers):
    """Generated pedestrians, in a style of their own, with the attributes that made them."""

    style: Literal["street", "studio"] = "studio"


AttributeSource = Annotated[RapSource | WalkersSource, Field(discriminator="source")]


# --- supervision ----------------------------------------------------------------------------------


class Missing(Strict):
    """Missing annotation: short tracklets of other people join a bag, its labels unchanged."""

    tracklets: Range = (3, 6)
    frames: Range = (5, 30)


class Planted(Strict):
    """Wrong labels, planted to measure the label audit."""

    removed: Fraction = Field(0.15, description="share of the bags that lose a label")
    added: Fraction = Field(0.15, description="share of the bags that get somebody else's")


class Bags(Strict):
    """Training bags: tracklets of one camera, shuffled, cut into groups (WL, section IV-A)."""

    tracklets_per_bag: Range = Field((3, 5), description="smallest and largest, both included")
    tracklet_parts: Positive = Field(1, description="cut every tracklet into so many parts first")
    max_frames: Positive | None = Field(30, description="frames kept of a tracklet; null: all")
    missing: Missing | None = None
    noisy_parts: Positive | None = Field(
        None, description="shuffle a bag's frames into so many tracklets (WL, Table VII)"
    )
    planted: Planted | None = None
    noise: Name | None = Field(
        None, description="bags of a noise's tracklets in the place of the dataset's"
    )
    majority: bool = Field(
        False, description="with noise: a tracklet is named after most of its frames alone"
    )
    videos: bool = Field(
        False, description="a bag is a video, or a part of it, with the dataset's `names`"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.noise is not None and self.missing:
            raise ValueError("noise does not go with missing; leave one out")
        strange = self.model_fields_set - {"videos", "max_frames"}
        given = [n for n in sorted(strange) if getattr(self, n) != Bags.model_fields[n].default]
        if self.videos and given:
            raise ValueError(f"videos are bags as they are; leave out {', '.join(given)}")
        if self.majority and (self.noise is None or self.tracklets_per_bag != (1, 1)):
            raise ValueError("majority needs noise and tracklets_per_bag: [1, 1]")
        return self


class Coarse(Strict):
    """The coarse test set: a probe per person, the other tracklets in bags."""

    tracklets_per_bag: Range = (3, 5)
    max_frames: Positive = Field(200, description="frames kept of a gallery tracklet")


class Tracker(Strict):
    """A tracker's output and the ground truth: what its noise is measured on (TMC, Eq. 7 and 8)."""

    root: Place
    sequences: Annotated[list[str], Field(min_length=1), AfterValidator(distinct)]
    truth: str = Field("gt/{sequence}/gt/gt.txt", description="below `root`, for each sequence")
    output: str = Field("{sequence}.txt", description="likewise")
    first_frame_number: FirstFrameNumber = 1
    truth_first_frame_number: TruthFirstFrameNumber = None
    truth_classes: TruthClasses = [1]
    on_bad_box: Literal["stop", "clip"] = Field(
        "stop", description="what to do about boxes without size; clip: leave them out"
    )
    iou: Overlap = Field(0.5, description="least overlap of a box with a person")
    min_run: Positive = Field(
        6, description="a person of fewer boxes in a tracklet does not count there"
    )

    missed: Literal["count", "leave_out"] = Field(
        "count", description="people whom no tracklet shows: 0 tracklets each, or no people"
    )
    static: list[str] = Field(
        default_factory=list, description="sequences of a camera that does not move, pooled apart"
    )

    @model_validator(mode="after")
    def _each_its_own(self) -> Self:
        strange = [name for name in self.static if name not in self.sequences]
        if strange:
            raise ValueError(f"static: '{strange[0]}' is not one of sequences")
        for name in ("truth", "output"):
            if len(self.sequences) > 1 and "{sequence}" not in getattr(self, name):
                raise ValueError(f"{name} names one file for all sequences; put {{sequence}} in it")
        return self


class Noise(Strict):
    """Training tracklets as a tracker would give them (TMC, section 4.1); without rates as is."""

    rfm: Annotated[float, Field(ge=1.0), BeforeValidator(as_number)] | None = Field(
        None, description="rate of fragmentation: tracklets a person is in, per camera"
    )
    rsw: Annotated[float, Field(ge=1.0), BeforeValidator(as_number)] | None = Field(
        None, description="rate of switch: people a tracklet shows"
    )
    observed: Name | None = Field(
        None, description="the tracker whose persons per tracklet are followed; null: fitted"
    )

    @model_validator(mode="after")
    def _both_rates(self) -> Self:
        if (self.rfm is None) != (self.rsw is None):
            raise ValueError("give rfm and rsw, or neither")
        if self.rfm is None and self.observed is not None:
            raise ValueError("observed needs rfm and rsw")
        return self


class Isolation(Strict):
    """Intra-tracklet isolation: DBSCAN on ImageNet features of a tracklet's frames (TMC, 3.2)."""

    extractor: Name
    eps: Annotated[float, Field(gt=0.0, le=2.0), BeforeValidator(as_number)] = Field(
        0.6, description="between features of length 1; each backbone has its own"
    )
    min_samples: Positive = 4
    noise: Literal["join", "own", "drop"] = Field(
        "join", description="what becomes of a frame outside every cluster"
    )
    reach: Annotated[float, Field(ge=1.0), BeforeValidator(as_number)] | None = Field(
        None, description="join: how many eps away a cluster may be; null: any"
    )
    min_frames: Positive = Field(
        1, description="join: frames that a piece must have; smaller ones go to the nearest piece"
    )

    @model_validator(mode="after")
    def _min_frames_joins(self) -> Self:
        if self.min_frames > 1 and self.noise != "join":
            raise ValueError(
                f"min_frames goes with noise: join, not with {self.noise}; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _reach_joins(self) -> Self:
        if self.reach is not None and self.noise != "join":
            raise ValueError(f"reach goes with noise: join, not with {self.noise}; leave it out")
        return self


class Audit(Strict):
    """The label audit: which bags' labels look wrong."""

    frames: Positive = Field(64, description="frames of a bag that are looked at, at most")
    top: Positive = Field(20, description="findings in audit.md; the picture shows the first")


# --- methods --------------------------------------------------------------------------------------


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

LOSS_KEYS: dict[str, set[str]] = {
    get_args(loss.model_fields["name"].annotation)[0]: set(loss.model_fields)
    for loss in (Mil, Wsddn, Hslr, Sslr, FrameCe)
}


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


class Evaluation(Strict):
    """From descriptors to figures."""

    metric: Literal["euclidean", "cosine"] = "euclidean"
    rerank: bool = False
    keep: Positive = Field(50, description="gallery items kept per query in rankings.parquet")
    memory_mb: Positive = Field(1024, description="bound on the coarse distances' working memory")


class Method(Strict):
    """A recipe that learns from bags: network, losses, optimiser, schedule."""

    learns: Literal["bags"] = "bags"
    model: Model = Model()
    image: Image = Image()
    instances: Literal["frames", "tracklets"] = Field(
        "frames", description="what a bag holds for the loss; a tracklet is its frames' mean"
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


class TrackletMethod(Strict):
    """A recipe that learns from tracklets without labels (TMC)."""

    learns: Literal["tracklets"]
    model: Model = Model()
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


class Clips(Strict):
    """The frames of a tracklet that are looked at together."""

    frames: Positive = Field(8, description="T, of a clip")
    sampling: Literal["chunks", "consecutive"] = Field(
        "chunks", description="a random frame of each of T equal chunks, or T frames in a row"
    )
    test: Literal["chunks", "all"] = Field(
        "chunks",
        description="of a tracklet that is described: one clip, the middle frames of T chunks; or "
        "all frames, T in a row to a clip, the clips' descriptors averaged",
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


class AttributeLearning(Strict):
    """Attributes that shape a clip's descriptor and weigh its frames (ATTR, section 3.1)."""

    disentangled: bool = Field(
        True, description="each group reads a segment of the feature of its own; or all of it"
    )
    sigma: Annotated[float, Field(gt=0.0), BeforeValidator(as_number)] | None = Field(
        0.5, description="σ of Eq. 2, by which confidence weighs frames; null: all count alike"
    )
    weight: Rate = Field(1.0, description="of the sum of the groups' losses beside softmax")
    groups: Groups = Field(default_factory=lambda: {g: list(n) for g, n in GROUPS.items()})


class ClipLosses(Strict):
    """What a clip's descriptor is trained with."""

    smoothing: Fraction = Field(0.0, description="of the identities' labels, for softmax")


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
    model: Model = Model()
    image: Image = Image()
    augment: Augment = Augment()
    clips: Clips = Clips()
    attributes: AttributeLearning | None = None
    losses: ClipLosses = ClipLosses()
    batch: ClipBatch = ClipBatch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(as_text)] = "auto"
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _segments_fit(self) -> Self:
        if self.attributes is None or not self.attributes.disentangled:
            return self
        segments, model = len(self.attributes.groups) + 1, self.model
        if model.embedding not in ("fc", "fc_bn"):
            raise ValueError(
                "attributes.disentangled cuts the embedding into segments; set model.embedding: fc "
                "(or fc_bn) and a model.dimension"
            )
        if model.dimension % segments:
            raise ValueError(
                f"model.dimension {model.dimension} does not divide into {segments} segments, one "
                f"for each group of attributes and one for all; take a multiple of {segments}"
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
    """The attributes that generated people were made with: what a transfer can be at best."""

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
