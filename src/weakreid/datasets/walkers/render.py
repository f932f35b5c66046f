"""Rendering: from a person, a camera and a seed to the JPEG frames of a tracklet and their truth.

Every part of every figure is filled as a number into one label picture, at twice the written size
where that is small. One pass over the labelled pixels then looks all colours up in an atlas of
textures through the parts' inverse affine maps. The same labels are the ground truth.

A tracklet depends on its own generator and its arguments alone. OpenCV runs on one thread in the
workers; the operations used give the same bytes on one machine whatever the number of workers.
"""

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from weakreid.datasets.walkers.body import Part, outlines, parts_of, project
from weakreid.datasets.walkers.cloth import COLUMNS, wraps
from weakreid.datasets.walkers.people import Person, draw_person
from weakreid.datasets.walkers.scene import STRETCH, STYLES, Camera, Occluder, background, occluder
from weakreid.seeding import numpy_generator

FloatArray = NDArray[np.float64]
Image = NDArray[Any]  # uint8; OpenCV's stubs know no more than that it holds numbers

FRAMES_PER_SECOND = 10.0
PASSERS_BY = 64
_BIN = np.deg2rad(10.0)  # a figure's outlines and textures are made anew for each such step
_SHIFT = 4  # fractional bits of the vertices
_SHAKE = 32  # margin of the bank of noise


@dataclass(frozen=True)
class Frame:
    """One rendered frame and its truth."""

    jpeg: bytes
    mask: bytes  # PNG of one bit per pixel, as large as the frame; 1 where the person is seen
    visible: tuple[float, float, float, float]  # head, up, low, shoes: share that is seen
    person_share: float  # of the frame's pixels
    other_share: float  # of the frame's pixels: other people and things before or beside
    heading: float  # degrees, 0 towards the camera, 90 to the picture's right


@dataclass(frozen=True)
class _Baked:
    outlines: FloatArray  # parts, vertices, 2
    reach: FloatArray  # parts: the largest |t|
    atlas: NDArray[np.uint8]  # texels, 3
    offset: NDArray[np.float32]  # parts
    columns: NDArray[np.float32]
    rows: NDArray[np.float32]


@functools.lru_cache(maxsize=128)
def _figure(person: Person) -> tuple[list[Part], dict[str, NDArray[np.float32]]]:
    return parts_of(person), wraps(person)


@functools.lru_cache(maxsize=256)
def bake(person: Person, step: int, light: float, ambient: float) -> _Baked:
    """Make the outlines and textures of a figure as seen at heading `step` x 10 degrees, lit.

    Args:
        person: whose figure.
        step: heading in steps of 10 degrees.
        light: direction of the light, radians to the picture's right.
        ambient: light in the shade, against 1 in the light.
    """
    parts, textures = _figure(person)
    heading = step * _BIN
    shapes = outlines(person, parts, heading)
    tiles, offset, columns, rows = [], [], [], []
    start = 0
    for part in parts:
        wrap = textures[part.wrap]
        count = 48 if part.wrap in ("torso", "head", "skirt", "bag") else 24
        across = (np.arange(count) + 0.5) / count * 2 - 1
        around = np.arcsin(across) - (0.0 if part.fixed else heading)
        column = np.floor((around / (2 * np.pi) + 0.5) * COLUMNS).astype(int) % COLUMNS
        facing = np.cos(np.arcsin(across) - light)
        shade = ambient + (1.12 - ambient) * np.clip(facing, 0, 1)
        # the edge of a round body turns away from every light
        shade *= 0.8 + 0.2 * np.sqrt(1 - across**2)
        down = np.linspace(1.05, 0.93, len(wrap))
        tile = wrap[:, column] * (down[:, None] * shade[None, :])[..., None]
        tiles.append(np.clip(tile, 0, 255).astype(np.uint8).reshape(-1, 3))
        offset.append(start)
        columns.append(count)
        rows.append(len(wrap))
        start += len(wrap) * count
    return _Baked(
        shapes,
        np.abs(shapes[..., 1]).max(axis=1),
        np.concatenate(tiles),
        np.array(offset, np.float32),
        np.array(columns, np.float32),
        np.array(rows, np.float32),
    )


