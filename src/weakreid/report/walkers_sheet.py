"""A contact sheet: what the generated people look like, side by side."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.report.figures import Canvas, Mark, camera_name

_TALL = 0.8  # inches of an image
_GAP = 0.05
_CAPTION, _BELOW = 0.14, 0.08  # above a row's images, and below them
_NAMES = 0.75  # left of them
_COLUMNS = 12  # images in a row at most


def contact_sheet(root: Path, name: str, *, persons: int) -> Figure:
    """Draw a contact sheet of a generated data set: a row per person, its tracklets by camera.

    Args:
        root: what `walkers.layout.generate` wrote.
        name: of the data set.
        persons: how many rows: the first persons of the test set.

    Raises:
        ReidError: `root` holds no generated data set, or one without persons.
    """
    table = Path(root) / "truth" / "frames.parquet"
    if not table.is_file():
        raise ReidError(f"{table}: no such file; generate the data set first")
    frames = pq.read_table(table).to_pandas()
    frames = frames[(frames["split"] == "test") & (frames["person_id"] > 0)]
    ids = sorted(int(person_id) for person_id in frames["person_id"].unique())
    if not ids:
        raise ReidError(f"{root}: no test persons; generate the data set again")
    rows = []
    for person_id in ids[:persons]:
        shown: list[tuple[int, NDArray[np.uint8]]] = []
        own = frames[frames["person_id"] == person_id]
        for (camera, _), tracklet in own.groupby(["camera_id", "tracklet"], sort=True):
            files = list(tracklet["file"])
            middle = files[round((len(files) - 1) / 2)]
            file = Path(root) / "bbox_test" / middle[:4] / middle
            image = cv2.imread(str(file))
            if image is None:
                raise ReidError(f"{file}: cannot be read; generate the data set again")
            shown.append((int(camera), image[..., ::-1].astype(np.uint8)))
        rows.append((person_id, shown[:_COLUMNS]))
    height, width = rows[0][1][0][1].shape[:2]
    size = _TALL * width / height, _TALL
    most = max(len(shown) for _, shown in rows)
    step = _CAPTION + _TALL + _BELOW
    canvas = Canvas(
        f"{name}: {len(rows)} of {len(ids)} test persons, all generated",
        [Mark("a row: one person, an image of each tracklet, by camera")],
        width=max(_NAMES + most * (size[0] + _GAP), 4.5),
        body=step * len(rows),
    )
    for row, (person_id, shown) in enumerate(rows):
        top = canvas.top + row * step
        canvas.text(0, top + _CAPTION + 0.3, f"person {person_id}", 7)
        for column, (camera, image) in enumerate(shown):
            left = _NAMES + column * (size[0] + _GAP)
            canvas.text(left, top, camera_name(camera).replace("camera ", "cam. "), 6)
            canvas.strip(left, top + _CAPTION, size, [image])
    return canvas.figure
