"""Cross-view multi-instance multi-label learning without its cross-view term (CV-MIML* in WL)."""

from collections.abc import Mapping

from torch import Tensor

from weakreid.config.losses import CvMiml
from weakreid.losses.bags.pooling import checked_labels
from weakreid.losses.precision import precise

HEADS = ("identity",)
attention_logits = "identity"


def loss(logits: Mapping[str, Tensor], mask: Tensor, labels: Tensor, options: CvMiml) -> Tensor:
    """Return the loss of a bag's labels, and of frames that should agree within it.

    With p a frame's softmax over identities, a bag's score for identity c is the largest p_c of its
    frames; a bag gives -Σ y_c log score_c / Σ y. For each identity of a bag the frame with that
    largest p_c is its seed. Of the k frames nearest to the seed, by their features, those whose p_c
    is at least γ times the seed's are its group: their mean KL(p of the seed ‖ p of the member),
    the seed's being a target, is added.

    From memory of Meng et al. (CVPR 2019), as WL compares with it: without probe set and
    cross-view term.

    Args:
        logits: "identity": [B, F, C], and "features": [B, F, d], which they were made of.
        mask: [B, F].
        labels: [B, C] of 0 and 1.
        options: `k`, `gamma`, and `weight` of the second part.

    Returns:
        The mean over bags of the first part, and over all members of groups of the second, which is
        0 where there is none.

    Raises:
        ReidError: a bag has no label.
    """
    logs = precise(logits["identity"]).masked_fill(~mask[:, :, None], 0.0).log_softmax(dim=2)
    labels = checked_labels(labels, logs)
    bags, persons = labels.nonzero(as_tuple=True)
    # [P, F]: of each label of a bag, the bag's frames
    of_person = logs[bags, :, persons].masked_fill(~mask[bags], float("-inf"))
    scores, seeds = of_person.max(dim=1)
    counts = labels.sum(1)[bags]
    classified = -(scores / counts).sum() / len(labels)
    if options.weight == 0:
        return classified
    members, chosen = _groups(precise(logits["features"]), mask, bags, seeds, of_person, options)
    target = logs[bags, seeds].detach()
    apart = target[:, None] - logs[bags[:, None], members]
    divergences = (target.exp()[:, None] * apart).sum(dim=2)
    # a member that is none is weighed with 0, not left out: no frame is, and shapes stay
    mean = (divergences * chosen).sum() / chosen.sum().clamp(min=1)
    return classified + options.weight * mean


def _groups(
    features: Tensor,
    mask: Tensor,
    bags: Tensor,
    seeds: Tensor,
    of_person: Tensor,
    options: CvMiml,
) -> tuple[Tensor, Tensor]:
    """Return for each seed the frames nearest to it [P, k], and which of them are in its group."""
    shown = features.detach()[bags]
    seed = shown.gather(1, seeds[:, None, None].expand(-1, 1, shown.shape[2]))
    distances = (shown - seed).square().sum(dim=2).masked_fill(~mask[bags], float("inf"))
    distances = distances.scatter(1, seeds[:, None], float("inf"))
    nearest, members = distances.topk(min(options.k, distances.shape[1]), largest=False)
    of_members, of_seed = of_person.gather(1, members), of_person.gather(1, seeds[:, None])
    sure = of_members.exp() >= options.gamma * of_seed.exp()
    return members, sure & nearest.isfinite()
