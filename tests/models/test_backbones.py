from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from weakreid.errors import ReidError
from weakreid.models import _torchvision, backbones, weights
from weakreid.models.backbones import build, map_shapes


@pytest.fixture(autouse=True)
def _global_generator_stays_as_it_was() -> Iterator[None]:
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(torch.random.get_rng_state(), before)


def images(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet18", 512),
        ("resnet34", 512),
        ("resnet50", 2048),
        ("se_resnet50", 2048),
        ("efficientnet_lite0", 1280),
        ("test_resnet", 96),
    ],
)
def test_every_backbone_has_the_promised_shape(name, channels):
    net = build(name, "none", 2).eval()
    assert net.channels == channels
    assert net.stage_names == ("stem", "layer1", "layer2", "layer3", "layer4")
    x, scales = images(1, 3, 64, 32), {}
    with torch.inference_mode():
        for stage, module in net.stages.items():
            x = module(x)
            scales[stage] = 64 // x.shape[2]
        assert torch.equal(x, net(images(1, 3, 64, 32)))
        assert x.shape == (1, channels, 2, 1)
        assert [scales[f"layer{i}"] for i in (1, 2, 3, 4)] == [4, 8, 16, 32]
        close = build(name, "none", last_stride=1).eval()
        assert close(images(1, 3, 64, 32)).shape == (1, channels, 4, 2)
    for a, b in zip(net.state_dict().values(), close.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "test_resnet"])
def test_random_weights_come_from_the_seed_alone(name):
    one, two, three = (build(name, "none", 2, seed) for seed in (0, 0, 1))
    first = next(iter(one.parameters()))
    assert torch.equal(first, next(iter(two.parameters())))
    assert not torch.equal(first, next(iter(three.parameters())))
    for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["resnet18", "test_resnet"])
def test_a_resnet_cut_into_stages_computes_what_the_whole_does(name):
    with torch.random.fork_rng(devices=[]):
        network = backbones._KINDS[name].make(False).eval()
    stages = backbones._cut_resnet(network, 2)
    x = images(2, 3, 64, 32)
    with torch.inference_mode():
        expected = network(x)
        for stage in stages.values():
            x = stage(x)
        torch.testing.assert_close(network.fc(x.mean((2, 3))), expected)


def test_lite0_with_the_packages_weights_gives_the_figures_of_their_own_network():
    # computed once with the network that the weights were published for
    pictures = torch.stack(
        [
            torch.linspace(-1, 1, 3 * 64 * 32).reshape(3, 64, 32),
            (torch.arange(3 * 64 * 32) % 17 / 8 - 1).reshape(3, 64, 32),
        ]
    )
    net = build("efficientnet_lite0", "package", 2).eval()
    with torch.inference_mode():
        features = net(pictures).mean((2, 3))
    top = torch.tensor([4.121410369873047, 4.009822368621826, 3.0138893127441406])
    torch.testing.assert_close(features[0, [113, 423, 930]], top, rtol=1e-4, atol=1e-4)
    mean = torch.tensor([0.04512543976306915, 0.6215871572494507])
    torch.testing.assert_close(features.mean(1), mean, rtol=1e-4, atol=1e-5)
    assert net.mean == (127.0,) * 3
    assert net.std == (128.0,) * 3


