"""The blocks of config.yaml that say what one thing is: a dataset, bags, noise, a method."""

import re
from collections.abc import Mapping
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
    attributes: Name | None = Field(
        None, description="a source that knows its persons' true attributes (mars_attributes)"
    )


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


class AnnotatedSource(Strict):
    """What every annotation that people distribute has in common."""

    root: Place = Field(description="the folder that holds the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict, description="fetched and unpacked into `root`; none: it is there"
    )


class RapSource(AnnotatedSource):
    """RAP: RAP_dataset/ (pictures) and RAP_annotation/RAP_annotation.mat."""

    source: Literal["rap"]
    annotation: str = Field("RAP_annotation/RAP_annotation.mat", description="below `root`")
    pictures: str = Field("RAP_dataset", description="the folder of the pictures, below `root`")
    partition: Annotated[int, Field(ge=1, le=5), BeforeValidator(as_number)] = Field(
        1, description="which of RAP's five random splits says what is train and test"
    )
    on_bad_frame: Literal["stop", "leave_out"] = Field(
        "stop", description="what to do about missing and unreadable pictures"
    )


class MarsAttributesSource(AnnotatedSource):
    """Attributes of MARS's people, by tracklet; no pictures: truth, nothing to learn from."""

    source: Literal["mars_attributes"]
    annotation: str = Field("mars_attributes.csv", description="below `root`")


class WalkersSource(Walkers):
    """Generated pedestrians, in a style of their own, with the attributes that made them."""

    style: Literal["street", "studio"] = "studio"


AttributeSource = Annotated[
    RapSource | MarsAttributesSource | WalkersSource, Field(discriminator="source")
]


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
