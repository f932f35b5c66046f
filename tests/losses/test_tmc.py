"""The four losses of TMC against slow, obvious versions of their equations, in float64."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weakreid.config.losses import TrackletLosses
from weakreid.losses.tracklets import soft_identity, soft_triplet, tmc, triplet

N, C, D = 9, 3, 4


def batch(seed: int, classes: int = C) -> dict[str, Tensor]:
    """Random features of two networks, their logits, and clusters."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {
        "features": draw(N, D),
        "logits": 3 * draw(N, C),
        "mean_features": draw(N, D),
        "mean_logits": 3 * draw(N, C),
        "labels": torch.randint(classes, (N,), generator=generator),
    }


def distance(first: Tensor, second: Tensor) -> Tensor:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5


def slow_pairs(features: Tensor, labels: Tensor) -> list[tuple[int, int, int]]:
    """Return (anchor, hardest positive, hardest negative) by loops."""
    found = []
    for i in range(len(labels)):
        positives = [j for j in range(len(labels)) if j != i and labels[j] == labels[i]]
        negatives = [j for j in range(len(labels)) if labels[j] != labels[i]]
        if positives and negatives:
            farthest = max(positives, key=lambda j: float(distance(features[i], features[j])))
            nearest = min(negatives, key=lambda j: float(distance(features[i], features[j])))
            found.append((i, farthest, nearest))
    return found


def slow_softmax(logits: Tensor) -> list[Tensor]:
    powers = [torch.exp(value) for value in logits]
    return [power / sum(powers) for power in powers]


def slow_identity(logits: Tensor, labels: Tensor) -> Tensor:
    return -sum(torch.log(slow_softmax(logits[i])[labels[i]]) for i in range(N)) / N


def slow_soft_identity(logits: Tensor, mean_logits: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i in range(N):
        p, q = slow_softmax(mean_logits[i]), slow_softmax(logits[i])
        total = total - sum(p[j].detach() * torch.log(q[j]) for j in range(C))
    return total / N


def slow_triplet(features: Tensor, labels: Tensor, margin: float) -> Tensor:
    terms = [
        torch.clamp(
            distance(features[i], features[p]) + margin - distance(features[i], features[n]), min=0
        )
        for i, p, n in slow_pairs(features.detach(), labels)
    ]
    return sum(terms) / len(terms)


def slow_t(features: Tensor, i: int, p: int, n: int) -> Tensor:
    to_positive = torch.exp(distance(features[i], features[p]))
    to_negative = torch.exp(distance(features[i], features[n]))
    return to_negative / (to_positive + to_negative)


def slow_soft_triplet(features: Tensor, mean_features: Tensor, labels: Tensor) -> Tensor:
    terms = []
    for i, p, n in slow_pairs(features.detach(), labels):
        own, target = slow_t(features, i, p, n), slow_t(mean_features, i, p, n).detach()
        terms.append(-(target * torch.log(own) + (1 - target) * torch.log(1 - own)))
    return sum(terms) / len(terms)


def assert_same(found: Tensor, expected: Tensor, values: Tensor) -> None:
    """Compare two scalars and their gradients."""
    torch.testing.assert_close(found, expected)
    one, other = (
        torch.autograd.grad(value, values, retain_graph=True) for value in (found, expected)
    )
    torch.testing.assert_close(one, other)


@given(seed=st.integers(0, 10**6), margin=st.floats(0, 3))
@settings(max_examples=8, deadline=None)
def test_hard_triplets_are_the_equation(seed: int, margin: float) -> None:
    given_ = batch(seed)
    features, labels = given_["features"].requires_grad_(), given_["labels"]
    pairs = triplet.hard_pairs(features, labels)
    slow = slow_pairs(features.detach(), labels)
    assert list(zip(*(part.tolist() for part in pairs), strict=True)) == slow
    if not slow:
        return
    found = triplet.loss(features, pairs, TrackletLosses(margin=margin))
    assert_same(found, slow_triplet(features, labels, margin), features)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_soft_triplets_are_the_equation(seed: int) -> None:
    given_ = batch(seed)
    features, labels, mean = given_["features"], given_["labels"], given_["mean_features"]
    features.requires_grad_()
    pairs = triplet.hard_pairs(features, labels)
    if not len(pairs.anchors):
        return
    found = soft_triplet.loss(features, mean, pairs)
    assert_same(found, slow_soft_triplet(features, mean, labels), features)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_softmax_triplets_are_minus_the_log_of_t(seed: int) -> None:
    given_ = batch(seed)
    features, labels = given_["features"].requires_grad_(), given_["labels"]
    pairs = triplet.hard_pairs(features, labels)
    if not len(pairs.anchors):
        return
    terms = [-torch.log(slow_t(features, *of)) for of in slow_pairs(features.detach(), labels)]
    found = triplet.loss(features, pairs, TrackletLosses(triplet="softmax"))
    assert_same(found, sum(terms) / len(terms), features)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_soft_identities_are_the_equation(seed: int) -> None:
    given_ = batch(seed)
    logits = given_["logits"].requires_grad_()
    found = soft_identity.loss(logits, given_["mean_logits"])
    assert_same(found, slow_soft_identity(logits, given_["mean_logits"]), logits)


@given(seed=st.integers(0, 10**6), one=st.floats(0, 1), other=st.floats(0, 1))
@settings(max_examples=5, deadline=None)
def test_the_whole_is_equation_6(seed: int, one: float, other: float) -> None:
    given_ = batch(seed)
    given_["labels"][:4] = torch.tensor([0, 0, 1, 1])
    features, logits = given_["features"].requires_grad_(), given_["logits"].requires_grad_()
    options = TrackletLosses(soft_identity=one, soft_triplet=other, margin=0.7)
    total, terms = tmc.loss(**given_, options=options)
    labels, mean = given_["labels"], given_["mean_features"]
    expected = {
        "identity": slow_identity(logits, labels),
        "soft_identity": slow_soft_identity(logits, given_["mean_logits"]),
        "triplet": slow_triplet(features, labels, 0.7),
        "soft_triplet": slow_soft_triplet(features, mean, labels),
    }
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)
    whole = (
        (1 - one) * expected["identity"]
        + one * expected["soft_identity"]
        + (1 - other) * expected["triplet"]
        + other * expected["soft_triplet"]
    )
    assert_same(total, whole, features)
    assert_same(total, whole, logits)


