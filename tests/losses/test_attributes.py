"""Losses of attribute transfer against slow, obvious versions of their equations (ATTR)."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weakreid.losses.attributes.bce import bce, weighted_bce
from weakreid.losses.attributes.mmd import mmd

N, L = 5, 4


def batch(seed: int, n: int = N) -> tuple[Tensor, Tensor, Tensor]:
    """Random log-odds, labels of 1, 0 and -1, and positive ratios."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, L, generator=generator, dtype=torch.float64)
    labels = torch.randint(-1, 2, (n, L), generator=generator, dtype=torch.int8)
    ratios = torch.rand(L, generator=generator, dtype=torch.float64)
    return logits, labels, ratios


def features(seed: int, count: int, d: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, d, generator=generator, dtype=torch.float64)


def bce_of(logits: Tensor, labels: Tensor, ratios: Tensor | None, sigma: float = 1.0) -> Tensor:
    return bce(logits, labels) if ratios is None else weighted_bce(logits, labels, ratios, sigma)


def slow_bce(logits: Tensor, labels: Tensor, ratios: Tensor | None, sigma: float) -> float:
    of_pictures = []
    for i in range(len(logits)):
        terms = []
        for j in range(L):
            p, y = 1 / (1 + math.exp(-float(logits[i, j]))), int(labels[i, j])
            if y == -1:
                continue
            w = None if ratios is None else float(ratios[j])
            up = 1.0 if w is None else math.exp((1 - w) / sigma**2)
            down = 1.0 if w is None else math.exp(w / sigma**2)
            terms.append(up * y * math.log(p) + down * (1 - y) * math.log(1 - p))
        if terms:
            of_pictures.append(-sum(terms) / len(terms))
    return sum(of_pictures) / len(of_pictures) if of_pictures else 0.0


def slow_mmd(source: Tensor, target: Tensor, alpha: float, normalise: bool) -> float:
    def unit(x: Tensor) -> list[float]:
        length = math.sqrt(sum(float(v) ** 2 for v in x)) if normalise else 1.0
        return [float(v) / length for v in x]

    def kernel(x: list[float], y: list[float]) -> float:
        squared = sum((a - b) ** 2 for a, b in zip(x, y, strict=True))
        return math.exp(-squared / (2 * alpha**2))

    first, second = [unit(x) for x in source], [unit(x) for x in target]
    ns, nt = len(first), len(second)
    total = sum(kernel(x, y) for x in first for y in first) / ns**2
    total += sum(kernel(x, y) for x in second for y in second) / nt**2
    return total - 2 * sum(kernel(x, y) for x in first for y in second) / (ns * nt)


# --------------------------------------------------------------------- cross-entropy


@pytest.mark.parametrize("sigma", [0.7, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_bce_is_the_equation(seed: int, weighted: bool, sigma: float) -> None:
    logits, labels, ratios = batch(seed)
    given_ratios = ratios if weighted else None
    expected = slow_bce(logits, labels, given_ratios, sigma)
    assert float(bce_of(logits, labels, given_ratios, sigma)) == pytest.approx(expected, rel=1e-12)


def test_a_rare_attribute_pulls_harder_where_it_is_there() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    labels = torch.tensor([[1, 1], [0, 0]], dtype=torch.int8)
    weighted_bce(logits, labels, torch.tensor([0.01, 0.9]), 1.0).backward()
    rare, common = logits.grad.T.tolist()
    # at p = 1/2 the pull is half the weight, over 2 pictures of 2 attributes
    assert rare == pytest.approx([-math.exp(0.99) / 8, math.exp(0.01) / 8])
    assert common == pytest.approx([-math.exp(0.1) / 8, math.exp(0.9) / 8])
    plain = torch.zeros(2, 2, requires_grad=True)
    bce(plain, labels).backward()
    assert plain.grad.tolist() == [[-1 / 8, -1 / 8], [1 / 8, 1 / 8]]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), weighted=st.booleans(), extra=st.floats(-50, 50))
def test_what_is_unsure_has_no_effect(seed: int, weighted: bool, extra: float) -> None:
    logits, labels, ratios = batch(seed)
    changed = torch.where(labels == -1, extra, logits).requires_grad_()
    logits.requires_grad_()
    given_ratios = ratios if weighted else None
    losses = [bce_of(values, labels, given_ratios) for values in (logits, changed)]
    assert torch.equal(*losses)
    for value in losses:
        value.backward()
    assert torch.equal(logits.grad, changed.grad)
    assert (logits.grad[labels == -1] == 0).all()


