"""A contact sheet: what the generated people look like, side by side."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.files import replacing

_GAP, _LABEL = 3, 34


def contact_sheet(
    root: Path,
    path: Path,
    *,
    split: str = "test",
    persons: int = 12,
    first: int = 0,
    per_tracklet: int = 1,
    columns: int = 12,
) -> None:
    """Draw a contact sheet of a generated data set: a row per person, its tracklets by camera.

    Args:
        root: what `layout.generate` wrote.
        path: the PNG to write.
        split: "train" or "test".
        persons: how many rows.
        first: leave out so many persons (in the order of their ids).
        per_tracklet: frames shown of every tracklet, evenly spaced.
        columns: frames in a row at most.

    Raises:
        ReidError: `root` holds no generated data set, or not so many persons.
    """
    table = Path(root) / "truth" / "frames.parquet"
    if not table.is_file():
        raise ReidError(f"{table}: no such file; generate the data set first")
    frames = pq.read_table(table).to_pandas()
    frames = frames[(frames["split"] == split) & (frames["person_id"] > 0)]
    ids = sorted(int(person_id) for person_id in frames["person_id"].unique())[first:]
    if not ids:
        raise ReidError(f"{root}: no persons of '{split}' from number {first} on")
    rows = []
    for person_id in ids[:persons]:
        shown: list[tuple[int, NDArray[np.uint8]]] = []
        own = frames[frames["person_id"] == person_id]
        for (camera, _), tracklet in own.groupby(["camera_id", "tracklet"], sort=True):
            files = list(tracklet["file"])
            at = np.linspace(0, len(files) - 1, per_tracklet + 2)[1:-1].round().astype(int)
            for i in at:
                file = Path(root) / f"bbox_{split}" / files[i][:4] / files[i]
                picture = cv2.imread(str(file))
                if picture is None:
                    raise ReidError(f"{file}: cannot be read; generate the data set again")
                shown.append((int(camera), picture.astype(np.uint8)))
        rows.append((person_id, shown[:columns]))
    height, width = rows[0][1][0][1].shape[:2]
    most = max(len(shown) for _, shown in rows)
    sheet = np.full(
        (_GAP + len(rows) * (height + _GAP), _LABEL + _GAP + most * (width + _GAP), 3),
        255,
        np.uint8,
    )
    for row, (person_id, shown) in enumerate(rows):
        y = _GAP + row * (height + _GAP)
        cv2.putText(sheet, str(person_id), (2, y + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 0, 1, 16)
        for column, (camera, picture) in enumerate(shown):
            x = _LABEL + _GAP + column * (width + _GAP)
            sheet[y : y + height, x : x + width] = picture
            cv2.putText(
                sheet, f"C{camera}", (x + 1, y + 9), cv2.FONT_HERSHEY_SIMPLEX, 0.3,
                (255, 255, 255), 1, 16,
            )  # fmt: skip
    written, data = cv2.imencode(".png", sheet)
    assert written
    with replacing(Path(path)) as aside:
        aside.write_bytes(data.tobytes())
