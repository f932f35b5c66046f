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


Paper = Annotated[Text, Field(description="paper's name in `workflow/resources/published.csv`")]
PaperTable = Annotated[Text, Field(description="table's name there")]
Notes = Annotated[list[Text], Field(description="lines below the table")]


class Table(Strict):
    """Any experiments, one per row; target `results/tables/NAME/table.md`."""

    kind: Literal["experiments"]
    title: Text = Field(description="heading")
    rows: dict[Text, Name] = Field(min_length=1, description="row label: an experiment")


class OfStudy(Strict):
    """A table of a study; targets `results/tables/NAME/[DATASET/]table.md`."""

    renamed: ClassVar[Mapping[str, str]] = {"table": "paper_table"}

    study: Name = Field(description="study whose experiments are shown")
    title: Text = Field(description="heading")
    datasets: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)] = Field(
        description="datasets of the table whose path names none"
    )


class StudyTable(OfStudy):
    """Rows of a study and published results; with an axis, a plot too."""

    kind: Literal["study"]
    paper: Paper
    paper_table: PaperTable
    protocols: Annotated[
        list[Literal["fine", "coarse", "reranked"]], Field(min_length=1), AfterValidator(distinct)
    ] = Field(description="protocols to show")
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=[1, 5, 10], description="ranks of the CMC to show"
    )
    axis: Text | None = Field(
        None, description="what the rows vary, for the plot: `k` for rows such as `k = 5`"
    )
    rows: dict[Text, Annotated[Name | None, BeforeValidator(as_none)]] = Field(
        min_length=1, description="row label: a row of the study; null: published results only"
    )

    @model_validator(mode="after")
    def _places_on_axis(self) -> Self:
        return places_on_axis(self, self.rows)


class CountsTable(OfStudy):
    """Numbers of identities, tracklets and bags, and the published ones."""

    kind: Literal["counts"]
    paper: Paper
    paper_table: PaperTable


class CostTable(OfStudy):
    """Cost of labels: boxes, tracklets, videos (WL, section III-A)."""

    kind: Literal["cost"]


class AuditTable(OfStudy):
    """Precision and recall of the label audit on planted errors."""

    kind: Literal["audit"]
    row: Name = Field(description="row of the study whose bags have planted errors")


class MatchesTable(OfStudy):
    """Matching examples of the study's own method (WL, Fig. 5); `fine.png`, `coarse.png`."""

    kind: Literal["matches"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the figure whose path names none"
    )


class GridTable(OfStudy):
    """Rows of a study at several noise levels; `table.md` and `plot.svg`."""

    kind: Literal["grid"]
    paper: Text | None = Field(
        None, description="paper's name in `published.csv`; null: no published results"
    )
    paper_table: Text | None = Field(None, description="table's name there")
    levels: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)] = Field(
        description="noise levels to show, of the study"
    )
    metrics: Annotated[
        list[Literal["R-1", "mAP", "noise", "clusters"]],
        Field(min_length=1),
        AfterValidator(distinct),
    ] = Field(default=["R-1", "mAP"], description="figures to show")
    axis: Text | None = Field(
        None, description="what the rows vary, for the plot: `eps` for rows such as `eps = 0.5`"
    )
    notes: Notes = Field(default_factory=list)
    rows: dict[Text, Name] = Field(min_length=1, description="row label: a row of the study")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        of_a_paper(self.paper, self.paper_table)
        # a label without a value is a line across the axis
        return places_on_axis(self, [label for label in self.rows if "=" in label])


class NoiseTable(OfStudy):
    """Asked and measured rates of the study's noise levels, and the published counts."""

    kind: Literal["noise"]
    paper: Paper
    paper_table: PaperTable


class IsolationTable(OfStudy):
    """A figure of isolation at one noise level (TMC, Fig. 3 and 4); `plot.svg`."""

    kind: Literal["isolation"]
    shows: Literal["switches", "clusters"] = Field(
        description="tracklets with a switch, or what isolation makes of them"
    )
    level: Name = Field(description="noise level, of the study")
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the figure whose path names none"
    )


class OfSource(Strict):
    """A table or figure of an attribute source."""

    source: Name = Field(description="attribute source")
    title: Text = Field(description="heading")


class RatiosTable(OfSource):
    """Share of the pictures that have each attribute (ATTR, Fig. 4); `plot.svg`."""

    kind: Literal["ratios"]


class GroupsTable(OfSource):
    """Groups of attributes (ATTR, Table 1)."""

    kind: Literal["groups"]


class ExamplesTable(OfStudy):
    """Predicted attributes of some people, by transfer (ATTR, Fig. 5); `sheet.png`."""

    kind: Literal["examples"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the figure whose path names none"
    )
    rows: dict[Text, Name] = Field(min_length=1, description="row label: a row of the study")


class WeightsTable(OfStudy):
    """Weights of frames in their clips (ATTR, Fig. 6); `weights.png`."""

    kind: Literal["weights"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the figure whose path names none"
    )


class LabelsTable(OfStudy):
    """Quality of predicted attributes, for datasets with known truth."""

    kind: Literal["labels"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the table whose path names none"
    )
    rows: dict[Text, Name] = Field(min_length=1, description="row label: a row of the study")
    notes: Notes = Field(default_factory=list)


class AttributeTable(OfStudy):
    """Retrieval by attribute of the query's identity (COSAM, Table 7)."""

    kind: Literal["by_attribute"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the table whose path names none"
    )
    paper: Text | None = Field(
        None, description="paper's name in `published.csv`; null: no published results"
    )
    paper_table: Text | None = Field(None, description="table's name there")
    transfer: Name | None = Field(
        None,
        description="transfer whose labels group the queries; null: that of the study's method",
    )
    attributes: list[Text] | None = Field(None, description="attributes to show; null: all")
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=[1], description="ranks of the CMC to show"
    )
    rows: dict[Text, Name] = Field(min_length=1, description="row label: a row of the study")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        of_a_paper(self.paper, self.paper_table)
        return self


class MasksTable(OfStudy):
    """Share of COSAM's masks on the person, for generated data; `table.md` and `plot.svg`."""

    kind: Literal["masks"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the table whose path names none"
    )
    rows: dict[Text, Name] = Field(
        min_length=1,
        description="row label: a row of the study; the plot shows the first one with COSAM",
    )
    notes: Notes = Field(default_factory=list)


class AttentionTable(OfStudy):
    """Attention on erased and on occluded frames (ATTN-CL); `table.md` and `attention.png`."""

    kind: Literal["attention"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the table whose path names none"
    )
    rows: dict[Text, Name] = Field(min_length=1, description="row label: a row of the study")
    notes: Notes = Field(default_factory=list)


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
