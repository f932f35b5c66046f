"""The losses of clips: against slow versions of their equations, and against published programs."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weakreid.config.losses import (
    AttentionTerm,
    CenterTerm,
    IdentityTerm,
    OsmTerm,
    TripletTerm,
)
from weakreid.losses.clips import attention, center, identity, osm, triplet
from weakreid.losses.clips.views import Clips

PUBLISHED = Path(__file__).resolve().parents[1] / "published"
N, C, D = 8, 4, 5


class Numbers:
    """A file of published numbers, as float64 tensors and whole-number labels."""

    def __init__(self, name: str) -> None:
        self.held = np.load(PUBLISHED / f"{name}.npz")

    def __getitem__(self, key: str) -> Tensor:
        value = torch.from_numpy(np.asarray(self.held[key]))
        return value.double() if value.is_floating_point() else value.long()


def batch(seed: int, persons: int = C, count: int = N) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, D, generator=generator, dtype=torch.float64)
    return features, torch.randint(persons, (count,), generator=generator)


def seen(features: Tensor, labels: Tensor, classes: Tensor | None = None, **more: Any) -> Clips:
    """What a loss may look at, where `classes` are the classifier's weights and the centers."""
    classes = vectors(0) if classes is None else classes
    nothing = features.new_zeros(len(labels), 1)
    held = {"logits": nothing, "weights": nothing, "scores": None, "erased": nothing > 0}
    return Clips(
        persons=labels, features=features, classes=classes, centers=classes, **{**held, **more}
    )


def vectors(seed: int) -> Tensor:
    return torch.randn(C, D, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- slow versions, a loop per sum of the equation ------------------------------------------------


def slow_triplet(features: Tensor, labels: Tensor, margin: float, metric: str) -> float:
    rows, total = features.tolist(), 0.0

    def far(i: int, j: int) -> float:
        if metric == "cosine":
            dot = sum(a * b for a, b in zip(rows[i], rows[j], strict=True))
            return -dot / math.hypot(*rows[i]) / math.hypot(*rows[j])
        return math.dist(rows[i], rows[j])

    count = len(rows)
    for i in range(count):
        same = [far(i, j) for j in range(count) if labels[j] == labels[i]]
        other = [far(i, j) for j in range(count) if labels[j] != labels[i]]
        total += max(0.0, max(same) - min(other) + margin) / count
    return total


def slow_osm(
    features: Tensor, labels: Tensor, classes: Tensor, sigma: float, alpha: float, balance: float
) -> float:
    unit = [[v / math.hypot(*row) for v in row] for row in features.tolist()]
    directions = [[v / math.hypot(*row) for v in row] for row in classes.tolist()]
    own = []
    for x, label in zip(unit, labels.tolist(), strict=True):
        powers = [math.exp(sum(a * b for a, b in zip(x, v, strict=True))) for v in directions]
        own.append(powers[label] / sum(powers))
    sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
    for i, x in enumerate(unit):
        for j, y in enumerate(unit):
            if i == j:
                continue
            same, d = bool(labels[i] == labels[j]), math.dist(x, y)
            value = d**2 if same else max(0.0, alpha - d) ** 2
            score = math.exp(-(d**2) / sigma**2) if same else max(0.0, alpha - d)
            weight = score * min(own[i], own[j])
            sums[same][0] += weight * value
            sums[same][1] += weight
    positive, negative = (s / w if w else 0.0 for s, w in (sums[True], sums[False]))
    return (1 - balance) * positive / 2 + balance * negative / 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["euclidean", "cosine"]), st.floats(0, 1))
def test_the_triplet_loss_is_its_equation(seed: int, metric: str, margin: float) -> None:
    features, labels = batch(seed)
    labels[0], labels[1] = 0, 1
    found = triplet.loss(seen(features, labels), TripletTerm(margin=margin, metric=metric))
    assert float(found) == pytest.approx(slow_triplet(features, labels, margin, metric), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 2), st.floats(0.05, 3), st.floats(0, 1))
def test_osm_is_its_equation(seed: int, sigma: float, alpha: float, balance: float) -> None:
    features, labels = batch(seed)
    classes = vectors(seed + 1)
    found = osm.loss(
        seen(features, labels, classes), OsmTerm(sigma=sigma, alpha=alpha, balance=balance)
    )
    wanted = slow_osm(features, labels, classes, sigma, alpha, balance)
    assert float(found) == pytest.approx(wanted, abs=1e-9)


