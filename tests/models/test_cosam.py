"""COSAM against loops written from its equations, and against the authors' program."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from weakreid.config import network as config
from weakreid.errors import ReidError
from weakreid.models.cosam import EPS, Cosam

PUBLISHED = Path(__file__).resolve().parents[1] / "published"
PROGRAM = {
    "deviation": "sample",
    "summary": "two_layers",
    "activation": "tanh",
    "enrichment": "add",
}
NAMES = {
    "reduce.0": "reduce_conv",
    "reduce.1": "reduce_bn",
    "summary_rest.0": "summary_bn",
    "summary_rest.2": "summary_conv2",
    "channel_weights.0": "channel_fc1",
    "channel_weights.2": "channel_fc2",
}
C, H, W, T = 6, 3, 2, 3


def maps_of(seed: int, clips: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(clips * T, C, H, W, generator=generator, dtype=torch.float64)


def module(after: str = "", **options: Any) -> Cosam:
    return Cosam(C, H, W, T, config.Cosam(reduced=8, **options), seed=3, after=after).double()


def ncc(p: list[float], q: list[float], deviation: str) -> float:
    """Eq. 2."""
    count = len(p)
    divisor = count - 1 if deviation == "sample" else count
    means = [sum(x) / count for x in (p, q)]
    spread = [
        math.sqrt(sum((v - m) ** 2 for v in x) / divisor) + EPS
        for x, m in zip((p, q), means, strict=True)
    ]
    products = ((a - means[0]) * (b - means[1]) for a, b in zip(p, q, strict=True))
    return sum(products) / count / spread[0] / spread[1]


def slow_volume(reduced: Tensor, deviation: str) -> Tensor:
    """Eq. 1: [n * T, (T - 1) * H * W, H, W], a loop per frame and place."""
    volume = torch.zeros(len(reduced), (T - 1) * H * W, H, W, dtype=torch.float64)
    for at in range(len(reduced)):
        first = at // T * T
        others = [m for m in range(first, first + T) if m != at]
        for i in range(H):
            for j in range(W):
                descriptor = reduced[at, :, i, j].tolist()
                volume[at, :, i, j] = torch.tensor(
                    [
                        ncc(descriptor, reduced[m, :, h, w].tolist(), deviation)
                        for m in others
                        for h in range(H)
                        for w in range(W)
                    ]
                )
    return volume


@pytest.mark.parametrize("deviation", ["population", "sample"])
@pytest.mark.parametrize("summary", ["one_layer", "two_layers"])
def test_the_mask_is_a_convolution_of_the_cost_volume(deviation: str, summary: str) -> None:
    made, maps = module(deviation=deviation, summary=summary).eval(), maps_of(1)
    with torch.no_grad():
        volume = slow_volume(made.reduce(maps), deviation)
        convolved = torch.nn.functional.conv2d(volume, made.summary_weight, made.summary_bias)
        wanted = made.summary_rest(convolved).sigmoid()
        assert torch.allclose(made.masks(maps), wanted, atol=1e-12)


@pytest.mark.parametrize("summary", ["one_layer", "two_layers"])
def test_masks_and_weights_begin_near_the_initial_value(summary: str) -> None:
    # a clip's frames are the same, so that the channel step's mean over them is one of them
    maps = maps_of(4)[::T].repeat_interleave(T, dim=0)
    half, open_ = (module(summary=summary, initial=initial).eval() for initial in (0.5, 0.95))
    with torch.no_grad():
        # the same numbers, 0.95's logit higher
        torch.testing.assert_close(
            open_.masks(maps).logit() - half.masks(maps).logit(),
            torch.full((len(maps), 1, H, W), math.log(19), dtype=torch.float64),
        )
        torch.testing.assert_close(
            open_.weights(maps).logit() - half.weights(maps).logit(),
            torch.full((len(maps), C, 1, 1), math.log(19), dtype=torch.float64),
        )


@pytest.mark.parametrize("enrichment", ["multiply", "add"])
def test_channels_count_by_what_the_frames_make_of_them_on_average(enrichment: str) -> None:
    made, maps = module(enrichment=enrichment).eval(), maps_of(2)
    with torch.no_grad():
        found, masks = made(maps)
        for clip in range(len(maps) // T):
            frames = range(clip * T, (clip + 1) * T)
            attended = [maps[f] * masks[f] for f in frames]
            weights = sum(made.channel_weights(a.mean(dim=(1, 2))) for a in attended) / T
            if enrichment == "add":
                weights = 1 + weights
            for frame, of_frame in zip(frames, attended, strict=True):
                assert torch.allclose(found[frame], of_frame * weights[:, None, None], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "mode"),
    [(n, m) for n in ("cosam", "cosam_t2") for m in ("train", "eval")]
    + [("cosam_degenerate", "eval")],
)
def test_it_is_the_authors_program(name: str, mode: str) -> None:
    held = {
        k: torch.from_numpy(np.asarray(v)) for k, v in np.load(PUBLISHED / f"{name}.npz").items()
    }
    maps = held["x"].double().requires_grad_()
    _, channels, height, width = maps.shape
    reduced, frames = int(held["d_r"]), int(held["frames"])
    options = config.Cosam(reduced=reduced, **PROGRAM)
    made = Cosam(channels, height, width, frames, options, seed=0, after="").double()
    state = made.state_dict()
    for ours, theirs in NAMES.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            if f"{ours}.{part}" in state:
                state[f"{ours}.{part}"] = held[f"param_{theirs}_{part}"].double()
    for part in ("weight", "bias"):
        state[f"summary_{part}"] = held[f"param_summary_conv1_{part}"].double()
    made.load_state_dict(state)
    found = made.train(mode == "train")(maps)
    assert torch.allclose(found.maps, held[f"{mode}_f64_out"], atol=1e-9)
    assert torch.allclose(found.masks, held[f"{mode}_f64_spatial_mask"], atol=1e-9)
    (found.maps * held["R_out"].double()).sum().backward()
    gradients = {"x": maps.grad, "summary_conv1_weight": made.summary_weight.grad}
    gradients |= {
        f"{theirs}_weight": made.get_parameter(f"{ours}.weight").grad
        for ours, theirs in NAMES.items()
    }
    for key, gradient in gradients.items():
        assert torch.allclose(gradient, held[f"{mode}_f64_grad_{key}"], atol=1e-9), key


def test_gradients_are_finite_differences() -> None:
    made = module().eval()
    assert torch.autograd.gradcheck(
        lambda maps: made(maps).maps, (maps_of(4, clips=1).requires_grad_(),)
    )


@pytest.mark.parametrize("scale", [0.0, 1.0, 6e4])
def test_half_precision_and_flat_maps_stay_finite(scale: float) -> None:
    made = module().float()
    maps = (maps_of(5).clamp(-1, 1) * scale).to(torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = made(maps)
    assert found.maps.dtype == torch.bfloat16
    found.maps.float().sum().backward()
    assert bool(found.maps.isfinite().all())
    assert bool(maps.grad.isfinite().all())


def test_clips_do_not_see_one_another() -> None:
    made, maps = module().eval(), maps_of(6)
    with torch.no_grad():
        assert torch.allclose(made(maps).maps[:T], made(maps[:T]).maps, atol=1e-12)


def test_equal_frames_have_equal_masks() -> None:
    made = module().eval()
    same = maps_of(7, clips=1)[:1].repeat(T, 1, 1, 1)
    with torch.no_grad():
        masks = made(same).masks
    assert torch.allclose(masks, masks[:1].expand_as(masks), atol=1e-12)


def test_initial_weights_come_from_the_seed_and_the_block_alone() -> None:
    before = torch.random.get_rng_state()
    one, other, third = module(after="layer3"), module(after="layer3"), module(after="layer4")
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one.summary_weight, other.summary_weight)
    assert not torch.equal(one.summary_weight, third.summary_weight)


@pytest.mark.parametrize("shape", [(T, C, H + 1, W), (T + 1, C, H, W)])
def test_other_clips_and_sizes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ReidError, match=r"clips of 3 frames and maps of 3 x 2"):
        module()(torch.zeros(shape, dtype=torch.float64))
