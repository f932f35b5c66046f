"""Camera-centred features against the plain computation."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.clustering.centring import centred


def unit(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 4))
def test_the_mean_of_the_camera_is_taken_away(seed, count, cameras):
    rng = np.random.default_rng(seed)
    features, camera = unit(rng.normal(size=(count, 5))), rng.integers(0, cameras, count) * 7
    found = centred(features, camera)
    for place in range(count):
        own = features[camera == camera[place]]
        expected = features[place] if len(own) == 1 else unit(features[place] - own.mean(0))
        np.testing.assert_allclose(found[place], expected, atol=1e-9)


def test_what_is_as_its_camera_stays():
    features = unit(np.array([[1.0, 2], [1, 2], [3, 1]])).astype(np.float32)
    found = centred(features, np.array([4, 4, 1]))
    np.testing.assert_array_equal(found, features)
    assert found.dtype == np.float32
    assert not len(centred(features[:0], np.zeros(0, int)))


def test_a_camera_s_tint_is_gone():
    rng = np.random.default_rng(3)
    people, tint = rng.normal(size=(6, 8)), np.zeros(8)
    tint[0] = 9
    features = unit(np.concatenate([people, people + tint]))
    camera = np.repeat([0, 1], 6)

    def found_again(of):
        """How many people are nearest to themselves, as the other camera sees them."""
        alike = of @ of.T - 2 * np.eye(12)
        return int((alike.argmax(1) == (np.arange(12) + 6) % 12).sum())

    assert found_again(features) < 6
    assert found_again(centred(features, camera)) > 9
