"""Blocks of what a method may see: bags, noise levels, isolation; and the label audit."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from weakreid.config.base import Fraction, Name, Positive, Range, Strict, as_number


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
        strange = set(Bags.model_fields) - {"videos", "max_frames"}
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

    renamed: ClassVar[Mapping[str, str]] = {"noise": "outliers"}

    extractor: Name
    eps: Annotated[float, Field(gt=0.0, le=2.0), BeforeValidator(as_number)] = Field(
        0.6, description="between features of length 1; each backbone has its own"
    )
    min_samples: Positive = 4
    outliers: Literal["join", "own", "drop"] = Field(
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
        if self.min_frames > 1 and self.outliers != "join":
            raise ValueError(
                f"min_frames goes with outliers: join, not with {self.outliers}; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _reach_joins(self) -> Self:
        if self.reach is not None and self.outliers != "join":
            raise ValueError(
                f"reach goes with outliers: join, not with {self.outliers}; leave it out"
            )
        return self


class Audit(Strict):
    """The label audit: which bags' labels look wrong."""

    frames: Positive = Field(64, description="frames of a bag that are looked at, at most")
    top: Positive = Field(20, description="findings in audit.md; the picture shows the first")
