"""Blocks of what data there is: datasets, sources of attributes, trackers."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from weakreid.config.base import (
    Count,
    FilePath,
    Fraction,
    Name,
    Overlap,
    Positive,
    Range,
    Strict,
    as_number,
    as_written,
    distinct,
    file_at_home,
)


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

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    root: FilePath = Field(description="the folder that holds the data in its official layout")
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

    kind: Literal["mars"]
    attributes: Name | None = Field(
        None, description="a source that knows its persons' true attributes (mars_attributes)"
    )


class DukeV(Distributed):
    """DukeMTMC-VideoReID: train/, query/ and gallery/."""

    kind: Literal["dukev"]


class HalfSplits(Distributed):
    """A dataset of two cameras, whose persons are split in halves, ten times."""

    split_seed: Count | None = Field(
        None, description="draw the ten splits with this seed; null: read the published file"
    )


class Ilids(HalfSplits):
    """iLIDS-VID: i-LIDS-VID/sequences/cam1 and cam2, 'train-test people splits'."""

    kind: Literal["ilids"]


class Prid(HalfSplits):
    """PRID-2011: prid_2011/multi_shot/cam_a and cam_b, splits_prid2011.json."""

    kind: Literal["prid"]


class Walkers(Strict):
    """Generated pedestrians in MARS's layout; a size, and single values of it replaced."""

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    kind: Literal["walkers"]
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

    renamed: ClassVar[Mapping[str, str]] = {"split": "role"}

    name: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"), BeforeValidator(as_written)
    ]
    boxes: str = Field(description="the tracker's output; this and all files: below `root`")
    video: str | None = Field(None, description="the video file; or give `frames`")
    frames: str | None = Field(None, description="the folder of its pictures, in order of names")
    camera: Positive = 1
    first_frame: Positive = Field(1, description="the first frame of a video is 1")
    last_frame: Positive | None = Field(None, description="null: to the last box")
    role: Literal["train", "query", "gallery"] = "train"
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

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    kind: Literal["mot"]
    root: FilePath = Field(description="the folder of the files that `sequences` names")
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
    truth_classes: TruthClasses = Field(default=[1])
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


Dataset = Annotated[Mars | DukeV | Ilids | Prid | Walkers | Tracked, Field(discriminator="kind")]


class AnnotatedSource(Strict):
    """What every annotation that people distribute has in common."""

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    root: FilePath = Field(description="the folder that holds the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict, description="fetched and unpacked into `root`; none: it is there"
    )


class RapSource(AnnotatedSource):
    """RAP: RAP_dataset/ (pictures) and RAP_annotation/RAP_annotation.mat."""

    kind: Literal["rap"]
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

    kind: Literal["mars_attributes"]
    annotation: str = Field("mars_attributes.csv", description="below `root`")


class WalkersSource(Walkers):
    """Generated pedestrians, in a style of their own, with the attributes that made them."""

    style: Literal["street", "studio"] = "studio"


AttributeSource = Annotated[
    RapSource | MarsAttributesSource | WalkersSource, Field(discriminator="kind")
]


class Tracker(Strict):
    """A tracker's output and the ground truth: what its noise is measured on (TMC, Eq. 7 and 8)."""

    root: FilePath
    sequences: Annotated[list[str], Field(min_length=1), AfterValidator(distinct)]
    truth: str = Field("gt/{sequence}/gt/gt.txt", description="below `root`, for each sequence")
    output: str = Field("{sequence}.txt", description="likewise")
    first_frame_number: FirstFrameNumber = 1
    truth_first_frame_number: TruthFirstFrameNumber = None
    truth_classes: TruthClasses = Field(default=[1])
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
