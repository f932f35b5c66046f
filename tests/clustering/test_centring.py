"""Camera-centred features against the plain computation."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.clustering.centring import FEW, centred


def unit(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(FEW, 60), st.integers(1, 6), st.booleans())
def test_the_mean_of_the_camera_is_taken_away(seed, count, cameras, of_frames):
    rng = np.random.default_rng(seed)
    features, camera = unit(rng.normal(size=(count, 5))), rng.integers(0, cameras, count) * 7
    names = rng.integers(0, 3 * FEW, count) if of_frames else np.arange(count)
    found = centred(features, camera, names if of_frames else None)
    for place in range(count):
        own = camera == camera[place]
        if len(set(names)) < FEW:
            expected = features[place]
        else:
            of = features[own] if len(set(names[own])) >= FEW else features
            expected = unit(features[place] - of.mean(0))
        np.testing.assert_allclose(found[place], expected, atol=1e-9)


def test_two_tracklets_of_one_person_alone_in_a_camera_stay_alike():
    rng = np.random.default_rng(5)
    features = rng.normal(size=(40, 16))
    features[39] = features[38] + 0.02 * rng.normal(size=16)
    found = centred(unit(features), np.repeat([1, 2], [38, 2]))
    assert found[38] @ found[39] > 0.99
    # their camera's own mean would make opposites of them
    alone = unit(features[38:]) - unit(features[38:]).mean(0)
    assert unit(alone)[0] @ unit(alone)[1] < -0.99


def test_what_is_as_its_camera_stays():
    features = unit(np.array([[1.0, 2]] * FEW)).astype(np.float32)
    found = centred(features, np.full(FEW, 4))
    np.testing.assert_array_equal(found, features)
    assert found.dtype == np.float32
    assert not len(centred(features[:0], np.zeros(0, int)))


def test_a_camera_s_tint_is_gone():
    rng = np.random.default_rng(3)
    people, tint = rng.normal(size=(10, 8)), np.zeros(8)
    tint[0] = 9
    features = unit(np.concatenate([people, people + tint]))
    camera = np.repeat([0, 1], 10)

    def found_again(of):
        """How many people are nearest to themselves, as the other camera sees them."""
        alike = of @ of.T - 2 * np.eye(20)
        return int((alike.argmax(1) == (np.arange(20) + 10) % 20).sum())

    assert found_again(features) < 10
    assert found_again(centred(features, camera)) > 15