@dataclass
class _Walker:
    """A figure laid out in a tracklet's pictures, ready to be filled and looked up."""

    groups: NDArray[np.uint8]  # parts
    polygons: NDArray[np.int32]  # frames, parts, vertices, 2, with fractional bits
    order: NDArray[np.intp]  # frames, parts: painted first to last
    maps: NDArray[np.float32]  # frames, parts, 6: texel column and row from a pixel's x and y
    steps: NDArray[np.intp]  # frames
    baked: dict[int, _Baked]


def _lay_out(
    person: Person,
    camera: Camera,
    phase: FloatArray,
    heading: FloatArray,
    feet: FloatArray,
    scale: FloatArray,
    stretch: float,
) -> _Walker:
    """Place a figure.

    Args:
        person: whose figure.
        camera: who looks.
        phase: (frames,) radians of the gait cycle.
        heading: (frames,) radians.
        feet: (frames, 2) pixels.
        scale: (frames,) pixels per stature.
        stretch: how much broader than true: boxes are resized to one shape.
    """
    parts, _ = _figure(person)
    first, second, nearness = project(person, parts, phase, heading, camera.pitch)
    along = second - first
    length = np.linalg.norm(along, axis=-1)
    # a limb that points at the camera is still as long as it is thick
    full = np.sqrt(length**2 + 0.02**2)
    unit = np.where(length[..., None] > 1e-6, along / np.maximum(length, 1e-6)[..., None], (0, 1))
    first = first - unit * ((full - length) / 2)[..., None]
    normal = np.stack([unit[..., 1], -unit[..., 0]], axis=-1)
    # textures that do not turn with the body keep their right side at the picture's right
    fixed = np.array([part.fixed for part in parts])
    flip = np.where(fixed & (normal[..., 0] < 0), -1.0, 1.0)
    normal = normal * flip[..., None]
    soft = STYLES[camera.style].soft
    steps = np.round(heading / _BIN).astype(int)
    baked = {
        int(step): bake(person, int(step), camera.light * (0.5 if soft else 1.0), camera.ambient)
        for step in np.unique(steps)
    }
    shapes = np.stack([baked[int(step)].outlines for step in steps])
    origin = first * scale[:, None, None] + feet[:, None]
    stem = unit * (full * scale[:, None])[..., None]
    side = normal * scale[:, None, None]
    points = (
        origin[:, :, None] + shapes[..., :1] * stem[:, :, None] + shapes[..., 1:] * side[:, :, None]
    )
    reach = np.stack([baked[int(step)].reach for step in steps])
    columns = next(iter(baked.values())).columns
    rows = next(iter(baked.values())).rows
    to_column = side / (scale**2)[:, None, None] * (columns / (2 * reach))[..., None]
    to_row = stem / ((full * scale[:, None]) ** 2)[..., None] * rows[:, None]
    column = columns / 2 - (to_column * origin).sum(-1)
    row = -(to_row * origin).sum(-1)
    # stretch about the feet: x = feet + (written x - feet) / stretch
    middle = feet[:, None, 0]
    points[..., 0] = middle[..., None] + stretch * (points[..., 0] - middle[..., None])
    column += to_column[..., 0] * middle * (1 - 1 / stretch)
    row += to_row[..., 0] * middle * (1 - 1 / stretch)
    to_column[..., 0] /= stretch
    to_row[..., 0] /= stretch
    maps = np.concatenate([to_column, column[..., None], to_row, row[..., None]], axis=-1)
    return _Walker(
        np.array([part.group for part in parts], np.uint8),
        np.round(points * (1 << _SHIFT)).astype(np.int32),
        np.argsort(nearness, axis=1, kind="stable"),
        maps.astype(np.float32),
        steps,
        baked,
    )


def _fill(canvas: Image, walker: _Walker, frame: int, base: int) -> None:
    polygons = walker.polygons[frame]
    for part in walker.order[frame]:
        cv2.fillConvexPoly(canvas, polygons[part], int(base + part), 8, _SHIFT)


@functools.lru_cache(maxsize=4)
def _noise(height: int, width: int) -> Image:
    rng = numpy_generator(0, "walkers", "noise", height, width)
    field = rng.normal(128, 32, (height + _SHAKE, width + _SHAKE, 3))
    return np.clip(field, 0, 255).astype(np.uint8)


def _wander(rng: np.random.Generator, frames: int, size: float) -> FloatArray:
    """Return a slow random walk that returns to zero: (frames,), deviation `size`."""
    values = np.empty(frames)
    value = rng.normal(0, size)
    kicks = rng.normal(0, size * 0.436, frames)  # 0.9 ** 2 + 0.436 ** 2 = 1
    for i in range(frames):
        value = 0.9 * value + kicks[i]
        values[i] = value
    return values


