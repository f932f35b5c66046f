"""What a person's parts are covered with: textures that wrap once around the body.

A wrap is an array (rows, 96, 3) of RGB in 0..255: rows run down the part, columns around it.
Column 0 is the back, column 48 the front, column 72 the person's left side. A camera sees the half
of it that faces the camera (`render.bake`), so a print on the back is hidden from the front.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from weakreid.datasets.walkers.people import Colour, Person
from weakreid.seeding import numpy_generator

COLUMNS = 96
FloatArray = NDArray[np.float32]

ROWS = {"torso": 72, "arm": 40, "leg": 48, "head": 48, "skirt": 40, "bag": 32, "small": 12}


def grid(rows: int) -> tuple[FloatArray, FloatArray]:
    """Return height (0 top to 1 bottom) and azimuth (-pi..pi, 0 front) of a wrap's texels."""
    height = ((np.arange(rows) + 0.5) / rows)[:, None]
    azimuth = ((np.arange(COLUMNS) + 0.5) / COLUMNS * 2 - 1)[None, :] * np.pi
    return height.astype(np.float32), azimuth.astype(np.float32)


def solid(rows: int, colour: Colour) -> FloatArray:
    """Return a wrap of one colour."""
    return np.broadcast_to(np.array(colour, np.float32), (rows, COLUMNS, 3)).copy()


def _paint(wrap: FloatArray, where: NDArray[np.bool_], colour: Colour, alpha: float = 1.0) -> None:
    where = np.broadcast_to(where, wrap.shape[:2])
    wrap[where] = wrap[where] * (1 - alpha) + np.array(colour, np.float32) * alpha


