"""Optimisers from a method's values."""

import pytest
import torch

from weakreid.config.network import Model
from weakreid.config.training import Optimiser
from weakreid.models.build import build_model, restore_model
from weakreid.models.reid import Heads
from weakreid.training.optimiser import build_optimiser

VALUES = {
    "lr": 0.01,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "backbone_factor": 0.1,
    "head_factor": 3.0,
}
MODEL = Model(backbone="test_resnet", weights="none", dimension=16, frozen=["stem", "layer1"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_every_part_learns_at_its_own_rate(name: str, kind: type) -> None:
    model = build_model(MODEL)
    optimiser = build_optimiser(Optimiser(**VALUES, name=name), model, Heads(["identity"], 16, 5))
    assert type(optimiser) is kind
    rates = {group["name"]: group["lr"] for group in optimiser.param_groups}
    assert rates == pytest.approx({"backbone": 0.001, "embedding": 0.01, "heads": 0.03})
    learning = {id(p) for group in optimiser.param_groups for p in group["params"]}
    for stage in MODEL.frozen:
        assert not learning & {id(p) for p in model.backbone.stages[stage].parameters()}


def test_a_network_comes_back_from_its_tensors() -> None:
    model = build_model(MODEL, seed=3).eval()
    again = restore_model(MODEL, model.state_dict()).eval()
    images = torch.rand(2, 3, 32, 16)
    assert torch.equal(model(images), again(images))
