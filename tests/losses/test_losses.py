"""Each loss against a slow, obvious version of its equation: plain loops, float64."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weakreid.config.losses import CvMiml, FrameCe, Hslr, Mil, Sslr, Wsddn
from weakreid.errors import ReidError
from weakreid.losses.bags import cpal, cv_miml, frame_ce, hslr, mil, pooling, sslr, wsddn

B, F, C, D = 4, 6, 5, 3


def batch(seed: int, single: bool = False, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Random bags: every bag has a frame and a label (exactly one label if `single`)."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(B, F, generator=generator) < 0.6
    mask[:, 0] |= ~mask.any(1)
    labels = (torch.rand(B, C, generator=generator) < 0.4).double()
    first = torch.randint(C, (B,), generator=generator)
    if single:
        labels.zero_()
    labels[torch.arange(B), first] = 1

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return {
        "mask": mask,
        "labels": labels,
        "identity": draw(B, F, C) * 3,
        "detection": draw(B, F, C) * 3,
        "features": draw(B, F, D),
    }


def frames_of(mask: Tensor, bag: int) -> list[int]:
    return [t for t in range(F) if mask[bag, t]]


def pooled(logits: Tensor, mask: Tensor, bag: int, identity: int, k: int) -> Tensor:
    values = sorted((logits[bag, t, identity] for t in frames_of(mask, bag)), reverse=True)[:k]
    return sum(values) / len(values)


def slow_mil(logits: dict[str, Tensor], mask: Tensor, labels: Tensor, k: int) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i in range(B):
        p = [pooled(logits["identity"], mask, i, j, k) for j in range(C)]
        below = sum(torch.exp(value) for value in p)
        for j in range(C):
            y = labels[i, j] / sum(labels[i])
            total = total - y * torch.log(torch.exp(p[j]) / below)
    return total / B


def slow_logistic(
    logits: dict[str, Tensor],
    mask: Tensor,
    labels: Tensor,
    k: int,
    negatives: Callable[[list[Tensor], Tensor], Tensor],
) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i in range(B):
        p = [1 / (1 + torch.exp(-pooled(logits["identity"], mask, i, j, k))) for j in range(C)]
        present = [torch.log(p[j]) for j in range(C) if labels[i, j]]
        total = total - sum(present) / len(present) - negatives(p, labels[i])
    return total / B


def slow_hslr(
    logits: dict[str, Tensor], mask: Tensor, labels: Tensor, k: int, alpha: float, m: float
) -> Tensor:
    def negatives(p: list[Tensor], y: Tensor) -> Tensor:
        terms = sorted((1 - y[j]) * torch.log(1 - p[j]) for j in range(C))
        chosen = terms[: math.floor(m * C)]
        return alpha * sum(chosen) / len(chosen)

    return slow_logistic(logits, mask, labels, k, negatives)


def slow_sslr(
    logits: dict[str, Tensor], mask: Tensor, labels: Tensor, k: int, alpha: float, gamma: float
) -> Tensor:
    def negatives(p: list[Tensor], y: Tensor) -> Tensor:
        terms = [p[j] ** gamma * torch.log(1 - p[j]) for j in range(C) if not y[j]]
        return alpha * sum(terms) / len(terms) if terms else torch.zeros(())

    return slow_logistic(logits, mask, labels, k, negatives)


def slow_wsddn(logits: dict[str, Tensor], mask: Tensor, labels: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i in range(B):
        frames = frames_of(mask, i)
        for c in range(C):
            score = torch.zeros((), dtype=torch.float64)
            for t in frames:
                who = torch.exp(logits["identity"][i, t])
                where = [torch.exp(logits["detection"][i, other, c]) for other in frames]
                which = torch.exp(logits["detection"][i, t, c])
                score = score + who[c] / sum(who) * which / sum(where)
            sign = 1 if labels[i, c] else -1
            total = total - torch.log(sign * (score - 0.5) + 0.5)
    return total / B


def slow_frame_ce(logits: dict[str, Tensor], mask: Tensor, labels: Tensor) -> Tensor:
    terms = []
    for i in range(B):
        for t in frames_of(mask, i):
            scores = torch.exp(logits["identity"][i, t])
            terms.append(-torch.log(scores[int(labels[i].argmax())] / sum(scores)))
    return sum(terms) / len(terms)


def slow_cv_miml(
    logits: dict[str, Tensor], mask: Tensor, labels: Tensor, k: int, gamma: float, weight: float
) -> Tensor:
    first, divergences = [], []
    for i in range(B):
        frames = frames_of(mask, i)
        p = {t: torch.softmax(logits["identity"][i, t], 0) for t in frames}
        people = [c for c in range(C) if labels[i, c]]
        for c in people:
            seed = max(frames, key=lambda t, p=p, c=c: float(p[t][c].detach()))
            first.append(-torch.log(p[seed][c]) / len(people))
            where = logits["features"][i]
            others = sorted(
                (t for t in frames if t != seed),
                key=lambda t, where=where, seed=seed: float(((where[t] - where[seed]) ** 2).sum()),
            )
            for t in others[:k]:
                if p[t][c] >= gamma * p[seed][c]:
                    target = p[seed].detach()
                    divergences.append((target * (torch.log(target) - torch.log(p[t]))).sum())
    agreement = sum(divergences) / len(divergences) if divergences else 0.0
    return sum(first) / B + weight * agreement


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum() / (a * a).sum().sqrt() / (b * b).sum().sqrt()


def slow_cpal(
    features: Tensor, logits: Tensor, mask: Tensor, labels: Tensor, margin: float
) -> Tensor:
    per_identity = []
    for j in range(C):
        members = [i for i in range(B) if labels[i, j] and len(frames_of(mask, i)) > 1]
        high, low = {}, {}
        for i in members:
            frames = frames_of(mask, i)
            below = sum(torch.exp(logits[i, t, j]) for t in frames)
            weight = {t: torch.exp(logits[i, t, j]) / below for t in frames}
            high[i] = sum(weight[t] * features[i, t] for t in frames)
            low[i] = sum((1 - weight[t]) * features[i, t] for t in frames) / (len(frames) - 1)
        terms = []
        for m in members:
            for n in members:
                if m < n:
                    near = cosine(high[m], high[n])
                    one = torch.relu(cosine(high[m], low[n]) - near + margin)
                    two = torch.relu(cosine(low[m], high[n]) - near + margin)
                    terms.append((one + two) / 2)
        if terms:
            per_identity.append(sum(terms) / len(terms))
    if not per_identity:
        return (features * 0).sum() + (logits * 0).sum()
    return sum(per_identity) / len(per_identity)


def same(fast: Tensor, slow: Tensor, inputs: list[Tensor]) -> None:
    """Compare values and gradients."""
    torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-11)
    for a, b in zip(
        torch.autograd.grad(fast, inputs), torch.autograd.grad(slow, inputs), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


BLOCKS = {mil: Mil, hslr: Hslr, sslr: Sslr, wsddn: Wsddn, frame_ce: FrameCe, cv_miml: CvMiml}


def loss_of(module: Any, data: dict[str, Tensor], **options: Any) -> Tensor:
    """Return a loss of a batch's logits, with options as a config has them."""
    name = module.__name__.rpartition(".")[2]
    return module.loss(data, data["mask"], data["labels"], BLOCKS[module](name=name, **options))