def _blotches(
    rng: np.random.Generator, rows: int, columns: int, coarse: tuple[int, int]
) -> FloatArray:
    field = rng.normal(0, 1, coarse).astype(np.float32)
    return np.asarray(cv2.resize(field, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)


def _wrinkles(rng: np.random.Generator, wrap: FloatArray, strength: float) -> FloatArray:
    rows = wrap.shape[0]
    folds = _blotches(rng, rows, COLUMNS, (7, 14)) + 0.6 * _blotches(rng, rows, COLUMNS, (18, 18))
    return np.clip(wrap * (1 + strength * folds[..., None]), 0, 255).astype(np.float32)


def fabric(
    rng: np.random.Generator,
    rows: int,
    pattern: str,
    first: Colour,
    second: Colour,
    scale: float,
    span: float,
) -> FloatArray:
    """Return a wrap in a pattern of two colours.

    Args:
        rng: for camouflage.
        rows: rows of the wrap.
        pattern: of the person.
        first: the ground colour.
        second: the other colour.
        scale: 1 is usual; larger is coarser.
        span: height of the part relative to a torso, so that stripes match from part to part.
    """
    height, azimuth = grid(rows)
    wrap = solid(rows, first)
    if pattern == "hoops":
        _paint(wrap, (height * span * 7 / scale) % 1 < 0.45, second)
    elif pattern == "pinstripe":
        _paint(wrap, (azimuth * 14 / np.pi / scale) % 1 < 0.3, second, 0.75)
    elif pattern == "check":
        _paint(wrap, (height * span * 7 / scale) % 1 < 0.42, second, 0.6)
        _paint(wrap, (azimuth * 7 / np.pi / scale) % 1 < 0.42, second, 0.6)
    elif pattern == "dots":
        row = height * span * 9 / scale
        column = azimuth * 8 / np.pi / scale + 0.5 * (np.floor(row) % 2)
        _paint(wrap, (row % 1 - 0.5) ** 2 + (column % 1 - 0.5) ** 2 < 0.09, second)
    elif pattern == "block":
        _paint(wrap, np.broadcast_to(height > 0.46, (rows, COLUMNS)), second)
    elif pattern == "band":
        _paint(wrap, np.broadcast_to(np.abs(height - 0.42) < 0.075, (rows, COLUMNS)), second)
    elif pattern == "camouflage":
        field = _blotches(rng, rows, COLUMNS, (8, 12))
        _paint(wrap, field > 0.35, second)
        _paint(wrap, field < -0.7, (40, 42, 36))
    return wrap


def _print(wrap: FloatArray, kind: str, colour: Colour, centre: float) -> None:
    height, azimuth = grid(wrap.shape[0])
    across = np.angle(np.exp(1j * (azimuth - centre))).astype(np.float32)
    down = (height - 0.36) * 4.2
    box = (np.abs(across) < 0.62) & (np.abs(down) < 0.62)
    if kind == "square":
        _paint(wrap, box, colour)
    elif kind == "disc":
        _paint(wrap, across**2 + down**2 < 0.42, colour)
    elif kind == "bars":
        _paint(wrap, box & ((down * 2.4) % 1 < 0.5), colour)
    elif kind == "cross":
        arms = (np.abs(across) < 0.17) | (np.abs(down) < 0.17)
        _paint(wrap, box & arms, colour)
    elif kind == "number":
        ring = np.abs(np.sqrt((np.abs(across) - 0.32) ** 2 * 4 + down**2) - 0.45) < 0.14
        _paint(wrap, ring, colour)


def _dark(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(np.clip(value * factor, 0, 255)) for value in colour)
    return red, green, blue


def contrast(colour: Colour) -> Colour:
    """Return a trim colour that shows on `colour`."""
    bright = sum(colour) / 3
    return (205, 205, 200) if bright < 110 else (34, 34, 38)


def torso(person: Person, rng: np.random.Generator) -> FloatArray:
    """Return the wrap of the upper garment's trunk, collar to hem."""
    rows = ROWS["torso"]
    height, azimuth = grid(rows)
    depth = height * person.hem  # 1 is the hip joint, whatever the hem
    wrap = fabric(
        rng, rows, person.pattern, person.upper_colour, person.second_colour,
        person.pattern_scale, person.hem,
    )  # fmt: skip
    trim = _dark(person.upper_colour, 0.55 if sum(person.upper_colour) > 200 else 2.0)
    front = np.abs(azimuth)
    if person.upper == "Shirt":
        _paint(wrap, (front < 0.05) & (depth > 0.05), trim)
        _paint(wrap, depth < 0.07, _dark(person.upper_colour, 1.2))
        _paint(wrap, (np.abs(azimuth - 0.55) < 0.22) & (np.abs(depth - 0.33) < 0.07), trim, 0.35)
    elif person.upper == "SuitUp":
        _paint(wrap, front < 0.55 * (1 - depth / 0.5), (216, 216, 216))
        _paint(wrap, (front < 0.11) & (depth < 0.5), person.inner_colour)
        _paint(wrap, (front < 0.035) & (depth > 0.5), trim)
    elif person.upper == "Jacket":
        _paint(wrap, front < 0.045, trim)
        _paint(wrap, height > 0.93, trim, 0.6)
        _paint(wrap, (np.abs(front - 0.85) < 0.28) & (np.abs(depth - 0.82) < 0.02), trim)
    elif person.upper == "Cotton":
        _paint(wrap, (depth * 7.5) % 1 < 0.16, _dark(person.upper_colour, 0.5), 0.8)
        _paint(wrap, front < 0.045, trim)
    elif person.upper == "Vest":
        side = np.abs(front - np.pi / 2)
        _paint(wrap, (side < 0.42) & (depth < 0.3), person.inner_colour)
        _paint(wrap, (front < 0.3 * (1 - depth / 0.35)), person.inner_colour)
    elif person.upper == "Sweater":
        _paint(wrap, height > 0.93, _dark(person.upper_colour, 0.75))
        _paint(wrap, depth < 0.05, _dark(person.upper_colour, 0.75))
    elif person.upper == "TShirt":
        _paint(wrap, front < 0.5 * (1 - depth / 0.07), person.skin)
    elif person.upper == "Tight":
        _paint(wrap, front < 0.8 * (1 - depth / 0.14), person.skin)
    mark = contrast(person.upper_colour)
    _print(wrap, person.print_front, mark, 0.0)
    _print(wrap, person.print_back, mark, np.pi)
    if person.open_front:
        _paint(wrap, (front < 0.42) & (depth > 0.02), person.inner_colour)
        _paint(wrap, np.abs(front - 0.44) < 0.06, trim)
    if person.muffler:
        _paint(wrap, depth < 0.05, person.muffler_colour)
        _paint(wrap, (np.abs(azimuth - 0.2) < 0.2) & (depth < 0.45), person.muffler_colour)
    strap = _dark(person.bag_colour, 0.8)
    if person.bag == "Backpack":
        _paint(wrap, (np.abs(front - 0.75) < 0.14) & (depth < 0.5), strap)
    return _wrinkles(rng, wrap, 0.08 if person.upper in ("Tight", "SuitUp") else 0.11)


def sleeve(person: Person, rng: np.random.Generator, fore: bool) -> FloatArray:
    """Return the wrap of an upper arm, or of a forearm."""
    rows = ROWS["arm"]
    height, azimuth = grid(rows)
    bare = person.upper == "Vest" or (person.short_sleeve and fore)
    if person.upper == "Vest" and not person.short_sleeve:
        return _wrinkles(rng, solid(rows, person.inner_colour), 0.1)
    if bare:
        return solid(rows, person.skin)
    pattern = person.pattern if person.pattern in ("hoops", "check", "dots", "pinstripe",
                                                   "camouflage") else "plain"  # fmt: skip
    first = person.second_colour if person.contrast_sleeves else person.upper_colour
    second = person.upper_colour if person.contrast_sleeves else person.second_colour
    wrap = fabric(rng, rows, pattern, first, second, person.pattern_scale, 0.55)
    if person.upper == "Cotton":
        _paint(wrap, (height * 4) % 1 < 0.16, _dark(first, 0.5), 0.8)
    if person.armband and not fore:
        _paint(wrap, np.abs(height - 0.55) < 0.12, contrast(first))
    if person.armband and fore and person.upper == "Jacket":
        _paint(wrap, np.abs(azimuth) < 0.25, contrast(first))
    wrap = _wrinkles(rng, wrap, 0.1)
    if person.short_sleeve:
        _paint(wrap, height > 0.72, person.skin)
    elif fore:
        _paint(wrap, height > 0.92, _dark(first, 0.7))
    return wrap


def trouser(person: Person, rng: np.random.Generator, shin: bool, left: bool) -> FloatArray:
    """Return the wrap of a thigh, or of a shin."""
    rows = ROWS["leg"]
    height, azimuth = grid(rows)
    lower, colour = person.lower, person.lower_colour
    if lower in ("skirt", "short_skirt", "dress") or (lower == "shorts" and shin):
        wrap = solid(rows, person.skin)
        if lower != "shorts" and person.look % 3 == 0:  # tights
            wrap = solid(rows, (44, 40, 44))
        elif shin:
            _paint(wrap, height > 0.88, contrast(person.shoe_colour))
        return wrap
    wrap = solid(rows, colour)
    outer = np.abs(azimuth - (np.pi / 2 if left else -np.pi / 2))
    if lower == "jeans":
        fade = np.exp(-(((height - 0.45) / 0.4) ** 2)) * np.exp(-((azimuth / 0.9) ** 2))
        wrap *= 1 + 0.28 * fade[..., None]
        _paint(wrap, np.abs(outer - 0.03) < 0.07, _dark(colour, 0.6))
    if person.side_stripe:
        _paint(wrap, outer < 0.32, contrast(colour))
    wrap = _wrinkles(rng, wrap, 0.05 if lower == "tight" else 0.13)
    if lower == "shorts":
        if person.lower_check:
            _paint(wrap, (height * 5) % 1 < 0.35, contrast(colour), 0.4)
            _paint(wrap, (azimuth * 6 / np.pi) % 1 < 0.35, contrast(colour), 0.4)
        _paint(wrap, height > 0.86, person.skin)
    elif shin and person.cuffs:
        _paint(wrap, np.abs(height - 0.86) < 0.06, _dark(colour, 1.6 if sum(colour) < 300 else 0.6))
        _paint(wrap, height > 0.92, person.skin)
    elif shin and lower == "tight":
        _paint(wrap, height > 0.95, person.skin)
    return wrap


def pelvis(person: Person, rng: np.random.Generator) -> FloatArray:
    """Return the wrap of the hips: belt line and seat."""
    rows = ROWS["small"]
    height, azimuth = grid(rows)
    colour = person.upper_colour if person.lower == "dress" else person.lower_colour
    wrap = _wrinkles(rng, solid(rows, colour), 0.06)
    if person.lower not in ("dress", "skirt", "short_skirt", "tight"):
        _paint(wrap, height < 0.3, (44, 34, 28) if sum(colour) > 160 else (80, 66, 50))
        back = np.abs(np.abs(azimuth) - 2.6) < 0.3
        _paint(wrap, back & (height > 0.45) & (height < 0.95), _dark(colour, 0.75))
    return wrap


def skirt(person: Person, rng: np.random.Generator) -> FloatArray:
    """Return the wrap of a skirt or of a dress below the waist."""
    rows = ROWS["skirt"]
    height, azimuth = grid(rows)
    if person.lower == "dress":
        wrap = fabric(
            rng, rows, person.pattern if person.pattern != "band" else "plain",
            person.upper_colour, person.second_colour, person.pattern_scale, 0.9,
        )  # fmt: skip
    else:
        wrap = solid(rows, person.lower_colour)
        if person.lower_check:
            mark = contrast(person.lower_colour)
            _paint(wrap, (height * 6) % 1 < 0.3, mark, 0.45)
            _paint(wrap, (azimuth * 7 / np.pi) % 1 < 0.3, mark, 0.45)
    pleats = 1 + 0.13 * np.sin(azimuth * 11) * height
    return _wrinkles(rng, (wrap * pleats[..., None]).astype(np.float32), 0.06)


def head(person: Person, rng: np.random.Generator) -> FloatArray:
    """Return the wrap of the head: face, hair line, glasses, hat."""
    rows = ROWS["head"]
    height, azimuth = grid(rows)
    front = np.abs(azimuth)
    wrap = solid(rows, person.skin)
    # brows and eyes, nose's shade, mouth
    eyes = (np.abs(front - 0.38) < 0.15) & (np.abs(height - 0.5) < 0.035)
    _paint(wrap, eyes, (46, 36, 34), 0.8)
    _paint(wrap, (np.abs(front - 0.38) < 0.2) & (np.abs(height - 0.42) < 0.02), person.hair, 0.7)
    _paint(wrap, (front < 0.09) & (np.abs(height - 0.62) < 0.07), _dark(person.skin, 0.82))
    _paint(wrap, (front < 0.25) & (np.abs(height - 0.78) < 0.025), (150, 80, 76), 0.7)
    _paint(wrap, (np.abs(front - 1.6) < 0.16) & (np.abs(height - 0.55) < 0.1),
           _dark(person.skin, 0.85))  # fmt: skip
    turn = np.clip((front - 0.7) / 1.1, 0, 1)
    line = {
        "bald": -1.0 + 0.0 * turn,
        "crop": 0.2 + 0.42 * turn,
        "short": 0.26 + 0.5 * turn,
        "long": 0.28 + 0.9 * turn,
        "ponytail": 0.24 + 0.5 * turn,
        "bun": 0.24 + 0.5 * turn,
    }[person.hair_style]
    hair = height < line
    shine = _blotches(rng, rows, COLUMNS, (4, 24))
    tint = np.array(person.hair, np.float32) * (1 + 0.18 * shine[..., None])
    wrap = np.where(hair[..., None], np.clip(tint, 0, 255), wrap).astype(np.float32)
    if person.glasses == "dark":
        _paint(wrap, (front < 0.72) & (np.abs(height - 0.5) < 0.075), (16, 16, 18))
    elif person.glasses == "clear":
        rim = (np.abs(np.hypot((front - 0.38) * 1.0, (height - 0.5) * 2.6) - 0.24) < 0.075) | (
            (front < 0.16) & (np.abs(height - 0.49) < 0.03)
        )
        _paint(wrap, rim, (26, 22, 22))
    if person.glasses != "none":
        _paint(wrap, (front > 0.7) & (front < 1.6) & (np.abs(height - 0.48) < 0.03), (24, 22, 22))
    if person.hat == "cap":
        _paint(wrap, height < 0.36, person.hat_colour)
        _paint(wrap, (front < 0.3) & (np.abs(height - 0.2) < 0.1), contrast(person.hat_colour))
    elif person.hat == "beanie":
        _paint(wrap, height < 0.4, person.hat_colour)
        _paint(wrap, np.abs(height - 0.36) < 0.06, _dark(person.hat_colour, 0.7))
    elif person.hat == "brim":
        _paint(wrap, height < 0.34, person.hat_colour)
        _paint(wrap, np.abs(height - 0.29) < 0.05, contrast(person.hat_colour))
    return wrap


def shoe(person: Person) -> FloatArray:
    """Return the wrap of a shoe: rows from ankle to sole."""
    rows = ROWS["small"]
    height, azimuth = grid(rows)
    wrap = solid(rows, person.shoe_colour)
    if person.shoes == "Sport":
        _paint(wrap, height > 0.72, (222, 222, 220))
        _paint(wrap, (np.abs(azimuth) * 3 % 1 < 0.4) & (height > 0.25) & (height < 0.7),
               contrast(person.shoe_colour))  # fmt: skip
    elif person.shoes == "Casual":
        _paint(wrap, height > 0.78, contrast(person.shoe_colour))
    elif person.shoes == "Leather":
        _paint(wrap, height > 0.85, (20, 18, 18))
        _paint(wrap, np.abs(height - 0.45) < 0.1, (220, 220, 220), 0.25)
    elif person.shoes == "Cloth":
        _paint(wrap, height < 0.45, person.skin)
        _paint(wrap, height > 0.9, (190, 176, 150))
    elif person.shoes == "Boots":
        _paint(wrap, height > 0.82, _dark(person.shoe_colour, 0.6))
    return wrap


def bag(person: Person, rng: np.random.Generator) -> FloatArray:
    """Return the wrap of the bag's body."""
    rows = ROWS["bag"]
    height, azimuth = grid(rows)
    back = np.pi - np.abs(azimuth)
    colour = person.bag_colour
    if person.bag == "PlasticBag":
        colour = _dark((214, 214, 216), 1.0) if person.look % 2 else person.bag_colour
    elif person.bag == "PaperBag":
        colour = (176, 146, 104) if person.look % 2 else (206, 200, 188)
    elif person.bag == "Box":
        colour = (170, 134, 92)
    wrap = solid(rows, colour)
    mark = contrast(colour)
    if person.bag == "Backpack":
        _paint(wrap, (back < 0.8) & (np.abs(height - 0.68) < 0.18), _dark(colour, 0.65))
        _paint(wrap, np.abs(height - 0.34) < 0.035, mark, 0.6)
        if person.look % 3 == 0:
            _paint(wrap, (back < 0.3) & (np.abs(height - 0.66) < 0.06), mark)
    elif person.bag in ("SingleShoulderBag", "HandBag"):
        _paint(wrap, height < 0.45, _dark(colour, 0.75))
        _paint(wrap, (np.abs(height - 0.47) < 0.06) & (np.sin(azimuth * 2) > 0.9), mark)
    elif person.bag == "PaperBag":
        _paint(wrap, (np.abs(height - 0.5) < 0.16) & (np.cos(azimuth * 2) > 0.2), (150, 40, 40))
    elif person.bag == "Box":
        _paint(wrap, np.abs(np.sin(azimuth)) < 0.14, (204, 180, 140))
        _paint(wrap, height < 0.08, _dark(colour, 0.7))
    elif person.bag == "HandTrunk":
        _paint(wrap, (np.sin(azimuth * 6) > 0.6) & (height > 0.08), _dark(colour, 0.65))
        _paint(wrap, height > 0.92, (20, 20, 20))
    return _wrinkles(rng, wrap, 0.14 if person.bag == "PlasticBag" else 0.05)


def wraps(person: Person) -> dict[str, FloatArray]:
    """Return every wrap of a person by the name of the part that it covers."""
    rng = numpy_generator(person.look, "walkers", "cloth")
    small = ROWS["small"]
    tail = solid(ROWS["arm"], person.hair)
    tail *= 1 + 0.15 * _blotches(rng, ROWS["arm"], COLUMNS, (3, 24))[..., None]
    hood_colour = person.upper_colour
    legs = {
        f"{name}_{side}": trouser(person, rng, name == "shin", side == "left")
        for name in ("thigh", "shin")
        for side in ("left", "right")
    }
    return {
        "torso": torso(person, rng),
        "upper_arm": sleeve(person, rng, fore=False),
        "forearm": sleeve(person, rng, fore=True),
        "hand": solid(small, person.skin),
        "pelvis": pelvis(person, rng),
        **legs,
        "skirt": skirt(person, rng),
        "head": head(person, rng),
        "neck": solid(small, person.muffler_colour if person.muffler else _dark(person.skin, 0.86)),
        "hair": tail.astype(np.float32),
        "brim": solid(small, _dark(person.hat_colour, 0.85)),
        "hood": solid(small, _dark(hood_colour, 0.88)),
        "shoe": shoe(person),
        "shaft": solid(small, person.shoe_colour),
        "bag": bag(person, rng),
        "strap": solid(small, _dark(person.bag_colour, 0.75)),
    }
