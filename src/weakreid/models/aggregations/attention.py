"""Temporal attention (TA of Gao and Nevatia, 2018): a clip's frames count as a network says."""

from torch import Tensor, nn

from weakreid.config.network import AttentionFrames
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.aggregations.protocol import ALL, Merged, Place
from weakreid.models.initial import seeded


class Attention(nn.Module):
    """A weighted sum of frames; weights come from the frames' maps and their neighbours in time.

    A convolution as large as the map makes a vector of each frame, a convolution over three frames
    makes a score of these, and a softmax over the clip's frames makes weights of the scores. Both
    convolutions are followed by a ReLU in the authors' program, so frames with scores below 0 count
    the same; once all scores are below 0, nothing is learnt of attention any more. Without the
    second ReLU a shift of all scores changes nothing, and attention goes on learning.

    Args:
        options: `hidden` numbers are in a frame's vector; `rectified`: a ReLU follows the scores.
        place: where it stands.
    """

    groups = (ALL,)

    def __init__(self, options: AttentionFrames, place: Place) -> None:
        super().__init__()
        self.dimension, self.rectified = place.dimension, options.rectified
        with seeded(place.seed, "aggregation", "attention"):
            size = (place.height, place.width)
            self.of_frame = nn.Conv2d(place.channels, options.hidden, size)
            self.over_time = nn.Conv1d(options.hidden, 1, 3, padding=1)

    def scores(self, maps: Tensor) -> Tensor:
        """Return the scores [n, T] of maps [n, T, c, h, w]; at least 0 where they are rectified."""
        count = maps.shape[0]
        vectors = self.of_frame(maps.flatten(0, 1)).relu().flatten(1)
        with without_autocast(vectors):
            over_time = precise(vectors).unflatten(0, (count, -1)).mT
            scores: Tensor = self.over_time(over_time).squeeze(1)
            return scores.relu() if self.rectified else scores

    def forward(self, features: Tensor, maps: Tensor) -> Merged:
        """Map features [n, T, D] and maps [n, T, c, h, w] to descriptors [n, D], weights [n, 1, T].

        Weights and scores carry a gradient.
        """
        scores = self.scores(maps)
        weights = scores.softmax(1)
        descriptors = (weights[:, :, None] * precise(features)).sum(1)
        return Merged(descriptors, weights[:, None], scores)


def build(options: AttentionFrames, place: Place) -> Attention:
    """Return the aggregation."""
    return Attention(options, place)