CASES = [
    pytest.param(mil, slow_mil, {"k": 1}, id="mil-1"),
    pytest.param(mil, slow_mil, {"k": 3}, id="mil-3"),
    pytest.param(mil, slow_mil, {"k": 50}, id="mil-50"),
    pytest.param(hslr, slow_hslr, {"k": 3, "alpha": 1.0, "m": 0.4}, id="hslr-0.4"),
    pytest.param(hslr, slow_hslr, {"k": 2, "alpha": 0.3, "m": 1.0}, id="hslr-1.0"),
    pytest.param(sslr, slow_sslr, {"k": 3, "alpha": 1.0, "gamma": 1.0}, id="sslr-1"),
    pytest.param(sslr, slow_sslr, {"k": 2, "alpha": 0.5, "gamma": 2.0}, id="sslr-2"),
    pytest.param(wsddn, slow_wsddn, {}, id="wsddn"),
    pytest.param(cv_miml, slow_cv_miml, {"k": 2, "gamma": 0.3, "weight": 0.5}, id="cv_miml-0.3"),
    pytest.param(cv_miml, slow_cv_miml, {"k": 50, "gamma": 0.0, "weight": 2.0}, id="cv_miml-all"),
    pytest.param(cv_miml, slow_cv_miml, {"k": 1, "gamma": 1.0, "weight": 0.0}, id="cv_miml-0"),
    pytest.param(frame_ce, slow_frame_ce, {}, id="frame_ce"),
]


