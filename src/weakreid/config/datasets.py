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
    as_whole,
    as_written,
    distinct,
    file_at_home,
)


class Archive(Strict):
    """A file to download and unpack into `root`."""

    url: Annotated[str, AfterValidator(file_at_home)] = Field(
        description="`file:`, `http:` or `https:` address"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="a file with another digest is refused; null: recorded at first use"
    )


OnBadFrame = Annotated[
    Literal["stop", "leave_out"],
    Field(description="missing or unreadable pictures: `stop`, or `leave_out` (at most half)"),
]


class Reading(Strict):
    """What a reader is told, wherever its dataset lies."""

    on_bad_frame: OnBadFrame
    official: bool
    split_seed: Count | None
    persons: Literal[178, 200] = 178


class Distributed(Strict):
    """What all distributed datasets have in common."""

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    root: FilePath = Field(description="folder with the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict,
        description="files to download and unpack into `root`; empty: the data is there already",
    )
    on_bad_frame: OnBadFrame = "stop"
    official: bool = Field(
        False, description="refuse data whose counts differ from the published ones"
    )


class Mars(Distributed):
    """MARS: bbox_train/, bbox_test/ and info/."""

    kind: Literal["mars"]
    attributes: Name | None = Field(
        None, description="attribute source of its true attributes (kind `mars_attributes`)"
    )


class DukeV(Distributed):
    """DukeMTMC-VideoReID: train/, query/ and gallery/."""

    kind: Literal["dukev"]


class HalfSplits(Distributed):
    """A dataset of two cameras whose identities are split in halves, ten times."""

    split_seed: Count | None = Field(
        None, description="seed to draw the ten splits with; null: read the published split file"
    )


class Ilids(HalfSplits):
    """iLIDS-VID: i-LIDS-VID/sequences/cam1 and cam2, 'train-test people splits'."""

    kind: Literal["ilids"]


class Prid(HalfSplits):
    """PRID-2011: prid_2011/multi_shot/cam_a and cam_b, splits_prid2011.json."""

    kind: Literal["prid"]
    persons: Annotated[Literal[178, 200], BeforeValidator(as_whole)] = Field(
        178,
        description="178: those with more than 21 frames in both cameras, whom the published split "
        "file has; 200: all whom both cameras saw, in drawn halves",
    )

    @model_validator(mode="after")
    def _published_splits_have_178(self) -> Self:
        if self.persons == 200 and self.split_seed is None:
            raise ValueError(
                "persons: the published splits have 178, for 200 set split_seed to draw halves"
            )
        return self


class Walkers(Strict):
    """Generated pedestrians in MARS's layout."""

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    kind: Literal["walkers"]
    size: Literal["tiny", "demo", "mars"] = Field(
        "demo", description="preset for the keys below that are null"
    )
    seed: Count = Field(1, description="seed of everything that is generated")
    style: Literal["street", "studio"] = Field(
        "street",
        description="look of people and scenes; attribute sources use another than datasets",
    )
    train_persons: Positive | None = Field(
        None,
        description="training identities; this and all keys below: null takes the preset's value",
    )
    test_persons: Positive | None = Field(None, description="test identities")
    distractors: Count | None = Field(
        None, description="gallery tracklets of people who are never searched for"
    )
    junk_tracklets: Count | None = Field(
        None, description="test tracklets of badly detected people, which the protocols ignore"
    )
    cameras: Positive | None = Field(None, description="number of cameras")
    cameras_per_person: Range | None = Field(
        None, description="fewest and most cameras that see a person"
    )
    tracklets_per_camera: Range | None = Field(
        None, description="fewest and most tracklets of a person in one camera"
    )
    frames: Range | None = Field(None, description="fewest and most frames of a tracklet")
    height: Positive | None = Field(None, description="height of a crop in pixels")
    width: Positive | None = Field(None, description="width of a crop in pixels")
    look_alikes: Fraction | None = Field(
        None, description="share of the identities that are made to look alike"
    )
    on_bad_frame: OnBadFrame = "stop"


FirstFrameNumber = Annotated[
    Count, Field(description="number of a video's first frame in the tracker's output")
]


TruthFirstFrameNumber = Annotated[
    Count | None, Field(description="the same in ground truth; null: as in the tracker's output")
]


TruthClasses = Annotated[
    list[Positive],
    Field(min_length=1, description="ground truth classes (8th of 9 columns) that are people"),
    AfterValidator(distinct),
]


class Sequence(Strict):
    """A video, or a part of it, with a tracker's output (MOTChallenge format)."""

    renamed: ClassVar[Mapping[str, str]] = {"split": "role"}

    name: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"), BeforeValidator(as_written)
    ] = Field(description="name of the sequence")
    boxes: str = Field(
        description="the tracker's output; this and all files of a sequence lie below `root`"
    )
    video: str | None = Field(None, description="the video file; give either this or `frames`")
    frames: str | None = Field(
        None, description="folder of the video's frames as pictures, in the order of their names"
    )
    camera: Positive = Field(1, description="number of the camera")
    first_frame: Positive = Field(1, description="first frame to use; a video starts with frame 1")
    last_frame: Positive | None = Field(
        None, description="last frame to use; null: that of the last box"
    )
    role: Literal["train", "query", "gallery"] = Field(
        "train", description="what the tracklets are used for"
    )
    truth: str | None = Field(None, description="ground truth; needed to measure retrieval")
    first_frame_number: Count | None = Field(
        None, description="number of the first frame in `boxes`; null: as the dataset says"
    )

    @model_validator(mode="after")
    def _has_pictures(self) -> Self:
        if (self.video is None) == (self.frames is None):
            raise ValueError("give either video or frames")
        if self.last_frame is not None and self.last_frame < self.first_frame:
            raise ValueError("last_frame comes before first_frame; swap them")
        return self