@functools.lru_cache(maxsize=PASSERS_BY)
def passer_by(seed: int, number: int) -> Person:
    """Return one of the people who are nobody's identity and walk past the others."""
    return draw_person(numpy_generator(seed, "walkers", "passer-by", number))


def tracklet(
    rng: np.random.Generator,
    seed: int,
    person: Person,
    camera: Camera,
    frames: int,
    height: int,
    width: int,
    fault: float = 0.0,
    empty: bool = False,
) -> list[Frame]:
    """Render one tracklet.

    Args:
        rng: the tracklet's own generator.
        seed: the data set's seed (for the passers-by).
        person: who walks.
        camera: who looks.
        frames: how many frames.
        height: rows of a frame.
        width: its columns.
        fault: how badly the box is placed: 0 as the camera's tracker does, 1 hopelessly.
        empty: nobody is there: a false detection. The mask is empty, and what is seen of every
            part is 0.

    Returns:
        the frames in time order.
    """
    factor = 2 if height <= 160 else 1
    rows, columns = height * factor, width * factor
    gap_x, gap_y = columns // 2, rows // 4  # the label picture reaches beyond the crop

    # the walk
    way = camera.path + (np.pi if rng.random() < 0.5 else 0.0) + rng.normal(0, camera.spread)
    heading = way + _wander(rng, frames, np.deg2rad(4))
    time = np.arange(frames) / FRAMES_PER_SECOND
    phase = rng.uniform(0, 2 * np.pi) + np.pi * person.cadence * rng.normal(1, 0.05) * time
    fill = np.clip(camera.fill + rng.normal(0, 0.03), 0.7, 1.0)
    zoom = 1 + _wander(rng, frames, camera.drift)
    drift_x = _wander(rng, frames, camera.drift * 1.3) + rng.normal(0, 0.4) * fault
    drift_y = _wander(rng, frames, camera.drift * 0.8) + rng.normal(0, 0.25) * fault
    zoom = zoom * (1 + abs(rng.normal(0, 0.5)) * fault)
    scale = rows * fill * zoom / (1.01 + 0.1 * np.sin(camera.pitch))
    feet = np.stack(
        [
            columns * (0.5 + drift_x),
            rows * (0.5 + drift_y) + 0.475 * scale * np.cos(camera.pitch),
        ],
        axis=1,
    )
    pace = 0.75 * person.stride / 0.44
    scroll = np.cumsum(pace * scale * np.sin(heading)) / FRAMES_PER_SECOND
    stretch = 1.27 - 0.24 * abs(np.sin(way)) + rng.normal(0, 0.03)
    main = _lay_out(person, camera, phase, heading, feet, scale, stretch)

    # who and what else is there
    behind: list[_Walker] = []
    before: list[_Walker] = []
    for _ in range(2):
        if rng.random() >= camera.crowd:
            continue
        other = passer_by(seed, int(rng.integers(PASSERS_BY)))
        side = 1.0 if rng.random() < 0.5 else -1.0
        start = side * rng.uniform(0.36, 0.72)
        near = bool(rng.random() < 0.45)
        if near:  # who walks before the person covers a part at most
            start = side * max(abs(start), 0.42)
        same = rng.random() < 0.7
        other_way = heading if same else heading + np.pi
        move = rng.normal(0, 0.012) * np.arange(frames) if same else 0 * time
        if not same and frames > 1:  # crosses the picture once
            move = -side * np.linspace(-0.6, rng.uniform(0, 1.2), frames)
        size = scale * rng.uniform(*((1.0, 1.18) if near else (0.72, 1.0)))
        place = feet + np.stack(
            [columns * (start + move), (0.03 if near else -0.05) * rows + 0 * time], axis=1
        )
        own = rng.uniform(0, 2 * np.pi) + np.pi * other.cadence * time
        laid = _lay_out(other, camera, own, other_way, place, size, stretch)
        (before if near else behind).append(laid)
    thing: Occluder | None = None
    thing_x = np.zeros(frames)
    if rng.random() < camera.occluded:
        thing = occluder(rng)
        # the place stands still: it passes by as the box moves on
        middle = scroll[int(rng.integers(frames))]
        thing_x = columns * (0.5 + rng.uniform(-0.45, 0.45)) - (scroll - middle)
        thing_x = (thing_x + 2 * columns) % (5 * columns) - 2 * columns

    scenery = background(camera, rows, columns)
    start_x = rng.uniform(0, STRETCH * columns)
    start_y = rng.uniform(0, 0.3) * rows
    table = _curve(camera.gamma)
    # the sun comes and goes, and no two spots are alike: one camera's tracklets differ too
    matrix = np.array(camera.matrix, np.float32) * rng.uniform(0.85, 1.15)
    matrix *= rng.uniform(0.97, 1.03, (3, 1)).astype(np.float32)
    spot = _gain(rng.uniform(0.72, 1.25) * rng.uniform(0.92, 1.08, 3))
    mirrored = rng.random() < 0.5
    native = float(np.clip(camera.native * rng.uniform(0.8, 1.15), 0.35, 1.0))
    small = (max(8, round(width * native)), max(16, round(height * native)))
    noise = _noise(height, width)
    streak = round(camera.motion * columns * abs(np.sin(way)))
    quality = int(np.clip(camera.quality + rng.integers(-6, 7), 30, 96))
    flicker = rng.normal(0, 0.012, frames)
    shake = rng.integers(0, _SHAKE, (frames, 2))
    shadow_x = 0.35 * np.sin(camera.light)

    canvas = np.zeros((rows + 2 * gap_y, columns + 2 * gap_x), np.uint8)
    alone = canvas.copy()
    crop = (slice(gap_y, gap_y + rows), slice(gap_x, gap_x + columns))
    offset = np.array([gap_x, gap_y]) << _SHIFT
    for walker in (main, *behind, *before):
        walker.polygons += offset.astype(np.int32)
    count = len(main.groups)
    group_of = np.zeros(256, np.uint8)
    group_of[1 : count + 1] = main.groups

    made = []
    for frame in range(frames):
        along = scroll[frame] - drift_x[frame] * columns
        left = int(start_x + (-along if mirrored else along)) % (STRETCH * columns)
        top = int(np.clip(start_y - drift_y[frame] * rows, 0, len(scenery) - rows))
        picture: Image = scenery[top : top + rows, left : left + columns]
        if mirrored:
            picture = picture[:, ::-1]
        picture = cv2.LUT(picture, spot)
        canvas[:] = 0
        coefficients = _Coefficients()
        base = 1 + count
        for walker in behind:
            _fill(canvas, walker, frame, base)
            coefficients.add(walker, frame, base)
            base += len(walker.groups)
        whole = np.zeros(6, np.int64)
        if not empty:
            alone[:] = 0
            _fill(alone, main, frame, 1)
            coefficients.add(main, frame, 1)
            whole = np.bincount(cv2.LUT(alone[::2, ::2], group_of).ravel(), minlength=6)
            cv2.copyTo(alone, alone, canvas)
            _cast_shadow(picture, feet[frame], scale[frame], shadow_x, camera.shadow)
        for walker in before:
            _fill(canvas, walker, frame, base)
            coefficients.add(walker, frame, base)
            base += len(walker.groups)
        if thing is not None:
            for polygon, colour in zip(thing.polygons, thing.colours, strict=True):
                points = polygon * (columns, rows) + (thing_x[frame] + gap_x, gap_y)
                points = np.round(points * (1 << _SHIFT)).astype(np.int32)
                cv2.fillPoly(canvas, [points], base, 8, _SHIFT)
                coefficients.flat(base, colour)
                base += 1

        labels = np.ascontiguousarray(canvas[crop])
        coefficients.paint(picture, labels, gap_x, gap_y)
        seen = np.bincount(cv2.LUT(labels[::2, ::2], group_of).ravel(), minlength=6)
        mask: Image = ((labels > 0) & (labels <= count)).astype(np.uint8) * 255
        if factor > 1:
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
        written, png = cv2.imencode(
            ".png", (mask > 127).astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1]
        )
        assert written
        jpeg = _camera(
            picture, matrix, table, small, (width, height), streak,
            noise[shake[frame, 0] :, shake[frame, 1] :], camera.noise, flicker[frame], quality,
        )  # fmt: skip
        pixels = labels[::2, ::2].size
        share = [min(1.0, float(seen[g] / whole[g])) if whole[g] else 0.0 for g in (1, 2, 3, 4)]
        made.append(
            Frame(
                jpeg,
                png.tobytes(),
                (share[0], share[1], share[2], share[3]),
                float(seen[1:].sum() / pixels),
                float(((labels[::2, ::2] > count).sum()) / pixels),
                float(np.rad2deg(heading[frame]) % 360),
            )
        )
    return made


