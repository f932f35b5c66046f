"""Groups of attributes that cut a feature apart and weigh the frames of a clip (ATTR, section 3.1).

Shapes: n clips of T frames, features of D numbers, N groups of A_1 .. A_N attributes.
"""

import torch
from torch import Tensor, nn

from weakreid.config.network import AttributeFrames
from weakreid.errors import ReidError
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.aggregations.protocol import ALL, Merged, Place
from weakreid.models.initial import seeded_linear


def entropy(probabilities: Tensor, two_sided: bool = False) -> Tensor:
    """Return the mean of p log p over the last axis (Eq. 2, as printed); 0 where p is 0.

    As printed it is least at p = 1 / e, and as near 0 for a no as for a yes; `two_sided` it is the
    entropy of both answers, p log p + (1 - p) log (1 - p), least at 1 / 2.
    """
    found = torch.xlogy(probabilities, probabilities)
    if two_sided:
        found = found + torch.xlogy(1 - probabilities, 1 - probabilities)
    return found.mean(-1)


def confidence_weights(probabilities: Tensor, sigma: float, two_sided: bool = False) -> Tensor:
    """Return what each frame counts, by how surely attributes are recognised (Eqs. 2 and 3).

    Args:
        probabilities: [n, T, A].
        sigma: σ.
        two_sided: see `entropy`.

    Returns:
        [n, T]; those of a clip sum to 1. The softmax is Conf divided by its sum, without the
        underflow of a small σ.
    """
    return (entropy(probabilities, two_sided) / sigma**2).softmax(dim=1)


class AttributeGroups(nn.Module):
    """The features of a clip's frames in, the clip's descriptor out, and its attributes.

    Disentangled, a feature is N + 1 equal segments, one per group and the last for all (Eq. 1);
    else every group's predictor reads the whole feature, and a frame has one weight, from the
    attributes of all groups.

    Args:
        options: `disentangled`: see above; `sigma` is σ of Eq. 2, None: all frames count 1/T;
            `entropy`: which of the two. With `visibility`, a layer per group says how much of its
            part a frame shows, and that, divided by the clip's sum, is what the frame counts. The
            layer reads the whole feature and changes nothing there; one that is `kept` does not
            learn.
            Groups stand in the alphabetical order of their names, whatever the order given: the
            files that name them keep none.
        place: where it stands; the initial weights of a group's predictor depend on its name and
            the seed alone.

    Attributes:
        dimension: length of a descriptor.
        groups: whose weights `forward` returns.

    Raises:
        ReidError: D does not divide into segments.
    """

    def __init__(self, options: AttributeFrames, place: Place) -> None:
        super().__init__()
        groups, dimension = options.groups, place.dimension
        self.attributes = {group: tuple(groups[group]) for group in sorted(groups)}
        segments = len(groups) + 1 if options.disentangled else 1
        if dimension % segments:
            raise ReidError(
                f"a feature of {dimension} does not divide into {segments} segments, one per group "
                f"of attributes and one for all; set model.dimension to a multiple of {segments}"
            )
        self.dimension, self.sigma = dimension, options.sigma
        self.two_sided = options.entropy == "two_sided"
        self.disentangled = options.disentangled
        self.groups = tuple(self.attributes) if options.disentangled else (ALL,)
        self.predictors = nn.ModuleList(
            seeded_linear(dimension // segments, len(names), place.seed, "attributes", group)
            for group, names in self.attributes.items()
        )
        self.visibility = None
        if options.visibility is not None:
            layers = [
                seeded_linear(dimension, 1, place.seed, "visibility", group)
                for group in self.groups
            ]
            for layer in layers:
                # most frames show most of a part: small steps would take long to find that
                nn.init.constant_(layer.bias, 2.0)
            self.visibility = nn.ModuleList(layers).requires_grad_(options.visibility == "learnt")

    def forward(self, features: Tensor, maps: Tensor | None = None) -> Merged:
        """Merge frames.

        Args:
            features: [n, T, D].
            maps: not looked at.

        Returns:
            Descriptors [n, D] (Eq. 4; the segment for all is merged by 1/T), not normalised, the
            weights [n, len(groups), T], which carry no gradient, the attributes that the
            predictors recognise in the descriptors, and what is visible, if a layer says so.
        """
        features = precise(features)
        visible = self.visible(features)
        weights = self.weights(features, visible)
        if self.disentangled:
            segments = features.unflatten(2, (len(self.groups) + 1, -1))
            alike = torch.full_like(weights[:, :1], 1 / features.shape[1])
            of_segments = torch.cat([weights, alike], dim=1).transpose(1, 2)
            descriptors = (of_segments[..., None] * segments).sum(1).flatten(1)
        else:
            descriptors = (weights[:, 0, :, None] * features).sum(1)
        attributes = self.recognise(descriptors)
        return Merged(descriptors, weights, attributes=attributes, visible=visible)

    def visible(self, features: Tensor) -> Tensor | None:
        """Return how much is visible, log-odds [n, len(groups), T]; None: no layer says so."""
        if self.visibility is None:
            return None
        read = nn.functional.layer_norm(precise(features).detach(), [features.shape[-1]])
        with without_autocast(read):
            return torch.cat([layer(read) for layer in self.visibility], dim=-1).transpose(1, 2)

    @torch.no_grad()
    def weights(self, features: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return what frames count (see `forward`)."""
        if visible is not None:
            # shares divided by their sum, without a division of 0 by 0
            return nn.functional.logsigmoid(visible).softmax(dim=-1)
        count, frames, _ = features.shape
        if self.sigma is None:
            return features.new_full((count, len(self.groups), frames), 1 / frames)
        logits = list(self.recognise(features).values())
        if not self.disentangled:
            logits = [torch.cat(logits, dim=-1)]
        found = [confidence_weights(of.sigmoid(), self.sigma, self.two_sided) for of in logits]
        return torch.stack(found, dim=1)

    def recognise(self, features: Tensor) -> dict[str, Tensor]:
        """Return what each group's predictor makes of features [..., D]: logits [..., A_n]."""
        features = precise(features)
        parts = [features] * len(self.predictors)
        if self.disentangled:
            parts = list(features.unflatten(-1, (len(self.predictors) + 1, -1)).unbind(-2))[:-1]
        with without_autocast(features):
            return {
                group: predictor(part)
                for group, predictor, part in zip(
                    self.attributes, self.predictors, parts, strict=True
                )
            }


def build(options: AttributeFrames, place: Place) -> AttributeGroups:
    """Return the aggregation.

    Raises:
        ReidError: see `AttributeGroups`.
    """
    return AttributeGroups(options, place)
