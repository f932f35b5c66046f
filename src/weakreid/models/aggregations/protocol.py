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
    """Where an aggregation stands."""

    dimension: int  # D, of a frame's feature
    channels: int  # c, of a frame's map
    height: int  # h, of the map
    width: int  # w
    seed: int  # of initial weights


class Merged(NamedTuple):
    """What an aggregation makes of n clips of T frames."""

    descriptors: Tensor  # [n, d]
    weights: Tensor  # [n, G, T], what frames count in each of G groups; they sum to 1 over a clip
    scores: Tensor | None = None  # [n, T], what a softmax made the weights of, if one did
    attributes: Mapping[str, Tensor] = {}  # by group of attributes, logits [n, A], if recognised
    visible: Tensor | None = None  # [n, G, T], log-odds of a part's visible share, if told


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
