"""What a kind of table or figure is: a module of `weakreid.report.kinds`, named as in the config.

Its block is a class of `weakreid.config.tables`, which says what files it has. The plan imports
every kind, so numpy, pandas and matplotlib are imported where a kind draws, and not above.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from weakreid.config import params
from weakreid.plan.table_rules import Planned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Files = Mapping[str, Sequence[Path]]
"""The inputs of a job where they lie, by their names and in the order of `Job.inputs`."""


class Kind(Planned, Protocol):
    """A kind that makes its files.

    One that shows a picture which another rule made is no more than `Planned`: its job has the
    picture as its one input, and no params.

    Attributes:
        Params: what `render` is given; it counts files by their places among the inputs of one
            name, as a storage may have them elsewhere than the plan says.
    """

    Params: type[params.Params]

    def render(self, output: str, params: Any, files: Files) -> "str | Figure":
        """Return one of a table's files: Markdown, or a figure.

        Args:
            output: the file's name, such as "table.md".
            params: of `Params`.
            files: the inputs.

        Raises:
            ReidError: an input is not what it should be.
        """


class RowOfFiles(params.Strict):
    """A row, and the places of its runs' files among the inputs."""

    label: str
    files: list[int]


class RowsOfFiles(params.Params):
    """A table of rows, each the mean of its runs."""

    title: str
    rows: list[RowOfFiles]
    notes: list[str] = Field(default_factory=list)

    def of(self, found: Sequence[Any]) -> dict[str, list[Any]]:
        """Return what was read of each row's files."""
        return {row.label: [found[place] for place in row.files] for row in self.rows}


class Numbered:
    """Files in the order in which they are asked for, each once."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def place(self, path: str) -> int:
        """Return the place of a file; a new one's is the end."""
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)

    def row(self, label: str, paths: Sequence[str]) -> RowOfFiles:
        """Return a row of files."""
        return RowOfFiles(label=label, files=[self.place(path) for path in paths])
