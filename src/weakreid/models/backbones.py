"""Backbones: an image batch in, a feature map out, by name.

| name | library | channels | stages |
|---|---|---|---|
| resnet18, resnet34, resnet50 | torchvision | 512, 512, 2048 | stem, layer1 .. layer4 |
| se_resnet50 | timm | 2048 | stem, layer1 .. layer4 |
| efficientnet_lite0 | timm | 1280 | stem, layer1 .. layer4 |
| test_resnet | timm | 96 | stem, layer1 .. layer4 |

A stage's name means the same scale in every network: layer1 ends at 1/4 of the image's side, layer2
at 1/8, layer3 at 1/16, layer4 at 1/32 (1/16 with `last_stride=1`).

test_resnet is of half a million parameters, for tests and for a first run of a new setup.

torchvision and timm are imported by the functions that make their networks and nowhere else:
each takes about half as long as torch (`benchmarks/stage_start.py`).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from weakreid.errors import ReidError
from weakreid.models import weights as weight_files
from weakreid.seeding import derive

Triple = tuple[float, float, float]
Network = TypeVar("Network", bound=nn.Module)

_IMAGENET_MEAN: Triple = (123.675, 116.28, 103.53)
_IMAGENET_STD: Triple = (58.395, 57.12, 57.375)
# The TensorFlow release of the Lite networks takes (x - 127) / 128.
_LITE_MEAN: Triple = (127.0, 127.0, 127.0)
_LITE_STD: Triple = (128.0, 128.0, 128.0)
# timm: test networks were trained with pixels in -1 .. 1
_HALF: Triple = (127.5, 127.5, 127.5)


class Backbone(nn.Module):
    """A convolutional network cut into named stages.

    Attributes:
        name: the name it was built by.
        stages: its parts in order, by name; `forward` runs one after the other.
        channels: channels of the feature map.
        mean, std: what `preprocess` needs, in units of 0..255, RGB.
    """

    def __init__(
        self,
        name: str,
        stages: "OrderedDict[str, nn.Module]",
        channels: int,
        mean: Triple,
        std: Triple,
    ) -> None:
        super().__init__()
        self.name = name
        self.stages = nn.ModuleDict(stages)
        self.channels = channels
        self.mean = mean
        self.std = std

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(self.stages.keys())

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images [N, 3, H, W] to features [N, channels, h, w]."""
        for stage in self.stages.values():
            images = stage(images)
        return images


@dataclass(frozen=True)
class _Kind:
    make: Callable[[bool], nn.Module]
    cut: Callable[[Any, int], "OrderedDict[str, nn.Module]"]
    channels: int
    classifier: str
    mean: Triple = _IMAGENET_MEAN
    std: Triple = _IMAGENET_STD


def _resnet(name: str) -> Callable[[bool], nn.Module]:
    def make(download: bool) -> nn.Module:
        # slow to import, see the top of this file
        from weakreid.models._torchvision import resnets

        constructor, hub = resnets[name]
        return constructor(weights=hub if download else None)

    return make


def _timm(name: str, **settings: bool) -> Callable[[bool], nn.Module]:
    return lambda download: _zoo().create_model(name, pretrained=download, **settings)


def _zoo() -> Any:
    # slow to import, see the top of this file; it imports torchvision, which ours makes importable
    from weakreid.models import _torchvision  # noqa: F401

    import timm  # isort: skip

    return timm


def _cut_resnet(network: Any, last_stride: int) -> "OrderedDict[str, nn.Module]":
    relu = "relu" if hasattr(network, "relu") else "act1"  # torchvision's name, timm's name
    stem = OrderedDict((name, getattr(network, name)) for name in ("conv1", "bn1", relu, "maxpool"))
    first = network.layer4[0]
    # the strided convolution of a block: the second of a bottleneck, the first of a basic block
    strided = first.conv2 if hasattr(first, "conv3") else first.conv1
    strided.stride = (last_stride, last_stride)
    if isinstance(first.downsample[0], nn.Conv2d):
        first.downsample[0].stride = (last_stride, last_stride)
    elif last_stride == 1:  # test_resnet has a pool there
        first.downsample[0] = nn.Identity()
    layers = ((f"layer{i}", getattr(network, f"layer{i}")) for i in range(1, 5))
    return OrderedDict([("stem", nn.Sequential(stem)), *layers])


