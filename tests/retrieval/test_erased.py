"""Attention on erased frames, against means written out frame by frame."""

import numpy as np
import pytest

from weakreid.errors import ReidError
from weakreid.retrieval.erased import erase_some, measure
from weakreid.seeding import numpy_generator

CLIPS, T = 40, 4
GENERATOR = numpy_generator(1, "erased")
ERASED = GENERATOR.random((CLIPS, T)) < 0.5
ERASED[0], ERASED[1] = True, False
TRACKLETS = np.repeat(np.arange(CLIPS // 2), 2)


def weights(fall: float) -> np.ndarray:
    raw = GENERATOR.random((CLIPS, T)) + 0.5
    raw = np.where(ERASED, raw * fall, raw)
    return raw / raw.sum(axis=1, keepdims=True)


def test_means_over_frames() -> None:
    whole, spoilt = weights(1.0), weights(0.5)
    found = measure(whole, spoilt, ERASED, TRACKLETS, 1)
    on, off, before, follows = [], [], [], []
    for clip in range(CLIPS):
        lost = [place for place in range(T) if ERASED[clip, place]]
        if not 0 < len(lost) < T:
            continue
        rest = [place for place in range(T) if place not in lost]
        on += [T * spoilt[clip, place] for place in lost]
        off += [T * spoilt[clip, place] for place in rest]
        before += [T * whole[clip, place] for place in lost]
        follows.append(np.mean(spoilt[clip, lost]) < np.mean(spoilt[clip, rest]))
    assert found["clips"] == len(follows)
    assert found["erased_frames"] == len(on)
    for name, values in (("erased", on), ("kept", off), ("before", before)):
        assert found[name]["value"] == pytest.approx(np.mean(values), abs=1e-5)
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    fall = np.mean(before) - np.mean(on)
    assert found["fall"]["value"] == pytest.approx(fall, abs=1e-5)
    assert found["difference"]["value"] == pytest.approx(np.mean(off) - np.mean(on), abs=1e-5)
    assert found["follows"] == pytest.approx(100 * np.mean(follows), abs=1e-3)
    assert found["fall"]["low"] > 0
    assert measure(whole, spoilt, ERASED, TRACKLETS, 1) == found


def test_equal_weights_do_not_fall() -> None:
    equal = np.full((CLIPS, T), 1 / T)
    found = measure(equal, equal, ERASED, TRACKLETS, 1)
    assert found["erased"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["fall"]["value"] == found["follows"] == 0


def test_clips_that_say_nothing_are_refused() -> None:
    equal = np.full((CLIPS, T), 1 / T)
    for erased in (np.zeros((CLIPS, T), bool), np.ones((CLIPS, T), bool)):
        with pytest.raises(ReidError, match="no clip has frames that are erased and others"):
            measure(equal, equal, erased, TRACKLETS, 1)


def test_only_erased_frames_change() -> None:
    clip = GENERATOR.integers(0, 100, (30, 16, 8, 3)).astype(np.uint8)
    changed, erased = erase_some(
        clip, numpy_generator(2, "e"), 0.5, "uniform", (200.0, 201.0, 202.0)
    )
    assert 5 < erased.sum() < 25
    for before, after, lost in zip(clip, changed, erased, strict=True):
        different = (before != after).any(axis=2)
        assert different.any() == lost
        # a rectangle of one colour
        if lost:
            rows, columns = np.nonzero(different)
            patch = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert (patch == [200, 201, 202]).all()
    again, _ = erase_some(clip, numpy_generator(2, "e"), 0.5, "uniform", (200.0, 201.0, 202.0))
    np.testing.assert_array_equal(again, changed)
