"""Our EfficientNet-Lite0 beside timm's, bit for bit."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from weakreid.models import _torchvision  # noqa: F401  (makes torchvision importable for timm)
from weakreid.models.backbones import build
from weakreid.models.efficientnet_lite0 import EfficientNetLite0
from weakreid.models.initial import seeded

import timm  # isort: skip


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    with seeded(3, "lite0"):
        return timm.create_model("tf_efficientnet_lite0")


def test_a_seed_gives_the_weights_that_timm_draws(theirs: nn.Module) -> None:
    with seeded(3, "lite0"):
        ours = EfficientNetLite0()
    expected, found = theirs.state_dict(), ours.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("last_stride", [2, 1])
def test_maps_gradients_and_statistics_are_those_of_timm(
    theirs: nn.Module, last_stride: int, memory: torch.memory_format
) -> None:
    ours = EfficientNetLite0()
    ours.load_state_dict(theirs.state_dict())
    stages = nn.Sequential(ours.cut(last_stride))
    theirs.blocks[5][0].conv_dw.stride = (last_stride, last_stride)
    for network in (ours, theirs):
        network.train().to(memory_format=memory)
        network.zero_grad()
    # odd sides: TensorFlow pads them otherwise than PyTorch
    images = torch.randn(4, 3, 63, 34, generator=torch.Generator().manual_seed(1))
    images = images.contiguous(memory_format=memory)
    maps, expected = stages(images), theirs.forward_features(images)
    assert torch.equal(maps, expected)
    for found in (maps, expected):
        found.square().mean().backward()
    of_theirs = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        if not name.startswith("classifier"):
            assert torch.equal(parameter.grad, of_theirs[name].grad), name
    buffers = dict(theirs.named_buffers())
    assert all(torch.equal(value, buffers[name]) for name, value in ours.named_buffers())
    ours.eval()
    theirs.eval()
    with torch.inference_mode():
        assert torch.equal(stages(images), theirs.forward_features(images))


@pytest.mark.parametrize("name", ["se_resnet50", "resnet18"])
def test_batch_norms_of_other_libraries_hold_no_activation(name: str) -> None:
    # PyTorch's conversion to batch norms that share would drop it
    norms = [m for m in build(name, "none").modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert {type(norm) for norm in norms} == {nn.BatchNorm2d}


def test_it_is_built_without_timm() -> None:
    program = (
        "import sys; from weakreid.models.backbones import build; "
        "build('efficientnet_lite0', 'package'); "
        "sys.exit('timm' in sys.modules or 'torchvision' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)