def test_the_center_loss_is_its_equation() -> None:
    features, labels = batch(1)
    centers = vectors(2)
    wanted = sum(
        math.dist(x, centers[label].tolist()) ** 2
        for x, label in zip(features.tolist(), labels.tolist(), strict=True)
    )
    assert float(center.loss(seen(features, labels, centers), CenterTerm())) == pytest.approx(
        wanted / N
    )


def test_the_attention_loss_counts_the_erased_frames_alone() -> None:
    scores = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.5, 0.0]])
    erased = torch.tensor([[True, False, False, True], [False, False, True, False]])
    features, labels = batch(1, count=2)

    def looking(erased: Tensor) -> Clips:
        return seen(features, labels, weights=scores, scores=scores, erased=erased)

    assert float(attention.loss(looking(erased), AttentionTerm())) == pytest.approx(1.0 / 8)
    assert float(attention.loss(looking(erased), AttentionTerm(of="scores"))) == pytest.approx(0.5)
    assert float(attention.loss(looking(torch.zeros_like(erased)), AttentionTerm())) == 0


# --- published programs ---------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["plain", "shuffled", "ties", "easy"])
def test_the_triplet_loss_is_cosam_s(case: str) -> None:
    held = Numbers("batch_hard_triplet")
    features = held[f"{case}_features"].requires_grad_()
    found = triplet.loss(
        seen(features, held[f"{case}_labels"]), TripletTerm(margin=float(held["margin"]))
    )
    (gradient,) = torch.autograd.grad(found, features)
    assert found.item() == pytest.approx(float(held[f"{case}_f64_loss"]), abs=1e-12)
    assert torch.allclose(gradient, held[f"{case}_f64_grad_features"], atol=1e-12)


