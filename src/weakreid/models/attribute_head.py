"""The prediction layer of a network that recognises attributes (ATTR, section 3.2)."""

from collections.abc import Mapping

from torch import Tensor, nn

from weakreid.models.initial import seeded_linear


def attribute_head(dimension: int, attributes: int, seed: int = 0) -> nn.Linear:
    """Return a linear layer from features [n, dimension] to log-odds [n, attributes].

    ATTR's sigmoid is not in it: losses take log-odds.
    """
    return seeded_linear(dimension, attributes, seed, "attributes")


def restore_head(tensors: Mapping[str, Tensor]) -> nn.Linear:
    """Return a trained layer from its tensors, "weight" [attributes, dimension] and "bias"."""
    attributes, dimension = tensors["weight"].shape
    head = attribute_head(dimension, attributes)
    head.load_state_dict(dict(tensors))
    return head
