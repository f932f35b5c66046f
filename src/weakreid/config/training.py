"""Blocks that every way of learning shares: optimiser, schedule, evaluation."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
)

from weakreid.config.base import (
    Count,
    Fraction,
    OpenFraction,
    Positive,
    Rate,
    Strict,
    as_text,
    distinct,
)

Precision = Annotated[
    Literal["auto", "32", "bf16"],
    BeforeValidator(as_text),
    Field(description="`auto`: bf16 autocast on a GPU, 32 bits on a CPU"),
]


CacheMb = Annotated[
    Count,
    Field(
        description="memory in MB for the outputs of the first frozen stages, computed once; 0: off"
    ),
]


class Optimiser(Strict):
    """Optimiser and learning rates."""

    name: Literal["sgd", "adam", "adamw"] = Field("sgd", description="optimiser")
    lr: Rate = Field(0.01, description="learning rate")
    momentum: Fraction = Field(0.9, description="momentum (SGD)")
    weight_decay: Rate = Field(5e-4, description="weight decay")
    backbone_factor: Rate = Field(
        1.0, description="learning rate of the pretrained backbone, in units of `lr`"
    )
    head_factor: Rate = Field(
        1.0, description="learning rate of the heads (classifiers), in units of `lr`"
    )
    clip: Rate | None = Field(None, description="largest norm of the gradient; null: no clipping")


class Schedule(Strict):
    """Epochs, and the learning rate over them."""

    epochs: Count = Field(20, description="epochs; 0: no training")
    steps_per_epoch: Positive | None = Field(
        None, description="steps of an epoch; null: enough to see all data about once"
    )
    name: Literal["step", "cosine"] = Field(
        "step", description="fall of the learning rate: at `milestones`, or to 0 along a cosine"
    )
    milestones: list[Positive] = Field(
        default_factory=lambda: [10],
        description="with `step`: epochs after which the learning rate falls",
    )
    factor: Fraction = Field(0.1, description="with `step`: factor of each fall")
    warm_up: Fraction = Field(
        0.0, description="share of all steps over which the learning rate rises"
    )
    warm_up_from: Fraction | None = Field(
        None, description="learning rate at the first step, in units of the full one; null: near 0"
    )


Rules = Literal["later", "official"]


class Evaluation(Strict):
    """From features to results."""

    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="distance between features"
    )
    rules: Rules = Field(
        "later",
        description="of the fine protocol. `later`, as most programs since: queries are not in the "
        "gallery, those without a match are skipped, AP is the mean precision at matches; "
        "`official`, as MARS's own: queries are in the gallery, all count, AP by trapezoids",
    )
    rerank: bool = Field(
        False, description="also measure fine retrieval after k-reciprocal re-ranking (`reranked`)"
    )
    false_match_rates: Annotated[
        list[OpenFraction], Field(min_length=1), AfterValidator(distinct)
    ] = Field(
        [0.0001, 0.001, 0.01, 0.1],
        description="shares of pairs of different people, to each of which metrics.json names the "
        "distance that lets so many pass",
    )
    keep: Positive = Field(50, description="gallery items kept per query in rankings.parquet")
    memory_mb: Positive = Field(
        1024, description="memory for the distances of the coarse protocol, in MB"
    )
