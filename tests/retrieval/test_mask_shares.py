"""Shares of weight on a mask, against sums written out place by place."""

import numpy as np
import pytest

from weakreid.config.network import Image
from weakreid.errors import ReidError
from weakreid.retrieval.mask_shares import area, covering, places_of, shares, summary
from weakreid.seeding import numpy_generator

GENERATOR = numpy_generator(1, "shares")
PERSON = GENERATOR.random((5, 8, 4)) < 0.4
CARRIED = PERSON & (GENERATOR.random((5, 8, 4)) < 0.3)
CARRIED[1] = False
MAPS = GENERATOR.random((5, 4, 2)).astype(np.float32)


def slow_share(weights: np.ndarray, mask: np.ndarray) -> float:
    """The weight of a map's places [h, w], spread over their pixels, that lies on a mask."""
    on = total = 0.0
    tall, wide = mask.shape[0] // weights.shape[0], mask.shape[1] // weights.shape[1]
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            weight = float(weights[y // tall, x // wide])
            total += weight
            on += weight if mask[y, x] else 0.0
    return on / total


def covers_of(masks: np.ndarray) -> np.ndarray:
    return np.stack([covering(mask, Image(height=8, width=4)) for mask in masks])


def test_shares_are_sums_over_pixels() -> None:
    places = np.stack([places_of(one, 4, 2) for one in covers_of(PERSON)])
    expected = [slow_share(weights, mask) for weights, mask in zip(MAPS, PERSON, strict=True)]
    np.testing.assert_allclose(shares(MAPS, places), expected, atol=1e-6)


def test_of_no_weight_there_is_no_share() -> None:
    assert shares(np.zeros((1, 2, 2), np.float32), np.ones((1, 2, 2), np.float32)) == [0.0]


def test_the_summary_is_the_mean_over_frames_that_show_it() -> None:
    found = summary({"layer3": MAPS}, covers_of(PERSON), covers_of(CARRIED))["layer3"]
    person = [slow_share(weights, mask) for weights, mask in zip(MAPS, PERSON, strict=True)]
    carried = [slow_share(MAPS[place], CARRIED[place]) for place in (0, 2, 3, 4)]
    assert found["person"] == pytest.approx(100 * np.mean(person), abs=1e-3)
    assert found["carried"] == pytest.approx(100 * np.mean(carried), abs=1e-3)


def test_the_picture_s_own_share_is_the_area() -> None:
    found = area(covers_of(PERSON), covers_of(CARRIED))
    assert (found["frames"], found["carrying_frames"]) == (5, 4)
    assert found["area"]["person"] == pytest.approx(100 * PERSON.mean(), abs=1e-3)
    assert found["area"]["carried"] == pytest.approx(100 * CARRIED[[0, 2, 3, 4]].mean(), abs=1e-3)
    # a map that looks everywhere alike has that share, whatever its size
    even = {"even": np.full((5, 4, 2), 0.3, np.float32)}
    assert summary(even, covers_of(PERSON), covers_of(CARRIED))["even"] == pytest.approx(
        found["area"], abs=1e-3
    )


def test_nothing_carried_has_no_share() -> None:
    nothing = np.zeros((5, 8, 4), np.float32)
    assert summary({"m": MAPS}, covers_of(PERSON), nothing)["m"]["carried"] is None
    with pytest.raises(ReidError, match="no frame shows a person"):
        summary({"m": MAPS}, nothing, nothing)


def test_a_frame_is_cut_as_the_network_sees_it() -> None:
    mask = np.zeros((12, 8), bool)
    mask[2:10, 2:6] = True
    middle = Image(height=8, width=4, resized=(12, 8))
    np.testing.assert_array_equal(covering(mask, middle), 1.0)
    half = covering(mask, Image(height=6, width=4))
    assert half.shape == (6, 4)
    np.testing.assert_allclose(half, mask.reshape(6, 2, 4, 2).mean(axis=(1, 3)), atol=1e-6)
    # a frame smaller than the input grows
    assert covering(mask, Image(height=24, width=16)).shape == (24, 16)
