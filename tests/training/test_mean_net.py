"""The Mean Net's average, against Eq. 1 written out."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.config.network import Model
from weakreid.models.build import build_model
from weakreid.training.mean_net import average, mean_of, momentum_at


def network() -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
        )
    net[2].requires_grad_(False)
    return net


def changed(net: torch.nn.Module, seed: int) -> None:
    """Give what learns, and the batch norm's statistics, other values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in [p for p in net.parameters() if p.requires_grad]:
            value.copy_(torch.randn(value.shape, generator=generator))
        net[1].running_mean.copy_(torch.randn(4, generator=generator))
        net[1].running_var.copy_(torch.rand(4, generator=generator))
        net[1].num_batches_tracked.fill_(seed)


@given(alphas=st.lists(st.floats(0, 1), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_every_step_is_equation_1(alphas: list[float]) -> None:
    net = network()
    mean = mean_of(net)
    expected = {name: value.clone().double() for name, value in net.state_dict().items()}
    for step, alpha in enumerate(alphas, start=1):
        changed(net, step)
        average(mean, net, alpha)
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                expected[name] = alpha * expected[name] + (1 - alpha) * value.double()
            else:
                expected[name] = value.double()
    for name, value in mean.state_dict().items():
        torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-6)


def test_it_starts_as_the_network_and_is_another() -> None:
    net = network()
    mean = mean_of(net)
    assert all(
        torch.equal(a, b)
        for a, b in zip(mean.state_dict().values(), net.state_dict().values(), strict=True)
    )
    changed(net, 1)
    assert not torch.equal(mean[0].weight, net[0].weight)
    assert not any(value.requires_grad for value in mean.parameters())
    assert net[0].weight.requires_grad


def test_alpha_rises_to_the_momentum() -> None:
    found = [momentum_at(step, 0.75) for step in range(5)]
    assert found == pytest.approx([0, 0.5, 2 / 3, 0.75, 0.75])
    assert momentum_at(10**6, 0.999) == 0.999


def test_after_the_first_step_it_is_the_network() -> None:
    net = network()
    mean = mean_of(net)
    changed(net, 3)
    average(mean, net, momentum_at(0, 0.999))
    for name, value in mean.state_dict().items():
        assert torch.equal(value, net.state_dict()[name])


def test_its_batch_norms_use_the_batch_but_keep_their_statistics() -> None:
    net = network()
    mean = mean_of(net).train()
    net.train()
    inputs = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    before = copy.deepcopy(mean[1].state_dict())
    assert torch.equal(mean(inputs), net(inputs))
    for name in ("running_mean", "running_var"):
        assert torch.equal(mean[1].state_dict()[name], before[name])
        assert not torch.equal(net[1].state_dict()[name], before[name])


@pytest.mark.parametrize("batch_norm", ["train", "eval"])
def test_a_reid_network_has_one(batch_norm: str) -> None:
    values = {"backbone": "test_resnet", "weights": "none", "embedding": "bnneck"}
    net = build_model(Model(**values, frozen=["stem", "layer1"], batch_norm=batch_norm), 1)
    mean = mean_of(net)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(1.0)
    average(mean, net, 0.25)
    learning = {name for name, value in net.named_parameters() if value.requires_grad}
    assert 0 < len(learning) < len(list(net.parameters()))
    for name, value in net.named_parameters():
        moved = value - 0.25 if name in learning else value - 1
        torch.testing.assert_close(dict(mean.named_parameters())[name], moved)
    assert mean.frozen_front == ("stem", "layer1")
    assert not mean.train().backbone.stages["stem"].training