def test_the_teacher_gets_no_gradient() -> None:
    given_ = batch(1)
    for name in ("mean_features", "mean_logits", "features", "logits"):
        given_[name].requires_grad_()
    total, _ = tmc.loss(**given_, options=TrackletLosses())
    total.backward()
    assert given_["mean_features"].grad is None
    assert given_["mean_logits"].grad is None
    assert given_["features"].grad.abs().sum() > 0
    assert given_["logits"].grad.abs().sum() > 0


def test_the_teacher_judges_the_pairs_of_the_student() -> None:
    # nearest for the student is 2, for the teacher 3
    features = torch.tensor([[0.0], [1.0], [2.0], [5.0]], dtype=torch.float64)
    mean = torch.tensor([[0.0], [1.0], [9.0], [0.5]], dtype=torch.float64)
    pairs = triplet.HardPairs(torch.tensor([0]), torch.tensor([1]), torch.tensor([2]))
    target, own = 1 / (1 + math.exp(1 - 9)), 1 / (1 + math.exp(1 - 2))
    expected = -(target * math.log(own) + (1 - target) * math.log(1 - own))
    assert soft_triplet.loss(features, mean, pairs).item() == pytest.approx(expected)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]], ids=["one cluster", "all alone"])
@pytest.mark.parametrize("kind", ["hinge", "softmax"])
def test_a_batch_without_triplets_gives_zero_and_no_nan(labels: list[int], kind: str) -> None:
    features = torch.randn(3, D, generator=torch.Generator().manual_seed(0), requires_grad=True)
    pairs = triplet.hard_pairs(features, torch.tensor(labels))
    hard, soft = (
        triplet.loss(features, pairs, TrackletLosses(triplet=kind)),
        soft_triplet.loss(features, features, pairs),
    )
    (hard + soft).backward()
    assert hard.item() == soft.item() == 0
    assert torch.equal(features.grad, torch.zeros(3, D))


def test_equal_features_give_finite_gradients() -> None:
    features = torch.ones(4, D, requires_grad=True)
    pairs = triplet.hard_pairs(features, torch.tensor([0, 0, 1, 1]))
    hard = triplet.loss(features, pairs, TrackletLosses(margin=0.5))
    value = hard + soft_triplet.loss(features, features, pairs)
    value.backward()
    assert value.item() == pytest.approx(0.5 + math.log(2), abs=1e-5)
    assert torch.equal(features.grad, torch.zeros(4, D))


def test_half_precision_is_computed_in_float32() -> None:
    given_ = {
        name: value if name == "labels" else value.to(torch.bfloat16)
        for name, value in batch(3).items()
    }
    wide = {name: value if name == "labels" else value.float() for name, value in given_.items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, _ = tmc.loss(**given_, options=TrackletLosses())
    expected, _ = tmc.loss(**wide, options=TrackletLosses())
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
