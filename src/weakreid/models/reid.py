"""A re-identification network: backbone, average pooling, embedding; and its training heads."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from weakreid.config.network import Model
from weakreid.config.training import Optimiser
from weakreid.errors import ReidError
from weakreid.models.backbones import Backbone
from weakreid.models.initial import seeded_linear


class ReidModel(nn.Module):
    """Images in, one feature per image out.

    Args:
        backbone: from `weakreid.models.backbones.build`.
        model: the block of the config. `embedding` follows average pooling. "fc": a linear layer of
            `dimension` outputs (WL, section IV-A; d there). "fc_bn": the same and a batch norm.
            "bnneck": a batch norm, whose output trains and retrieves. "none": nothing; the last two
            keep the backbone's channels. `frozen` stages do not learn; their batch norms stay in
            eval mode. `batch_norm` is "train", or "eval" to keep the statistics of every batch norm
            of the backbone (their scale and shift go on learning).
        seed: of the embedding's initial weights.
        cosam: modules of `weakreid.models.cosam` by the stage that each follows; with them, images
            come clip after clip.

    Attributes:
        dimension: length of a feature.
        frozen_front: the leading stages that do not learn (`Model.front`).
        normalise_features: whether `extract` divides a feature by its L2 norm.
    """

    def __init__(
        self,
        backbone: Backbone,
        model: Model,
        seed: int = 0,
        cosam: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.normalise_features = True
        self.frozen = tuple(model.frozen)
        self.frozen_front = model.front
        self.batch_norm = model.batch_norm
        self.dimension = backbone.channels
        self.embedding: nn.Module
        if model.embedding in ("fc", "fc_bn"):
            self.dimension = model.dimension
            self.embedding = seeded_linear(backbone.channels, model.dimension, seed, "embedding")
            if model.embedding == "fc_bn":
                self.embedding = nn.Sequential(self.embedding, nn.BatchNorm1d(model.dimension))
        elif model.embedding == "bnneck":
            self.embedding = nn.BatchNorm1d(backbone.channels)
        else:
            self.embedding = nn.Identity()
        self.cosam = nn.ModuleDict(cosam or {})
        for name in self.frozen:
            backbone.stages[name].requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> "ReidModel":
        """Set the training mode, but leave fixed batch norms in eval mode."""
        super().train(mode)
        for name in self.frozen:
            self.backbone.stages[name].eval()
        if self.batch_norm == "eval":
            for module in self.backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    @property
    def new_layers(self) -> list[nn.Module]:
        """What is not of the backbone: it starts from nothing."""
        return [self.embedding, *self.cosam.values()]

    def front(self, images: Tensor) -> Tensor:
        """Map normalised images [N, 3, H, W] to the feature maps after `frozen_front`."""
        for name in self.frozen_front:
            images = self.backbone.stages[name](images)
        return images

    def maps(self, images: Tensor, after_front: bool = False) -> Tensor:
        """Map normalised images [N, 3, H, W], or what `front` makes of them, to [N, c, h, w]."""
        front = self.frozen_front
        maps = images if after_front else self.front(images)
        if front:
            maps = self._agreed(front[-1], maps)
        for name in self.backbone.stage_names[len(front) :]:
            maps = self._agreed(name, self.backbone.stages[name](maps))
        return maps

    def _agreed(self, name: str, maps: Tensor) -> Tensor:
        """Return what the COSAM after a stage makes of its maps; the maps where there is none."""
        return self.cosam[name](maps).maps if name in self.cosam else maps

    def embed(self, maps: Tensor) -> Tensor:
        """Map feature maps [N, c, h, w] to features [N, dimension]."""
        wide = torch.float32 if maps.dtype in (torch.bfloat16, torch.float16) else maps.dtype
        return self.embedding(maps.mean(dim=(2, 3), dtype=wide))

    def forward(self, images: Tensor, after_front: bool = False) -> Tensor:
        """Map normalised images [N, 3, H, W], or what `front` makes of them, to [N, dimension]."""
        return self.embed(self.maps(images, after_front))

    def extract(self, images: Tensor) -> Tensor:
        """Map normalised images [N, 3, H, W] to features for retrieval [N, dimension], float32.

        The mode is not touched: call `.eval()` and `torch.inference_mode()` around it.
        """
        features = self(images).float()
        return nn.functional.normalize(features, dim=1) if self.normalise_features else features


class Heads(nn.Module):
    """Identity projections (WL Eq. 1): one linear layer per name that a loss asks for.

    Args:
        names: such as a loss module's `HEADS`.
        dimension: length of a feature.
        identities: C, the number of training identities.
        seed: of the initial weights; a head's depend on its name and the seed alone.
    """

    def __init__(self, names: Sequence[str], dimension: int, identities: int, seed: int = 0):
        super().__init__()
        self.projections = nn.ModuleDict(
            {name: seeded_linear(dimension, identities, seed, "head", name) for name in names}
        )

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Map features [..., dimension] to logits [..., C] by head."""
        return {name: layer(features) for name, layer in self.projections.items()}


def chunks(images: Tensor, together: int = 1) -> Sequence[Tensor]:
    """Split a batch [N, ...] into what is fastest to run forward at once, in order.

    On a CPU the maps of 32 images stay in its caches, those of 256 do not (benchmarks/README.md);
    a GPU takes the whole batch. So many images `together`, a clip, stay together.
    """
    step = max(1, 32 // together) * together
    return images.split(step) if images.device.type == "cpu" else (images,)


def parameter_groups(
    model: ReidModel, heads: Sequence[nn.Module], rates: Optimiser
) -> list[dict[str, Any]]:
    """Return an optimiser's parameter groups: backbone, embedding (and COSAM), heads.

    Frozen parameters are left out, and so is a group that holds none. Each group has a "name".

    Args:
        model: the network.
        heads: what learns beside it.
        rates: `lr` is of the embedding; `backbone_factor` (0.1 in WL's released settings) and
            `head_factor` are rates in units of it.

    Raises:
        ReidError: nothing is left to learn.
    """
    parts: Mapping[str, tuple[Sequence[nn.Module], float]] = {
        "backbone": ([model.backbone], rates.backbone_factor),
        "embedding": (model.new_layers, 1.0),
        "heads": (heads, rates.head_factor),
    }
    groups = []
    for name, (modules, factor) in parts.items():
        learning = [p for module in modules for p in module.parameters() if p.requires_grad]
        if learning:
            of_group = {"lr": rates.lr * factor, "weight_decay": rates.weight_decay}
            groups.append({"name": name, "params": learning, **of_group})
    if not groups:
        raise ReidError("every parameter is frozen: nothing can be trained; freeze fewer stages")
    return groups
