"""The repelled loss and its table against slow, obvious versions of the equations, in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from weakreid.losses.tracklets import repelled

N, C, D = 7, 5, 4


def batch(seed, classes=C):
    generator = torch.Generator().manual_seed(seed)
    draws = (torch.randn(n, D, generator=generator, dtype=torch.float64) for n in (N, C))
    features, table = (normalize(drawn, dim=1) for drawn in draws)
    return features, torch.randint(classes, (N,), generator=generator), table


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.1, 1.0]))
def test_the_loss_is_that_of_the_equation(seed, temperature):
    features, labels, table = batch(seed)
    features.requires_grad_()
    found = repelled.loss(features, labels, table, temperature)
    total = 0
    for v, c in zip(features, labels, strict=True):
        powers = [torch.exp(sum(V * x for V, x in zip(row, v, strict=True)) / temperature)
                  for row in table]  # fmt: skip
        total = total - torch.log(powers[c] / sum(powers))
    torch.testing.assert_close(found, total / N)
    (gradient,) = torch.autograd.grad(found, features)
    (expected,) = torch.autograd.grad(total / N, features)
    torch.testing.assert_close(gradient, expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 0.9]))
def test_rows_move_one_tracklet_after_the_other(seed, momentum):
    # of two clusters: some come several times
    features, labels, table = batch(seed, 2)
    expected = table.clone()
    for v, c in zip(features, labels, strict=True):
        moved = momentum * expected[c] + (1 - momentum) * v
        expected[c] = moved / moved.square().sum().sqrt()
    before = table.clone()
    repelled.move(table, features, labels, momentum)
    torch.testing.assert_close(table, expected)
    assert torch.equal(table[2:], before[2:])
    torch.testing.assert_close(table.norm(dim=1), torch.ones(C, dtype=torch.float64))


def test_a_row_of_zeros_becomes_what_was_seen():
    features, labels, _ = batch(0, 1)
    table = torch.zeros(C, D, dtype=torch.float64)
    repelled.move(table, features[:1], labels[:1], 0.5)
    torch.testing.assert_close(table[0], features[0])


def test_the_table_has_no_gradient():
    features, labels, table = batch(1)
    features.requires_grad_()
    repelled.loss(features, labels, table.requires_grad_(), 0.1).backward()
    assert table.grad is None
    assert features.grad is not None


def test_half_precision_is_computed_in_single():
    features, labels, table = batch(2)
    half = features.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = repelled.loss(half, labels, table.float(), 0.1)
    expected = repelled.loss(half.double(), labels, table, 0.1)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
