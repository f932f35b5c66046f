"""A clip's descriptor against loops written from ATTR's Eqs. 1 to 4."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from weakreid.config.network import AttributeFrames
from weakreid.config.trained import Trained
from weakreid.errors import ReidError
from weakreid.models.aggregations.average import Average
from weakreid.models.aggregations.groups import AttributeGroups, confidence_weights, entropy
from weakreid.models.aggregations.protocol import Place
from weakreid.models.backbones import preprocess
from weakreid.models.clips import (
    ClipHeads,
    ClipModel,
    ClipNetwork,
    build_clip_network,
    restore_clip_model,
)

GROUPS = {"shoes": ["shoes-Red", "shoes-Blue"], "attach": ["attach-Box"], "head": ["hs-Hat"] * 3}
D = 16


def features_of(seed: int, clips: int = 3, frames: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(clips, frames, D, generator=generator).double()


def plain_groups(
    seed: int = 0,
    groups: dict[str, list[str]] = GROUPS,
    dimension: int = D,
    *,
    disentangled: bool = True,
    sigma: float | None = 0.5,
    entropy: str = "printed",
    visibility: str | None = None,
) -> AttributeGroups:
    options = AttributeFrames.model_construct(
        groups=groups,
        disentangled=disentangled,
        sigma=sigma,
        entropy=entropy,
        visibility=visibility,
    )
    return AttributeGroups(options, Place(dimension, 0, 0, 0, seed))


def heads_of(identities: int = 7, *, neck: bool = False, centers: bool = False, seed: int = 0):
    return ClipHeads(D, identities, neck=neck, centers=centers, seed=seed)


def groups_of(seed: int = 0, **options: Any) -> AttributeGroups:
    made = plain_groups(seed, **options).double()
    for predictor in made.predictors:
        # probabilities that differ from frame to frame
        predictor.weight.data *= 4
    return made


def slow_confidence(scores: list[float], sigma: float, two_sided: bool = False) -> float:
    """Eq. 2; or with the entropy of both answers."""
    total = sum(p * math.log(p) for p in scores if p > 0) / len(scores)
    if two_sided:
        total += sum((1 - p) * math.log(1 - p) for p in scores if p < 1) / len(scores)
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
                made.two_sided,
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
            confidence = [slow_confidence(of, made.sigma, made.two_sided) for of in scores]
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
    kind=st.sampled_from(["printed", "two_sided"]),
)
@settings(max_examples=30)
def test_a_descriptor_is_that_of_the_equations(seed, frames, sigma, disentangled, kind):
    made = groups_of(seed, sigma=sigma, disentangled=disentangled, entropy=kind)
    features = features_of(seed, frames=frames)
    with torch.no_grad():
        descriptors, weights, *_ = made(features)
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
    descriptors, weights, *_ = made(features)
    again, permuted, *_ = made(features[:, order])
    torch.testing.assert_close(permuted, weights[:, :, order])
    torch.testing.assert_close(again, descriptors)


@given(seed=st.integers(0, 99), sigma=st.floats(0.01, 100), disentangled=st.booleans())
@settings(max_examples=40)
def test_weights_of_a_clip_sum_to_one(seed, sigma, disentangled):
    weights = groups_of(seed, sigma=sigma, disentangled=disentangled)(features_of(seed)).weights
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def test_weights_carry_no_gradient():
    made = groups_of()
    features = features_of(1).requires_grad_()
    descriptors, weights, *_ = made(features)
    assert not weights.requires_grad
    descriptors.square().sum().backward()
    assert all(p.grad is None for p in made.parameters())
    # as if the weights were constants
    of_first = (2 * descriptors[:, :4, None] * weights[:, 0, None, :]).transpose(1, 2)
    torch.testing.assert_close(features.grad[:, :, :4], of_first.detach())


@given(seed=st.integers(0, 99), disentangled=st.booleans())
@settings(max_examples=30)
def test_frames_count_by_what_they_show(seed, disentangled):
    made = groups_of(seed, disentangled=disentangled, visibility="learnt")
    features = features_of(seed).requires_grad_()
    merged = made(features)
    assert not merged.weights.requires_grad
    for clip, of_clip in enumerate(features.detach()):
        spread = (of_clip.var(1, correction=0) + 1e-5).sqrt()
        read = (of_clip - of_clip.mean(1, keepdim=True)) / spread[:, None]
        for n, layer in enumerate(made.visibility):
            with torch.no_grad():
                shares = [slow_scores(layer, of)[0] for of in read]
            expected = torch.tensor([share / sum(shares) for share in shares]).double()
            torch.testing.assert_close(merged.weights[clip, n], expected)
            found = merged.visible[clip, n].detach().sigmoid()
            torch.testing.assert_close(found, torch.tensor(shares).double())
    # the layer learns, and nothing else by it
    merged.visible.sum().backward()
    assert features.grad is None
    learning = {name.partition(".")[0] for name, p in made.named_parameters() if p.grad is not None}
    assert learning == {"visibility"}


def test_what_was_learnt_of_frames_is_kept():
    made = groups_of(visibility="kept")
    assert not any(p.requires_grad for p in made.visibility.parameters())
    assert all(p.requires_grad for p in made.predictors.parameters())
    hidden = torch.full((1, 2, 4), -1e4)
    torch.testing.assert_close(
        made.weights(features_of(0, 1, 4), hidden), torch.full_like(hidden, 0.25)
    )


def test_a_large_sigma_and_none_make_weights_alike():
    features = features_of(2)
    for disentangled in (True, False):
        descriptors, weights, *_ = groups_of(sigma=None, disentangled=disentangled)(features)
        torch.testing.assert_close(weights, torch.full_like(weights, 0.2))
        torch.testing.assert_close(descriptors, features.mean(1))
        _, large, *_ = groups_of(sigma=1000.0, disentangled=disentangled)(features)
        torch.testing.assert_close(large, weights, atol=1e-5, rtol=0)
        _, small, *_ = groups_of(sigma=0.3, disentangled=disentangled)(features)
        assert small.std() > 0.05
    descriptors, weights, *_ = Average(D)(features)
    torch.testing.assert_close(descriptors, features.mean(1))
    assert weights.shape == (3, 1, 5)


def test_the_surest_frame_counts_most():
    probabilities = torch.tensor([[[0.5, 0.5], [1.0, 1.0], [math.exp(-1)] * 2]])
    (weights,) = confidence_weights(probabilities, 0.5).tolist()
    assert weights[1] > weights[0] > weights[2]


def test_a_sure_no_is_as_sure_as_a_sure_yes_and_a_maybe_least_of_all():
    found = entropy(torch.tensor([[0.0], [1.0], [0.1], [0.9], [0.5]]), two_sided=True)
    torch.testing.assert_close(found[:4:2], found[1:4:2])
    assert found.argmin() == 4


def test_entropy_at_its_ends_is_zero():
    found = entropy(torch.tensor([[0.0, 1.0], [0.5, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.25 * math.log(0.5) * 1.0]))


def test_a_tiny_sigma_takes_the_surest_frame_alone():
    weights = confidence_weights(torch.tensor([[[0.5], [0.9], [0.4]]]), 1e-3)
    assert weights.tolist() == [[0, 1, 0]]


def test_the_order_that_groups_are_named_in_does_not_matter():
    other = {group: GROUPS[group] for group in reversed(GROUPS)}
    one, two = plain_groups(3), plain_groups(3, other)
    features = features_of(3).float()
    for found, expected in zip(one(features)[:2], two(features)[:2], strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("disentangled", [True, False])
def test_attributes_are_recognised_on_merged_features(disentangled):
    made = groups_of(disentangled=disentangled).float()
    merged = made(features_of(4).float())
    assert list(merged.attributes) == ["attach", "head", "shoes"]
    for n, (group, logits) in enumerate(merged.attributes.items()):
        part = merged.descriptors[:, 4 * n : 4 * n + 4] if disentangled else merged.descriptors
        torch.testing.assert_close(logits, made.predictors[n](part))
        assert logits.shape == (3, len(GROUPS[group]))
    assert Average(D)(features_of(4)).attributes == {}


def test_half_precision_is_merged_in_float32():
    made, heads = plain_groups(), heads_of(neck=True).eval()
    features = features_of(5).bfloat16()
    expected = made(features.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = made(features)
        logits = heads(found.descriptors).logits
    assert torch.equal(found.descriptors, expected.descriptors)
    assert torch.equal(found.attributes["shoes"], expected.attributes["shoes"])
    assert torch.equal(logits, heads(expected.descriptors).logits)


def test_a_neck_shifts_nothing_and_its_classifier_has_no_bias():
    heads = heads_of(neck=True)
    descriptors = 5 + 3 * features_of(1).float().flatten(0, 1)
    found = heads(descriptors)
    assert heads.classifier.bias is None
    assert not heads.neck.bias.requires_grad
    wanted = (descriptors - descriptors.mean(0)) / (descriptors.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(found.before, descriptors)
    torch.testing.assert_close(found.after, wanted)
    torch.testing.assert_close(found.logits, wanted @ heads.classifier.weight.T)
    plain = heads_of()
    assert plain.neck is None and plain.classifier.bias is not None
    assert plain(descriptors).before is plain(descriptors).after or torch.equal(
        plain(descriptors).before, plain(descriptors).after
    )


def test_new_layers_come_from_the_seed_alone():
    before = torch.random.get_rng_state()

    def made(seed: int) -> nn.ModuleList:
        heads = heads_of(5, centers=True, seed=seed)
        return nn.ModuleList([plain_groups(seed), heads])

    one, again, other = made(1), made(1), made(2)
    assert torch.equal(torch.random.get_rng_state(), before)
    for (name, value), same, different in zip(
        one.state_dict().items(), again.state_dict().values(), other.state_dict().values(),
        strict=True,
    ):  # fmt: skip
        assert torch.equal(value, same), name
        assert not torch.equal(value, different), name


def test_a_feature_that_does_not_divide_is_refused():
    with pytest.raises(ReidError, match="a feature of 18 does not divide into 4 segments, one per"):
        plain_groups(0, GROUPS, 18)


FRAMES = 4
METHOD: dict[str, Any] = {
    "model": {"backbone": "test_resnet", "weights": "none", "embedding": "fc_bn", "dimension": D},
    "image": {"height": 32, "width": 16},
    "clips": {"frames": FRAMES},
    "aggregation": {
        "name": "groups",
        "groups": {**GROUPS, "head": ["hs-Hat", "hs-Glasses", "hs-Muffler"]},
    },
    "neck": {"trains": "after"},
}


def method_of(**changes: Any) -> Trained:
    """Return the blocks of a method, as a file of weights has them."""
    rest = {"precision": "32", "heads": [], "persons": [], "device": "cpu"}
    return Trained.model_validate({**METHOD, **rest, **changes})


def network_of(method: Trained) -> ClipNetwork:
    return build_clip_network(method, method.model, 3)


COSAM = {
    "after": ["layer2", "layer4"],
    "reduced": 8,
    "deviation": "population",
    "summary": "one_layer",
    "activation": "relu",
    "enrichment": "multiply",
}
PARTS: dict[str, dict[str, Any]] = {
    "groups": {},
    "average": {"aggregation": {"name": "average"}},
    "attention": {"aggregation": {"name": "attention", "hidden": 5}},
    "rnn": {"aggregation": {"name": "rnn", "hidden": 6}},
    "cosam": {
        "aggregation": {"name": "average"},
        "model": {**METHOD["model"], "embedding": "none", "cosam": COSAM},
    },
    "lite": {
        "aggregation": {"name": "attention", "hidden": 5},
        "model": {**METHOD["model"], "backbone": "efficientnet_lite0", "cosam": COSAM},
    },
    "no neck": {"neck": None},
}


def pixels_of(clips: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (clips * FRAMES, 32, 16, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("parts", PARTS)
def test_a_model_extracts_features_and_comes_back_from_its_file(parts):
    method = method_of(**PARTS[parts])
    clips, neck = network_of(method), method.neck is not None
    heads = ClipHeads(clips.aggregation.dimension, 4, neck=neck, centers=False, seed=3)
    if heads.neck is not None:
        heads.neck.running_mean.normal_(generator=torch.Generator().manual_seed(2))
    model = ClipModel(clips, heads.neck).eval()
    pixels = pixels_of(10)
    with torch.inference_mode():
        descriptors, weights = model.extract(pixels)
        mean, std = clips.network.backbone.mean, clips.network.backbone.std
        merged = clips(preprocess(pixels, mean, std))
        behind = heads.eval()(merged.descriptors).after
    assert descriptors.shape == (10, clips.aggregation.dimension)
    torch.testing.assert_close(descriptors, nn.functional.normalize(behind, dim=1))
    torch.testing.assert_close(weights, merged.weights)
    restored = restore_clip_model(method, clips.state_dict(), heads.state_dict()).eval()
    with torch.inference_mode():
        again, _ = restored.extract(pixels)
    assert torch.equal(again, descriptors)


def test_frozen_stages_end_where_frames_begin_to_agree():
    model = {**METHOD["model"], "frozen": ["stem", "layer1", "layer2", "layer3"], "cosam": COSAM}
    clips = network_of(method_of(model=model)).eval()
    network = clips.network
    assert network.frozen_front == ("stem", "layer1", "layer2")
    assert any(p.requires_grad for p in network.cosam["layer2"].parameters())
    images = torch.randn(2 * FRAMES, 3, 32, 16, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        torch.testing.assert_close(
            clips(network.front(images), after_front=True).descriptors, clips(images).descriptors
        )


def test_cosam_of_another_size_is_refused():
    model = {**METHOD["model"], "cosam": COSAM}
    clips = network_of(method_of(model=model)).eval()
    with pytest.raises(ReidError, match=r"clips of 4 frames and maps of 4 x 2; 4 maps of 8 x 2"):
        clips(torch.zeros(4, 3, 64, 16))


def test_retrieval_may_take_what_comes_before_the_neck():
    method = method_of()
    clips, heads = network_of(method), heads_of(4, neck=True)
    heads.neck.running_mean.normal_(generator=torch.Generator().manual_seed(2))
    options = (method, clips.state_dict(), heads.state_dict())
    before = restore_clip_model(*options, after_neck=False, normalise=False).eval()
    with torch.inference_mode():
        found, _ = before.extract(pixels_of(2))
        mean, std = clips.network.backbone.mean, clips.network.backbone.std
        expected = clips.eval()(preprocess(pixels_of(2), mean, std)).descriptors
    torch.testing.assert_close(found, expected)
