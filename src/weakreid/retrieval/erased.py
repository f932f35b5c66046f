"""Whether temporal attention falls on frames that lost a patch (ATTN-CL).

A network sees clips of a test set twice: as they are, and with a patch of some frames erased as in
training. Frames of a clip share a weight of 1, so a weight is given times T: 1 is what every frame
has where all T count alike. Clips of which no frame or every frame is erased say nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreid.config.network import Aspect
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.training.augment import augment

RESAMPLES = 1000
LEVEL = 95

Floats = NDArray[np.float64]


def erase_some(
    clip: NDArray[np.uint8],
    generator: np.random.Generator,
    share: float,
    aspect: Aspect,
    fill: tuple[float, ...],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Erase a patch of some frames of a clip, as a training does, and change nothing else.

    Args:
        clip: uint8 [T, H, W, 3].
        generator: where every choice comes from.
        share: chance of each frame.
        aspect: how a patch's height over width is drawn.
        fill: RGB in 0..255 of what is erased.

    Returns:
        The clip, and which frames lost a patch, bool [T].
    """
    erased = np.zeros(len(clip), bool)
    red, green, blue = fill
    changed = augment(
        clip,
        generator,
        flip=0.0,
        pad=0,
        erase=share,
        aspect=aspect,
        fill=(red, green, blue),
        erased=erased,
    )
    return changed, erased


def measure(
    whole: Floats,
    spoilt: Floats,
    erased: NDArray[np.bool_],
    tracklets: NDArray[np.int64],
    seed: int,
) -> dict[str, Any]:
    """Return the mean weight of erased frames, of the others, and of the erased ones before.

    Args:
        whole: weights [n, T] of clips as they are.
        spoilt: of the same clips, some frames erased.
        erased: bool [n, T].
        tracklets: [n], of each clip.
        seed: of the bootstrap over tracklets.

    Returns:
        Numbers of tracklets, clips and erased frames; "erased", "kept" and "before" (mean weight
        times T), "difference" (kept less erased) and "fall" (before less erased), each {"value",
        "low", "high"}; "follows", the share of clips, per cent, in which the erased frames weigh
        less on average than the others.

    Raises:
        ReidError: of no clip only a part is erased.
    """
    part = erased.any(axis=1) & ~erased.all(axis=1)
    if not part.any():
        raise ReidError(
            "no clip has frames that are erased and others; erase another share of them"
        )
    length = whole.shape[1]
    whole, spoilt, erased = whole[part] * length, spoilt[part] * length, erased[part]
    names, places = np.unique(tracklets[part], return_inverse=True)

    def per_tracklet(values: NDArray[Any]) -> Floats:
        summed = np.bincount(places, weights=values.sum(axis=1), minlength=len(names))
        return summed.astype(np.float64)

    sums = {
        "erased": per_tracklet(spoilt * erased),
        "kept": per_tracklet(spoilt * ~erased),
        "before": per_tracklet(whole * erased),
        "n": per_tracklet(erased),
        "rest": per_tracklet(~erased),
    }
    bounds = _bootstrap(sums, seed)
    on = (spoilt * erased).sum(axis=1) / erased.sum(axis=1)
    off = (spoilt * ~erased).sum(axis=1) / (~erased).sum(axis=1)
    return {
        "tracklets": len(names),
        "clips": len(spoilt),
        "erased_frames": int(erased.sum()),
        "erased": bounds(lambda s: s["erased"] / s["n"]),
        "kept": bounds(lambda s: s["kept"] / s["rest"]),
        "before": bounds(lambda s: s["before"] / s["n"]),
        "difference": bounds(lambda s: s["kept"] / s["rest"] - s["erased"] / s["n"]),
        "fall": bounds(lambda s: (s["before"] - s["erased"]) / s["n"]),
        "follows": round(100 * float((on < off).mean()), 4),
    }


Figure = Callable[[dict[str, Floats]], Floats]


def _bootstrap(sums: dict[str, Floats], seed: int) -> Callable[[Figure], dict[str, float]]:
    """Return what gives a figure of sums its value and its bounds, tracklets drawn anew."""
    count = len(sums["n"])
    generator = numpy_generator(seed, "erased")
    drawn = generator.integers(count, size=(RESAMPLES, count))
    resampled = {name: of[drawn].sum(axis=1) for name, of in sums.items()}
    total = {name: of.sum(keepdims=True) for name, of in sums.items()}
    edge = (100 - LEVEL) / 2

    def bounds(figure: Figure) -> dict[str, float]:
        low, high = np.percentile(figure(resampled), [edge, 100 - edge])
        value = float(figure(total)[0])
        return {"value": round(value, 6), "low": round(low, 6), "high": round(high, 6)}

    return bounds
