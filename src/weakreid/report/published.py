"""The figures that the papers publish, to set beside ours.

They stand in one CSV file with a line per figure: paper, table, row, dataset, metric, value. A
metric is named "fine R-1", "coarse mAP", and its value is in per cent as printed; a count has a
name of its own ("fine train IDs"). What a paper leaves out has no line.
"""

import csv
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weakreid.artifacts.files import read_fault
from weakreid.config.base import Strict
from weakreid.errors import ReidError

FILE = Path(__file__).resolve().parents[3] / "workflow" / "resources" / "published.csv"
COLUMNS = ("paper", "table", "row", "dataset", "metric", "value")

Key = tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """Published figures, in the order of their file.

    Attributes:
        path: the file.
        figures: (paper, table, row, dataset, metric): value.
    """

    path: Path
    figures: Mapping[Key, float]

    def value(self, paper: str, table: str, row: str, dataset: str, metric: str) -> float | None:
        """Return a figure, None where the paper has none."""
        return self.figures.get((paper, table, row, dataset, metric))

    def rows(self, paper: str, table: str) -> list[str]:
        """Return the labels of a table's rows, in the order of the file.

        Raises:
            ReidError: the file holds no such table.
        """
        tables = dict.fromkeys(key[:2] for key in self.figures)
        if (paper, table) not in tables:
            there = ", ".join(f"{of} {name}" for of, name in tables) or "nothing"
            raise ReidError(
                f"{self.path}: no figure of table '{table}' of paper '{paper}'; it has {there}"
            )
        return list(dict.fromkeys(key[2] for key in self.figures if key[:2] == (paper, table)))

    def datasets(self, paper: str, table: str) -> list[str]:
        """Return the datasets that a table has figures for, in the order of the file."""
        return list(dict.fromkeys(key[3] for key in self.figures if key[:2] == (paper, table)))

    def check_dataset(self, paper: str, dataset: str) -> None:
        """Check that a paper has figures for a dataset of this name.

        Raises:
            ReidError: it has none.
        """
        names = list(dict.fromkeys(key[3] for key in self.figures if key[0] == paper))
        if dataset not in names:
            there = ", ".join(names) or "nothing"
            raise ReidError(
                f"{self.path}: no figure of dataset '{dataset}' of paper '{paper}'; it has {there}"
            )


class Dataset(Strict):
    """A dataset of ours beside one of a paper's.

    Attributes:
        name: of ours.
        published: the paper's name of the one whose figures are shown.
        own: whether the two are the same data, so that the paper's figures are a target.
    """

    name: str
    published: str
    own: bool = True


def path_of_ours() -> str:
    """Return the file's path, relative to where the workflow runs if that is the checkout."""
    return str(FILE.relative_to(Path.cwd()) if FILE.is_relative_to(Path.cwd()) else FILE)


@functools.cache
def read_ours() -> Published:
    """Read the published figures that the checkout holds."""
    return read(FILE)


def read(path: Path) -> Published:
    """Read the published figures.

    Raises:
        ReidError: the file is missing or no text, or a line of it is not a figure: it has other
            columns, an empty one, blanks around a cell, a value that is no finite number, or it
            repeats an earlier line's key.
    """
    figures: dict[Key, float] = {}
    lines: dict[Key, int] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            heads = next(reader, [])
            if tuple(heads) != COLUMNS:
                raise _at(path, 1, f"the columns are '{','.join(heads)}'", ",".join(COLUMNS))
            for cells in reader:
                key, value = _figure(path, reader.line_num, cells)
                if key in figures:
                    what = f"{', '.join(key)} stands on line {lines[key]} already"
                    raise _at(path, reader.line_num, what, "one of the two lines")
                figures[key] = value
                lines[key] = reader.line_num
    except OSError as error:
        raise read_fault(Path(path), error, "give the published figures") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReidError(f"{path}: not a CSV file in UTF-8 ({error}); restore it") from error
    return Published(Path(path), figures)


def _figure(path: Path, line: int, cells: list[str]) -> tuple[Key, float]:
    if len(cells) != len(COLUMNS):
        raise _at(path, line, f"{len(cells)} cells", f"{len(COLUMNS)}: {','.join(COLUMNS)}")
    for name, text in zip(COLUMNS, cells, strict=True):
        if not text or text != text.strip():
            raise _at(path, line, f"{name} is '{text}'", "text without blanks around it")
    try:
        value = float(cells[-1])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _at(path, line, f"value is '{cells[-1]}'", "a number, or no line at all")
    return tuple(cells[:-1]), value


def _at(path: Path, line: int, what: str, wanted: str) -> ReidError:
    return ReidError(f"{path}: line {line}: {what}; there must be {wanted}")