@pytest.mark.parametrize("case", ["plain", "ties"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("margin", ["m03", "m0688"])
def test_the_triplet_loss_is_attn_cl_s(case: str, metric: str, margin: str) -> None:
    held = Numbers("cosine_triplet")
    features = held[f"{case}_features"].requires_grad_()
    found = triplet.loss(
        seen(features, held["labels"]),
        TripletTerm(margin=float(held[margin]), metric=metric, ties="first"),
    )
    (gradient,) = torch.autograd.grad(found, features)
    key = f"{case}_{metric}_{margin}_f64"
    assert found.item() == pytest.approx(float(held[f"{key}_loss"]), abs=1e-12)
    assert torch.allclose(gradient, held[f"{key}_grad_features"], atol=1e-12)


@pytest.mark.parametrize("settings_of", ["default", "config59", "small_alpha"])
@pytest.mark.parametrize("of", ["classifier", "centers"])
def test_osm_is_attn_cl_s(settings_of: str, of: str) -> None:
    held = Numbers("osm_caa")
    features = held["features"].requires_grad_()
    classes = held["centers" if of == "centers" else "classifier_weight"].requires_grad_()
    alpha, balance, sigma = (float(held[f"hp_{settings_of}_{n}"]) for n in ("alpha", "l", "sigma"))
    found = osm.loss(
        seen(features, held["labels"], classes),
        OsmTerm(sigma=sigma, alpha=alpha, balance=balance),
    )
    gradients = torch.autograd.grad(found, (features, classes))
    key = f"{settings_of}_{of}_f64"
    # the program adds 1e-12 to the weight of a negative outside the margin
    assert found.item() == pytest.approx(float(held[f"{key}_loss"]), abs=1e-11)
    for name, gradient in zip(("features", "vectors"), gradients, strict=True):
        assert torch.allclose(gradient, held[f"{key}_grad_{name}"], atol=1e-11)


def test_the_center_loss_and_its_step_are_attn_cl_s() -> None:
    held = Numbers("center_loss")
    features, centers = held["features"].requires_grad_(), held["centers"].requires_grad_()
    found = center.loss(seen(features, held["labels"], centers), CenterTerm())
    gradients = torch.autograd.grad(found, (features, centers))
    # the program adds 1e-12 for every center that is not a clip's own
    assert found.item() == pytest.approx(float(held["f64_loss"]), abs=1e-11)
    assert torch.allclose(gradients[0], held["f64_grad_features"], atol=1e-12)
    assert torch.allclose(gradients[1], held["f64_grad_centers"], atol=1e-12)
    moved = centers.detach().clone()
    center.move(moved, gradients[1], float(held["step_lr"]))
    assert torch.allclose(moved, held["step_center_only_centers_after"], atol=1e-12)


def test_the_attention_loss_is_attn_cl_s() -> None:
    held = Numbers("attention_loss")
    scores, erased = held["f64_train_scores"], held["erased_labels"] > 0
    features, labels = batch(1)
    clips = seen(features, labels, scores=scores, weights=scores.softmax(1), erased=erased)
    found = attention.loss(clips, AttentionTerm(of="scores"))
    assert found.item() == pytest.approx(float(held["f64_attention_loss"]), abs=1e-12)


# --- gradients and edges --------------------------------------------------------------------------

LOSSES = {
    "triplet": lambda x, y, v: triplet.loss(seen(x, y), TripletTerm()),
    "cosine triplet": lambda x, y, v: triplet.loss(seen(x, y), TripletTerm(metric="cosine")),
    "first of ties": lambda x, y, v: triplet.loss(seen(x, y), TripletTerm(ties="first")),
    "center": lambda x, y, v: center.loss(seen(x, y, v), CenterTerm()),
    "osm": lambda x, y, v: osm.loss(seen(x, y, v), OsmTerm()),
    "moving centers": lambda x, y, v: osm.loss(seen(x, y, v), OsmTerm(vectors="moving_centers")),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_differences(name: str) -> None:
    features, labels = batch(3)
    classes = vectors(4)
    arguments = (features.requires_grad_(), classes.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, v: LOSSES[name](x, labels, v), arguments)


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_a_batch_does_not_count(name: str, seed: int) -> None:
    features, labels = batch(seed)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(seed))
    one = LOSSES[name](features, labels, vectors(seed))
    other = LOSSES[name](features[order], labels[order], vectors(seed))
    assert float(one) == pytest.approx(float(other), abs=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    "edge", ["equal features", "one person", "a clip each", "zeros", "one clip", "half precision"]
)
def test_edges_are_finite(name: str, edge: str) -> None:
    features, labels = batch(5)
    if edge == "equal features":
        features = features[:1].repeat(N, 1)
    elif edge == "one person":
        labels = torch.zeros(N, dtype=torch.long)
    elif edge == "a clip each":
        features, labels = features[:C], torch.arange(C)
    elif edge == "zeros":
        features = torch.zeros_like(features)
    elif edge == "one clip":
        features, labels = features[:1], labels[:1]
    else:
        # the largest that half precision holds: its square is none
        features = (features * 2e4).half()
    features = features.clone().requires_grad_()
    classes = vectors(6).to(torch.promote_types(features.dtype, torch.float32)).requires_grad_()
    found = LOSSES[name](features, labels, classes)
    gradients = torch.autograd.grad(found, (features, classes), allow_unused=True)
    assert math.isfinite(found.item())
    assert all(bool(g.isfinite().all()) for g in gradients if g is not None)


def test_one_person_in_a_batch_teaches_no_triplet() -> None:
    features, _ = batch(7)
    clips = seen(features, torch.zeros(N, dtype=torch.long))
    assert float(triplet.loss(clips, TripletTerm())) == 0


def test_centers_learn_from_the_center_loss_alone() -> None:
    """CL centers; the authors' program moves them by OSM too."""
    features, labels = batch(9)
    for vectors_of, moved in (("centers", False), ("moving_centers", True)):
        centers = vectors(4).requires_grad_()
        clips = seen(features.clone().requires_grad_(), labels, centers)
        osm.loss(clips, OsmTerm(vectors=vectors_of)).backward()
        assert (centers.grad is not None) == moved


def test_identity_is_the_published_cross_entropy_with_smoothed_labels() -> None:
    held = Numbers("label_smoothing")
    features, _ = batch(1, count=len(held["labels"]))
    logits = held["logits"].requires_grad_()
    clips = seen(features, held["labels"], logits=logits)
    found = identity.loss(clips, IdentityTerm(smoothing=0.1))
    (gradient,) = torch.autograd.grad(found, logits)
    # the program keeps 0.1 in single precision
    assert found.item() == pytest.approx(float(held["f64_loss"]), abs=1e-6)
    assert torch.allclose(gradient, held["f64_grad_logits"], atol=1e-8)
    plain = identity.loss(clips, IdentityTerm())
    assert plain.item() == pytest.approx(float(held["f64_attncl_plain_loss"]), abs=1e-12)
