"""What merges the frames of a clip, as a module here by that name makes it.

A module has `build(options, place) -> Aggregation`. A method names it under `aggregation`; its
options are its block in the config.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor

ALL = "all"
"""The name of the one group where a frame's weight is the same for the whole feature."""


@dataclass(frozen=True)
class Place:
    """Where an aggregation stands.

    Attributes:
        dimension: D, of a frame's feature.
        channels: c, of a frame's map.
        height: h, of the map.
        width: w.
        seed: of initial weights.
    """

    dimension: int
    channels: int
    height: int
    width: int
    seed: int


class Merged(NamedTuple):
    """What an aggregation makes of n clips of T frames.

    Attributes:
        descriptors: [n, d].
        weights: [n, G, T], what frames count in each of G groups; they sum to 1 over a clip.
        scores: [n, T], what a softmax made the weights of; None where they have another origin.
        attributes: per group of attributes, logits [n, A]; empty where none are recognised.
    """

    descriptors: Tensor
    weights: Tensor
    scores: Tensor | None = None
    attributes: Mapping[str, Tensor] = {}


class Aggregation(Protocol):
    """A module that merges frames.

    Attributes:
        dimension: d, of a descriptor.
        groups: names of the groups of weights.
    """

    dimension: int
    groups: tuple[str, ...]

    def __call__(self, features: Tensor, maps: Tensor) -> Merged:
        """Merge frames' features [n, T, D]; their maps are [n, T, c, h, w]."""
