"""A training that starts from another experiment's weights."""

from pathlib import Path

import pytest
import torch
from tests.training.helpers import make_data, method, settings_put_back
from tests.training.test_clip_task import NO_ATTRIBUTES, SHORT, TRICKS, clip_method, learn_here
from tests.training.test_clip_task import make_clips as make_clip_data

from weakreid.config.params import TrainBags
from weakreid.errors import ReidError
from weakreid.stages import train_bags
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.start import start_from

PLAIN = {"aggregation": NO_ATTRIBUTES, "model__embedding": "bnneck"}
NOTHING = {"schedule__epochs": 0}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_clip_data(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def tricks(data, tmp_path_factory) -> Path:
    """A training of clips with everything that can be started from."""
    return learn_here(data, tmp_path_factory.mktemp("tricks"), clip_method(**TRICKS, **SHORT))


def tensors(of: Path) -> dict[str, torch.Tensor]:
    return load_weights(of / "model.safetensors")[0]


def test_without_a_step_the_weights_are_those_that_it_starts_from(data, tricks, tmp_path) -> None:
    """So a network that learnt on one dataset is measured on another."""
    values = clip_method(**TRICKS, **NOTHING, seed=8)
    found = tensors(learn_here(data, tmp_path, values, init=tricks / "model.safetensors"))
    wanted = tensors(tricks)
    kept = [name for name in wanted if "classifier" not in name and "centers" not in name]
    assert any(name.startswith("heads.neck") for name in kept)
    assert any("aggregation" in name for name in kept)
    assert all(torch.equal(found[name], wanted[name]) for name in kept)
    assert not torch.equal(found["heads.classifier.weight"], wanted["heads.classifier.weight"])


def test_a_training_goes_on_from_there(data, tricks, tmp_path) -> None:
    values = clip_method(**TRICKS, **SHORT)
    init = tricks / "model.safetensors"
    again = [tensors(learn_here(data, tmp_path / n, values, init=init)) for n in ("a", "b")]
    assert all(torch.equal(again[0][name], again[1][name]) for name in again[0])
    learnt = "model.network.backbone.stages.layer4.0.conv1.weight"
    assert not torch.equal(again[0][learnt], tensors(tricks)[learnt])


def learn_bags(folder: Path, out: Path, init: Path | None = None) -> Path:
    with settings_put_back():
        train_bags.main(
            bags=folder / "bags.parquet",
            images=folder / "images.arrow",
            params=TrainBags.model_validate(method(**NOTHING)),
            code="0" * 16,
            checkpoint=out / "checkpoint.pt",
            device="cpu",
            devices=1,
            threads=1,
            model=out / "model.safetensors",
            history=out / "history.parquet",
            timing=out / "timing.json",
            init=init,
        )
    return out


def test_the_network_of_frames_passes_from_one_way_of_learning_to_another(data, tmp_path) -> None:
    clips = learn_here(data, tmp_path / "clips", clip_method(**PLAIN, **NOTHING))
    data_of_bags = tmp_path / "data"
    data_of_bags.mkdir()
    make_data(data_of_bags)
    bags = learn_bags(data_of_bags, tmp_path / "bags", clips / "model.safetensors")
    of_bags = part_of(tensors(bags), "model")
    of_clips = part_of(tensors(clips), "model")
    assert all(torch.equal(value, of_clips[f"network.{name}"]) for name, value in of_bags.items())
    values = clip_method(**PLAIN, **NOTHING, seed=8)
    back = learn_here(data, tmp_path / "back", values, init=bags / "model.safetensors")
    assert all(torch.equal(part_of(tensors(back), "model")[n], of) for n, of in of_clips.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({**PLAIN}, r"network\.embedding\.weight is absent there and 96 here"),
        (
            {**TRICKS, "aggregation": {"name": "attention", "hidden": 5}},
            r"aggregation\.of_frame\.weight is 4 x 96 x 1 x 1 there and 5 x 96 x 1 x 1 here",
        ),
        (
            {**TRICKS, "model__backbone": "efficientnet_lite0"},
            r"network\.backbone\.stages\.stem\.conv_stem\.weight is absent there",
        ),
    ],
)  # fmt: skip
def test_a_network_of_other_shapes_is_refused_by_its_first_tensor(
    data, tricks, tmp_path, change, message
) -> None:
    values = clip_method(**change, **NOTHING)
    with pytest.raises(ReidError, match=message):
        learn_here(data, tmp_path, values, init=tricks / "model.safetensors")


def test_a_file_that_is_none_of_ours_is_refused(tmp_path) -> None:
    with pytest.raises(ReidError, match="no such file"):
        start_from(tmp_path / "model.safetensors", torch.nn.Linear(2, 2))
