"""Classes of an epoch's clusters, and the loss against them: classifiers (TMC), or centres."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from weakreid.config.losses import ClusterContrast, TrackletLosses
from weakreid.losses.precision import without_autocast
from weakreid.losses.tracklets import contrast, tmc
from weakreid.losses.tracklets.centres import moved


class PseudoClasses(Protocol):
    """What an epoch's clusters are as classes.

    Attributes:
        teacher: whether the loss looks at the Mean Net's features too.
    """

    teacher: bool

    def renew(self, means: Tensor) -> None:
        """Start an epoch from the clusters' mean features [C, d], of length 1 each."""

    def loss(
        self, features: Tensor, mean_features: Tensor, labels: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of tracklets and its terms, all scalars.

        Args:
            features: [n, d], the Net's, of all tracklets of the batch.
            mean_features: [n, d], the Mean Net's; without a `teacher` the Net's again.
            labels: int64 [n], the clusters.
        """

    def follow(self, alpha: float) -> None:
        """Do what follows a step, in which the Mean Net kept `alpha` of itself."""


class Classifiers:
    """A classifier of each network, without a bias, and TMC's four losses (Eqs. 2 to 6).

    Attributes:
        classifier: of the Net; learns.
        mean_classifier: [C, d], of the Mean Net; its average.
    """

    teacher = True

    def __init__(
        self, classifier: nn.Linear, optimiser: torch.optim.Optimizer, losses: TrackletLosses
    ) -> None:
        """Set up.

        Args:
            classifier: without a bias; its parameter is the whole group "heads" of the optimiser,
                where each epoch puts a new one.
            optimiser: over the parameters of the Net and of the classifier.
            losses: their weights.
        """
        self.classifier, self.optimiser, self.losses = classifier, optimiser, losses
        self.mean_classifier = classifier.weight.detach().clone()

    def renew(self, means: Tensor) -> None:
        """Start both classifiers anew from the clusters' mean features."""
        (group,) = (g for g in self.optimiser.param_groups if g.get("name") == "heads")
        for old in group["params"]:
            self.optimiser.state.pop(old, None)
        self.classifier.weight = nn.Parameter(means.clone())
        group["params"] = [self.classifier.weight]
        self.mean_classifier = means

    def loss(
        self, features: Tensor, mean_features: Tensor, labels: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and its terms (`weakreid.losses.tracklets.tmc`)."""
        with without_autocast(features):
            logits = linear(features, self.classifier.weight)
            mean_logits = linear(mean_features, self.mean_classifier)
        return tmc.loss(features, logits, mean_features, mean_logits, labels, self.losses)

    def follow(self, alpha: float) -> None:
        """Average the Mean Net's classifier (Eq. 1)."""
        self.mean_classifier.lerp_(self.classifier.weight.detach(), 1 - alpha)


class Centres:
    """A memory of one centre per cluster, and cluster contrast.

    Attributes:
        centres: [C, d], of length 1 each, on the device.
    """

    teacher = False
    centres: Tensor

    def __init__(self, block: ClusterContrast) -> None:
        """Set up, without centres yet."""
        self.block = block
        self._seen: tuple[Tensor, Tensor] | None = None

    def renew(self, means: Tensor) -> None:
        """Make the centres anew."""
        self.centres, self._seen = means, None

    def loss(
        self, features: Tensor, mean_features: Tensor, labels: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss (`weakreid.losses.tracklets.contrast`), its only term."""
        self._seen = features.detach(), labels
        found = contrast.loss(features, self.centres, labels, self.block.temperature)
        return found, {"contrast": found}

    def follow(self, alpha: float) -> None:
        """Move the centres of the step's clusters."""
        if self._seen is not None:
            self.centres = moved(self.centres, *self._seen, self.block.momentum)
