"""What a loss of bags is: a module of this folder, named as in the config.

Its block is a class of `weakreid.config.losses`, and reaches `loss` as it is.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor


class BagLoss(Protocol):
    """A loss of bags; shapes and padding: `weakreid.losses.bags.pooling`.

    Attributes:
        HEADS: the linear layers that turn features into logits, by name.
        attention_logits: the one whose logits CPAL takes for attention.
    """

    HEADS: tuple[str, ...]
    attention_logits: str

    def loss(
        self, logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: Any
    ) -> Tensor:
        """Return the loss of a batch of bags.

        Args:
            logits: by the name of their layer: [B, F, C]; and "features" [B, F, d], which they
                were made of.
            mask: [B, F].
            labels: [B, C] of 0 and 1.
            options: the loss's block of the config.

        Raises:
            ReidError: labels that the loss cannot take.
        """