def _cut_lite(network: Any, last_stride: int) -> "OrderedDict[str, nn.Module]":
    blocks = network.blocks
    blocks[5][0].conv_dw.stride = (last_stride, last_stride)

    def part(*names: str) -> nn.Module:
        return nn.Sequential(OrderedDict((name, getattr(network, name)) for name in names))

    def group(*numbers: int) -> "list[tuple[str, nn.Module]]":
        return [(f"blocks{i}", blocks[i]) for i in numbers]

    head = [("conv_head", network.conv_head), ("bn2", network.bn2)]
    return OrderedDict(
        [
            ("stem", part("conv_stem", "bn1")),
            ("layer1", nn.Sequential(OrderedDict(group(0, 1)))),
            ("layer2", nn.Sequential(OrderedDict(group(2)))),
            ("layer3", nn.Sequential(OrderedDict(group(3, 4)))),
            ("layer4", nn.Sequential(OrderedDict([*group(5, 6), *head]))),
        ]
    )


_KINDS = {
    "resnet18": _Kind(_resnet("resnet18"), _cut_resnet, 512, "fc"),
    "resnet34": _Kind(_resnet("resnet34"), _cut_resnet, 512, "fc"),
    "resnet50": _Kind(_resnet("resnet50"), _cut_resnet, 2048, "fc"),
    "se_resnet50": _Kind(_timm("seresnet50"), _cut_resnet, 2048, "fc"),
    "efficientnet_lite0": _Kind(
        _timm("tf_efficientnet_lite0"), _cut_lite, 1280, "classifier", _LITE_MEAN, _LITE_STD
    ),
    # timm's blocks begin as if they were not there; a test of a few steps needs them at work
    "test_resnet": _Kind(
        _timm("test_resnet", zero_init_last=False), _cut_resnet, 96, "fc", _HALF, _HALF
    ),
}


def build(name: str, weights: str, last_stride: int, seed: int = 0) -> Backbone:
    """Build a backbone.

    Args:
        name: see the top of this file.
        weights: a local file, or "package", "hub" or "none" (see `weakreid.models.weights`).
        last_stride: 2, or 1 for a feature map twice as high and wide.
        seed: of the random weights, where `weights` is "none". The global generator is
            neither read nor changed.

    Raises:
        ReidError: weights that are not there or belong to another network.
    """
    kind = _KINDS[name]
    with torch.random.fork_rng(devices=[]):
        # constructors draw from the global CPU generator: borrow it, and touch no other device's
        torch.default_generator.manual_seed(derive(seed, "backbone", name))
        network = _construct(name, kind, weights == "hub")
    if weights not in ("hub", "none"):
        path = weight_files.package_file() if weights == "package" else Path(weights)
        state = weight_files.read(path)
        if name == "efficientnet_lite0":
            state = weight_files.lite0_names(state)
        weight_files.load_into(network, state, kind.classifier, f"{path} for {name}")
    stages = kind.cut(network, last_stride)
    return Backbone(name, stages, kind.channels, kind.mean, kind.std)


def _construct(name: str, kind: _Kind, download: bool) -> nn.Module:
    try:
        return kind.make(download)
    except (OSError, RuntimeError) as error:
        if not download:
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ReidError(
            f"backbone {name}: its weights could not be downloaded ({reason}); "
            f"give the path of a weights file instead of 'hub'"
        ) from error


def map_shapes(backbone: Backbone, height: int, width: int) -> dict[str, tuple[int, int, int]]:
    """Return (channels, rows, columns) of the map after each stage, for images of a size."""
    # one by one: frozen batch norms may be in another mode than the rest
    modes = [(module, module.training) for module in backbone.modules()]
    backbone.eval()
    shapes = {}
    with torch.no_grad():
        maps = torch.zeros(1, 3, height, width)
        for name, stage in backbone.stages.items():
            maps = stage(maps)
            channels, rows, columns = maps.shape[1:]
            shapes[name] = (channels, rows, columns)
    for module, mode in modes:
        module.training = mode
    return shapes


def share_batch_norms(module: Network) -> Network:
    """Replace batch norms by ones that share their statistics among processes.

    PyTorch's own conversion would drop the activation that timm's batch norms hold inside.
    """
    return _zoo().layers.convert_sync_batchnorm(module)


def preprocess(images: Tensor, mean: Triple, std: Triple) -> Tensor:
    """Turn decoded images into a network's input.

    Args:
        images: uint8, RGB, [N, H, W, 3] or [N, 3, H, W].
        mean, std: in units of 0..255 (`Backbone.mean`, `Backbone.std`).

    Returns:
        float32 [N, 3, H, W] on the device of `images`; channels-last in memory where they were.
    """
    if images.shape[3] == 3:
        images = images.permute(0, 3, 1, 2)
    shift = torch.tensor(mean, device=images.device).view(1, 3, 1, 1)
    scale = torch.tensor(std, device=images.device).view(1, 3, 1, 1)
    return (images.float() - shift) / scale
