"""What is advised where association finds nothing to learn from helps when it is followed."""

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.clustering.advice import advise, fit
from weakreid.clustering.jaccard import jaccard_distances
from weakreid.config.methods import Association
from weakreid.errors import ReidError
from weakreid.training.pseudo_labels import associate, fitted


def run(features, **association):
    """Associate as a training's first epoch does."""
    how, _ = fitted(Association(frames=8, share=0.005, **association), len(features))
    return associate(features, how, how.eps, threads=1, check=True)[0]


def advised(error):
    """Return the settings that a message advises, as a config would read them."""
    text = str(error).split("set association: ")[1]
    return yaml.safe_load(text[: text.index("}") + 1])


def people(count, seed, spread=0.1):
    """Return features of tracklets, two or three of a person."""
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(count), 3)[:count]
    found = rng.standard_normal((count, 16))[persons] + spread * rng.standard_normal((count, 16))
    return found.astype(np.float32)


@given(
    count=st.integers(2, 30),
    seed=st.integers(0, 99),
    k1=st.sampled_from([1, 3, 10, 30]),
    k2=st.sampled_from([1, 4, 6]),
    min_samples=st.sampled_from([1, 2, 4]),
    eps=st.sampled_from([None, 0.001, 0.3, 0.999]),
)
@settings(max_examples=60, deadline=None)
def test_following_the_advice_gives_clusters(count, seed, k1, k2, min_samples, eps):
    block = {"k1": k1, "k2": k2, "min_samples": min_samples, "eps": eps}
    features = people(count, seed)
    try:
        labels = run(features, **block)
    except ReidError as error:
        labels = run(features, **block | advised(error))
    assert len(np.unique(labels[labels >= 0])) >= 2


def test_the_advice_joins_tracklets_where_any_setting_does():
    # three pairs, and an eps at which everybody is one cluster
    features = np.repeat(np.eye(3, dtype=np.float32), 2, axis=0)
    features += 0.05 * np.random.default_rng(0).standard_normal(features.shape).astype(np.float32)
    block = {"k1": 10, "k2": 4, "min_samples": 2}
    with pytest.raises(ReidError, match=r"one cluster among 6 .* set association: .*") as no:
        run(features, **block, eps=0.99)
    labels = run(features, **block | advised(no.value))
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_what_no_setting_can_mend_is_said():
    same = np.ones((9, 4), np.float32)
    with pytest.raises(ReidError, match=r"nearly.* the same: look at their pictures"):
        run(same, k1=10, k2=4, min_samples=2)
    with pytest.raises(ReidError, match=r"one cluster among 1 .* give more tracklets"):
        run(same[:1], k1=10, k2=4, min_samples=2, eps=0.5)
    distances = jaccard_distances(same, 10, 4)
    assert "\n" not in advise(same, distances, k1=10, k2=4, min_samples=2)


def test_settings_that_few_tracklets_make_void_are_lowered_and_said():
    # of 3 tracklets the mean of 4 encodings is the mean of all, and 2 x 2 samples are not there
    asked = Association(frames=8, k1=10, k2=4, min_samples=2, share=0.005)
    how, said = fitted(asked, 3)
    assert (how.k1, how.k2, how.min_samples) == (1, 1, 1)
    assert "3 tracklets are too few for k1 10, k2 4 and min_samples 2; taken are 1, 1 and 1" in said
    assert fitted(asked, 5) == (asked, "")
    assert fit(7, 30, 6, 4) == (30, 6, 3)
    rng = np.random.default_rng(0)
    pair = rng.standard_normal(16)
    features = np.stack([pair, rng.standard_normal(16), pair + 0.1]).astype(np.float32)
    assert run(features, k1=10, k2=4, min_samples=2).tolist() == [0, 1, 0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 14), st.sampled_from([0.2, 0.6]))
def test_advice_holds_where_some_must_stay_apart(seed, count, share):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 6)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    pairs = np.stack(np.triu_indices(count, 1), axis=1).astype(np.int64)
    apart = pairs[rng.random(len(pairs)) < share]
    how, _ = fitted(Association(frames=8, share=0.01), count)
    try:
        associate(features, how, how.eps, threads=1, check=True, apart=apart)
    except ReidError as error:
        if "set association: " not in str(error):
            return
        told = Association(frames=8, **{**how.model_dump(exclude={"frames"}), **advised(error)})
        labels, _ = associate(features, told, told.eps, threads=1, check=True, apart=apart)
        assert labels.max() >= 1