def test_nothing_known_is_no_loss_and_no_gradient() -> None:
    logits = torch.randn(N, L, requires_grad=True)
    unsure = torch.full((N, L), -1, dtype=torch.int8)
    value = weighted_bce(logits, unsure, torch.full((L,), 0.2), 1.0)
    value.backward()
    assert value.item() == 0
    assert (logits.grad == 0).all()


def test_a_picture_of_which_nothing_is_known_is_left_out() -> None:
    logits, labels, ratios = batch(1)
    labels[:, 0], labels[2] = 1, -1
    others = torch.tensor([0, 1, 3, 4])
    fewer = weighted_bce(logits[others], labels[others], ratios, 1.0)
    assert torch.allclose(weighted_bce(logits, labels, ratios, 1.0), fewer)


def test_far_log_odds_stay_finite() -> None:
    logits = torch.tensor([[1e4, -1e4]], requires_grad=True)
    value = bce(logits, torch.tensor([[0, 1]]))
    value.backward()
    assert value.item() == 1e4
    assert logits.grad.tolist() == [[0.5, -0.5]]


# --------------------------------------------------------------------------- MMD


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize(("ns", "nt"), [(4, 4), (3, 6), (1, 1)])
def test_mmd_is_the_equation(ns: int, nt: int, normalise: bool) -> None:
    source, target = features(1, ns), 0.5 + features(2, nt)
    for alpha in (0.5, 1.3):
        expected = slow_mmd(source, target, alpha, normalise)
        assert float(mmd(source, target, alpha, normalise)) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    alpha=st.floats(0.2, 3.0),
    normalise=st.booleans(),
)
def test_mmd_of_any_sets(seed: int, sizes: tuple[int, int], alpha: float, normalise: bool) -> None:
    source, target = features(seed, sizes[0]), features(seed + 1, sizes[1])
    value = float(mmd(source, target, alpha, normalise))
    assert value >= -1e-12
    assert value == pytest.approx(float(mmd(target, source, alpha, normalise)), abs=1e-12)
    order = torch.randperm(sizes[0], generator=torch.Generator().manual_seed(seed))
    assert value == pytest.approx(float(mmd(source[order], target, alpha, normalise)), abs=1e-12)
    assert float(mmd(source, source[order], alpha, normalise)) == pytest.approx(0, abs=1e-12)
    if not normalise:
        moved = float(mmd(source + 3, target + 3, alpha, normalise))
        assert moved == pytest.approx(value, abs=1e-9)


def test_lengths_do_not_count_when_features_are_normalised() -> None:
    source, target = features(1, 4), features(2, 5)
    assert torch.allclose(mmd(source, target, 0.5, True), mmd(3 * source, 0.2 * target, 0.5, True))
    assert not torch.allclose(mmd(source, target, 0.5, False), mmd(3 * source, target, 0.5, False))


def test_the_gradient_brings_two_sets_together() -> None:
    source, target = features(1, 8) + 1, features(2, 8) - 1
    few = source[:3].clone().requires_grad_()
    torch.autograd.gradcheck(lambda x: mmd(x, target, 0.5, True), few)
    first = float(mmd(source, target, 0.5, True))
    for _ in range(20):
        source = source.detach().requires_grad_()
        mmd(source, target, 0.5, True).backward()
        source = source - 5 * source.grad
    assert mmd(source, target, 0.5, True).item() < 0.5 * first


def test_under_autocast_both_compute_in_float32() -> None:
    logits, labels, ratios = batch(4)
    source, target = features(1, 6, 32).bfloat16(), features(2, 6, 32).bfloat16()
    outside = mmd(source.float(), target.float(), 0.5, True)
    logits = logits.float()
    expected = weighted_bce(logits, labels, ratios, 1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = mmd(source, target, 0.5, True)
        found = weighted_bce(logits, labels, ratios, 1.0)
    assert inside.dtype == found.dtype == torch.float32
    assert torch.equal(inside, outside)
    assert torch.equal(found, expected)
