"""How much of what a network looks at is the person, and what the person carries.

Only generated data can tell. A map's weight is what it gives to the places of a frame: COSAM's mask
in 0..1, or the activation of the last map. The share of it that lies on the person is compared with
the person's share of the picture, which a map that looks everywhere alike would have.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from weakreid.config.network import Image
from weakreid.errors import ReidError

ACTIVATION = "activation"
"""The name of what is no mask: the activation of the network's last map."""

Floats = NDArray[np.float64]


def covering(mask: NDArray[np.bool_], image: Image) -> NDArray[np.float32]:
    """Return a mask as the network's input [height, width] shows it: what of each pixel it covers.

    Args:
        mask: [H, W], as large as the frame.
        image: the network's input; of a frame that is resized it is the middle.
    """
    height, width = image.height, image.width
    tall, wide = image.resized or (height, width)
    levels = mask.astype(np.float32)
    if levels.shape != (tall, wide):
        smaller = tall <= mask.shape[0] and wide <= mask.shape[1]
        method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        levels = np.asarray(cv2.resize(levels, (wide, tall), interpolation=method), np.float32)
    top, left = (tall - height) // 2, (wide - width) // 2
    return levels[top : top + height, left : left + width]


def places_of(covers: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return what of each place of a map [height, width] a mask [H, W] covers."""
    found = cv2.resize(covers, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.float32)


def shares(maps: NDArray[np.float32], covers: NDArray[np.float32]) -> Floats:
    """Return the share of each map's weight that lies where a mask is.

    Args:
        maps: [N, h, w], at least 0.
        covers: [N, h, w], what of each place the mask covers.

    Returns:
        [N]; 0 where a map is 0 everywhere.
    """
    weights = maps.astype(np.float64)
    total = weights.sum(axis=(1, 2))
    found: Floats = (weights * covers).sum(axis=(1, 2)) / np.where(total > 0, total, 1.0)
    return found


def summary(
    maps: Mapping[str, NDArray[np.float32]],
    person: NDArray[np.float32],
    carried: NDArray[np.float32],
) -> dict[str, dict[str, float | None]]:
    """Return, for each kind of map, the mean share of weight on the person and on what is carried.

    Args:
        maps: by name [N, h, w], of the same N frames.
        person: [N, H, W], what of each pixel of the network's input the person covers.
        carried: likewise, what is carried.

    Returns:
        By name {"person", "carried"}, per cent; the second over the frames that show something
        carried, None where none does.

    Raises:
        ReidError: no frame shows a person.
    """
    seen, carrying = person.any(axis=(1, 2)), carried.any(axis=(1, 2))
    if not seen.any():
        raise ReidError("no frame shows a person: there is nothing to measure; take other clips")
    found = {}
    for name, of_name in maps.items():
        size = of_name.shape[1:]
        on_person, on_carried = (
            shares(of_name, np.stack([places_of(one, *size) for one in covers]))
            for covers in (person, carried)
        )
        found[name] = {
            "person": _per_cent(on_person[seen]),
            "carried": _per_cent(on_carried[carrying]) if carrying.any() else None,
        }
    return found


def area(person: NDArray[np.float32], carried: NDArray[np.float32]) -> dict[str, Any]:
    """Return the share of the picture itself, of the same frames as in `summary`, and how many."""
    even = {"": np.ones(person.shape, np.float32)}
    return {
        "frames": int(person.any(axis=(1, 2)).sum()),
        "carrying_frames": int(carried.any(axis=(1, 2)).sum()),
        "area": summary(even, person, carried)[""],
    }


def _per_cent(values: Floats) -> float:
    return round(100 * float(values.mean()), 4)
