"""The losses of UGA against slow, obvious versions of their equations, in float64."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weakreid.losses.tracklets import camera
from weakreid.losses.tracklets import centres as centres_of

N, C, D = 6, 7, 4
CAMERAS = [0, 0, 1, 0, 1, 1, 2]
INSIDE = torch.tensor([[own == name for own in CAMERAS] for name in range(3)])
JOINED = {0: [2, 4], 2: [0], 4: [0], 3: [6], 6: [3]}


def batch(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random features, centres of length 1, logits and labels."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    centres = torch.nn.functional.normalize(draw(C, D), dim=1)
    return draw(N, D), centres, 3 * draw(N, C), torch.randint(C, (N,), generator=generator)


def length(vector: Tensor) -> Tensor:
    return sum(value**2 for value in vector) ** 0.5


def slow_share(logits: Tensor, one: int) -> Tensor:
    own = [logits[c] for c in range(C) if CAMERAS[c] == CAMERAS[one]]
    return torch.exp(logits[one]) / sum(torch.exp(value) for value in own)


def slow_loss(logits: Tensor, labels: Tensor, joined: dict[int, list[int]]) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i in range(len(labels)):
        own = [int(labels[i]), *joined.get(int(labels[i]), [])]
        total = total - sum(torch.log(slow_share(logits[i], c)) for c in own) / len(own)
    return total / len(labels)


def targets(labels: Tensor, joined: dict[int, list[int]]) -> Tensor:
    found = torch.zeros(len(labels), C, dtype=torch.float64)
    for i, label in enumerate(labels.tolist()):
        own = [label, *joined.get(label, [])]
        found[i, own] = 1 / len(own)
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([{}, JOINED]))
def test_loss_and_gradient(seed, joined):
    _, _, logits, labels = batch(seed)
    slow = logits.clone().requires_grad_()
    logits.requires_grad_()
    found, expected = (
        camera.loss(logits, targets(labels, joined), INSIDE),
        slow_loss(slow, labels, joined),
    )
    torch.testing.assert_close(found, expected)
    found.backward()
    expected.backward()
    torch.testing.assert_close(logits.grad, slow.grad)


def test_large_logits_stay_finite():
    logits = torch.tensor([[1e4, -1e4, 1e4, 0.0, 0.0, -1e4, 3.0]], requires_grad=True)
    value = camera.loss(logits, targets(torch.tensor([1]), {}).float(), INSIDE)
    value.backward()
    assert value.item() == pytest.approx(2e4)
    torch.testing.assert_close(logits.grad[0, :2], torch.tensor([1.0, -1.0]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.05, 0.1, 1.0]))
def test_similarities_are_cosines(seed, temperature):
    features, centres, _, _ = batch(seed)
    found = centres_of.similarities(features, centres, temperature)
    for i in range(N):
        for c in range(C):
            dot = sum(f * v for f, v in zip(features[i], centres[c], strict=True))
            expected = dot / length(features[i]) / temperature
            torch.testing.assert_close(found[i, c], expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.5, 0.9]))
def test_centres_of_the_batch_s_classes_move(seed, momentum):
    features, centres, _, labels = batch(seed)
    found = centres_of.moved(centres, features, labels, momentum)
    for c in range(C):
        own = [features[i] / length(features[i]) for i in range(N) if labels[i] == c]
        if not own:
            assert torch.equal(found[c], centres[c])
            continue
        expected = momentum * centres[c] + (1 - momentum) * sum(own) / len(own)
        torch.testing.assert_close(found[c], expected / length(expected))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_accuracy_looks_at_the_own_camera_alone(seed):
    _, _, logits, labels = batch(seed)
    right = 0
    for i, label in enumerate(labels.tolist()):
        own = [c for c in range(C) if CAMERAS[c] == CAMERAS[label]]
        right += max(own, key=lambda c, i=i: float(logits[i, c])) == label
    found = camera.accuracy(logits, labels, INSIDE)
    assert math.isclose(found.item(), 100 * right / N, rel_tol=1e-6)
