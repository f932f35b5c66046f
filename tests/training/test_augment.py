"""Random changes of frames against slow versions that say what is meant."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.training.helpers import make_images

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Augment, Image
from weakreid.seeding import numpy_generator
from weakreid.training.augment import ERASE_AREA, augment, erasing_rectangle, random_cuts
from weakreid.training.images import TrainingImages

FILL = (123.675, 116.28, 103.53)
COLOUR = np.array([124, 116, 104], np.uint8)
OFF = {"flip": 0.0, "pad": 0, "erase": 0.0, "fill": FILL}
SIZES = st.tuples(st.integers(0, 4), st.integers(1, 12), st.integers(1, 12))


def pictures(count: int, height: int, width: int) -> np.ndarray:
    generator = numpy_generator(0, "test pictures")
    # never the fill's colour, so that what was filled can be told
    return generator.integers(130, 256, (count, height, width, 3)).astype(np.uint8)


def shifted(frame: np.ndarray, down: int, right: int) -> np.ndarray:
    """Shift a frame pixel by pixel."""
    height, width, _ = frame.shape
    out = np.empty_like(frame)
    for row in range(height):
        for column in range(width):
            inside = 0 <= row - down < height and 0 <= column - right < width
            out[row, column] = frame[row - down, column - right] if inside else COLOUR
    return out


def shifts_of(frame: np.ndarray, changed: np.ndarray, pad: int) -> list[tuple[int, int]]:
    moves = range(-pad, pad + 1)
    return [
        (down, right)
        for down in moves
        for right in moves
        if np.array_equal(shifted(frame, down, right), changed)
    ]


def test_nothing_asked_for_changes_nothing():
    images = pictures(3, 8, 4)
    out = augment(images, numpy_generator(1), **OFF)
    assert np.array_equal(out, images)
    assert not np.shares_memory(out, images)


@settings(deadline=None, max_examples=60)
@given(size=SIZES, flip=st.floats(0, 1), pad=st.integers(0, 15), erase=st.floats(0, 1))
def test_same_generator_same_frames_whatever_the_shape(size, flip, pad, erase):
    images = pictures(*size)
    before = images.copy()
    options = {"flip": flip, "pad": pad, "erase": erase, "fill": FILL}
    once = augment(images, numpy_generator(5), **options)
    into = np.zeros_like(images)
    again = augment(images, numpy_generator(5), out=into, **options)
    assert again is into
    assert np.array_equal(once, again)
    assert (once.shape, once.dtype) == (images.shape, np.uint8)
    assert np.array_equal(images, before)


@settings(deadline=None, max_examples=30)
@given(size=SIZES)
def test_flip_is_exact(size):
    images = pictures(*size)
    out = augment(images, numpy_generator(2), **{**OFF, "flip": 1.0})
    assert np.array_equal(out, images[:, :, ::-1])


def test_flip_comes_as_often_as_asked():
    images = pictures(1, 4, 3).repeat(2000, axis=0)
    out = augment(images, numpy_generator(3), **{**OFF, "flip": 0.25})
    flipped = (out != images).any(axis=(1, 2, 3)).mean()
    assert 0.2 < flipped < 0.3


@settings(deadline=None, max_examples=30)
@given(height=st.integers(1, 9), width=st.integers(1, 9), pad=st.integers(0, 4), flip=st.booleans())
def test_shift_is_that_of_a_slow_version(height, width, pad, flip):
    images = pictures(3, height, width)
    out = augment(images, numpy_generator(4), **{**OFF, "pad": pad, "flip": float(flip)})
    for frame, changed in zip(images, out, strict=True):
        source = frame[:, ::-1] if flip else frame
        assert shifts_of(source, changed, pad)


def test_every_shift_is_drawn():
    images = pictures(1, 5, 5).repeat(400, axis=0)
    out = augment(images, numpy_generator(6), **{**OFF, "pad": 2})
    found = {shift for changed in out for shift in shifts_of(images[0], changed, 2)}
    assert len(found) == 25


@settings(deadline=None, max_examples=200)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    seed=st.integers(0, 10**6),
    draw=st.sampled_from(["uniform", "log_uniform"]),
)
def test_an_erased_rectangle_lies_inside(height, width, seed, draw):
    rectangle = erasing_rectangle(height, width, numpy_generator(seed), draw)
    if rectangle is None:
        assert min(height, width) < 4
        return
    top, left, tall, wide = rectangle
    assert 0 <= top <= top + tall <= height
    assert 0 <= left <= left + wide <= width
    # whole pixels: each side is off by half a pixel at most
    least, most = (share * height * width for share in ERASE_AREA)
    assert (tall + 0.5) * (wide + 0.5) >= least
    assert (tall - 0.5) * (wide - 0.5) <= most
    assert (tall - 0.5) / (wide + 0.5) <= 1 / 0.3
    assert (tall + 0.5) / max(wide - 0.5, 1e-9) >= 0.3


@pytest.mark.parametrize(("draw", "median"), [("uniform", (0.3 + 1 / 0.3) / 2), ("log_uniform", 1)])
def test_the_aspect_of_erased_rectangles(draw, median):
    # so small a share of a frame that every draw fits
    found = [erasing_rectangle(3000, 3000, numpy_generator(seed), draw) for seed in range(2000)]
    taller = sum(tall / wide > median for _, _, tall, wide in found)
    assert taller == pytest.approx(1000, abs=100)


def test_erasing_fills_one_rectangle():
    images = pictures(50, 32, 16)
    out = augment(images, numpy_generator(7), **{**OFF, "erase": 1.0})
    for frame, changed in zip(images, out, strict=True):
        erased = (changed == COLOUR).all(axis=2)
        rows, columns = erased.any(axis=1), erased.any(axis=0)
        assert np.array_equal(erased, rows[:, None] & columns[None, :])
        assert np.array_equal(np.flatnonzero(rows), np.arange(rows.sum()) + rows.argmax())
        assert np.array_equal(np.flatnonzero(columns), np.arange(columns.sum()) + columns.argmax())
        assert np.array_equal(changed[~erased], frame[~erased])
        assert 0.01 < erased.mean() < 0.45


@pytest.mark.parametrize("pad", [4, 5, 40])
def test_a_shift_out_of_the_frame_leaves_the_fill(pad):
    out = augment(pictures(200, 4, 4), numpy_generator(8), **{**OFF, "pad": pad})
    gone = (out == COLOUR).all(axis=(1, 2, 3))
    assert gone.any()


def places_of(image: np.ndarray, cut: np.ndarray) -> list[tuple[int, int]]:
    height, width, _ = cut.shape
    return [
        (top, left)
        for top in range(image.shape[0] - height + 1)
        for left in range(image.shape[1] - width + 1)
        if np.array_equal(image[top : top + height, left : left + width], cut)
    ]


@given(
    count=st.integers(0, 4),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    room=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_a_cut_is_a_part_of_its_frame(count, size, room):
    images = pictures(count, size[0] + room[0], size[1] + room[1])
    cuts = random_cuts(images, numpy_generator(1), *size)
    assert cuts.shape == (count, *size, 3)
    for image, cut in zip(images, cuts, strict=True):
        assert places_of(image, cut)
    assert np.array_equal(cuts, random_cuts(images, numpy_generator(1), *size))


def test_every_place_is_cut():
    image = pictures(1, 4, 5)
    cuts = random_cuts(image.repeat(300, axis=0), numpy_generator(2), 3, 3)
    places = [places_of(image[0], cut) for cut in cuts]
    assert {place for (place,) in places} == {(t, left) for t in (0, 1) for left in (0, 1, 2)}


def test_pictures_are_resized_before_they_are_cut(tmp_path):
    make_images(tmp_path / "images.arrow", 6)
    rows = [np.array([0, 1, 2]), np.array([4, 4])]
    size, plain = Image(height=28, width=14), Augment(flip=0.0)
    with ImageStore(tmp_path / "images.arrow") as store:
        larger = store.batch(np.concatenate(rows), 32, 16)
        cut = TrainingImages(store, Image(height=28, width=14, resized=(32, 16)), FILL, plain, 1)
        generators = [numpy_generator(seed) for seed in (1, 2)]
        found = cut.augmented(rows, generators).numpy()
        assert found.shape == (5, 28, 14, 3)
        for image, of_image in zip(larger, found, strict=True):
            assert places_of(image, of_image)
        middle = cut.plain(np.concatenate(rows)).numpy()
        assert np.array_equal(middle, larger[:, 2:30, 1:15])
        # without, a picture is resized whole, and no other number is drawn
        whole = TrainingImages(store, size, FILL, Augment(flip=0.0, pad=3), 1)
        generators = [numpy_generator(seed) for seed in (1, 2)]
        found = whole.augmented(rows, generators).numpy()
        unchanged = [store.batch(of_group, 28, 14) for of_group in rows]
        expected = [
            augment(images, numpy_generator(seed), fill=FILL, flip=0.0, pad=3, erase=0.0)
            for images, seed in zip(unchanged, (1, 2), strict=True)
        ]
        assert np.array_equal(found, np.concatenate(expected))
        assert np.array_equal(whole.plain(rows[0]).numpy(), unchanged[0])
