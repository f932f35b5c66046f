"""What a loss of clips may look at; each takes what it needs.

A loss is a module here with `loss(clips, options) -> scalar`. A method names it under `losses`,
with a weight; its options are its block in the config.
"""

from typing import NamedTuple

from torch import Tensor


class Clips(NamedTuple):
    """A batch of n clips of T frames, of C training persons.

    Attributes:
        persons: int64 [n], whom a clip shows.
        features: [n, d], what metric losses see.
        logits: [n, C], of the identities.
        classes: [C, d], the classifier's weights.
        centers: [C, d], of the center loss; None where it is not used.
        weights: [n, T], what frames count in their clip; they sum to 1.
        scores: [n, T], what the softmax made these of; None where there are none.
        erased: bool [n, T], frames with an erased patch.
    """

    persons: Tensor
    features: Tensor
    logits: Tensor
    classes: Tensor
    centers: Tensor | None
    weights: Tensor
    scores: Tensor | None
    erased: Tensor
