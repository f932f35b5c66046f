"""Where people walk: cameras with their viewpoint, light and faults, and what stands there."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from weakreid.seeding import numpy_generator

Image = NDArray[np.uint8]

STRETCH = 20  # a camera's place is so many pictures long
Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """From what a data set's cameras are drawn: two styles are two domains."""

    pitch: Range  # degrees looked down
    spread: Range  # degrees about the camera's main walking direction
    ambient: Range  # light in the shade, against 1 in the light
    gain: Range  # per colour channel: the colour cast
    exposure: Range
    gamma: Range
    saturation: Range
    haze: Range  # lifted blacks, 0..255
    native: Range  # the sharpness of a crop: its native height as a share of the written one
    motion: Range  # motion blur, share of the width
    noise: Range  # sigma, 0..255
    quality: Range  # JPEG
    drift: Range  # how far boxes drift, share of the size
    fill: Range  # how much of the box the person fills
    occluded: Range  # chance of an occluder in a tracklet
    crowd: Range  # chance of each of two other people in a tracklet
    shadow: Range
    soft: bool  # soft light: hardly any shading over a body
    indoor: bool


STYLES = {
    "street": Style(
        pitch=(4, 24), spread=(8, 24), ambient=(0.5, 0.75), gain=(0.94, 1.06),
        exposure=(0.86, 1.16), gamma=(0.9, 1.12), saturation=(0.7, 1.05), haze=(0, 12),
        native=(0.45, 1.0),
        motion=(0.0, 0.05), noise=(1.5, 4.5), quality=(45, 85), drift=(0.012, 0.04),
        fill=(0.88, 1.0),
        occluded=(0.12, 0.35), crowd=(0.15, 0.4), shadow=(0.15, 0.5), soft=False, indoor=False,
    ),
    "studio": Style(
        pitch=(14, 34), spread=(20, 60), ambient=(0.82, 0.95), gain=(0.93, 1.07),
        exposure=(0.95, 1.45), gamma=(0.75, 0.95), saturation=(0.85, 1.35), haze=(0, 8),
        native=(0.75, 1.0), motion=(0.0, 0.015), noise=(0.5, 2), quality=(80, 95),
        drift=(0.005, 0.02), fill=(0.86, 0.95), occluded=(0.0, 0.08), crowd=(0.02, 0.1),
        shadow=(0.05, 0.2), soft=True, indoor=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Camera:
    """One camera; angles in radians."""

    number: int
    style: str
    path: float  # main walking direction
    spread: float
    pitch: float
    light: float  # direction of the light, 0 from behind the camera, positive from the right
    ambient: float
    matrix: tuple[tuple[float, ...], ...]  # 3 x 4: colour cast, saturation, haze
    gamma: float
    native: float
    motion: float
    noise: float
    quality: int
    drift: float
    fill: float
    occluded: float
    crowd: float
    shadow: float
    background: int


# headings of 0, 90 and 45 degrees in turn: what one camera sees another does not
_PATHS = (8.0, 82.0, 38.0, -60.0, 155.0, -95.0, 20.0, 110.0, -30.0)


def camera(seed: int, style: str, number: int) -> Camera:
    """Draw camera `number` (1..9) of a data set, in one of `STYLES`."""
    rng = numpy_generator(seed, "walkers", "camera", style, number)
    made = STYLES[style]

    def draw(bounds: Range) -> float:
        return float(rng.uniform(*bounds))

    gains = np.array([draw(made.gain) for _ in range(3)])
    gains *= draw(made.exposure) / gains.mean()
    saturation = draw(made.saturation)
    luma = np.array([0.299, 0.587, 0.114])
    mix = saturation * np.eye(3) + (1 - saturation) * np.broadcast_to(luma, (3, 3))
    matrix = np.concatenate([gains[:, None] * mix, np.full((3, 1), draw(made.haze))], axis=1)
    return Camera(
        number=number,
        style=style,
        path=float(np.deg2rad(_PATHS[(number - 1) % 9] + rng.normal(0, 8))),
        spread=float(np.deg2rad(draw(made.spread))),
        pitch=float(np.deg2rad(draw(made.pitch))),
        light=float(rng.uniform(-1.3, 1.3)),
        ambient=draw(made.ambient),
        matrix=tuple(tuple(float(v) for v in row) for row in matrix),
        gamma=draw(made.gamma),
        native=draw(made.native),
        motion=draw(made.motion),
        noise=draw(made.noise),
        quality=round(draw(made.quality)),
        drift=draw(made.drift),
        fill=draw(made.fill),
        occluded=draw(made.occluded),
        crowd=draw(made.crowd),
        shadow=draw(made.shadow),
        background=int(rng.integers(2**31)),
    )


def _speckle(rng: np.random.Generator, shape: tuple[int, int], coarse: int) -> NDArray[np.float32]:
    small = rng.normal(0, 1, (max(2, shape[0] // coarse), max(2, shape[1] // coarse)))
    small = small.astype(np.float32)
    return np.asarray(
        cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def _street(
    rng: np.random.Generator, image: NDArray[np.float32], unit: int, horizon: float
) -> None:
    """Paint a stretch of wall above and of pavement below."""
    height, width = image.shape[:2]
    meet = int(height * (horizon + rng.uniform(-0.04, 0.04)))
    wall = np.array(
        [(128, 120, 108), (94, 98, 108), (150, 138, 118), (118, 92, 78), (84, 100, 88)][
            int(rng.integers(5))
        ],
        np.float32,
    ) * rng.uniform(0.8, 1.2)
    ground = np.array(
        [(128, 124, 116), (98, 100, 106), (150, 136, 118), (96, 108, 76), (134, 112, 102)][
            int(rng.choice(5, p=(0.26, 0.26, 0.22, 0.14, 0.12)))
        ],
        np.float32,
    ) * rng.uniform(0.82, 1.18)
    image[:meet] = wall
    image[meet:] = ground
    kind = int(rng.integers(4))
    if kind == 0:  # bricks
        step = max(4, unit // 12)
        for row, y in enumerate(range(0, meet, step)):
            cv2.line(image, (0, y), (width, y), (wall * 0.82).tolist(), 1)
            for x in range((row % 2) * step, width, 2 * step):
                cv2.line(image, (x, y), (x, y + step), (wall * 0.85).tolist(), 1)
    elif kind == 1:  # windows
        x = int(rng.integers(unit // 2))
        while x < width:
            w = int(unit * rng.uniform(0.3, 0.7))
            top = int(meet * rng.uniform(0.05, 0.4))
            glass = (np.array([64, 78, 94]) * rng.uniform(0.6, 1.7)).tolist()
            cv2.rectangle(image, (x, top), (x + w, int(meet * 0.85)), glass, -1)
            cv2.rectangle(image, (x, top), (x + w, int(meet * 0.85)), (190, 188, 182), 2)
            x += int(w + unit * rng.uniform(0.15, 0.6))
    elif kind == 2:  # hedge or trees
        leaves = _speckle(rng, (meet, width), 5) + _speckle(rng, (meet, width), 14)
        image[:meet] = np.array([70, 92, 58], np.float32) * (1 + 0.2 * leaves[..., None])
    else:  # panels and posters
        for x in range(0, width, max(8, unit // 2)):
            cv2.line(image, (x, 0), (x, meet), (wall * 0.75).tolist(), 2)
        for _ in range(8):
            x, y = int(rng.integers(width)), int(rng.integers(max(1, meet // 2)))
            size = int(unit * rng.uniform(0.15, 0.4))
            poster = rng.uniform(60, 190) * rng.uniform(0.7, 1.3, 3)
            cv2.rectangle(image, (x, y), (x + size, y + size), poster.tolist(), -1)
    paving = int(rng.integers(3))
    if paving < 2:  # joints that close up towards the horizon
        joint, gap = float(meet), unit * 0.05
        while joint < height:
            cv2.line(image, (0, int(joint)), (width, int(joint)), (ground * 0.86).tolist(), 1)
            joint, gap = joint + gap, gap * 1.35
        if paving == 1:
            for x in range(-width, 2 * width, unit // 2):
                start = (int(width / 2 + (x - width / 2) * 0.6), meet)
                cv2.line(image, start, (x, height), (ground * 0.86).tolist(), 1)
    if rng.random() < 0.5:  # a kerb or a painted line
        y = int(meet + (height - meet) * rng.uniform(0.1, 0.6))
        cv2.line(image, (0, y), (width, y), (196, 194, 186), max(2, unit // 24))
    for _ in range(int(rng.integers(2, 7))):  # things at the wall's foot: cars, bins, doors
        w, h = int(unit * rng.uniform(0.2, 1.2)), int(unit * rng.uniform(0.3, 0.9))
        x = int(rng.integers(width))
        shade = rng.uniform(30, 190) * np.array([1, rng.uniform(0.85, 1.1), rng.uniform(0.8, 1.15)])
        cv2.rectangle(image, (x, meet - h), (x + w, meet + h // 6), shade.tolist(), -1)
        cv2.rectangle(image, (x, meet - h), (x + w, meet - h // 2), (shade * 0.7).tolist(), -1)


def _indoor(
    rng: np.random.Generator, image: NDArray[np.float32], unit: int, horizon: float
) -> None:
    """Paint a stretch of plain backdrop and of glossy floor."""
    height, width = image.shape[:2]
    meet = int(height * horizon)
    backdrop = np.array(
        [(206, 206, 202), (170, 186, 196), (196, 176, 150), (120, 128, 140)][int(rng.integers(4))],
        np.float32,
    )
    down = np.linspace(1.06, 0.9, height, dtype=np.float32)[:, None, None]
    image[:] = backdrop * down
    floor = np.linspace(0.78, 0.96, height - meet, dtype=np.float32)[:, None, None]
    image[meet:] = (backdrop * 0.5 + 80) * floor
    for x in range(int(rng.integers(unit)), width, unit * 2):
        cv2.rectangle(image, (x, 0), (x + unit // 8, meet), (backdrop * 0.8).tolist(), -1)
        cv2.rectangle(image, (x + unit // 2, meet // 4), (x + unit, meet // 2), (236, 238, 240), -1)


@functools.lru_cache(maxsize=16)
def background(place: Camera, height: int, width: int) -> Image:
    """Return what a camera sees when nobody is there.

    Args:
        place: the camera.
        height: rows of the picture that a tracklet is rendered in.
        width: its columns.

    Returns:
        RGB (1.3 height, (STRETCH + 1) width, 3); the last `width` columns repeat the first, so
        that a scrolling crop may wrap around.
    """
    rng = numpy_generator(place.background, "walkers", "background")
    rows, columns = int(height * 1.3), STRETCH * width
    image = np.zeros((rows, columns, 3), np.float32)
    paint = _indoor if STYLES[place.style].indoor else _street
    horizon = float(rng.uniform(0.3, 0.6))
    start = 0
    while start < columns:  # several places, so that a background does not give a camera away
        stretch = np.zeros((rows, int(width * rng.uniform(0.9, 2.2)), 3), np.float32)
        paint(rng, stretch, height // 2, horizon)
        end = min(columns, start + stretch.shape[1])
        image[:, start:end] = stretch[:, : end - start]
        start = end
    strength = 0.015 if STYLES[place.style].indoor else 0.06
    dirt = _speckle(rng, (rows, columns), 3) + _speckle(rng, (rows, columns), 24)
    image *= 1 + strength * dirt[..., None]
    light = 1 + 0.12 * _speckle(rng, (rows, columns), rows)
    image *= np.clip(light, 0.6, 1.4)[..., None]
    soft = cv2.GaussianBlur(image, (0, 0), 0.005 * height)
    wide = np.concatenate([soft, soft[:, :width]], axis=1)
    return np.clip(wide, 0, 255).astype(np.uint8)


OCCLUDERS = ("pole", "hedge", "car", "fence", "sign")


@dataclass(frozen=True)
class Occluder:
    """A thing of the place before the walker: outlines in widths and heights of the picture."""

    polygons: tuple[NDArray[np.float64], ...]  # (vertices, 2): x from its own middle, y from above
    colours: tuple[tuple[int, int, int], ...]


def occluder(rng: np.random.Generator) -> Occluder:
    """Draw something that stands between the camera and the walker."""
    kind = OCCLUDERS[int(rng.choice(5, p=(0.3, 0.25, 0.2, 0.15, 0.1)))]
    tone = int(rng.integers(40, 150))
    grey = (tone, tone, min(255, tone + 6))

    def rectangle(x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float64]:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)

    if kind == "pole":
        w = rng.uniform(0.05, 0.13)
        shine = (min(255, tone + 40),) * 3
        return Occluder(
            (rectangle(-w, -0.2, w, 1.2), rectangle(-0.5 * w, -0.2, 0, 1.2)), (grey, shine)
        )
    if kind == "hedge":
        top = rng.uniform(0.6, 0.86)
        xs = np.linspace(-1.4, 1.4, 24)
        ys = top + rng.uniform(-0.02, 0.02, 24)
        front = np.concatenate([np.stack([xs, ys], 1), [(1.4, 1.3), (-1.4, 1.3)]])
        lower = np.concatenate([np.stack([xs, ys + 0.06], 1), [(1.4, 1.3), (-1.4, 1.3)]])
        return Occluder((front, lower), ((74, 98, 60), (52, 72, 44)))
    if kind == "car":
        top = rng.uniform(0.62, 0.8)
        paint = rng.uniform(40, 170) * rng.uniform(0.85, 1.15, 3)
        red, green, blue = (int(v) for v in paint)
        hull = np.array(
            [(-1.2, top + 0.1), (-0.7, top + 0.02), (-0.4, top), (0.5, top), (0.9, top + 0.05),
             (1.3, top + 0.12), (1.3, 1.3), (-1.2, 1.3)]
        )  # fmt: skip
        glass = rectangle(-0.38, top + 0.012, 0.48, top + 0.06)
        return Occluder((hull, glass), ((red, green, blue), (52, 60, 68)))
    if kind == "fence":
        bars = [rectangle(x - 0.02, 0.55, x + 0.02, 1.2) for x in np.linspace(-0.9, 0.9, 9)]
        rails = [rectangle(-1, 0.57, 1, 0.6), rectangle(-1, 0.9, 1, 0.93)]
        return Occluder((*bars, *rails), (grey,) * 11)
    top = rng.uniform(0.1, 0.5)
    plate = tuple(int(v) for v in rng.uniform(90, 190) * rng.uniform(0.75, 1.25, 3))
    return Occluder(
        (rectangle(-0.03, top, 0.03, 1.2), rectangle(-0.22, top - 0.12, 0.22, top + 0.1)),
        (grey, (plate[0], plate[1], plate[2])),
    )
