"""A recurrent network over a clip's frames (RNN of Gao and Nevatia, 2018)."""

from torch import Tensor, nn

from weakreid.config.network import RecurrentFrames
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.aggregations.protocol import ALL, Merged, Place
from weakreid.models.initial import seeded


class Recurrent(nn.Module):
    """The mean of an LSTM's outputs over the frames.

    Args:
        options: `hidden` is the size of the LSTM, and of a descriptor.
        place: where it stands.
    """

    groups = (ALL,)

    def __init__(self, options: RecurrentFrames, place: Place) -> None:
        super().__init__()
        self.dimension = options.hidden
        with seeded(place.seed, "aggregation", "rnn"):
            self.lstm = nn.LSTM(place.dimension, options.hidden, batch_first=True)

    def forward(self, features: Tensor, maps: Tensor | None = None) -> Merged:
        """Map features [n, T, D] to descriptors [n, hidden] and weights [n, 1, T], all 1/T.

        A clip starts from a state of zeros. The maps are not looked at.
        """
        features = precise(features)
        count, frames, _ = features.shape
        with without_autocast(features):
            outputs, _ = self.lstm(features)
        return Merged(outputs.mean(1), outputs.new_full((count, 1, frames), 1 / frames))


def build(options: RecurrentFrames, place: Place) -> Recurrent:
    """Return the aggregation."""
    return Recurrent(options, place)
