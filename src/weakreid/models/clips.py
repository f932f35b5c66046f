"""A network that sees clips: features of frames, merged into a descriptor of the clip."""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from weakreid.config import network as config
from weakreid.config.trained import Trained
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.aggregations.protocol import Aggregation, Merged, Place
from weakreid.models.backbones import Backbone, map_shapes, preprocess
from weakreid.models.build import build_model, without_weights
from weakreid.models.initial import seeded_linear, seeded_normal
from weakreid.models.reid import ReidModel, chunks


def build_aggregation(
    options: config.Aggregation, network: ReidModel, image: config.Image, seed: int = 0
) -> Aggregation:
    """Return what merges a network's frames, as a method's `aggregation` block says.

    Raises:
        ReidError: see the module of its name.
    """
    module = importlib.import_module(f"weakreid.models.aggregations.{options.name}")
    shapes = map_shapes(network.backbone, image.height, image.width)
    channels, height, width = shapes[network.backbone.stage_names[-1]]
    made: Aggregation = module.build(
        options, Place(network.dimension, channels, height, width, seed)
    )
    return made


class ClipNetwork(nn.Module):
    """Clips in, a descriptor of each out.

    Args:
        network: of the frames.
        aggregation: what merges them.
        frames: T.
    """

    def __init__(self, network: ReidModel, aggregation: Aggregation, frames: int) -> None:
        super().__init__()
        self.network, self.frames = network, frames
        assert isinstance(aggregation, nn.Module)
        self.aggregation: Any = aggregation

    def forward(self, images: Tensor, after_front: bool = False) -> Merged:
        """Map normalised images [n * T, 3, H, W], clip after clip, or `front`'s maps of them."""
        maps = self.network.maps(images, after_front)
        features = self.network.embed(maps).unflatten(0, (-1, self.frames))
        merged: Merged = self.aggregation(features, maps.unflatten(0, (-1, self.frames)))
        return merged


Network = TypeVar("Network", bound=ClipNetwork)


class ClipFeatures(ClipNetwork):
    """Clips in, a feature of each out: what stands where a network of frames stands elsewhere."""

    @property
    def dimension(self) -> int:
        """Length of a feature."""
        return int(self.aggregation.dimension)

    @property
    def backbone(self) -> Backbone:
        """Of the network of the frames."""
        return self.network.backbone

    @property
    def frozen_front(self) -> tuple[str, ...]:
        """See `ReidModel`."""
        return self.network.frozen_front

    @property
    def new_layers(self) -> list[nn.Module]:
        """See `ReidModel`; the aggregation is new too."""
        return [*self.network.new_layers, self.aggregation]

    def front(self, images: Tensor) -> Tensor:
        """See `ReidModel`."""
        return self.network.front(images)

    def forward(self, images: Tensor, after_front: bool = False) -> Tensor:  # type: ignore[override]
        """Map normalised images [n * T, 3, H, W], or `front`'s maps of them, to [n, dimension]."""
        return super().forward(images, after_front).descriptors


