"""Temporal average pooling (TP): all frames count alike."""

from torch import Tensor, nn

from weakreid.config.network import AverageFrames
from weakreid.losses.precision import precise
from weakreid.models.aggregations.protocol import ALL, Merged, Place


class Average(nn.Module):
    """The mean of a clip's frames.

    Args:
        dimension: D, of a feature and of a descriptor.
    """

    groups = (ALL,)

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension

    def forward(self, features: Tensor, maps: Tensor | None = None) -> Merged:
        """Map features [n, T, D] to descriptors [n, D] and weights [n, 1, T], all 1/T."""
        features = precise(features)
        count, frames, _ = features.shape
        return Merged(features.mean(1), features.new_full((count, 1, frames), 1 / frames))


def build(options: AverageFrames, place: Place) -> Average:
    """Return the aggregation; it has no options."""
    return Average(place.dimension)
