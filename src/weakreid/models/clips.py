"""A network that sees clips: features of frames, merged into a descriptor of the clip.

What merges ("aggregation") is a module with a `dimension`, the length of a descriptor, and
`groups`, names of the parts of a feature that have frame weights of their own; it maps frames'
features [n, T, D] to descriptors [n, dimension] and the weights [n, len(groups), T] behind them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from weakreid.losses.pooling import precise, without_autocast
from weakreid.models.attribute_groups import ALL, AttributeGroups
from weakreid.models.backbones import preprocess
from weakreid.models.build import restore_model
from weakreid.models.reid import ReidModel, chunks, seeded_linear


class Average(nn.Module):
    """The mean of a clip's frames.

    Args:
        dimension: D, of a feature and of a descriptor.
    """

    groups = (ALL,)

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map features [n, T, D] to descriptors [n, D] and weights [n, 1, T], all 1/T."""
        features = precise(features)
        count, frames, _ = features.shape
        return features.mean(1), features.new_full((count, 1, frames), 1 / frames)


Aggregation = Average | AttributeGroups


def build_aggregation(
    attributes: Mapping[str, Any] | None, dimension: int, seed: int = 0
) -> Aggregation:
    """Return what merges frames of `dimension` numbers, as a method's `attributes` block says.

    Raises:
        ReidError: see `AttributeGroups`.
    """
    if attributes is None:
        return Average(dimension)
    return AttributeGroups(
        attributes["groups"],
        dimension,
        disentangled=attributes["disentangled"],
        sigma=attributes["sigma"],
        seed=seed,
    )


class ClipOutputs(NamedTuple):
    """What the heads make of clips.

    Attributes:
        logits: [n, C], of identities.
        attributes: per group, logits [n, A]; empty where no attributes are learnt.
    """

    logits: Tensor
    attributes: dict[str, Tensor]


class ClipHeads(nn.Module):
    """All that learns from clips behind the network of frames: aggregation and classifier.

    Args:
        aggregation: see the module.
        identities: C, the number of training identities.
        seed: of the classifier's initial weights.
    """

    def __init__(self, aggregation: Aggregation, identities: int, seed: int = 0) -> None:
        super().__init__()
        self.aggregation = aggregation
        self.classifier = seeded_linear(aggregation.dimension, identities, seed, "head", "identity")

    def forward(self, features: Tensor) -> ClipOutputs:
        """Map features [n, T, D]; descriptors are classified as they are, not normalised."""
        descriptors, _ = self.aggregation(features)
        attributes: dict[str, Tensor] = {}
        if isinstance(self.aggregation, AttributeGroups):
            attributes = self.aggregation.recognise(descriptors)
        with without_autocast(descriptors):
            return ClipOutputs(self.classifier(descriptors), attributes)


class ClipModel(nn.Module):
    """Clips in, one retrieval descriptor per clip out.

    Args:
        network: of the frames.
        aggregation: see the module.
    """

    def __init__(self, network: ReidModel, aggregation: Aggregation) -> None:
        super().__init__()
        self.network, self.aggregation = network, aggregation

    def describe(self, images: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """Describe clips; the mode is not touched: call `.eval()` and `inference_mode()` around it.

        Args:
            images: uint8 [n * T, H, W, 3], clip after clip.
            frames: T.

        Returns:
            float32: descriptors [n, D] of length 1, and weights [n, len(groups), T].
        """
        mean, std = self.network.backbone.mean, self.network.backbone.std
        parts = [self.network(preprocess(part, mean, std)).float() for part in chunks(images)]
        merged, weights = self.aggregation(torch.cat(parts).unflatten(0, (-1, frames)))
        return nn.functional.normalize(merged, dim=1), weights


def restore_clip_model(
    about: Mapping[str, Any], network: Mapping[str, Tensor], heads: Mapping[str, Tensor]
) -> ClipModel:
    """Return a trained model from a file of weights: what it says of itself, and its two parts."""
    frames = restore_model(about["model"], network)
    aggregation = build_aggregation(about["attributes"], frames.dimension)
    prefix = "aggregation."
    aggregation.load_state_dict(
        {name.removeprefix(prefix): t for name, t in heads.items() if name.startswith(prefix)}
    )
    return ClipModel(frames, aggregation)