def test_lite0_names_map_one_to_one():
    given = weights.read(weights.package_file())
    named = weights.lite0_names(given)
    assert len(named) == len(given) == 296
    assert weights.lite0_names(named) == named
    assert "blocks.5.3.bn3.running_var" in named
    assert not any(key.startswith("_") for key in named)


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "test_resnet"])
def test_weights_from_a_file_are_loaded_whole(tmp_path, ending, name):
    with torch.random.fork_rng(devices=[]):
        network = backbones._KINDS[name].make(False)
    state = network.state_dict()
    state = {key: value for key, value in state.items() if "num_batches" not in key}
    path = tmp_path / f"weights{ending}"
    if ending == ".safetensors":
        save_file(state, path)
    else:
        # a classifier for another number of classes is passed over
        final = backbones._KINDS[name].classifier
        state[f"{final}.weight"] = torch.zeros(7, 5)
        torch.save({"state_dict": state} if ending == ".pt" else state, path)
    loaded = build(name, str(path), 2).eval()
    cut = backbones.Backbone(name, backbones._KINDS[name].cut(network, 2), 1, (0,) * 3, (1,) * 3)
    x = images(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(loaded(x), cut.eval()(x))


def write(path: Path, value: object) -> Path:
    torch.save(value, path)
    return path


def test_weights_that_are_not_there_or_do_not_fit_are_refused(tmp_path):
    with torch.random.fork_rng(devices=[]):
        state = _torchvision.resnets["resnet18"][0]().state_dict()
        no_tensors = nn.Linear(1, 1)
    lacking = {key: value for key, value in state.items() if key != "layer2.0.conv1.weight"}
    misshaped = {**state, "conv1.weight": torch.zeros(64, 1, 7, 7)}
    (tmp_path / "torn.pth").write_bytes(b"PK\x03\x04 torn")
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    (tmp_path / "empty.pth").write_bytes(b"")
    cases = {
        tmp_path / "absent.pth": r"no file .*absent\.pth; put a state dict there",
        tmp_path: "no file",
        tmp_path / "torn.pth": "cannot be read as tensors",
        tmp_path / "torn.safetensors": "cannot be read as tensors",
        tmp_path / "empty.pth": "cannot be read as tensors",
        write(tmp_path / "module.pth", no_tensors): "cannot be read as tensors",
        write(tmp_path / "list.pth", [torch.zeros(1)]): "no plain dictionary of tensors",
        write(tmp_path / "lacking.pth", lacking): r"lack 1 of .*'layer2.0.conv1.weight'",
        write(tmp_path / "misshaped.pth", misshaped): "misshape 1 of .*'conv1.weight'",
        write(tmp_path / "more.pth", {**state, "neck": torch.zeros(1)}): "unknown 1 of .*'neck'",
    }
    for path, message in cases.items():
        with pytest.raises(ReidError, match=message) as caught:
            build("resnet18", str(path), 2)
        assert "\n" not in str(caught.value)


def test_weights_that_are_no_file_are_refused():
    with pytest.raises(ReidError, match="no file random"):
        build("resnet18", "random", 2)


def test_a_failed_download_says_what_to_do(monkeypatch):
    def make(download: bool) -> nn.Module:
        assert download
        raise OSError("no route\nto anywhere")

    kind = backbones._Kind(make, backbones._cut_resnet, 512, "fc")
    monkeypatch.setitem(backbones._KINDS, "resnet18", kind)
    with pytest.raises(ReidError, match=r"could not be downloaded \(no route\); give the path"):
        build("resnet18", "hub", 2)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "test_resnet"])
def test_channels_last_changes_nothing(name):
    net = build(name, "none", 2).eval()
    x = images(2, 3, 32, 32)
    with torch.inference_mode():
        expected = net(x)
        net = net.to(memory_format=torch.channels_last)
        found = net(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_shared_batch_norms_keep_what_a_network_computes():
    net = build("efficientnet_lite0", "none", 2).eval()
    x = images(2, 3, 32, 32)
    with torch.inference_mode():
        expected = net(x)
        shared = backbones.share_batch_norms(net)
        torch.testing.assert_close(shared(x), expected)
    plain = [m for m in shared.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not plain
    assert any(isinstance(m, nn.SyncBatchNorm) for m in shared.modules())


def test_preprocess_takes_both_layouts():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(256, (2, 5, 4, 3), generator=generator, dtype=torch.uint8)
    mean, std = (100.0, 110.0, 120.0), (50.0, 60.0, 70.0)
    found = backbones.preprocess(rows, mean, std)
    assert found.dtype == torch.float32
    assert found.is_contiguous(memory_format=torch.channels_last)
    expected = (rows.float() - torch.tensor(mean)) / torch.tensor(std)
    torch.testing.assert_close(found, expected.permute(0, 3, 1, 2))
    planes = rows.permute(0, 3, 1, 2).contiguous()
    torch.testing.assert_close(backbones.preprocess(planes, mean, std), found)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "test_resnet"])
def test_shapes_of_maps_are_known_and_looking_changes_nothing(name: str) -> None:
    network = build(name, "none", 2)
    network.stages["stem"].eval()
    state = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    shapes = map_shapes(network, 64, 32)
    assert list(shapes) == list(network.stage_names)
    assert shapes["layer4"] == (network.channels, 2, 1)
    assert [shapes[f"layer{i}"][1:] for i in (1, 2, 3)] == [(16, 8), (8, 4), (4, 2)]
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
