"""What a file of weights says of the network in it, read back into the blocks of the config."""

from typing import Literal

from weakreid.config.base import Strict
from weakreid.config.network import Aggregation, Clips, Image, ModelOfClips, Neck


class Trained(Strict):
    """A trained network; a `Transfer`'s has attributes, one of clips has `clips`.

    `heads` among the tensors tell `persons` apart; `ratios` are the attributes' shares of positives
    (ATTR, Eq. 8), `left_out` those that were the same in all training pictures.
    """

    model: ModelOfClips
    image: Image
    precision: Literal["auto", "32", "bf16"]
    heads: list[str]
    persons: list[int]
    device: str
    clips: Clips | None = None
    aggregation: Aggregation | None = None
    neck: Neck | None = None
    attributes: list[str] | None = None
    ratios: list[float] | None = None
    left_out: dict[str, float | None] | None = None