class Tracked(Strict):
    """A tracker's output and its videos; tracklets are cropped from the frames."""

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    kind: Literal["mot"]
    root: FilePath = Field(description="folder of the files that `sequences` name")
    sequences: list[Sequence] = Field(
        min_length=1, description="videos, or parts of them, with the tracker's output"
    )
    names: str | None = Field(
        None, description="CSV of who is in which video: `video,name[,first_frame,last_frame]`"
    )
    min_frames: Positive = Field(6, description="shorter tracklets are left out")
    min_confidence: float = Field(
        0.0,
        description="boxes of lower confidence are left out; boxes with -1 (none given) stay",
    )
    first_frame_number: FirstFrameNumber = 1
    truth_first_frame_number: TruthFirstFrameNumber = None
    iou: Overlap = Field(
        0.5, description="least overlap (IoU) of a box with a person of the ground truth"
    )
    truth_classes: TruthClasses = Field(default=[1])
    truth_ids: Literal["per_file", "global"] = Field(
        "per_file", description="whether a number means one person in all ground truth files"
    )
    on_bad_box: Literal["stop", "clip"] = Field(
        "stop",
        description="boxes outside the picture or without area: `stop`, or `clip` (drop them)",
    )
    on_bad_frame: OnBadFrame = "stop"

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        # some disks take Hall and hall for one folder
        names = [sequence.name.lower() for sequence in self.sequences]
        if len(set(names)) < len(names):
            raise ValueError("two sequences have one name; rename one")
        return self


Dataset = Annotated[Mars | DukeV | Ilids | Prid | Walkers | Tracked, Field(discriminator="kind")]


class AnnotatedSource(Strict):
    """What all distributed attribute sources have in common."""

    renamed: ClassVar[Mapping[str, str]] = {"source": "kind"}

    root: FilePath = Field(description="folder with the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict,
        description="files to download and unpack into `root`; empty: the data is there already",
    )


class RapSource(AnnotatedSource):
    """RAP: RAP_dataset/ (pictures) and RAP_annotation/RAP_annotation.mat."""

    kind: Literal["rap"]
    annotation: str = Field(
        "RAP_annotation/RAP_annotation.mat", description="annotation file, below `root`"
    )
    pictures: str = Field("RAP_dataset", description="folder of the pictures, below `root`")
    partition: Annotated[int, Field(ge=1, le=5), BeforeValidator(as_number)] = Field(
        1, description="which of RAP's five random splits to use"
    )
    on_bad_frame: OnBadFrame = "stop"


class MarsAttributesSource(AnnotatedSource):
    """Attributes of MARS's identities, by tracklet, without pictures: truth, not for training."""

    kind: Literal["mars_attributes"]
    annotation: str = Field("mars_attributes.csv", description="annotation file, below `root`")


class WalkersSource(Walkers):
    """Generated pedestrians with the attributes that they were made with."""

    style: Literal["street", "studio"] = Field(
        "studio", description="look of people and scenes; another than that of the datasets"
    )


AttributeSource = Annotated[
    RapSource | MarsAttributesSource | WalkersSource, Field(discriminator="kind")
]


class NoiseMeasuring(Strict):
    """How the noise of a tracker's output is measured on ground truth (TMC, Eq. 7 and 8)."""

    first_frame_number: FirstFrameNumber = 1
    truth_first_frame_number: TruthFirstFrameNumber = None
    truth_classes: TruthClasses = Field(default=[1])
    on_bad_box: Literal["stop", "clip"] = Field(
        "stop", description="boxes without area: `stop`, or `clip` (drop them)"
    )
    iou: Overlap = Field(0.5, description="least overlap (IoU) of a box with a person")
    min_run: Positive = Field(
        6, description="fewest boxes of a person in a tracklet for the person to count there"
    )
    counting: Literal["together", "runs"] = Field(
        "together",
        description="`together`: all boxes of a person in a tracklet count as one, and boxes match "
        "people one to one; `runs`, near the authors' program: each run of neighbouring frames "
        "counts, and a box shows whom it overlaps most",
    )
    missed: Literal["count", "leave_out"] = Field(
        "count",
        description="people without any tracklet: `count` as 0 tracklets in rFM, or `leave_out`",
    )


class Tracker(NoiseMeasuring):
    """A tracker's output and the ground truth, on which its noise is measured."""

    root: FilePath = Field(description="folder of ground truth and output")
    sequences: Annotated[list[str], Field(min_length=1), AfterValidator(distinct)] = Field(
        description="sequences to measure"
    )
    truth: str = Field(
        "gt/{sequence}/gt/gt.txt", description="ground truth file of a sequence, below `root`"
    )
    output: str = Field(
        "{sequence}.txt", description="the tracker's output for a sequence, below `root`"
    )
    static: list[str] = Field(
        default_factory=list,
        description="sequences whose camera does not move; they get a row of their own",
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