@pytest.mark.parametrize(("module", "slow", "options"), CASES)
def test_a_loss_over_bags_and_its_gradient_equal_the_equation(module, slow, options):
    for seed in range(8):
        data = batch(seed, single=module is frame_ce)
        logits = {name: data[name].requires_grad_() for name in module.HEADS}
        fast = loss_of(module, {**data, **logits}, **options)
        assert fast.shape == ()
        seen = {**logits, "features": data["features"]}
        expected = slow(seen, data["mask"], data["labels"], **options)
        same(fast, expected, list(logits.values()))
        assert module.attention_logits in module.HEADS


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wsddn_pulls_where_the_network_is_sure_and_wrong(dtype: torch.dtype) -> None:
    for g in (5.0, 15.0, 20.0, 80.0, 1e4):
        logits = {name: torch.zeros(1, 3, 4, dtype=dtype) for name in wsddn.HEADS}
        logits["identity"][:, :, 0] = g
        logits["identity"].requires_grad_()
        labels = torch.tensor([[0, 1, 0, 0]])
        loss = wsddn.loss(logits, torch.ones(1, 3, dtype=torch.bool), labels, Wsddn(name="wsddn"))
        loss.backward()
        # -log p_1 - log(1 - p_0), each of three frames: 1/3 for p_1, 1/3 of 1/3 for the others
        pull = logits["identity"].grad[0, :, 1]
        assert torch.allclose(pull, torch.full((3,), -4 / 9, dtype=dtype), atol=0.01)
        assert torch.isfinite(loss)


@pytest.mark.parametrize("margin", [0.5, 0.05, 3.0])
def test_cpal_and_its_gradient_equal_the_equations(margin):
    pairs = 0
    for seed in range(12):
        data = batch(seed)
        features, logits = data["features"].requires_grad_(), data["identity"].requires_grad_()
        fast = cpal.loss(features, logits, data["mask"], data["labels"], margin)
        expected = slow_cpal(features, logits, data["mask"], data["labels"], margin)
        same(fast, expected, [features, logits])
        pairs += bool(expected > 0)
    assert pairs >= 8


@pytest.mark.parametrize(
    ("module", "options"),
    [(mil, {"k": 3}), (hslr, {"m": 0.4}), (sslr, {"gamma": 2.0}), (wsddn, {}), (frame_ce, {})],
)
def test_gradcheck(module, options):
    data = batch(3, single=module is frame_ce)
    inputs = [data[name].requires_grad_() for name in module.HEADS]

    def value(*tensors: Tensor) -> Tensor:
        logits = dict(zip(module.HEADS, tensors, strict=True))
        return loss_of(module, {**data, **logits}, **options)

    assert torch.autograd.gradcheck(value, inputs)


