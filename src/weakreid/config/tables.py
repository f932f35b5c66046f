"""Blocks of tables and figures, one per kind; `weakreid.report.kinds` has a module for each."""

import functools
import operator
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from weakreid.config.base import Name, Rank, Strict, Text, as_none, distinct

Metric = Literal["R-1", "R-5", "R-10", "R-20", "mAP", "impurity", "clusters"]
Protocol = Literal["fine", "coarse", "reranked"]
Notes = Annotated[list[Text], Field(description="lines below the table")]


class Table(Strict):
    """A table or figure; its files are in `results/tables/NAME/`."""

    files: ClassVar[tuple[str, ...]] = ("table.md",)

    kind: str
    title: Text = Field(description="heading")

    def outputs(self) -> tuple[str, ...]:
        """Return the files that it has."""
        return self.files


class WithPaper(Table):
    """A table beside a paper's."""

    renamed: ClassVar[Mapping[str, str]] = {"table": "paper_table"}

    paper: Text | None = Field(
        None, description="paper's name in `workflow/resources/published.csv`; null: none"
    )
    paper_table: Text | None = Field(None, description="table's name there")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.paper is None) != (self.paper_table is None):
            raise ValueError("give paper and paper_table, or neither")
        return self


class OfStudy(Table):
    """A table of a study; its files are in `results/tables/NAME/[DATASET/]`."""

    study: Name = Field(description="study whose experiments are shown")
    datasets: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)] = Field(
        description="datasets of the table whose path names none"
    )


class OfOneDataset(OfStudy):
    """A table of a study on one dataset."""

    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)] = Field(
        description="the one dataset of the table whose path names none"
    )


class OfRows(OfOneDataset):
    """Rows of a study on one dataset."""

    rows: dict[Text, Name] = Field(min_length=1, description="row label: a row of the study")


