"""The losses of clips against loops written from the equations."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.config.losses import IdentityTerm
from weakreid.losses.attributes import groups, visibility
from weakreid.losses.clips import identity
from weakreid.losses.clips.views import Clips


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_bce(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """ATTR's binary cross-entropy of one group, clip by clip, attribute by attribute."""
    clips = []
    for row, of_row in zip(logits.tolist(), labels.tolist(), strict=True):
        terms = []
        for logit, label in zip(row, of_row, strict=True):
            p = 1 / (1 + math.exp(-logit))
            if label == 1:
                terms.append(-math.log(p))
            elif label == 0:
                terms.append(-math.log(1 - p))
        if terms:
            clips.append(sum(terms) / len(terms))
    return sum(clips) / len(clips) if clips else 0.0


@given(seed=st.integers(0, 99), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4))
@settings(max_examples=40)
def test_groups_are_the_sum_of_their_means(seed, sizes):
    logits = {str(i): 3 * torch.randn(5, a, generator=random(seed + i)).double()
              for i, a in enumerate(sizes)}  # fmt: skip
    labels = {str(i): torch.randint(-1, 2, (5, a), generator=random(seed + 50 + i))
              for i, a in enumerate(sizes)}  # fmt: skip
    expected = sum(slow_bce(logits[group], labels[group]) for group in logits)
    found = groups.loss(logits, labels)
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(seed=st.integers(0, 99))
@settings(max_examples=30)
def test_visibility_is_cross_entropy_with_shares(seed):
    logits = 3 * torch.randn(2, 3, 4, generator=random(seed)).double()
    shares = torch.rand(2, 3, 4, generator=random(seed + 1)).double()
    terms = []
    for logit, share in zip(logits.flatten().tolist(), shares.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        terms.append(-share * math.log(p) - (1 - share) * math.log(1 - p))
    assert visibility.loss(logits, shares).item() == pytest.approx(sum(terms) / len(terms))
    # least where each says its share
    told = shares.logit().requires_grad_()
    visibility.loss(told, shares).backward()
    torch.testing.assert_close(told.grad, torch.zeros_like(told))


def test_a_label_that_is_unknown_changes_nothing():
    labels = {"a": torch.tensor([[1, -1], [-1, 0]])}
    logits = {"a": torch.zeros(2, 2, requires_grad=True)}
    groups.loss(logits, labels).backward()
    assert logits["a"].grad.tolist() == [[-0.25, 0], [0, 0.25]]


def test_a_group_of_unknown_labels_alone_counts_nothing():
    logits = {"a": torch.randn(2, 2), "b": torch.randn(2, 3)}
    labels = {"a": torch.full((2, 2), -1), "b": torch.ones(2, 3, dtype=torch.int64)}
    alone = groups.loss({"b": logits["b"]}, {"b": labels["b"]})
    assert groups.loss(logits, labels) == alone
    assert groups.loss({"a": logits["a"]}, {"a": labels["a"]}) == 0


def of_logits(logits: torch.Tensor, labels: torch.Tensor) -> Clips:
    nothing = logits.new_zeros(len(labels), 1)
    return Clips(labels, nothing, logits, nothing, None, nothing, None, nothing > 0)


@given(seed=st.integers(0, 99), smoothing=st.sampled_from([0.0, 0.1, 0.7]))
@settings(max_examples=30)
def test_identity_is_cross_entropy_with_smoothed_labels(seed, smoothing):
    logits = 3 * torch.randn(4, 6, generator=random(seed)).double()
    labels = torch.randint(0, 6, (4,), generator=random(seed + 1))
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        total = sum(math.exp(value) for value in row)
        for identity_, value in enumerate(row):
            share = smoothing / 6 + (1 - smoothing) * (identity_ == label)
            expected -= share * math.log(math.exp(value) / total) / 4
    found = identity.loss(of_logits(logits, labels), IdentityTerm(smoothing=smoothing))
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_half_precision_is_computed_in_float32():
    logits = torch.randn(4, 3, generator=random(1)).bfloat16()
    labels = torch.tensor([0, 1, 2, 0])
    half, whole = (
        identity.loss(of_logits(of, labels), IdentityTerm()) for of in (logits, logits.float())
    )
    assert half == whole
    seen = (logits > 0).long()
    found = groups.loss({"a": logits}, {"a": seen})
    assert found == groups.loss({"a": logits.float()}, {"a": seen})
    assert found.dtype == torch.float32
