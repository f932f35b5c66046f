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
    """Missing annotation: short tracklets of other people join a bag, its labels stay."""

    tracklets: Range = Field((3, 6), description="fewest and most tracklets added to a bag")
    frames: Range = Field((5, 30), description="fewest and most frames of such a tracklet")


class Planted(Strict):
    """Wrong labels, planted to measure the label audit."""

    removed: Fraction = Field(0.15, description="share of the bags that lose a label")
    added: Fraction = Field(0.15, description="share of the bags that get a wrong label")


class Bags(Strict):
    """Training bags: tracklets of one camera, shuffled, cut into groups (WL, section IV-A)."""

    tracklets_per_bag: Range = Field((3, 5), description="fewest and most tracklets of a bag")
    tracklet_parts: Positive = Field(1, description="parts that every tracklet is cut into first")
    max_frames: Positive | None = Field(30, description="frames kept of a tracklet; null: all")
    missing: Missing | None = Field(None, description="missing annotation; null: none")
    noisy_parts: Positive | None = Field(
        None, description="noisy tracking: a bag's frames are shuffled into so many tracklets"
    )
    planted: Planted | None = Field(
        None, description="wrong labels, to measure the label audit; null: none"
    )
    noise: Name | None = Field(
        None,
        description="noise level whose tracklets the bags are made of; null: the dataset's own",
    )
    majority: bool = Field(
        False, description="with `noise`: label a tracklet with the identity of most of its frames"
    )
    videos: bool = Field(
        False, description="a bag is a video, or a part of it, labelled by the dataset's `names`"
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

    tracklets_per_bag: Range = Field(
        (3, 5), description="fewest and most tracklets of a gallery bag"
    )
    max_frames: Positive = Field(200, description="frames kept of a gallery tracklet")


NoiseRate = Annotated[float, Field(ge=1.0), BeforeValidator(as_number)]


class Noise(Strict):
    """A noise level: training tracklets as a tracker would give them (TMC, section 4.1)."""

    rfm: NoiseRate | None = Field(
        None, description="rFM, rate of fragmentation: tracklets per person and camera"
    )
    rsw: NoiseRate | None = Field(
        None, description="rSW, rate of switches: people per tracklet; both null: as they are"
    )
    observed: Name | None = Field(
        None, description="tracker whose people per tracklet to follow; null: fitted"
    )
    simulations: Positive = Field(
        1,
        description="how often the level is simulated; trainings with seeds 1, 2, ... meet one "
        "after the other, so that their deviation holds the simulation's share",
    )

    @model_validator(mode="after")
    def _both_rates(self) -> Self:
        if (self.rfm is None) != (self.rsw is None):
            raise ValueError("give rfm and rsw, or neither")
        if self.rfm is None and self.observed is not None:
            raise ValueError("observed needs rfm and rsw")
        if self.rfm is None and self.simulations > 1:
            raise ValueError("simulations: without rfm and rsw nothing is simulated")
        return self


class Isolation(Strict):
    """Intra-tracklet isolation: DBSCAN on a tracklet's frames (TMC, section 3.2)."""

    renamed: ClassVar[Mapping[str, str]] = {"noise": "outliers"}

    extractor: Name = Field(description="network that extracts the features")
    eps: Annotated[float, Field(gt=0.0, le=2.0), BeforeValidator(as_number)] = Field(
        0.6, description="DBSCAN: largest distance of unit features; depends on the backbone"
    )
    min_samples: Positive = Field(
        4, description="DBSCAN: frames within eps that make a core frame, itself included"
    )
    outliers: Literal["join", "own", "drop"] = Field(
        "join", description="frames outside every cluster: join the nearest, stand alone, or go"
    )
    reach: Annotated[float, Field(ge=1.0), BeforeValidator(as_number)] | None = Field(
        None, description="with `join`: largest distance to a cluster, in eps; null: any"
    )
    min_frames: Positive = Field(
        1, description="with `join`: fewest frames of a piece; smaller ones join the nearest"
    )
    centred: bool = Field(
        False,
        description="subtract from a frame's feature the mean of its camera's frames, both of "
        "length 1; eps is another then (beyond the paper)",
    )
    truth: bool = Field(
        False,
        description="to measure what isolation costs: cut tracklets by the people themselves",
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
    """The label audit, which looks for wrong labels of bags."""

    frames: Positive = Field(64, description="most frames of a bag to look at")
    top: Positive = Field(20, description="findings in audit.md")
