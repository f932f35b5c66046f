"""The figures of several runs in one cell of a table."""

from collections.abc import Iterable, Sequence

import numpy as np

from weakreid.report.markdown import cell


def mean(values: Sequence[float | None], places: int = 1) -> str:
    """Return the mean and standard deviation of runs; "" where one has no such figure."""
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known:
        return ""
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return cell(float(np.mean(known)), spread, places)


def different(values: Iterable[float]) -> str:
    """Return the numbers that runs have, each once: one where all have the same."""
    return "/".join(f"{value:g}" for value in sorted(set(values)))