class ResultsTable(WithPaper):
    """Measured results, and published ones beside them; with `axis` or `levels`, `plot.svg` too."""

    renamed: ClassVar[Mapping[str, str]] = {"table": "paper_table", "ranks": "metrics"}
    formerly: ClassVar[tuple[str, ...]] = ("experiments", "study", "grid")

    kind: Literal["results"]
    study: Name | None = Field(
        None, description="study whose rows are shown; null: `rows` names experiments"
    )
    datasets: Annotated[list[Name], AfterValidator(distinct)] = Field(
        default_factory=list,
        description="datasets of the table whose path names none; without a study: leave out",
    )
    protocols: Annotated[list[Protocol], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=["fine"], description="protocols to show"
    )
    levels: Annotated[list[Name], AfterValidator(distinct)] = Field(
        default_factory=list,
        description="noise levels of the study to show; empty: its first one, if it has any",
    )
    metrics: Annotated[list[Metric], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=["R-1", "R-5", "R-10", "mAP"], description="figures to show"
    )
    axis: Text | None = Field(
        None, description="what the rows vary, for the plot: `k` for rows such as `k = 5`"
    )
    notes: Notes = Field(default_factory=list)
    rows: dict[Text, Annotated[Name | None, BeforeValidator(as_none)]] = Field(
        min_length=1,
        description="row label: a row of the study, or an experiment; null: published results only",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.study is None and (self.datasets or self.levels or self.paper):
            raise ValueError("datasets, levels and paper need a study; name it, or leave them out")
        if self.study is not None and not self.datasets:
            raise ValueError("datasets is missing; name those that the table shows")
        if self.paper is None and None in self.rows.values():
            raise ValueError("a row that is null shows published results; name paper, or the row")
        if self.axis is not None:
            # a label without a value is a line across the axis
            swept = [label for label in self.rows if "=" in label] or list(self.rows)
            for label in swept:
                if place_on_axis(label) is None:
                    raise ValueError(
                        f"row '{label}' has no place on the axis {self.axis}; call it "
                        f"'{self.axis} = NUMBER', or leave axis out"
                    )
        return self

    def outputs(self) -> tuple[str, ...]:
        """Return a table, and a plot where there is something to draw it over."""
        return ("table.md", "plot.svg") if self.axis or self.levels else ("table.md",)


def place_on_axis(label: str) -> float | None:
    """Return the number that a row's label ends in, as 5 of "k = 5"; None without one."""
    found = re.search(r"= *(-?[0-9]+(?:\.[0-9]*)?(?:e-?[0-9]+)?)$", label)
    return float(found[1]) if found else None


class CountsTable(OfStudy, WithPaper):
    """Numbers of identities, tracklets and bags, and the published ones."""

    kind: Literal["counts"]
    paper: Text = Field(description="paper's name in `workflow/resources/published.csv`")
    paper_table: Text = Field(description="table's name there")


class CostTable(OfStudy):
    """Cost of labels: boxes, tracklets, videos (WL, section III-A)."""

    kind: Literal["cost"]


class AuditTable(OfStudy):
    """Precision and recall of the label audit on planted errors."""

    kind: Literal["audit"]
    row: Name = Field(description="row of the study whose bags have planted errors")


class MatchesTable(OfOneDataset):
    """Matching examples of the study's own method (WL, Fig. 5); `fine.png`, `coarse.png`."""

    files: ClassVar[tuple[str, ...]] = ("fine.png", "coarse.png")

    kind: Literal["matches"]


class NoiseTable(OfStudy, WithPaper):
    """Asked and measured rates of the study's noise levels, and the published counts."""

    kind: Literal["noise"]
    paper: Text = Field(description="paper's name in `workflow/resources/published.csv`")
    paper_table: Text = Field(description="table's name there")


class IsolationTable(OfOneDataset):
    """A figure of isolation at one noise level (TMC, Fig. 3 and 4); `plot.svg`."""

    files: ClassVar[tuple[str, ...]] = ("plot.svg",)

    kind: Literal["isolation"]
    shows: Literal["switches", "clusters"] = Field(
        description="tracklets with a switch, or what isolation makes of them"
    )
    level: Name = Field(description="noise level, of the study")


class OfSource(Table):
    """A table or figure of an attribute source."""

    source: Name = Field(description="attribute source")


class RatiosTable(OfSource):
    """Share of the pictures that have each attribute (ATTR, Fig. 4); `plot.svg`."""

    files: ClassVar[tuple[str, ...]] = ("plot.svg",)

    kind: Literal["ratios"]


class GroupsTable(OfSource):
    """Groups of attributes (ATTR, Table 1)."""

    kind: Literal["groups"]


class ExamplesTable(OfRows):
    """Predicted attributes of some people, by transfer (ATTR, Fig. 5); `sheet.png`."""

    files: ClassVar[tuple[str, ...]] = ("sheet.png",)

    kind: Literal["examples"]


class WeightsTable(OfOneDataset):
    """Weights of frames in their clips (ATTR, Fig. 6); `weights.png`."""

    files: ClassVar[tuple[str, ...]] = ("weights.png",)

    kind: Literal["weights"]


class LabelsTable(OfRows):
    """Quality of predicted attributes, for datasets with known truth."""

    kind: Literal["labels"]
    notes: Notes = Field(default_factory=list)


class AttributeTable(OfRows, WithPaper):
    """Retrieval by attribute of the query's identity (COSAM, Table 7)."""

    kind: Literal["by_attribute"]
    transfer: Name | None = Field(
        None,
        description="transfer whose labels group the queries; null: that of the study's method",
    )
    attributes: list[Text] | None = Field(None, description="attributes to show; null: all")
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=[1], description="ranks of the CMC to show"
    )


class MasksTable(OfRows):
    """Share of COSAM's masks on the person, for generated data; `table.md` and `plot.svg`.

    The plot shows the first row with COSAM.
    """

    files: ClassVar[tuple[str, ...]] = ("table.md", "plot.svg")

    kind: Literal["masks"]
    notes: Notes = Field(default_factory=list)


class AttentionTable(OfRows):
    """Attention on erased and on occluded frames (ATTN-CL); `table.md` and `attention.png`."""

    files: ClassVar[tuple[str, ...]] = ("table.md", "attention.png")

    kind: Literal["attention"]
    notes: Notes = Field(default_factory=list)


class VisibilityTable(OfRows):
    """Whether temporal weights follow what is visible (ATTR), for generated data; `table.md`."""

    kind: Literal["visibility"]
    notes: Notes = Field(default_factory=list)


# every class here that names its kind
_BLOCKS = [
    block
    for block in list(globals().values())
    if isinstance(block, type)
    and issubclass(block, Table)
    and get_origin(block.model_fields["kind"].annotation) is Literal
]
if TYPE_CHECKING:
    AnyTable = Table
else:
    AnyTable = Annotated[functools.reduce(operator.or_, _BLOCKS), Field(discriminator="kind")]