class ClipHeads(nn.Module):
    """What learns from clips' descriptors: a batch-norm neck, if there is one, and a classifier.

    The neck's shift stays 0 and the classifier behind it has none (Luo et al., 2019).

    Args:
        dimension: d, of a descriptor.
        identities: C, the number of training identities.
        neck: whether there is a batch norm between descriptor and classifier.
        centers: whether there is a center [C, d] per identity, for the center loss.
        seed: of initial weights.
    """

    def __init__(
        self,
        dimension: int,
        identities: int,
        *,
        neck: bool,
        centers: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self.neck = nn.BatchNorm1d(dimension) if neck else None
        if self.neck is not None:
            self.neck.bias.requires_grad_(False)
        self.classifier = seeded_linear(
            dimension, identities, seed, "head", "identity", bias=not neck
        )
        # not the optimiser's: see weakreid.losses.clips.center.move
        self.centers = seeded_normal(identities, dimension, seed, "centers") if centers else None

    def forward(self, descriptors: Tensor) -> "Headed":
        """Map descriptors [n, d]; they are classified as they are, not normalised."""
        descriptors = precise(descriptors)
        with without_autocast(descriptors):
            behind = descriptors if self.neck is None else self.neck(descriptors)
            return Headed(descriptors, behind, self.classifier(behind))


class Headed(NamedTuple):
    """What the heads make of clips."""

    before: Tensor  # descriptors [n, d], before the neck
    after: Tensor  # [n, d], behind it; the same where there is none
    logits: Tensor  # [n, C], of identities


class ClipModel(nn.Module):
    """Clips in, one descriptor per clip for retrieval out.

    Args:
        clips: the network.
        neck: what a descriptor goes through before retrieval, or None.
        normalise: whether descriptors have length 1.
    """

    def __init__(self, clips: ClipNetwork, neck: nn.Module | None, normalise: bool = True) -> None:
        super().__init__()
        self.clips, self.neck, self.normalise = clips, neck, normalise

    def extract(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map clips to descriptors; call `.eval()` and `inference_mode()` around it.

        Args:
            images: uint8 [n * T, H, W, 3], clip after clip.

        Returns:
            float32: descriptors [n, d], and weights [n, G, T].
        """
        backbone, frames = self.clips.network.backbone, self.clips.frames
        found = [
            self.clips(preprocess(part, backbone.mean, backbone.std))
            for part in chunks(images, frames)
        ]
        descriptors = torch.cat([part.descriptors for part in found]).float()
        if self.neck is not None:
            with without_autocast(descriptors):
                descriptors = self.neck(descriptors)
        if self.normalise:
            descriptors = nn.functional.normalize(descriptors, dim=1)
        return descriptors, torch.cat([part.weights for part in found]).float()


class SeesClips(Protocol):
    """The blocks of a network of clips: of a method, or of a trained network."""

    @property
    def model(self) -> config.ModelOfClips:
        """Of the frames."""

    @property
    def image(self) -> config.Image:
        """The network's input."""

    @property
    def clips(self) -> config.Clips | None:
        """How clips are made; not None here."""

    @property
    def aggregation(self) -> config.Aggregation | None:
        """What merges frames; not None here."""


def build_clip_network(
    method: SeesClips,
    model: config.Model,
    seed: int,
    kind: type[Network] = ClipNetwork,  # type: ignore[assignment]
) -> Network:
    """Return the network that a method's blocks describe.

    Args:
        method: its `image`, `clips` and `aggregation` are looked at.
        model: its `model`, or one that looks for other weights.
        seed: of initial weights.
        kind: what its forward gives.

    Raises:
        ReidError: see `build_model` and `build_aggregation`.
    """
    assert method.clips is not None and method.aggregation is not None
    network = build_model(model, seed, image=method.image, frames=method.clips.frames)
    aggregation = build_aggregation(method.aggregation, network, method.image, seed)
    return kind(network, aggregation, method.clips.frames)


def restore_clip_model(
    about: Trained,
    network: Mapping[str, Tensor],
    heads: Mapping[str, Tensor],
    *,
    normalise: bool = True,
    after_neck: bool = True,
) -> ClipModel:
    """Return a trained model.

    Args:
        about: what its file of weights says of it.
        network: the tensors of `ClipNetwork`.
        heads: those of `ClipHeads`.
        normalise: whether a clip's descriptor has length 1.
        after_neck: whether it comes out of the neck; without one it does not matter.
    """
    clips: ClipNetwork = build_clip_network(about, without_weights(about.model), 0)
    clips.load_state_dict(dict(network))
    neck: nn.Module | None = None
    if about.neck is not None and after_neck:
        neck = nn.BatchNorm1d(clips.aggregation.dimension)
        prefix = "neck."
        neck.load_state_dict(
            {name.removeprefix(prefix): t for name, t in heads.items() if name.startswith(prefix)}
        )
    return ClipModel(clips, neck, normalise)
