"""Blocks of tables and figures, one per kind."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from weakreid.config.base import Name, Rank, Strict, Text, as_none, distinct

T = TypeVar("T", bound=Any)


def places_on_axis(table: T, labels: Iterable[str]) -> T:
    """Refuse a row whose label has no number on the table's axis."""
    if table.axis is not None:
        for label in labels:
            if not re.search(r"= *-?[0-9.]+$", label):
                raise ValueError(
                    f"row '{label}' has no place on the axis {table.axis}; call it "
                    f"'{table.axis} = NUMBER', or leave axis out"
                )
    return table


def of_a_paper(paper: str | None, table: str | None) -> None:
    """Refuse a paper without its table, and the other way round."""
    if (paper is None) != (table is None):
        raise ValueError("give paper and paper_table, or neither")


class Table(Strict):
    """Experiments side by side; its target is results/tables/NAME/table.md."""

    kind: Literal["experiments"]
    title: Text
    rows: dict[Text, Name] = Field(min_length=1, description="row label: experiment")


class OfStudy(Strict):
    """A table of a study: results/tables/NAME/table.md, results/tables/NAME/DATASET/table.md."""

    renamed: ClassVar[Mapping[str, str]] = {"table": "paper_table"}

    study: Name
    title: Text
    datasets: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)] = Field(
        description="those that the table without a dataset in its path shows"
    )


class StudyTable(OfStudy):
    """Rows of a study beside the paper's figures; with an axis, a plot of them too."""

    kind: Literal["study"]
    paper: Text
    paper_table: Text = Field(description="its name in workflow/resources/published.csv")
    protocols: Annotated[
        list[Literal["fine", "coarse", "reranked"]], Field(min_length=1), AfterValidator(distinct)
    ]
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=[1, 5, 10]
    )
    axis: Text | None = Field(None, description="what the rows vary: 'k' for rows 'k = 5'")
    rows: dict[Text, Annotated[Name | None, BeforeValidator(as_none)]] = Field(
        min_length=1, description="row label: the study's row; null: the paper's figures alone"
    )

    @model_validator(mode="after")
    def _places_on_axis(self) -> Self:
        return places_on_axis(self, self.rows)


class CountsTable(OfStudy):
    """How many identities, tracklets and bags there are, beside the paper's counts."""

    kind: Literal["counts"]
    paper: Text
    paper_table: Text


class CostTable(OfStudy):
    """What labels cost: boxes, tracklets, videos (WL, section III-A)."""

    kind: Literal["cost"]


class AuditTable(OfStudy):
    """Precision and recall of the label audit on planted errors."""

    kind: Literal["audit"]
    row: Name = Field(description="the study's row whose bags hold planted errors")


class MatchesTable(OfStudy):
    """Matching examples of the study's own method on one dataset (WL, Fig. 5)."""

    kind: Literal["matches"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]


class GridTable(OfStudy):
    """Rows of a study at its levels of noise; table.md, and plot.svg."""

    kind: Literal["grid"]
    paper: Text | None = None
    paper_table: Text | None = Field(
        None, description="its name in workflow/resources/published.csv"
    )
    levels: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)]
    metrics: Annotated[
        list[Literal["R-1", "mAP", "noise", "clusters"]],
        Field(min_length=1),
        AfterValidator(distinct),
    ] = Field(default=["R-1", "mAP"])
    axis: Text | None = Field(None, description="what the rows vary: 'eps' for rows 'eps = 0.5'")
    notes: list[Text] = Field(default_factory=list, description="what stands below the table")
    rows: dict[Text, Name] = Field(min_length=1, description="row label: the study's row")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        of_a_paper(self.paper, self.paper_table)
        # a label without a value is a line across the axis
        return places_on_axis(self, [label for label in self.rows if "=" in label])


class NoiseTable(OfStudy):
    """What the simulation of a study's levels gives, beside the paper's counts."""

    kind: Literal["noise"]
    paper: Text
    paper_table: Text


class IsolationTable(OfStudy):
    """A picture of isolation at work on one dataset and level (TMC, Fig. 3 and 4)."""

    kind: Literal["isolation"]
    shows: Literal["switches", "clusters"]
    level: Name
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]


class OfSource(Strict):
    """A table or figure of pictures with attributes."""

    source: Name
    title: Text


class RatiosTable(OfSource):
    """How many pictures have each attribute (ATTR, Fig. 4); plot.svg."""

    kind: Literal["ratios"]


class GroupsTable(OfSource):
    """The groups of attributes (ATTR, Table 1)."""

    kind: Literal["groups"]


class ExamplesTable(OfStudy):
    """What transfers of a study say of some people (ATTR, Fig. 5); sheet.png."""

    kind: Literal["examples"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]
    rows: dict[Text, Name] = Field(min_length=1, description="row label: the study's row")


class WeightsTable(OfStudy):
    """What frames count in their clips (ATTR, Fig. 6); weights.png."""

    kind: Literal["weights"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]


class LabelsTable(OfStudy):
    """How right transferred attributes are, on datasets whose truth is known."""

    kind: Literal["labels"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]
    rows: dict[Text, Name] = Field(min_length=1, description="row label: the study's row")
    notes: list[Text] = Field(default_factory=list, description="what stands below the table")


class AttributeTable(OfStudy):
    """Retrieval by the attributes of the query's person (COSAM, Table 7)."""

    kind: Literal["by_attribute"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]
    paper: Text | None = None
    paper_table: Text | None = Field(
        None, description="its name in workflow/resources/published.csv"
    )
    transfer: Name | None = Field(None, description="whose labels; null: the study's own method's")
    attributes: list[Text] | None = Field(None, description="columns; null: all")
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(distinct)] = Field(default=[1])
    rows: dict[Text, Name] = Field(min_length=1, description="row label: the study's row")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        of_a_paper(self.paper, self.paper_table)
        return self


class MasksTable(OfStudy):
    """How much of COSAM's masks lies on the person, on generated data; table.md, and plot.svg."""

    kind: Literal["masks"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]
    rows: dict[Text, Name] = Field(
        min_length=1,
        description="row label: the study's row; plot.svg is of the first one with COSAM",
    )
    notes: list[Text] = Field(default_factory=list, description="what stands below the table")


class AttentionTable(OfStudy):
    """Attention on erased and on hidden frames (ATTN-CL); table.md, and attention.png."""

    kind: Literal["attention"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]
    rows: dict[Text, Name] = Field(min_length=1, description="row label: the study's row")
    notes: list[Text] = Field(default_factory=list, description="what stands below the table")


AnyTable = Annotated[
    RatiosTable
    | MasksTable
    | AttentionTable
    | GroupsTable
    | ExamplesTable
    | WeightsTable
    | LabelsTable
    | AttributeTable
    | GridTable
    | NoiseTable
    | IsolationTable
    | Table
    | StudyTable
    | CountsTable
    | CostTable
    | AuditTable
    | MatchesTable,
    Field(discriminator="kind"),
]
