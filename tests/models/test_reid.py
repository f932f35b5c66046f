from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from weakreid.artifacts.decoding import middle_of
from weakreid.config.network import Model
from weakreid.config.training import Optimiser
from weakreid.errors import ReidError
from weakreid.models.build import build_model
from weakreid.models.reid import Heads, ReidModel, chunks, parameter_groups


def model(**options: Any) -> ReidModel:
    seed = options.pop("seed", 0)
    block = {"backbone": "test_resnet", "weights": "none", "dimension": 16, **options}
    return build_model(Model(**block), seed)


def images(seed: int = 0) -> Tensor:
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def batch_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    return [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]


@pytest.mark.parametrize(
    ("embedding", "dimension"), [("fc", 16), ("fc_bn", 16), ("bnneck", 96), ("none", 96)]
)
def test_embeddings(embedding, dimension):
    net = model(embedding=embedding).eval()
    assert net.dimension == dimension
    with torch.inference_mode():
        pooled = net.backbone(images()).mean((2, 3))
        expected = {
            "fc": lambda: net.embedding(pooled),
            "fc_bn": lambda: net.embedding[0](pooled) / (1 + net.embedding[1].eps) ** 0.5,
            "bnneck": lambda: pooled / (1 + net.embedding.eps) ** 0.5,
            "none": lambda: pooled,
        }[embedding]()
        torch.testing.assert_close(net(images()), expected)
        extracted = net.extract(images())
    torch.testing.assert_close(extracted, nn.functional.normalize(expected, dim=1))


def test_features_are_float32_of_length_one_or_as_they_are():
    net = model().eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        extracted = net.extract(images())
    assert extracted.dtype == torch.float32
    torch.testing.assert_close(extracted.norm(dim=1), torch.ones(4))
    plain = model().eval()
    plain.normalise_features = False
    with torch.inference_mode():
        assert torch.equal(plain.extract(images()), plain(images()))


def test_pooling_is_float32_under_autocast():
    net = model(embedding="none").eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert net(images()).dtype == torch.float32


def test_frozen_stages_neither_learn_nor_drift():
    net = model(frozen=("stem", "layer1"))
    heads = Heads(("identity",), 16, 3)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.eval()
    net.train()
    optimiser = torch.optim.SGD(parameter_groups(net, [heads], Optimiser(lr=0.1, weight_decay=0.1)))
    heads(net(images()))["identity"].square().sum().backward()
    optimiser.step()
    after = {k: v for k, v in net.state_dict().items() if k.startswith("backbone")}
    moved = {k.split(".")[2] for k, v in after.items() if not torch.equal(v, before[k])}
    kept = {k.split(".")[2] for k, v in after.items() if torch.equal(v, before[k])}
    assert moved == {"layer2", "layer3", "layer4"}
    assert kept == {"stem", "layer1"}
    assert all(not norm.training for norm in batch_norms(net.backbone.stages["layer1"]))
    assert all(norm.training for norm in batch_norms(net.backbone.stages["layer2"]))


def test_batch_norms_in_eval_mode_keep_their_statistics_but_learn():
    net = model(batch_norm="eval", embedding="bnneck")
    for _ in range(2):
        net.train()
        assert net.training
        assert all(not norm.training for norm in batch_norms(net.backbone))
        assert net.embedding.training
        net.eval()
    net.train()
    statistics = batch_norms(net.backbone)[0].running_mean.clone()
    net(images()).square().sum().backward()
    assert torch.equal(batch_norms(net.backbone)[0].running_mean, statistics)
    assert batch_norms(net.backbone)[0].weight.grad is not None


def test_new_layers_come_from_the_seed_alone():
    before = torch.random.get_rng_state()
    one, other = model(seed=1), model(seed=2)
    again = model(seed=1)
    assert torch.equal(one.embedding.weight, again.embedding.weight)
    assert not torch.equal(one.embedding.weight, other.embedding.weight)
    two = Heads(("identity", "detection"), 8, 5, seed=1)
    alone = Heads(("detection",), 8, 5, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = {name: layer.weight for name, layer in two.projections.items()}
    assert torch.equal(weights["detection"], alone.projections["detection"].weight)
    assert not torch.equal(weights["detection"], weights["identity"])


def test_heads_project_the_last_axis():
    heads = Heads(("identity", "detection"), 8, 5)
    logits = heads(torch.zeros(2, 3, 8))
    assert {name: value.shape for name, value in logits.items()} == {
        "identity": (2, 3, 5),
        "detection": (2, 3, 5),
    }


def test_fc_bn_starts_as_fc_does():
    plain, normed = model(embedding="fc"), model(embedding="fc_bn")
    assert torch.equal(normed.embedding[0].weight, plain.embedding.weight)
    # its batch norm is no part of the backbone: it learns whatever batch_norm says
    fixed = model(embedding="fc_bn", batch_norm="eval").train()
    assert fixed.embedding[1].training


@pytest.mark.parametrize(
    ("size", "top", "left"), [((4, 3), 0, 0), ((2, 1), 1, 1), ((3, 2), 0, 0), ((1, 3), 1, 0)]
)
def test_the_middle_of_images(size, top, left):
    pixels = np.arange(2 * 4 * 3 * 3).reshape(2, 4, 3, 3)
    found = middle_of(pixels, *size)
    assert np.array_equal(found, pixels[:, top : top + size[0], left : left + size[1]])
    assert found.flags.c_contiguous


@pytest.mark.parametrize("count", [1, 31, 32, 33, 70])
def test_chunks_are_the_batch_in_its_order(count):
    batch = torch.arange(count)[:, None]
    parts = chunks(batch)
    assert torch.equal(torch.cat(list(parts)), batch)
    assert all(len(part) == 32 for part in parts[:-1])
    assert 1 <= len(parts[-1]) <= 32
    # elsewhere than on a CPU the whole batch is one
    (whole,) = chunks(torch.empty(count, 1, device="meta"))
    assert len(whole) == count


def test_a_feature_does_not_depend_on_the_chunk():
    net = model().eval()
    batch = torch.randn(40, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        whole = net.extract(batch)
        parts = torch.cat([net.extract(part) for part in chunks(batch)])
    torch.testing.assert_close(parts, whole)


def test_parameter_groups_have_their_rates_and_hold_each_learning_parameter_once():
    net, heads = model(frozen=("stem",)), Heads(("identity",), 16, 3)
    rates = Optimiser(lr=0.01, backbone_factor=0.1, head_factor=3.0, weight_decay=5e-4)
    groups = parameter_groups(net, [heads], rates)
    assert [group["name"] for group in groups] == ["backbone", "embedding", "heads"]
    assert [group["lr"] for group in groups] == pytest.approx([0.001, 0.01, 0.03])
    assert all(group["weight_decay"] == 5e-4 for group in groups)
    found = [id(p) for group in groups for p in group["params"]]
    learning = [p for p in [*net.parameters(), *heads.parameters()] if p.requires_grad]
    assert sorted(found) == sorted(id(p) for p in learning)
    bare = parameter_groups(model(embedding="none"), [], rates)
    assert [group["name"] for group in bare] == ["backbone"]


def test_nothing_left_to_learn_is_refused():
    stages = ("stem", "layer1", "layer2", "layer3", "layer4")
    with pytest.raises(ReidError, match="every parameter is frozen"):
        parameter_groups(model(frozen=stages, embedding="none"), [], Optimiser())
