"""A clip's descriptor against loops written from ATTR's Eqs. 1 to 4."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from weakreid.errors import ReidError
from weakreid.models.attribute_groups import AttributeGroups, confidence_weights, entropy
from weakreid.models.backbones import build, preprocess
from weakreid.models.clips import (
    Average,
    ClipHeads,
    ClipModel,
    build_aggregation,
    restore_clip_model,
)
from weakreid.models.reid import ReidModel

GROUPS = {"shoes": ["shoes-Red", "shoes-Blue"], "attach": ["attach-Box"], "head": ["hs-Hat"] * 3}
D = 16


def features_of(seed: int, clips: int = 3, frames: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(clips, frames, D, generator=generator).double()


def groups_of(seed: int = 0, **options: Any) -> AttributeGroups:
    made = AttributeGroups(GROUPS, D, seed=seed, **options).double()
    for predictor in made.predictors:
        # probabilities that differ from frame to frame
        predictor.weight.data *= 4
    return made


def slow_confidence(scores: list[float], sigma: float) -> float:
    """Eq. 2."""
    total = sum(p * math.log(p) for p in scores if p > 0) / len(scores)
    return math.exp(total / sigma**2)


def slow_scores(predictor: nn.Linear, part: Tensor) -> list[float]:
    """What AP_n makes of one sub-feature."""
    return [
        1 / (1 + math.exp(-(float(part @ row) + float(bias))))
        for row, bias in zip(predictor.weight, predictor.bias, strict=True)
    ]


def slow_descriptor(made: AttributeGroups, clip: Tensor) -> tuple[list[float], list[list[float]]]:
    """Eqs. 1 to 4 for one clip [T, D]: its descriptor, and each group's weights."""
    frames = len(clip)
    if not made.disentangled:
        confidence = [
            slow_confidence(
                [p for predictor in made.predictors for p in slow_scores(predictor, frame)],
                made.sigma,
            )
            for frame in clip
        ]
        shares = [value / sum(confidence) for value in confidence]
        return [sum(shares[t] * float(clip[t, i]) for t in range(frames)) for i in range(D)], [
            shares
        ]
    size = D // (len(made.predictors) + 1)
    descriptor, weights = [], []
    for n in range(len(made.predictors) + 1):
        parts = [frame[n * size : (n + 1) * size] for frame in clip]
        shares = [1 / frames] * frames
        if n < len(made.predictors):
            scores = [slow_scores(made.predictors[n], part) for part in parts]
            confidence = [slow_confidence(of, made.sigma) for of in scores]
            shares = [value / sum(confidence) for value in confidence]
            weights.append(shares)
        descriptor += [
            sum(shares[t] * float(parts[t][i]) for t in range(frames)) for i in range(size)
        ]
    return descriptor, weights


@given(
    seed=st.integers(0, 99),
    frames=st.integers(1, 6),
    sigma=st.sampled_from([0.3, 0.5, 1.2]),
    disentangled=st.booleans(),
)
@settings(max_examples=30)
def test_a_descriptor_is_that_of_the_equations(seed, frames, sigma, disentangled):
    made = groups_of(seed, sigma=sigma, disentangled=disentangled)
    features = features_of(seed, frames=frames)
    with torch.no_grad():
        descriptors, weights = made(features)
    assert made.groups == (("attach", "head", "shoes") if disentangled else ("all",))
    for clip, descriptor, of_clip in zip(features, descriptors, weights, strict=True):
        with torch.no_grad():
            expected, shares = slow_descriptor(made, clip)
        torch.testing.assert_close(descriptor, torch.tensor(expected).double())
        torch.testing.assert_close(of_clip, torch.tensor(shares).double())


@given(seed=st.integers(0, 99), disentangled=st.booleans())
@settings(max_examples=30)
def test_frames_in_another_order_carry_their_weights_along(seed, disentangled):
    made = groups_of(seed, disentangled=disentangled)
    features = features_of(seed)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    descriptors, weights = made(features)
    again, permuted = made(features[:, order])
    torch.testing.assert_close(permuted, weights[:, :, order])
    torch.testing.assert_close(again, descriptors)


@given(seed=st.integers(0, 99), sigma=st.floats(0.01, 100), disentangled=st.booleans())
@settings(max_examples=40)
def test_weights_of_a_clip_sum_to_one(seed, sigma, disentangled):
    _, weights = groups_of(seed, sigma=sigma, disentangled=disentangled)(features_of(seed))
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def test_weights_carry_no_gradient():
    made = groups_of()
    features = features_of(1).requires_grad_()
    descriptors, weights = made(features)
    assert not weights.requires_grad
    descriptors.square().sum().backward()
    assert all(p.grad is None for p in made.parameters())
    # as if the weights were constants
    of_first = (2 * descriptors[:, :4, None] * weights[:, 0, None, :]).transpose(1, 2)
    torch.testing.assert_close(features.grad[:, :, :4], of_first.detach())


