"""What merges a clip's frames: against loops, and against Gao and Nevatia's networks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from weakreid.config.network import AttentionFrames, RecurrentFrames
from weakreid.models.aggregations.attention import Attention
from weakreid.models.aggregations.average import Average
from weakreid.models.aggregations.protocol import Place
from weakreid.models.aggregations.rnn import Recurrent

PUBLISHED = Path(__file__).resolve().parents[1] / "published"


def numbers(name: str) -> dict[str, Tensor]:
    held = np.load(PUBLISHED / f"{name}.npz").items()
    return {k: torch.from_numpy(np.asarray(v)) for k, v in held}


def clips_of(held: dict[str, Tensor]) -> Tensor:
    return held["x"].double().unflatten(0, (int(held["clips"]), int(held["frames"])))


def check(held: dict[str, Tensor], maps: Tensor, found: Tensor) -> None:
    assert torch.allclose(found, held["f64_out"], atol=1e-9)
    (gradient,) = torch.autograd.grad((found * held["R_out"].double()).sum(), maps)
    assert torch.allclose(gradient.flatten(0, 1), held["f64_grad_x"], atol=1e-9)


def attention(place: Place, **options: Any) -> Attention:
    return Attention(AttentionFrames(name="attention", **options), place)


def recurrent(inputs: int, hidden: int, seed: int = 0) -> Recurrent:
    options = RecurrentFrames(name="rnn", hidden=hidden)
    return Recurrent(options, Place(inputs, 0, 0, 0, seed))


def test_temporal_attention_is_the_published_one() -> None:
    held = numbers("aggregation_ta")
    maps = clips_of(held).requires_grad_()
    made = attention(Place(16, 16, 8, 4, seed=0), hidden=8).double()
    names = {"of_frame": "attention_conv", "over_time": "attention_tconv"}
    state = {
        f"{ours}.{part}": held[f"param_{theirs}_{part}"]
        for ours, theirs in names.items()
        for part in ("weight", "bias")
    }
    made.load_state_dict(state)
    found, weights, scores, *_ = made(maps.mean(dim=(3, 4)), maps)
    assert torch.allclose(scores, held["f64_scores"], atol=1e-9)
    assert torch.allclose(weights[:, 0], held["f64_attention"], atol=1e-9)
    check(held, maps, found)


def test_average_pooling_is_the_published_one() -> None:
    held = numbers("aggregation_tp")
    maps = clips_of(held).requires_grad_()
    check(held, maps, Average(16)(maps.mean(dim=(3, 4))).descriptors)


def test_the_recurrent_network_is_the_published_one() -> None:
    held = numbers("aggregation_rnn")
    maps = clips_of(held).requires_grad_()
    made = recurrent(16, 12).double()
    prefix = "param_lstm_"
    made.load_state_dict(
        {f"lstm.{k.removeprefix(prefix)}": v for k, v in held.items() if k.startswith(prefix)}
    )
    found, weights, *_ = made(maps.mean(dim=(3, 4)))
    assert weights.tolist() == [[[0.25] * 4]] * len(maps)
    check(held, maps, found)


@pytest.mark.parametrize("name", ["attention", "rnn"])
def test_half_precision_stays_finite(name: str) -> None:
    made = (
        attention(Place(6, 6, 3, 2, seed=0), hidden=4) if name == "attention" else recurrent(6, 4)
    )
    maps = (1e4 * torch.randn(2, 3, 6, 3, 2)).to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, weights, *_ = made(maps.mean(dim=(3, 4)), maps)
    assert found.dtype == torch.float32
    assert bool(found.isfinite().all())
    assert torch.allclose(weights.sum(2), torch.ones(2, 1))


def test_initial_weights_come_from_the_seed_alone() -> None:
    before = torch.random.get_rng_state()
    one, other = recurrent(6, 4, seed=1), recurrent(6, 4, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("rectified", [True, False])
def test_attention_whose_scores_all_fall_learns_only_without_the_relu(rectified: bool) -> None:
    made = attention(Place(5, 4, 2, 1, seed=0), hidden=3, rectified=rectified)
    with torch.no_grad():
        made.over_time.bias.fill_(-100.0)
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 4, 5, generator=generator)
    maps = torch.randn(2, 4, 4, 2, 1, generator=generator)
    merged = made(features, maps)
    merged.weights[:, 0, 0].sum().backward()
    learns = bool(made.over_time.weight.grad.abs().sum() > 0)
    assert learns is not rectified
    assert bool((merged.weights == 0.25).all()) is rectified
