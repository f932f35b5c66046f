"""Blocks that every way of learning shares: optimiser, schedule, evaluation."""

from typing import Literal

from pydantic import (
    Field,
)

from weakreid.config.base import Count, Fraction, Positive, Rate, Strict


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