class _Coefficients:
    """The inverse map of every label in a frame, and the textures that they lead to."""

    def __init__(self) -> None:
        self.table = np.zeros((9, 256), np.float32)
        self.atlases: list[NDArray[np.uint8]] = []
        self.start = 0

    def add(self, walker: _Walker, frame: int, base: int) -> None:
        baked = walker.baked[int(walker.steps[frame])]
        labels = slice(base, base + len(walker.groups))
        self.table[:6, labels] = walker.maps[frame].T
        self.table[6, labels] = baked.columns
        self.table[7, labels] = baked.rows
        self.table[8, labels] = baked.offset + self.start
        self.atlases.append(baked.atlas)
        self.start += len(baked.atlas)

    def flat(self, label: int, colour: tuple[int, int, int]) -> None:
        self.table[:6, label] = 0
        self.table[6:8, label] = 1
        self.table[8, label] = self.start
        self.atlases.append(np.array([colour], np.uint8))
        self.start += 1

    def paint(self, picture: Image, labels: Image, gap_x: int, gap_y: int) -> None:
        """Colour the labelled pixels of `picture` (rows, columns, 3)."""
        where = np.flatnonzero(labels)
        if not len(where):
            return
        own = self.table[:, labels.ravel()[where]]
        y, x = np.divmod(where, labels.shape[1])
        x, y = x.astype(np.float32), y.astype(np.float32)
        column = own[0] * x + own[1] * y + own[2]
        row = own[3] * x + own[4] * y + own[5]
        np.clip(column, 0, own[6] - 1, out=column)
        np.clip(row, 0, own[7] - 1, out=row)
        texel = row.astype(np.int32) * own[6].astype(np.int32)
        texel += column.astype(np.int32)
        texel += own[8].astype(np.int32)
        atlas = np.concatenate(self.atlases) if len(self.atlases) > 1 else self.atlases[0]
        picture.reshape(-1, 3)[where] = atlas[texel]