def test_gradcheck_of_cpal_where_its_hinge_is_open():
    data = batch(5)
    inputs = (data["features"].requires_grad_(), data["identity"].requires_grad_())
    assert torch.autograd.gradcheck(
        lambda x, w: cpal.loss(x, w, data["mask"], data["labels"], 3.0), inputs
    )


OPTIONS: list[tuple[Any, dict[str, Any]]] = [
    (mil, {"k": 2}),
    (hslr, {"k": 2, "m": 0.4}),
    (sslr, {}),
    (wsddn, {}),
]


def all_losses(data: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every loss of a batch, by name; frame_ce of the first label of each bag."""
    single = torch.nn.functional.one_hot(data["labels"].argmax(1), C)
    found = {
        module.__name__: loss_of(module, data, **options)
        for module, options in (
            (mil, {"k": 2}),
            (hslr, {"k": 2, "m": 0.4}),
            (sslr, {}),
            (wsddn, {}),
        )
    }
    found["frame_ce"] = loss_of(frame_ce, {**data, "labels": single})
    bags = (data["features"], data["identity"], data["mask"], data["labels"])
    found["cpal"] = cpal.loss(*bags, 0.5)
    return found


def with_gradients(data: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[Tensor]]:
    data = {k: v.clone().requires_grad_() if v.is_floating_point() else v for k, v in data.items()}
    data["labels"] = data["labels"].detach()
    losses = all_losses(data)
    inputs = [data[name] for name in ("identity", "detection", "features")]
    return losses, list(torch.autograd.grad(sum(losses.values()), inputs))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    extra=st.integers(1, 4),
    junk=st.sampled_from([0.0, 1e30, -1e30, float("inf"), float("nan")]),
)
def test_padding_never_changes_a_value_or_a_gradient(seed, extra, junk):
    data = batch(seed)
    losses, gradients = with_gradients(data)
    padded = {"labels": data["labels"]}
    padded["mask"] = torch.cat([data["mask"], torch.zeros(B, extra, dtype=torch.bool)], dim=1)
    for name in ("identity", "detection", "features"):
        values = torch.cat([data[name], torch.zeros(B, extra, data[name].shape[2])], dim=1)
        padded[name] = torch.where(padded["mask"][:, :, None], values, junk)
    again, padded_gradients = with_gradients(padded)
    for name in losses:
        torch.testing.assert_close(again[name], losses[name], msg=name)
    for before, after in zip(gradients, padded_gradients, strict=True):
        torch.testing.assert_close(after[:, :F], before)
        assert (after[:, F:] == 0).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_the_order_of_frames_and_of_bags_does_not_matter(seed, data):
    values = batch(seed)
    expected = all_losses(values)
    frames = data.draw(st.permutations(range(F)))
    bags = data.draw(st.permutations(range(B)))
    moved = {
        name: value[bags] if name == "labels" else value[bags][:, frames]
        for name, value in values.items()
    }
    for name, value in all_losses(moved).items():
        torch.testing.assert_close(value, expected[name], msg=name)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_the_numbering_of_identities_does_not_matter(seed, data):
    values = batch(seed)
    order = data.draw(st.permutations(range(C)))
    moved = dict(values)
    for name in ("identity", "detection", "labels"):
        moved[name] = values[name][..., order]
    expected = all_losses(values)
    for name, value in all_losses(moved).items():
        if name != "frame_ce":  # takes the first label, which another order changes
            torch.testing.assert_close(value, expected[name], msg=name)


def test_top_k_mean_uses_all_frames_of_a_short_bag():
    logits = torch.tensor([[[1.0], [5.0], [3.0]], [[2.0], [8.0], [100.0]]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    assert pooling.top_k_mean(logits, mask, 2).tolist() == [[4.0], [5.0]]
    assert pooling.top_k_mean(logits, mask, 9).tolist() == [[3.0], [5.0]]
    assert pooling.top_k_mean(logits, mask, None).tolist() == [[3.0], [5.0]]
    with pytest.raises(ReidError, match="k is 0"):
        pooling.top_k_mean(logits, mask, 0)


def slow_means(features: Tensor, tracklets: Tensor, most: int) -> tuple[Tensor, Tensor]:
    means = torch.zeros(len(features), most, features.shape[2], dtype=features.dtype)
    held = torch.zeros(len(features), most, dtype=torch.bool)
    for i in range(len(features)):
        for place in range(most):
            own = [t for t in range(features.shape[1]) if tracklets[i, t] == place]
            if own:
                means[i, place] = sum(features[i, t] for t in own) / len(own)
                held[i, place] = True
    return means, held


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    bags=st.integers(1, 4),
    frames=st.integers(1, 7),
    most=st.integers(1, 5),
    extra=st.integers(0, 2),
    junk=st.sampled_from([0.0, 1e30, float("inf"), float("nan")]),
)
def test_tracklet_means_and_their_gradient_equal_a_loop(seed, bags, frames, most, extra, junk):
    generator = torch.Generator().manual_seed(seed)
    # some tracklets have no frame in a batch, some bags are padded
    tracklets = torch.randint(-1, most, (bags, frames), generator=generator)
    tracklets[:, 0] = tracklets[:, 0].clamp(min=0)
    features = torch.randn(bags, frames, D, generator=generator, dtype=torch.float64)
    features = torch.where((tracklets < 0)[:, :, None], junk, features).requires_grad_()
    means, mask = pooling.tracklet_means(features, tracklets, most + extra)
    expected, held = slow_means(features, tracklets, most + extra)
    assert torch.equal(mask, held)
    assert means.shape == (bags, most + extra, D)
    torch.testing.assert_close(means, expected)
    weight = torch.randn(means.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((means * weight).sum(), features)
    (wanted,) = torch.autograd.grad((expected * weight).sum(), features)
    torch.testing.assert_close(gradient, wanted)
    assert (gradient[tracklets < 0] == 0).all()
    assert (gradient[tracklets >= 0] != 0).all()


def test_one_tracklet_is_its_frames_mean_and_one_frame_each_is_the_frames():
    features = batch(0)["features"]
    means, mask = pooling.tracklet_means(features, torch.zeros(B, F, dtype=torch.int64), 1)
    torch.testing.assert_close(means, features.mean(1, keepdim=True))
    assert mask.all()
    order = torch.tensor([3, 0, 5, 1, 2, 4])
    means, mask = pooling.tracklet_means(features, order.expand(B, F), F)
    torch.testing.assert_close(means[:, order], features)
    assert mask.all()


def test_the_order_of_frames_in_a_tracklet_does_not_matter():
    features = batch(1)["features"]
    tracklets = torch.tensor([0, 0, 1, 1, 1, -1]).expand(B, F)
    order = torch.tensor([4, 5, 0, 3, 1, 2])
    means, mask = pooling.tracklet_means(features, tracklets, 2)
    again, same = pooling.tracklet_means(features[:, order], tracklets[:, order], 2)
    torch.testing.assert_close(again, means)
    assert torch.equal(mask, same)


def test_places_for_more_tracklets_change_no_loss():
    data = batch(2)
    tracklets = torch.where(data["mask"], torch.tensor([0, 0, 1, 2, 2, 2]), -1)
    found = []
    for most in (3, 7):
        means, mask = pooling.tracklet_means(data["features"], tracklets, most)
        weights = torch.linspace(-1, 1, D * C, dtype=torch.float64).reshape(D, C)
        logits = {"identity": means @ weights, "detection": means @ weights.flip(1)}
        values = {"mask": mask, "labels": data["labels"], "features": means, **logits}
        found.append(all_losses(values))
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, msg=name)


def test_tracklet_means_compute_in_float32_under_bf16_autocast():
    features = batch(3, dtype=torch.float32)["features"]
    tracklets = torch.tensor([0, 0, 0, 1, 1, -1]).expand(B, F)
    expected, _ = pooling.tracklet_means(features, tracklets, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        means, _ = pooling.tracklet_means(features, tracklets, 2)
        half, _ = pooling.tracklet_means(features.bfloat16(), tracklets, 2)
    assert means.dtype == half.dtype == torch.float32
    torch.testing.assert_close(means, expected)
    rounded, _ = pooling.tracklet_means(features.bfloat16().float(), tracklets, 2)
    torch.testing.assert_close(half, rounded)


@pytest.mark.parametrize("module", [mil, hslr, sslr, wsddn, frame_ce])
def test_a_bag_without_a_label_is_refused(module):
    data = batch(0, single=True)
    data["labels"][2] = 0
    with pytest.raises(ReidError, match="bag 2 of a batch has no label"):
        loss_of(module, data)


def test_frame_ce_refuses_a_bag_of_several_identities():
    data = batch(0, single=True)
    data["labels"][1] = torch.tensor([1, 1, 0, 0, 0])
    with pytest.raises(ReidError, match=r"bag 1 of a batch has 2 identities.*\[1, 1\]"):
        loss_of(frame_ce, data)


def test_a_batch_without_a_pair_costs_nothing_and_has_a_gradient():
    data = batch(0)
    features, logits = data["features"].requires_grad_(), data["identity"].requires_grad_()
    labels = torch.eye(C)[:B]
    value = cpal.loss(features, logits, data["mask"], labels, 0.5)
    assert value.item() == 0
    for gradient in torch.autograd.grad(value, [features, logits]):
        assert gradient.abs().sum() == 0


def test_a_bag_of_one_frame_has_no_low_feature_and_makes_no_pair():
    data = batch(0)
    mask = torch.ones(B, F, dtype=torch.bool)
    labels = torch.zeros(B, C)
    labels[:, 0] = 1
    mask[1:, 1:] = False
    features, logits = data["features"].requires_grad_(), data["identity"].requires_grad_()
    assert cpal.loss(features, logits, mask, labels, 0.5).item() == 0
    mask[1] = True
    value = cpal.loss(features, logits, mask, labels, 0.5)
    torch.testing.assert_close(value, slow_cpal(features, logits, mask, labels, 0.5))
    for gradient in torch.autograd.grad(value, [features, logits]):
        assert gradient.isfinite().all()
        assert (gradient[2:] == 0).all()


def test_cpal_survives_features_of_zero():
    data = batch(1)
    features = torch.zeros(B, F, D, dtype=torch.float64, requires_grad=True)
    labels = torch.ones(B, C)
    mask = torch.ones(B, F, dtype=torch.bool)
    value = cpal.loss(features, data["identity"], mask, labels, 0.5)
    assert value.item() == pytest.approx(0.5)
    value.backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_losses_compute_in_float32_under_bf16_autocast():
    data = batch(2, dtype=torch.float32)
    expected = all_losses(data)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        # float32 arguments: not one product may be rounded to bf16
        for name, value in all_losses(data).items():
            assert value.dtype == torch.float32
            torch.testing.assert_close(value, expected[name], msg=name)
        half = {k: v.bfloat16() if k not in ("mask", "labels") else v for k, v in data.items()}
        rounded = {k: v.float() if v.dtype == torch.bfloat16 else v for k, v in half.items()}
        expected = all_losses(rounded)
        for name, value in all_losses(half).items():
            assert value.dtype == torch.float32
            torch.testing.assert_close(value, expected[name], msg=name)


def test_large_logits_stay_finite():
    data = batch(4, dtype=torch.float32)
    for name in ("identity", "detection"):
        data[name] = data[name] * 1e4
    losses, gradients = with_gradients(data)
    assert all(value.isfinite() for value in losses.values())
    assert all(gradient.isfinite().all() for gradient in gradients)