def test_a_large_sigma_and_none_make_weights_alike():
    features = features_of(2)
    for disentangled in (True, False):
        descriptors, weights = groups_of(sigma=None, disentangled=disentangled)(features)
        torch.testing.assert_close(weights, torch.full_like(weights, 0.2))
        torch.testing.assert_close(descriptors, features.mean(1))
        _, large = groups_of(sigma=1000.0, disentangled=disentangled)(features)
        torch.testing.assert_close(large, weights, atol=1e-5, rtol=0)
        _, small = groups_of(sigma=0.3, disentangled=disentangled)(features)
        assert small.std() > 0.05
    descriptors, weights = Average(D)(features)
    torch.testing.assert_close(descriptors, features.mean(1))
    assert weights.shape == (3, 1, 5)


def test_the_surest_frame_counts_most():
    probabilities = torch.tensor([[[0.5, 0.5], [1.0, 1.0], [math.exp(-1)] * 2]])
    (weights,) = confidence_weights(probabilities, 0.5).tolist()
    assert weights[1] > weights[0] > weights[2]


def test_entropy_at_its_ends_is_zero():
    found = entropy(torch.tensor([[0.0, 1.0], [0.5, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.25 * math.log(0.5) * 1.0]))


def test_a_tiny_sigma_takes_the_surest_frame_alone():
    weights = confidence_weights(torch.tensor([[[0.5], [0.9], [0.4]]]), 1e-3)
    assert weights.tolist() == [[0, 1, 0]]


def test_the_order_that_groups_are_named_in_does_not_matter():
    other = {group: GROUPS[group] for group in reversed(GROUPS)}
    one, two = AttributeGroups(GROUPS, D, seed=3), AttributeGroups(other, D, seed=3)
    features = features_of(3).float()
    for found, expected in zip(one(features), two(features), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("disentangled", [True, False])
def test_attributes_are_recognised_on_merged_features(disentangled):
    made = groups_of(disentangled=disentangled).float()
    heads = ClipHeads(made, 7, seed=1)
    features = features_of(4).float()
    outputs = heads(features)
    descriptors, _ = made(features)
    assert outputs.logits.shape == (3, 7)
    torch.testing.assert_close(outputs.logits, heads.classifier(descriptors))
    assert list(outputs.attributes) == ["attach", "head", "shoes"]
    for n, (group, logits) in enumerate(outputs.attributes.items()):
        part = descriptors[:, 4 * n : 4 * n + 4] if disentangled else descriptors
        torch.testing.assert_close(logits, made.predictors[n](part))
        assert logits.shape == (3, len(GROUPS[group]))
    assert ClipHeads(Average(D), 7)(features).attributes == {}


def test_half_precision_is_merged_in_float32():
    heads = ClipHeads(AttributeGroups(GROUPS, D), 7)
    features = features_of(5).bfloat16()
    expected = heads(features.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = heads(features)
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.attributes["shoes"], expected.attributes["shoes"])


def test_new_layers_come_from_the_seed_alone():
    before = torch.random.get_rng_state()
    one, again = (ClipHeads(AttributeGroups(GROUPS, D, seed=1), 5, seed=1) for _ in range(2))
    other = ClipHeads(AttributeGroups(GROUPS, D, seed=2), 5, seed=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    for (name, value), same, different in zip(
        one.state_dict().items(), again.state_dict().values(), other.state_dict().values(),
        strict=True,
    ):  # fmt: skip
        assert torch.equal(value, same), name
        assert not torch.equal(value, different), name


@pytest.mark.parametrize(
    ("groups", "dimension", "message"),
    [
        ({}, 16, "no group of attributes; give it one"),
        ({"shoes": []}, 16, "the group shoes has no attribute; give it one, or leave it out"),
        (GROUPS, 18, "a feature of 18 does not divide into 4 segments, one per group of"),
    ],
)
def test_what_cannot_be_is_refused(groups, dimension, message):
    with pytest.raises(ReidError, match=message):
        AttributeGroups(groups, dimension)
    if groups:
        return
    with pytest.raises(ReidError, match=message):
        AttributeGroups(groups, dimension, disentangled=False)


MODEL = {
    "backbone": "resnet18",
    "weights": "none",
    "last_stride": 2,
    "embedding": "fc_bn",
    "dimension": D,
    "frozen": [],
    "batch_norm": "train",
}


def test_a_model_describes_clips_and_comes_back_from_its_file():
    network = ReidModel(build("resnet18", "none"), embedding="fc_bn", dimension=D)
    attributes = {"groups": GROUPS, "disentangled": True, "sigma": 0.5, "weight": 1.0}
    heads = ClipHeads(build_aggregation(attributes, D, 1), 4)
    model = ClipModel(network, heads.aggregation).eval()
    pixels = torch.randint(
        0, 256, (40, 32, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    with torch.inference_mode():
        descriptors, weights = model.describe(pixels, 4)
        mean, std = network.backbone.mean, network.backbone.std
        features = network(preprocess(pixels, mean, std)).unflatten(0, (10, 4))
        merged, expected = heads.aggregation(features)
    assert descriptors.shape == (10, D)
    torch.testing.assert_close(descriptors, nn.functional.normalize(merged, dim=1))
    torch.testing.assert_close(weights, expected)
    about = {"model": MODEL, "attributes": attributes}
    restored = restore_clip_model(about, network.state_dict(), heads.state_dict()).eval()
    with torch.inference_mode():
        again, _ = restored.describe(pixels, 4)
    assert torch.equal(again, descriptors)
