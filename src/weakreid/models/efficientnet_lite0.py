"""EfficientNet-Lite0: inverted residuals without squeeze-and-excitation, ReLU6 throughout.

The network is the one that TensorFlow released (tpu/models/official/efficientnet/lite), after Tan
& Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019. Its
names, its arithmetic and the order in which it draws its weights are those of timm's
`tf_efficientnet_lite0`: weights of either fit the other, and a seed gives the same network. It
stands here because timm, with torchvision behind it, takes about as long to import as torch.
"""

import math
from collections import OrderedDict
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 1280
"""Of the last map."""

_CLASSES = 1000
_STEM = 32
_EPSILON = 1e-3  # TensorFlow's; PyTorch's own is 1e-5


class _Group(NamedTuple):
    """Blocks of equal width, of which the first may halve the map and change the width."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


_GROUPS = (
    _Group(1, 3, 1, 1, 16),
    _Group(2, 3, 2, 6, 24),
    _Group(2, 5, 2, 6, 40),
    _Group(3, 3, 2, 6, 80),
    _Group(3, 5, 1, 6, 112),
    _Group(4, 5, 2, 6, 192),
    _Group(1, 3, 1, 6, 320),
)
REPEATS = tuple(group.blocks for group in _GROUPS)
"""Blocks per group, as the names nest them: `blocks.GROUP.BLOCK`."""


class EfficientNetLite0(nn.Module):
    """The whole network with its classifier, to be loaded with weights and then cut into stages.

    Weights are drawn from the global generator: normal by fan-out for convolutions, uniform for
    the classifier (Tan & Le's code).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = _SameConv2d(3, _STEM, 3, 2)
        self.bn1 = _norm(_STEM)
        # timm makes and drops two convolutions of 8 channels here: pass over what they draw
        torch.rand(2 * (8 * 8 + 8))
        groups, inputs = [], _STEM
        for group in _GROUPS:
            blocks = []
            for index in range(group.blocks):
                stride = group.stride if index == 0 else 1
                blocks.append(_block(inputs, group, stride))
                inputs = group.width
            groups.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*groups)
        self.conv_head = nn.Conv2d(inputs, CHANNELS, 1, bias=False)
        self.bn2 = _norm(CHANNELS)
        self.classifier = nn.Linear(CHANNELS, _CLASSES)
        for module in self.modules():
            _draw(module)

    def cut(self, last_stride: int) -> "OrderedDict[str, nn.Module]":
        """Return its parts up to the last map, in order: stem, layer1 .. layer4.

        Args:
            last_stride: of layer4, 1 or 2.
        """
        strided: Any = self.blocks[5]
        strided[0].conv_dw.stride = (last_stride, last_stride)

        def part(*names: str, groups: tuple[int, ...] = ()) -> nn.Sequential:
            layers = OrderedDict((f"blocks{i}", self.blocks[i]) for i in groups)
            layers |= OrderedDict((name, getattr(self, name)) for name in names)
            if names:
                layers["relu6"] = nn.ReLU6(inplace=True)
            return nn.Sequential(layers)

        return OrderedDict(
            stem=part("conv_stem", "bn1"),
            layer1=part(groups=(0, 1)),
            layer2=part(groups=(2,)),
            layer3=part(groups=(3, 4)),
            layer4=part("conv_head", "bn2", groups=(5, 6)),
        )


class _Separable(nn.Module):
    """A depthwise and a pointwise convolution; the block of a group that expands nothing."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = _depthwise(inputs, kernel, stride)
        self.bn1 = _norm(inputs)
        self.conv_pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = _norm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        maps = _relu6(self.bn1(self.conv_dw(maps)))
        return self.bn2(self.conv_pw(maps))


class _InvertedResidual(nn.Module):
    """Expand, depthwise, project; its input is added where it has the output's shape."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.conv_pw = nn.Conv2d(inputs, wide, 1, bias=False)
        self.bn1 = _norm(wide)
        self.conv_dw = _depthwise(wide, kernel, stride)
        self.bn2 = _norm(wide)
        self.conv_pwl = nn.Conv2d(wide, outputs, 1, bias=False)
        self.bn3 = _norm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        wide = _relu6(self.bn1(self.conv_pw(maps)))
        wide = _relu6(self.bn2(self.conv_dw(wide)))
        made = self.bn3(self.conv_pwl(wide))
        return made + maps if self.adds else made


class _SameConv2d(nn.Conv2d):
    """A strided convolution padded as TensorFlow pads: ceil(side / stride), the odd pixel last."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        rows, columns = (
            max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
            for side, stride, kernel in zip(
                input.shape[-2:], self.stride, self.kernel_size, strict=True
            )
        )
        edges = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        return super().forward(functional.pad(input, edges))


def _block(inputs: int, group: _Group, stride: int) -> nn.Module:
    if group.expansion == 1:
        return _Separable(inputs, group.width, group.kernel, stride)
    return _InvertedResidual(inputs, group.width, group.kernel, stride, group.expansion)


def _depthwise(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    if stride > 1:
        return _SameConv2d(channels, channels, kernel, stride, groups=channels)
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


def _relu6(maps: Tensor) -> Tensor:
    return functional.relu6(maps, inplace=True)


@torch.no_grad()
def _draw(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
        module.weight.normal_(0, math.sqrt(2 / fan_out))
    elif isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.out_features)
        module.weight.uniform_(-bound, bound)
        module.bias.zero_()
