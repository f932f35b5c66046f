"""Blocks of experiments, and of the studies that make many of them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    Field,
)

from weakreid.config.base import Count, Name, Split, Strict, Text, distinct

Splits = Annotated[
    list[Split],
    Field(
        min_length=1,
        description="splits to use: `official`, `dev` (within the training identities) or a number",
    ),
    AfterValidator(distinct),
]


Seeds = Annotated[
    list[Count],
    Field(min_length=1, description="a training per seed; results are mean ± std over them"),
    AfterValidator(distinct),
]


class Experiment(Strict):
    """A dataset, a supervision and a method; target `results/NAME/metrics.json`."""

    dataset: Name = Field(description="dataset to train and measure on")
    bags: Name | None = Field(None, description="training bags; for methods that learn from bags")
    noise: Name | None = Field(
        None,
        description="noise level of the training tracklets; for methods that learn from tracklets",
    )
    isolation: Name | None = Field(
        None, description="isolation that cleans the tracklets first; null: none"
    )
    transfer: Name | None = Field(
        None, description="transfer that provides the attributes; for methods that learn them"
    )
    method: Name = Field(description="method to train")
    init: Name | None = Field(
        None, description="experiment whose weights training starts from; null: those of the method"
    )
    splits: Splits = Field(default_factory=lambda: ["official"])
    seeds: Seeds = Field(default_factory=lambda: [1])
    overrides: dict[Text, Any] = Field(
        default_factory=dict, description="values that replace those of the method, in its layout"
    )


class Change(Strict):
    """What a row of a paper's tables changes."""

    bags: Name | None = Field(None, description="one of the study's `changes`")
    isolation: Name | None = Field(None, description="one of the study's `isolations`, or `none`")
    transfer: Name | None = Field(None, description="one of the study's `transfers`")
    method: Name | None = Field(None, description="method of this row; null: the study's")
    init: Name | None = Field(
        None, description="experiment whose weights training starts from; null: those of the method"
    )
    overrides: dict[Text, Any] = Field(
        default_factory=dict, description="values that replace those of the method, in its layout"
    )


class Level(Strict):
    """A noise level that every row of a study is trained at."""

    noise: Name = Field(description="noise level, of `noise`")
    label: Text = Field(description="name in tables")
    published: Text | None = Field(
        None, description="the paper's name of this level in `published.csv`"
    )


class Place(Strict):
    """Per-dataset overrides of a study; null inherits."""

    published: Text | None = Field(
        None, description="the paper's name of this dataset in `published.csv`"
    )
    bags: Name | None = Field(None, description="base of the training bags")
    isolation: Name | None = Field(None, description="base of the isolation")
    transfer: Name | None = Field(None, description="base of the transfer")
    method: Name | None = Field(None, description="method of the study here")
    methods: dict[Name, Name] = Field(
        default_factory=dict, description="method that a row names: the method to take here"
    )
    splits: Splits | None = Field(None, description="splits here; null inherits")
    seeds: Seeds | None = Field(None, description="seeds here; null inherits")
    overrides: dict[Text, Any] = Field(
        default_factory=dict, description="values for the study's method here, before the row's own"
    )
    changes: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="replace the study's `changes` of the same name here"
    )
    isolations: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="replace the study's `isolations` of the same name here"
    )
    transfers: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="replace the study's `transfers` of the same name here"
    )
    rows: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict,
        description="row: values of the method here, applied after the row's own `overrides`",
    )


class Study(Strict):
    """A paper's experiments, on every dataset of the config.

    Each dataset has the experiment STUDY_DATASET, the paper's own method, and for every row
    STUDY_DATASET_ROW. With levels, these are at the first one; at another their names end in
    _LEVEL. A row that changes nothing on a dataset is no experiment of its own there.
    """

    renamed: ClassVar[Mapping[str, str]] = {"beside": "reference"}

    reference: Text = Field(
        description="published reference for datasets the paper lacks, in `published.csv`"
    )
    bags: Name | None = Field(None, description="base of the training bags; rows change it by name")
    noise: Name | None = Field(
        None, description="without levels: noise level of rows that learn from tracklets"
    )
    isolation: Name | None = Field(
        None, description="base of the isolation; rows change it by name"
    )
    transfer: Name | None = Field(None, description="base of the transfer; rows change it by name")
    method: Name = Field(description="method of the study; rows override its values")
    levels: dict[Name, Level] = Field(
        default_factory=dict, description="noise levels that every row is trained at"
    )
    splits: Splits = Field(default_factory=lambda: ["official"])
    seeds: Seeds = Field(default_factory=lambda: [1])
    datasets: dict[Name, Place] = Field(default_factory=dict, description="per-dataset overrides")
    changes: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="named changes of the training bags, for `bags` of a row"
    )
    isolations: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="named changes of the isolation, for `isolation` of a row"
    )
    transfers: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="named changes of the transfer, for `transfer` of a row"
    )
    rows: dict[Name, Change] = Field(
        default_factory=dict, description="what each row of the paper's tables changes"
    )
