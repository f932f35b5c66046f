"""How much of a person's parts each frame shows: generated people alone tell."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.artifacts import schemas
from weakreid.attributes import PARTS
from weakreid.errors import ReidError

COLUMNS = ["file", *PARTS.values(), "person_id"]


def read_shares(path: Path, frames: pd.DataFrame) -> pd.DataFrame:
    """Return the visible shares of the parts, by image.

    Args:
        path: a generated dataset's truth/frames.parquet (`datasets.walkers.layout`).
        frames: table "frames"; a file's last part is the name that the truth has.

    Returns:
        Columns head, up, low, shoes (0 to 1) and person_id, indexed by row of the image store.

    Raises:
        ReidError: the file is none of a generated dataset, or a frame is not in it.
    """
    table = schemas.read_foreign(path, "only generated datasets have one")
    if not set(COLUMNS) <= set(table.column_names):
        raise ReidError(f"{path}: not a generated dataset's truth; give its truth/frames.parquet")
    return shares_of(frames, table.select(COLUMNS).to_pandas())


def shares_of(frames: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return `read_shares` of a truth that is read already."""
    names = frames["file"].str.rpartition("/")[2]
    found = truth.set_index("file")[[*PARTS.values(), "person_id"]].reindex(names)
    lacking = found["person_id"].isna().to_numpy()
    if lacking.any():
        raise ReidError(
            f"{frames['file'][lacking].iloc[0]} is not in the truth ({int(lacking.sum())} such "
            "frames); give the truth of the dataset that the frames are of"
        )
    return found.set_index(frames["image"].to_numpy())


def shares_by_group(shares: pd.DataFrame, groups: Sequence[str]) -> NDArray[np.float64]:
    """Return what is visible of each group's part [rows, groups], of the whole body without one.

    Args:
        shares: of `shares_of`.
        groups: of attributes.
    """
    parts = shares[list(PARTS.values())].to_numpy(np.float64)
    columns = {part: parts[:, place] for place, part in enumerate(PARTS.values())}
    whole = parts.mean(axis=1)
    return np.stack([columns.get(PARTS.get(group, ""), whole) for group in groups], axis=1)