def _gain(gains: FloatArray) -> Image:
    """Return the look-up table (256, 1, 3) that multiplies each channel."""
    levels = np.arange(256)[:, None, None] * gains
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=32)
def _curve(gamma: float) -> Image:
    levels = np.arange(256) / 255
    return np.clip(np.round(255 * levels**gamma), 0, 255).astype(np.uint8)


def _cast_shadow(
    picture: Image, feet: FloatArray, scale: float, shift: float, strength: float
) -> None:
    """Darken the ground under the feet."""
    reach_x, reach_y = int(0.2 * scale), int(0.045 * scale)
    x, y = int(feet[0] + shift * 0.2 * scale), int(feet[1])
    x0, x1 = max(0, x - reach_x), min(picture.shape[1], x + reach_x)
    y0, y1 = max(0, y - reach_y), min(picture.shape[0], y + reach_y)
    if x1 <= x0 or y1 <= y0:
        return
    across = ((np.arange(x0, x1) - x) / reach_x) ** 2
    down = ((np.arange(y0, y1) - y) / reach_y) ** 2
    dark = 1 - strength * np.clip(1 - (down[:, None] + across[None, :]), 0, 1)
    patch = picture[y0:y1, x0:x1]
    patch[:] = (patch * dark[..., None].astype(np.float32)).astype(np.uint8)


def _camera(
    picture: Image,
    matrix: NDArray[np.float32],
    table: Image,
    small: tuple[int, int],
    size: tuple[int, int],
    streak: int,
    noise: Image,
    sigma: float,
    flicker: float,
    quality: int,
) -> bytes:
    """See a picture through a camera: blur, colour, noise, scaling, compression."""
    if streak > 1:
        picture = cv2.blur(picture, (streak, 1))
    picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    picture = cv2.LUT(cv2.transform(picture, matrix), table)
    grain = noise[: small[1], : small[0]]
    picture = cv2.addWeighted(picture, 1 + flicker, grain, sigma / 32, -4 * sigma)
    if small != size:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return simplejpeg.encode_jpeg(
        picture, quality=quality, colorspace="RGB", colorsubsampling="420"
    )
