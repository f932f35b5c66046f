"""CSV tables whose rows are as long as their header."""

import csv
import io
from typing import Any

import pandas as pd


def read_csv(text: str, **options: Any) -> pd.DataFrame:
    """Return a CSV table of which every column has a name of its own.

    Where all rows have more fields than the header, pandas takes the first ones for an index, and
    what follows stands in the wrong columns.

    Args:
        text: of the table.
        options: of `pandas.read_csv`.

    Raises:
        ValueError: it is no table, has a column twice, or its rows are longer than the header.
    """
    table: pd.DataFrame = pd.read_csv(io.StringIO(text), keep_default_na=False, **options)
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError("its rows have more fields than its header")
    names = next(csv.reader(io.StringIO(text.lstrip())))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"column {twice} is there twice")
    return table
