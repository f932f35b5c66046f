"""What losses do at the rim of numbers: rows without a length."""

import pytest
import torch
from torch.nn.functional import normalize

from weakreid.losses.attributes.mmd import mmd
from weakreid.losses.precision import unit


def test_rows_with_a_length_are_what_torch_makes_of_them() -> None:
    features = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(unit(features), normalize(features, dim=1))


@pytest.mark.parametrize("length", [0.0, 1e-9])
def test_a_row_without_a_length_has_a_gradient_that_a_training_survives(length: float) -> None:
    source = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
    source[0] = length
    source.requires_grad_()
    mmd(source, torch.ones(3, 8), alpha=0.5, normalise=True).backward()
    assert source.grad is not None
    assert source.grad.isfinite().all()
    assert float(source.grad.abs().max()) < 100
