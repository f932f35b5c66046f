"""Blocks of experiments, and of the studies that make many of them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    Field,
)

from weakreid.config.base import Count, Name, Split, Strict, Text, distinct


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
    init: Name | None = Field(
        None, description="the experiment whose weights it starts from; null: the method's own"
    )
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


class Change(Strict):
    """What a row of a paper's tables changes."""

    bags: Name | None = Field(None, description="one of the study's `changes`")
    isolation: Name | None = Field(None, description="one of the study's `isolations`, or none")
    transfer: Name | None = Field(None, description="one of the study's `transfers`")
    method: Name | None = Field(None, description="in the place of the study's")
    init: Name | None = Field(None, description="the experiment whose weights it starts from")
    overrides: dict[Text, Any] = Field(default_factory=dict, description="values of the method")


class Level(Strict):
    """A noise that every row of a study meets."""

    noise: Name
    label: Text
    published: Text | None = Field(
        None, description="the paper's name of it in workflow/resources/published.csv"
    )


class Place(Strict):
    """What a study does otherwise on one dataset; null: as everywhere."""

    published: Text | None = Field(
        None, description="the paper's name of this dataset in workflow/resources/published.csv"
    )
    bags: Name | None = None
    isolation: Name | None = None
    transfer: Name | None = None
    method: Name | None = None
    methods: dict[Name, Name] = Field(
        default_factory=dict, description="in the place of the methods that rows name"
    )
    splits: Annotated[list[Split], Field(min_length=1), AfterValidator(distinct)] | None = None
    seeds: Annotated[list[Count], Field(min_length=1), AfterValidator(distinct)] | None = None
    overrides: dict[Text, Any] = Field(default_factory=dict)
    changes: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="in the place of the study's changes of the same name"
    )
    isolations: dict[Name, dict[Text, Any]] = Field(default_factory=dict, description="likewise")
    transfers: dict[Name, dict[Text, Any]] = Field(default_factory=dict, description="likewise")
    rows: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="row: overrides of the method, after the row's own"
    )


class Study(Strict):
    """A paper's experiments, on every dataset of the config.

    Each dataset has the experiment STUDY_DATASET, the paper's own method, and for every row
    STUDY_DATASET_ROW. With levels, these are at the first one; at another their names end in
    _LEVEL. A row that changes nothing on a dataset is no experiment of its own there.
    """

    renamed: ClassVar[Mapping[str, str]] = {"beside": "reference"}

    reference: Text = Field(
        description="the paper's dataset whose figures stand beside those of a dataset without any"
    )
    bags: Name | None = None
    isolation: Name | None = None
    transfer: Name | None = None
    method: Name
    levels: dict[Name, Level] = Field(default_factory=dict)
    splits: Annotated[list[Split], Field(min_length=1), AfterValidator(distinct)] = Field(
        default_factory=lambda: ["official"]
    )
    seeds: Annotated[list[Count], Field(min_length=1), AfterValidator(distinct)] = Field(
        default_factory=lambda: [1]
    )
    datasets: dict[Name, Place] = Field(default_factory=dict)
    changes: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="values that replace those of a dataset's bags, by name"
    )
    isolations: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="values that replace those of a dataset's isolation"
    )
    transfers: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="values that replace those of a dataset's transfer"
    )
    rows: dict[Name, Change] = Field(default_factory=dict)
